"""Batches for Keras: augmented on the fly, the same for the same seed."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.data.augment import Augmentation, augment_batch
from emopy.data.dataset import Dataset
from emopy.data.whitening import Whitening
from emopy.models import InputSpec, to_tensor


class TrainingBatches(keras.utils.PyDataset):
    """Endless shuffled passes over a data set, each epoch with fresh augmentation.

    Order and changes depend on (seed, epoch) only, so that a training that was killed goes on
    as if it had not been. Several threads prepare batches while the network learns.

    Args:
        dataset: What to learn from.
        spec: What the network wants to see.
        augmentation: Random changes.
        batch_size: Samples per batch.
        seed: Start of every chance.
        epoch: Epoch to begin with, from 0.
        whitening: Applied to the finished tensor; for experiments only.
    """

    def __init__(
        self,
        dataset: Dataset,
        spec: InputSpec,
        augmentation: Augmentation,
        *,
        batch_size: int,
        seed: int,
        epoch: int = 0,
        whitening: Whitening | None = None,
    ) -> None:
        super().__init__(workers=2, max_queue_size=8)
        self._dataset = dataset
        self._spec = spec
        self._augmentation = augmentation
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = epoch
        self._whitening = whitening
        self._order = self._shuffled()

    def __len__(self) -> int:
        """Batches per epoch; the last one may be smaller."""
        return math.ceil(len(self._dataset) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Batch `index` of the current epoch: tensor (m, H, W, C) and targets (m, k)."""
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        images = augment_batch(
            self._dataset.images, rows, self._augmentation, seed=self._seed, epoch=self._epoch
        )
        tensor = to_tensor(images, self._spec)
        if self._whitening is not None:
            tensor = self._whitening.apply(tensor)
        return tensor, self._dataset.targets[rows]

    def on_epoch_end(self) -> None:
        """Go on to the order and the changes of the next epoch; Keras calls it."""
        self._epoch += 1
        self._order = self._shuffled()

    def _shuffled(self) -> NDArray[np.intp]:
        """(n,) rows in the order of the current epoch."""
        rng = np.random.default_rng((self._seed, self._epoch))
        return rng.permutation(len(self._dataset))


class EpochSeeds(keras.callbacks.Callback):
    """Gives dropout and its like the same chance in an epoch, resumed or not.

    Keras does not keep the state of its random layers in a file.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Set every random layer to a state drawn from (seed, epoch); Keras calls it."""
        states = (v for v in self.model.variables if v.path.endswith("seed_generator_state"))
        rng = np.random.default_rng((self._seed, epoch))
        for state in states:
            state.assign(rng.integers(0, 2**32, state.shape, dtype=np.uint32))


def whole_batch(
    dataset: Dataset, spec: InputSpec
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A data set as one tensor (n, H, W, C) and its targets (n, k), unchanged: for validation."""
    return to_tensor(dataset.images, spec), dataset.targets
