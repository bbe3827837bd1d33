"""The old loaders: they load and divide in one go, the same way every time."""

from __future__ import annotations

import errno
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path

from emopy import data
from emopy.data.csv_layout import CSVLayout
from emopy.errors import DataError
from emopy.legacy.adapters.dataset import Dataset
from emopy.legacy.adapters.words import index_map, old_argument_names
from emopy.media import find_images, read_image

Source = str | os.PathLike[str]

_SEED = 42


class DataLoader(ABC):
    """What the loaders share.

    Args:
        validation_split: Share of the samples to test with, from 0 to less than 1.
        time_delay: Frames per clip; None for stills.
    """

    def __init__(self, validation_split: float, time_delay: int | None = None) -> None:
        self.validation_split = validation_split
        self.time_delay = time_delay

    @abstractmethod
    def load_data(self) -> Dataset:
        """Read all samples and divide them."""

    def _divide(self, loaded: data.Dataset, words: Iterable[str]) -> Dataset:
        """Stratified; equal images go to the same side."""
        splits = data.split(
            loaded, validation=0, calibration=0, test=self.validation_split, seed=_SEED
        )
        return Dataset(
            splits.train.images,
            splits.test.images,
            splits.train.targets,
            splits.test.targets,
            index_map(loaded.labels, words),
            self.time_delay,
        )


class CSVDataLoader(DataLoader):
    """Loads a CSV file with one face per row.

    Args:
        target_emotion_map: What the written labels stand for, such as ``{"0": "anger"}``; rows
            with others are left out.
        datapath: The file.
        validation_split: Share of the samples to test with, from 0 to less than 1.
        image_dimensions: (height, width) of the images in the file; a square by default.
        csv_label_col: Column of the label, from 0; found by default.
        csv_image_col: Column of the pixels, from 0; found by default.
        out_channels: 1 for gray, 3 for RGB.
    """

    def __init__(
        self,
        target_emotion_map: Mapping[str, str] | None,
        datapath: Source | None = None,
        validation_split: float = 0.2,
        image_dimensions: tuple[int, int] | None = None,
        csv_label_col: int | None = None,
        csv_image_col: int | None = None,
        out_channels: int = 1,
    ) -> None:
        super().__init__(validation_split)
        self.target_emotion_map = target_emotion_map
        self.datapath = datapath
        self.image_dimensions = image_dimensions
        self.csv_label_col = csv_label_col
        self.csv_image_col = csv_image_col
        self.out_channels = out_channels

    def load_data(self) -> Dataset:
        """Read the rows.

        Raises:
            FileNotFoundError: No such file.
            DataError: A column that is not there, a bad row, or no row left.
        """
        path = _given(self.datapath)
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        layout: CSVLayout = {}
        if self.csv_label_col is not None:
            layout["label_column"] = self.csv_label_col
        if self.csv_image_col is not None:
            layout["pixels_column"] = self.csv_image_col
        loaded = data.CSVDataLoader(
            path,
            labels=self.target_emotion_map,
            size=self.image_dimensions,
            channels=self.out_channels,
            strict=True,
            **layout,
        ).load_data()
        return self._divide(loaded, (self.target_emotion_map or {}).values())


class DirectoryDataLoader(DataLoader):
    """Loads one folder per emotion, of images or of folders of frames.

    Images keep the size of the first one; others are brought to it.

    Args:
        target_emotion_map: Its values are the emotions to load; None for every folder.
        datapath: The folder that holds the folders of the emotions.
        validation_split: Share of the samples to test with, from 0 to less than 1.
        out_channels: 1 for gray, 3 for RGB.
        time_delay: Load clips: the last so many frames of each folder. None for stills.
    """

    def __init__(
        self,
        target_emotion_map: Mapping[str, str] | None = None,
        datapath: Source | None = None,
        validation_split: float = 0.2,
        out_channels: int = 1,
        time_delay: int | None = None,
    ) -> None:
        super().__init__(validation_split, time_delay)
        self.target_emotion_map = target_emotion_map
        self.datapath = datapath
        self.out_channels = out_channels

    def load_data(self) -> Dataset:
        """Read the folders.

        Raises:
            NotADirectoryError: No such folder.
            DataError: A bad `time_delay`, a clip with fewer frames, a bad image, or none.
            LabelError: A wanted emotion has no folder.
        """
        path = _given(self.datapath)
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        emotions = (self.target_emotion_map or {}).values()
        wanted = list(dict.fromkeys(emotions)) or None
        size = _first_size(path)
        with old_argument_names():
            loaded = data.DirectoryDataLoader(
                path,
                num_frames=self.time_delay,
                size=size,
                channels=self.out_channels,
                target_emotions=wanted,
                strict=True,
            ).load_data()
        return self._divide(loaded, wanted or (entry.name for entry in path.iterdir()))


def _given(datapath: Source | None) -> Path:
    if datapath is None:
        raise DataError("`datapath` must be a path. Received None. Type datapath='my-faces'.")
    return Path(datapath)


def _first_size(folder: Path) -> tuple[int, int]:
    images = find_images([folder], recursive=True)
    if not images:
        raise DataError(f"`datapath` must hold images. Received {folder}: none.")
    height, width, _ = read_image(images[0]).shape
    return height, width
