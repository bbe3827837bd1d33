"""Old name of what `emopy.data.CSVDataLoader` is today."""

from emopy.legacy.adapters.loaders import CSVDataLoader
from emopy.legacy.notice import old_name

__all__ = ["CSVDataLoader"]

old_name("EmoPy.src.csv_data_loader", "from emopy.data import CSVDataLoader")
