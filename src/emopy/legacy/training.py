"""The old `DataGenerator`, `PlotLosses` and ZCA whitening. Needs Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import ArrayLike, NDArray

from emopy.data import Dataset, Whitening
from emopy.data.augment import Augmentation
from emopy.errors import DataError
from emopy.legacy.data import old_argument_names
from emopy.models import InputSpec, to_pixels, to_tensor
from emopy.nets.registry import wants_pixels
from emopy.train import data_generator
from emopy.train.batches import TrainingBatches, input_spec_of
from emopy.train.run_folder import draw_curves

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


class Batches(keras.utils.PyDataset):
    """Batches and the dataset they come from. ``next`` repeats them without end.

    Args:
        batches: One shuffled pass per epoch.
        dataset: The faces, at the size of the batches.
        augmentation: Data augmentation of the faces.
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
        """Shuffle and augment anew for the next epoch; called by Keras."""
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
    """`emopy.train.data_generator.DataGenerator` whose calls can be chained.

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
        """Set the data augmentation; returns the generator."""
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
        """Set the training images and labels; returns the generator."""
        with old_argument_names():
            super().fit(images, labels)
        return self

    def generate(
        self, target_dimensions: tuple[int, int] | None = None, batch_size: int = 10
    ) -> Batches:
        """Batches for ``fit_generator`` or for Keras, resized to (height, width)."""
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


class PlotLosses(keras.callbacks.Callback):
    """Plot training and validation loss during training.

    Args:
        figure_dir: Folder; created if missing.
        figure_name: File name.
        figure_path: Path of the file, instead of both.
    """

    def __init__(
        self,
        figure_dir: str = "output",
        figure_name: str = "loss_plot.png",
        figure_path: str | None = None,
    ) -> None:
        super().__init__()
        self.figure_path = Path(figure_path or Path(figure_dir) / figure_name)
        self._history: list[Mapping[str, float]] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Clear the history; called by Keras."""
        self._history = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Plot all epochs so far; called by Keras."""
        self._history.append(dict(logs or {}))
        self.draw(self._history)

    def draw(self, history: Sequence[Mapping[str, float]]) -> None:
        """Plot losses: one record per epoch with "loss" and optionally "val_loss"."""
        self.figure_path.parent.mkdir(parents=True, exist_ok=True)
        numbered = [{"epoch": epoch, **row} for epoch, row in enumerate(history, 1)]
        draw_curves(numbered, self.figure_path, ["loss"])


def whiten_first(network: keras.Model, faces: Dataset) -> keras.Model:
    """Prepend ZCA whitening to a network as constant layers.

    Args:
        network: From standardised crops (n, H, W, C), or clips, to logits.
        faces: Training faces, which the whitening is fitted on.

    Returns:
        A network of the same input and output that contains the given one.

    Raises:
        DataError: A pretrained network, or faces that are too large for a whitening matrix.
    """
    if wants_pixels(network):
        raise DataError(
            f"`zca_whitening` must be off for {network.name}: its backbone was trained on faces "
            "that were not whitened. Type: config_augmentation(zca_whitening=False)"
        )
    whitening = Whitening.fit(to_tensor(faces.images, input_spec_of(faces)))
    shape = network.input_shape[1:]
    linear = layers.Dense(len(whitening.mean), trainable=False, name="whitening")
    crops = keras.Input(shape)
    flat = layers.Reshape((*shape[:-3], len(whitening.mean)))(crops)
    whitened = layers.Reshape(shape)(linear(flat))
    linear.set_weights([whitening.matrix, -(whitening.mean @ whitening.matrix).astype(np.float32)])
    return keras.Model(crops, network(whitened), name=f"whitened_{network.name}")
