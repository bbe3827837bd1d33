"""Old home of the sample pictures: some of `emopy.data.samples`, under their old names.

Each is the average of at least forty faces, so it is nobody's portrait.
"""

from emopy.legacy.notice import old_name

old_name("EmoPy.examples", "from emopy.data.samples import sample_pictures")
