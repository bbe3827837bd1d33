"""The old sample images: composites of `emopy.samples` under their old names.

Each is the average of at least forty faces and shows no single person.
"""

from emopy.legacy.old_modules import warn_of_old_name

warn_of_old_name("EmoPy.examples", "from emopy.samples import sample_images")
