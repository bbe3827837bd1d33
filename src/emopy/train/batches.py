"""Training batches: augmented on the fly, identical for the same seed."""

from __future__ import annotations

import math

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.data.augment import Augmentation, augment_batch
from emopy.data.dataset import Dataset
from emopy.data.whitening import Whitening
from emopy.models import InputSpec, to_tensor
from emopy.train.recipe import FitSettings
from emopy.train.targets import Teachers, cutmix, mixup, sampling_weights

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Tensor (m, H, W, C) or (m, T, H, W, C), and targets (m, k)."""

_MIXING_SEED = 0x6D6978
"""Separates the random numbers of mixup and cutmix from all others."""


class TrainingBatches(keras.utils.PyDataset):
    """Endless shuffled epochs of a dataset with fresh augmentation in each.

    Steps: sample, augment, mix, distill, standardize. All random numbers depend on (seed, epoch)
    only, so that a resumed training gets the same batches. Two threads prepare batches during
    training.

    Args:
        dataset: Training data.
        spec: Input of the network.
        augmentation: Data augmentation.
        settings: Its batch_size, seed, class_balanced_sampling, mixup and cutmix are used.
        epoch: First epoch, from 0.
        teachers: Teacher models for knowledge distillation.
        whitening: Applied to the finished tensor; for experiments only.
    """

    def __init__(
        self,
        dataset: Dataset,
        spec: InputSpec,
        augmentation: Augmentation,
        settings: FitSettings,
        *,
        epoch: int = 0,
        teachers: Teachers | None = None,
        whitening: Whitening | None = None,
    ) -> None:
        super().__init__(workers=2, max_queue_size=8)
        self._dataset = dataset
        self._spec = spec
        self._augmentation = augmentation
        self._settings = settings
        self._epoch = epoch
        self._teachers = teachers
        self._whitening = whitening
        balance = settings.class_balanced_sampling
        self._weights = sampling_weights(dataset.targets, balance) if balance else None
        self._draw_rows()

    def __len__(self) -> int:
        """Batches per epoch; the last one may be smaller."""
        return math.ceil(len(self._dataset) / self._settings.batch_size)

    def __getitem__(self, index: int) -> Batch:
        """Batch `index` of the current epoch: tensor (m, H, W, C) and targets (m, k)."""
        settings = self._settings
        place = slice(index * settings.batch_size, (index + 1) * settings.batch_size)
        rows = self._rows[place]
        images = augment_batch(
            self._dataset.images,
            rows,
            self._augmentation,
            seed=settings.seed,
            epoch=self._epoch,
            occurrences=None if self._copies is None else self._copies[place],
        )
        targets = self._dataset.targets[rows]
        if settings.mixup or settings.cutmix:
            rng = np.random.default_rng((settings.seed, self._epoch, index, _MIXING_SEED))
            cut = settings.cutmix and (not settings.mixup or rng.random() < 0.5)
            mix, alpha = (cutmix, settings.cutmix) if cut else (mixup, settings.mixup)
            images, targets = mix(images, targets, alpha, rng)
        if self._teachers is not None:
            targets = self._teachers.distill(images, targets)
        tensor = to_tensor(images, self._spec)
        if self._whitening is not None:
            tensor = self._whitening.apply(tensor)
        return tensor, targets

    def on_epoch_end(self) -> None:
        """Advance to the next epoch; called by Keras."""
        self._epoch += 1
        self._draw_rows()

    def _draw_rows(self) -> None:
        """Draw the rows of the epoch; class-balanced sampling may draw a row more than once."""
        rng, n = np.random.default_rng((self._settings.seed, self._epoch)), len(self._dataset)
        if self._weights is None:
            self._rows, self._copies = rng.permutation(n), None
        else:
            self._rows = rng.choice(n, n, p=self._weights)
            self._copies = _count_earlier_occurrences(self._rows)


def validation_batch(dataset: Dataset, spec: InputSpec) -> Batch | None:
    """A whole dataset as one batch without augmentation, or None for an empty one."""
    return (to_tensor(dataset.images, spec), dataset.targets) if len(dataset) else None


def input_spec_of(dataset: Dataset) -> InputSpec:
    """Input of a network trained on these images, with their mean and standard deviation."""
    *frames, height, width, channels = dataset.images.shape[1:]
    sample = dataset.images[:: max(1, len(dataset) // 4096)]
    counts = np.zeros(256)
    for start in range(0, len(sample), 64):  # few at a time: counting takes eight times their size
        counts += np.bincount(sample[start : start + 64].ravel(), minlength=256)
    values, weights = np.arange(256) / 255, counts / counts.sum()
    mean = float(weights @ values)
    std = math.sqrt(float(weights @ (values - mean) ** 2))
    return InputSpec(
        height=height,
        width=width,
        channels=channels,
        frames=frames[0] if frames else 1,
        mean=round(mean, 4),
        std=round(max(std, 0.01), 4),
    )


def _count_earlier_occurrences(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """(n,) how often each value occurs before its position."""
    order = np.argsort(rows, kind="stable")
    _, first, counts = np.unique(rows[order], return_index=True, return_counts=True)
    earlier = np.empty(len(rows), np.intp)
    earlier[order] = np.arange(len(rows)) - np.repeat(first, counts)
    return earlier
