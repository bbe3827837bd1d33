"""`open_data`: labelled faces from whatever a path on a command line points to."""

from __future__ import annotations

import os
from pathlib import Path

from emopy.data.dataset import Dataset, load_dataset
from emopy.data.directory import DirectoryDataLoader
from emopy.errors import DataError


def open_data(path: str | os.PathLike[str]) -> Dataset:
    """Load labelled faces.

    Args:
        path: A ``.npz`` file that `Dataset.save` wrote, or a folder with one folder per
            emotion, which is loaded as gray faces of 48 × 48 pixels. For other sizes, or to see
            which files were left out, use `DirectoryDataLoader`.

    Raises:
        DataError: Neither of these, or unusable.
    """
    path = Path(path)
    if path.suffix.lower() == ".npz" and not path.is_dir():
        return load_dataset(path)
    if path.is_dir():
        if files := sorted(file.name for file in path.glob("*.npz")):
            raise DataError(
                f"`path` must be one data set. Received {path}, which holds {', '.join(files)}. "
                f"Type for example: {path / files[0]}"
            )
        return DirectoryDataLoader(path).load_data()
    reason = "not such a file" if path.exists() else "no such file"
    raise DataError(
        "`path` must be a .npz file of faces, or a folder with one folder per emotion. "
        f"Received {path}: {reason}."
    )
