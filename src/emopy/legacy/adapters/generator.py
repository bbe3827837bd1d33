"""The old `DataGenerator`, and what it gives to a network's ``fit_generator``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from emopy.data.augment import Augmentation
from emopy.data.dataset import Dataset
from emopy.legacy.adapters.words import old_argument_names
from emopy.models import InputSpec, to_pixels
from emopy.train import data_generator
from emopy.train.batches import TrainingBatches

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


class Batches(keras.utils.PyDataset):
    """Batches that know what they are made from. ``next`` gives one after another, for ever.

    Args:
        batches: One shuffled pass per epoch.
        dataset: The faces, at the size of the batches.
        augmentation: Random changes of the faces.
        batch_size: Samples per batch.
        whitened: Whether the batches are ZCA-whitened.
    """

    def __init__(
        self,
        batches: TrainingBatches,
        dataset: Dataset,
        augmentation: Augmentation,
        batch_size: int,
        whitened: bool = False,
    ) -> None:
        super().__init__(workers=2, max_queue_size=8)
        self._batches = batches
        self._next = 0
        self.dataset = dataset
        self.augmentation = augmentation
        self.batch_size = batch_size
        self.whitened = whitened

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> Batch:
        return self._batches[index]

    def on_epoch_end(self) -> None:
        """Go on to the order and the changes of the next epoch; Keras calls it."""
        self._batches.on_epoch_end()

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> Batch:
        if self._next == len(self):
            self.on_epoch_end()
            self._next = 0
        self._next += 1
        return self[self._next - 1]


class DataGenerator(data_generator.DataGenerator):
    """`emopy.train.data_generator.DataGenerator`; calls can be chained, as of old.

    Args:
        time_delay: Frames per clip; None for stills.
    """

    def __init__(self, time_delay: int | None = None) -> None:
        with old_argument_names():
            super().__init__(time_delay)

    @property
    def time_delay(self) -> int | None:
        """Frames per clip; None for stills."""
        return self.num_frames

    def config_augmentation(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        zca_whitening: bool = False,
        rotation_angle: float = 10,
        shift_range: float = 0.1,
        zoom_range: float = 0.1,
        horizontal_flip: bool = True,
        time_delay: int | None = None,
    ) -> DataGenerator:
        """Choose how faces are changed; gives the generator back."""
        with old_argument_names():
            super().config_augmentation(
                zca_whitening=zca_whitening,
                rotation_angle=rotation_angle,
                shift_range=shift_range,
                zoom_range=zoom_range,
                horizontal_flip=horizontal_flip,
                num_frames=time_delay,
            )
        return self

    def fit(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, images: ArrayLike, labels: ArrayLike
    ) -> DataGenerator:
        """Take faces and labels to learn from; gives the generator back."""
        with old_argument_names():
            super().fit(images, labels)
        return self

    def generate(
        self, target_dimensions: tuple[int, int] | None = None, batch_size: int = 10
    ) -> Batches:
        """Batches for a network's ``fit_generator`` or for Keras, resized to (height, width)."""
        batches = super().generate(target_dimensions, batch_size)
        dataset, _ = self._fitted()
        if target_dimensions is not None:
            dataset = replace(dataset, images=_resized(dataset.images, target_dimensions))
        return Batches(batches, dataset, self._augmentation, batch_size, self._zca)


def _resized(images: NDArray[Any], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Faces (n, H, W, C) or clips (n, T, H, W, C) at another (height, width)."""
    frames = images.shape[1] if images.ndim == 5 else 1
    spec = InputSpec(*size, channels=images.shape[-1], frames=frames)
    return to_pixels(images, spec).copy()
