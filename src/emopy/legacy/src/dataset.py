"""Old name of what `emopy.data.Dataset` is today."""

from emopy.legacy.adapters.dataset import Dataset
from emopy.legacy.notice import old_name

__all__ = ["Dataset"]

old_name("EmoPy.src.dataset", "from emopy.data import Dataset")
