"""The old `Dataset`, loaders and `FeatureExtractor`, on top of those of `emopy.data`."""

from __future__ import annotations

import errno
import os
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy import data
from emopy.data import features
from emopy.data.csv_layout import CSVLayout
from emopy.errors import DataError, LabelError
from emopy.labels import canonical
from emopy.media import find_images, read_image

_EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "calm")

EMOTION_INDEX = {word: index for index, word in enumerate(_EMOTIONS)}
"""The seven emotions and their old class indices; "calm" is "neutral" today."""


def index_map(labels: Sequence[str], words: Iterable[str]) -> dict[str, int]:
    """Index of each label in order, spelled as in `words`.

    Example:
        >>> index_map(("anger", "neutral"), ["calm", "anger"])
        {'anger': 0, 'calm': 1}
    """
    written = {canonical(word): word for word in words}
    return {written.get(label, label): column for column, label in enumerate(labels)}


def labels_of(emotion_map: Mapping[str, int]) -> tuple[str, ...]:
    """Labels in the order of the indices of an emotion map, aliases replaced.

    Raises:
        LabelError: The indices are not 0, 1, 2 …, or two words stand for one emotion.

    Example:
        >>> labels_of({"calm": 1, "anger": 0})
        ('anger', 'neutral')
    """
    words = sorted(emotion_map, key=lambda word: emotion_map[word])
    labels = tuple(canonical(word) for word in words)
    numbers = [emotion_map[word] for word in words]
    if len(set(labels)) < max(2, len(words)) or numbers != list(range(len(words))):
        raise LabelError(
            "`emotion_map` must number two or more emotions from 0. "
            f"Received {dict(emotion_map)}. Type for example: {{'anger': 0, 'calm': 1}}"
        )
    return labels


@contextmanager
def old_argument_names() -> Generator[None]:
    """Name the old argument ``time_delay``, which is ``num_frames`` elsewhere, in errors.

    Raises:
        DataError: The same error, with the old name.
    """
    try:
        yield
    except DataError as error:
        message = str(error).replace("num_frames", "time_delay")
        raise DataError(message.replace("Num_frames", "Time_delay")) from error


Samples = tuple[NDArray[Any], NDArray[Any]]


class Dataset:
    """Training and test data.

    Args:
        train_images: (n, H, W, C), or (n, T, H, W, C) with `time_delay` T.
        test_images: (m, …) of the same kind.
        train_labels: (n, k) one-hot.
        test_labels: (m, k) one-hot.
        emotion_index_map: Column of each emotion in the labels.
        time_delay: Frames per clip; None for stills.
    """

    def __init__(
        self,
        train_images: NDArray[Any],
        test_images: NDArray[Any],
        train_labels: NDArray[Any],
        test_labels: NDArray[Any],
        emotion_index_map: dict[str, int],
        time_delay: int | None = None,
    ) -> None:
        self._train = (train_images, train_labels)
        self._test = (test_images, test_labels)
        self._emotion_index_map = emotion_index_map
        self._time_delay = time_delay

    def get_training_data(self) -> Samples:
        """Training images and labels."""
        return self._train

    def get_test_data(self) -> Samples:
        """Test images and labels."""
        return self._test

    def get_emotion_index_map(self) -> dict[str, int]:
        """Column of each emotion in the labels."""
        return self._emotion_index_map

    def get_time_delay(self) -> int | None:
        """Frames per clip; None for stills."""
        return self._time_delay

    def num_train_images(self) -> int:
        """Number of training samples."""
        return len(self._train[0])

    def num_test_images(self) -> int:
        """Number of test samples."""
        return len(self._test[0])

    def num_images(self) -> int:
        """Number of all samples."""
        return self.num_train_images() + self.num_test_images()

    def print_data_details(self) -> None:
        """Print the number of samples."""
        print("DATASET DETAILS")
        print(f"{self.num_images()} image samples")
        print(f"{self.num_train_images()} training samples")
        print(f"{self.num_test_images()} test samples")


Source = str | os.PathLike[str]

_SEED = 42


class DataLoader(ABC):
    """Base of the loaders, which load and split a data set in one call.

    Args:
        validation_split: Fraction of the samples for testing, 0 ≤ fraction < 1.
        time_delay: Frames per clip; None for stills.
    """

    def __init__(self, validation_split: float, time_delay: int | None = None) -> None:
        self.validation_split = validation_split
        self.time_delay = time_delay

    @abstractmethod
    def load_data(self) -> Dataset:
        """Load and split the samples."""

    def _split(self, loaded: data.Dataset, words: Iterable[str]) -> Dataset:
        """Stratified; duplicates go to the same split."""
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
    """Load a CSV file with one face per row.

    Args:
        target_emotion_map: Labels in the file → emotions, such as ``{"0": "anger"}``; rows with
            other labels are left out.
        datapath: The file.
        validation_split: Fraction of the samples for testing, 0 ≤ fraction < 1.
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
        """Load and split the rows.

        Raises:
            FileNotFoundError: No such file.
            DataError: A missing column, a bad row, or no row left.
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
        return self._split(loaded, (self.target_emotion_map or {}).values())


class DirectoryDataLoader(DataLoader):
    """Load one folder per emotion, of images or of folders of frames.

    All images are resized to the size of the first one.

    Args:
        target_emotion_map: Its values are the emotions to load; None for every folder.
        datapath: The folder that holds the folders of the emotions.
        validation_split: Fraction of the samples for testing, 0 ≤ fraction < 1.
        out_channels: 1 for gray, 3 for RGB.
        time_delay: Frames per clip, the last ones of each folder; None for stills.
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
        """Load and split the folders.

        Raises:
            NotADirectoryError: No such folder.
            DataError: A bad `time_delay`, a clip with fewer frames, a bad image, or none.
            LabelError: A target emotion without a folder.
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
        return self._split(loaded, wanted or (entry.name for entry in path.iterdir()))


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


class FeatureExtractor(features.FeatureExtractor):
    """HOG and LBP features of faces.

    Args:
        images: (n, H, W) or (n, H, W, 1 | 3) uint8 faces of one size.
        return_2d_array: Return images instead of one feature vector per face.
    """

    def __init__(self, images: NDArray[np.uint8], return_2d_array: bool = True) -> None:
        super().__init__(images[..., None] if np.ndim(images) == 3 else images)
        self.return_2d_array = return_2d_array

    def extract(self) -> NDArray[Any]:
        """Images (n, H, W · features), or feature vectors (n, features)."""
        return self.images() if self.return_2d_array else super().extract()
