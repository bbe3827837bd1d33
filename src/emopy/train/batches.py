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
from emopy.train.recipe import FitSettings
from emopy.train.targets import Teachers, cut_pairs, face_weights, mix_pairs

_MIXING = 0x6D6978
"""Sets the chance of mixing apart from that of all other changes."""


class TrainingBatches(keras.utils.PyDataset):
    """Endless shuffled passes over a data set, each epoch with fresh augmentation.

    Faces are drawn, changed, mixed, judged by teachers, and turned into what the network wants
    to see, in this order. All of it depends on (seed, epoch) only, so that a training that was
    killed goes on as if it had not been. Several threads prepare batches while the network
    learns.

    Args:
        dataset: What to learn from.
        spec: What the network wants to see.
        augmentation: Random changes.
        how: Its batch_size, seed, balance, mixup and cutmix count here.
        epoch: Epoch to begin with, from 0.
        teachers: Whose answers become a part of the targets.
        whitening: Applied to the finished tensor; for experiments only.
    """

    def __init__(
        self,
        dataset: Dataset,
        spec: InputSpec,
        augmentation: Augmentation,
        how: FitSettings,
        *,
        epoch: int = 0,
        teachers: Teachers | None = None,
        whitening: Whitening | None = None,
    ) -> None:
        super().__init__(workers=2, max_queue_size=8)
        self._dataset = dataset
        self._spec = spec
        self._augmentation = augmentation
        self._how = how
        self._epoch = epoch
        self._teachers = teachers
        self._whitening = whitening
        self._weights = (
            face_weights(dataset.targets, how.class_balanced_sampling)
            if how.class_balanced_sampling
            else None
        )
        self._draw()

    def __len__(self) -> int:
        """Batches per epoch; the last one may be smaller."""
        return math.ceil(len(self._dataset) / self._how.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Batch `index` of the current epoch: tensor (m, H, W, C) and targets (m, k)."""
        how = self._how
        place = slice(index * how.batch_size, (index + 1) * how.batch_size)
        rows = self._rows[place]
        images = augment_batch(
            self._dataset.images,
            rows,
            self._augmentation,
            seed=how.seed,
            epoch=self._epoch,
            copies=None if self._copies is None else self._copies[place],
        )
        targets = self._dataset.targets[rows]
        if how.mixup or how.cutmix:
            chance = np.random.default_rng((how.seed, self._epoch, index, _MIXING))
            cut = how.cutmix and (not how.mixup or chance.random() < 0.5)
            mix, alpha = (cut_pairs, how.cutmix) if cut else (mix_pairs, how.mixup)
            images, targets = mix(images, targets, alpha, chance)
        if self._teachers is not None:
            targets = self._teachers.teach(images, targets)
        tensor = to_tensor(images, self._spec)
        if self._whitening is not None:
            tensor = self._whitening.apply(tensor)
        return tensor, targets

    def on_epoch_end(self) -> None:
        """Go on to the order and the changes of the next epoch; Keras calls it."""
        self._epoch += 1
        self._draw()

    def _draw(self) -> None:
        """Choose the rows of the epoch and their order; balanced, some come repeatedly."""
        rng, n = np.random.default_rng((self._how.seed, self._epoch)), len(self._dataset)
        if self._weights is None:
            self._rows, self._copies = rng.permutation(n), None
        else:
            self._rows = rng.choice(n, n, p=self._weights)
            self._copies = _repeats(self._rows)


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


def _repeats(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """(n,) how often each entry stood before in the row of them."""
    order = np.argsort(rows, kind="stable")
    _, first, counts = np.unique(rows[order], return_index=True, return_counts=True)
    repeats = np.empty(len(rows), np.intp)
    repeats[order] = np.arange(len(rows)) - np.repeat(first, counts)
    return repeats


def whole_batch(
    dataset: Dataset, spec: InputSpec
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A data set as one tensor (n, H, W, C) and its targets (n, k), unchanged: for validation."""
    return to_tensor(dataset.images, spec), dataset.targets
