"""`open_data`: labelled faces from whatever a path on a command line points to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from emopy.data.csv import CSVDataLoader
from emopy.data.csv_settings import find_csv
from emopy.data.dataset import Dataset, load_dataset
from emopy.data.directory import DirectoryDataLoader
from emopy.data.sequence import SequenceDataLoader
from emopy.data.skipped import SkippedSample
from emopy.errors import DataError


class Loader(Protocol):
    """Anything that loads labelled faces and tells what it left out."""

    skipped: tuple[SkippedSample, ...]

    def load_data(self) -> Dataset:
        """Read the faces."""
        ...


class FileLoader:
    """Loads a ``.npz`` file that `Dataset.save` wrote; it is read whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.skipped: tuple[SkippedSample, ...] = ()

    def load_data(self) -> Dataset:
        """Read the file."""
        return load_dataset(self.path)


def find_loader(
    path: str | os.PathLike[str],
    *,
    time_delay: int | None = None,
    size: tuple[int, int] = (48, 48),
    channels: int = 1,
) -> Loader:
    """Choose the loader for a path.

    Args:
        path: A ``.npz`` file that `Dataset.save` wrote; a ``.csv`` file with one face per row,
            read as ``faces.csv.toml`` beside it says (`CSVSettings`), ``faces.csv#PART`` for the
            rows of one split; or a folder with one folder per emotion.
        time_delay: Frames per clip, where the folder holds clips; None for stills.
        size: (height, width) to bring the images of a folder to; files keep theirs.
        channels: 1 for gray or 3 for RGB images of a folder; files keep theirs.

    Returns:
        The loader; its `skipped` say, after loading, what was left out.

    Raises:
        DataError: None of these, or ``faces.csv.toml`` is wrong.
    """
    path = Path(path)
    if path.is_dir():
        if files := sorted(file.name for file in path.glob("*.npz")):
            raise DataError(
                f"`path` must be one data set. Received {path}, which holds {', '.join(files)}. "
                f"Type for example: {path / files[0]}"
            )
        if time_delay is not None:
            return SequenceDataLoader(path, time_delay=time_delay, size=size, channels=channels)
        return DirectoryDataLoader(path, size=size, channels=channels)
    if path.suffix.lower() == ".npz":
        return FileLoader(path)
    if (csv := find_csv(path)) is not None:
        file, settings = csv
        return CSVDataLoader(file, **settings)
    reason = "not such a file" if path.exists() else "no such file"
    raise DataError(
        "`path` must be a .npz file of faces, a .csv file with one face per row, or a folder "
        f"with one folder per emotion. Received {path}: {reason}."
    )


def open_data(path: str | os.PathLike[str], *, time_delay: int | None = None) -> Dataset:
    """Load labelled faces from a path; see `find_loader` for what it may be.

    For other settings use the loaders themselves; to see what was left out, `find_loader`.

    Args:
        path: File or folder.
        time_delay: Frames per clip, where the folder holds clips; None for stills.

    Raises:
        DataError: Not such data, or unusable.
    """
    return find_loader(path, time_delay=time_delay).load_data()
