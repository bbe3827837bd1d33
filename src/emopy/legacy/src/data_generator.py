"""Old name of what `emopy.train.data_generator` is today."""

from emopy.legacy.adapters.generator import DataGenerator
from emopy.legacy.notice import old_name

__all__ = ["DataGenerator"]

old_name("EmoPy.src.data_generator", "from emopy.train.data_generator import DataGenerator")
