"""Old home of the sample images: some of `emopy.samples`, under their old names.

Each is the average of at least forty faces, so it is nobody's portrait.
"""

from emopy.legacy.notice import old_name

old_name("EmoPy.examples", "from emopy.samples import sample_images")
