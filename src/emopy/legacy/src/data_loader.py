"""Old name of what any object with `load_data` is today."""

from emopy.legacy.adapters.loaders import DataLoader as _DataLoader
from emopy.legacy.notice import old_name

__all__ = ["_DataLoader"]

old_name("EmoPy.src.data_loader", "from emopy.data import Loader")
