"""Old name of what `emopy.data.DirectoryDataLoader` is today."""

from emopy.legacy.adapters.loaders import DirectoryDataLoader
from emopy.legacy.notice import old_name

__all__ = ["DirectoryDataLoader"]

old_name("EmoPy.src.directory_data_loader", "from emopy.data import DirectoryDataLoader")
