"""Training targets: class-balanced sampling, mixup, cutmix, distillation and the label prior."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.errors import LabelError, RecipeError
from emopy.labels import select_labels
from emopy.models import ModelFolder, load_model, softmax
from emopy.train.recipe import FitSettings

Pixels = NDArray[np.uint8]
Targets = NDArray[np.float32]

_BATCH_SIZE = 1024
"""Images per batch when teachers predict a whole dataset."""


def sampling_weights(targets: Targets, balance: float) -> NDArray[np.float64]:
    """Probability with which each sample is drawn for class-balanced sampling.

    Label k is drawn in proportion to p_k ** (1 - balance), where p_k is its proportion in the
    targets. The weight of a sample with soft targets is the sum over k of
    target_k * p_k ** -balance.

    Args:
        targets: (n, k) probabilities; each row sums to 1.
        balance: 0: all samples are equally likely; 1: all labels are.

    Returns:
        (n,) probabilities, sum 1.

    Source:
        Mahajan et al. 2018, https://arxiv.org/abs/1805.00932, section 2.2, for the power.

    Example:
        >>> sampling_weights(np.float32([[1, 0], [1, 0], [1, 0], [0, 1]]), 1.0).round(3).tolist()
        [0.167, 0.167, 0.167, 0.5]
    """
    proportions = targets.mean(axis=0, dtype=np.float64)
    present = proportions > 0
    weights = targets[:, present] @ proportions[present] ** -balance
    return weights / weights.sum()


def mixup(
    images: Pixels, targets: Targets, alpha: float, rng: np.random.Generator
) -> tuple[Pixels, Targets]:
    """Blend each image of a batch with another one, and their targets likewise.

    Args:
        images: (m, …) images or clips.
        targets: (m, k).
        alpha: Above 0. The weight of the first image is drawn from Beta(alpha, alpha).
        rng: Random generator.

    Returns:
        Images and targets of the same shapes.

    Source:
        Zhang et al. 2018, https://arxiv.org/abs/1710.09412, equation 1.
    """
    partner = rng.permutation(len(images))
    weight = rng.beta(alpha, alpha, len(images)).astype(np.float32)
    pixel_weight = weight.reshape(-1, *[1] * (images.ndim - 1))
    mixed = pixel_weight * images + (1 - pixel_weight) * images[partner]
    mixed_targets = weight[:, None] * targets + (1 - weight[:, None]) * targets[partner]
    return np.rint(mixed).astype(np.uint8), mixed_targets.astype(np.float32, copy=False)


def cutmix(
    images: Pixels, targets: Targets, alpha: float, rng: np.random.Generator
) -> tuple[Pixels, Targets]:
    """Replace a rectangle of each image by that of another one, and mix their targets by area.

    Args:
        images: (m, H, W, C) images or (m, T, H, W, C) clips; all frames of a clip get the same
            rectangle.
        targets: (m, k).
        alpha: Above 0. The proportion of the area to keep is drawn from Beta(alpha, alpha). The
            rectangle has the aspect ratio of the image and is clipped to it.
        rng: Random generator.

    Returns:
        Images and targets of the same shapes.

    Source:
        Yun et al. 2019, https://arxiv.org/abs/1905.04899, section 3.1.
    """
    partner = rng.permutation(len(images))
    half_side = np.sqrt(1 - rng.beta(alpha, alpha, len(images))) / 2
    inside = np.ones((len(images), 1, 1), np.bool_)
    for axis, side in ((1, images.shape[-3]), (2, images.shape[-2])):
        distance = np.abs(np.arange(side) + 0.5 - side * rng.random((len(images), 1)))
        inside = inside & np.expand_dims(distance < side * half_side[:, None], 3 - axis)
    frames = [1] * (images.ndim - 4)
    mask = inside.reshape(len(images), *frames, *inside.shape[1:], 1)
    kept = 1 - inside.mean(axis=(1, 2), dtype=np.float32)[:, None]
    mixed_targets = kept * targets + (1 - kept) * targets[partner]
    return np.where(mask, images[partner], images), mixed_targets


def sharpen_targets(targets: Targets, power: float) -> Targets:
    """Raise targets to a power and normalize them; above 1 they become more peaked.

    Args:
        targets: (n, k) probabilities; each row sums to 1.
        power: Above 0; 1 returns them unchanged.

    Returns:
        (n, k) probabilities; each row sums to 1.

    Example:
        >>> sharpen_targets(np.float32([[0.75, 0.25]]), 2.0).round(3).tolist()
        [[0.8999999761581421, 0.10000000149011612]]
    """
    if power == 1:
        return targets
    powers = (targets / targets.max(axis=1, keepdims=True)) ** np.float32(power)
    return powers / powers.sum(axis=1, keepdims=True)


class Teachers:
    """Teacher models for knowledge distillation.

    They predict the same augmented images that the student is trained on; `to_tensor` converts
    these to the input of each. The probabilities of a teacher with more labels are those among
    the labels of the student.

    Args:
        models: Names or folders of models.
        labels: Labels of the student.
        frames: Frames per sample; 1 for stills.
        weight: Weight of the teachers' probabilities in the targets, in [0, 1].
        temperature: Divisor of their logits. The temperature on their cards is not used.

    Raises:
        RecipeError: A teacher without one of the labels, or with another number of frames.
        ModelError: No such model, or a damaged one.

    Source:
        Hinton, Vinyals and Dean 2015, https://arxiv.org/abs/1503.02531; the same view for both:
        Beyer et al. 2022, https://arxiv.org/abs/2106.05237.
    """

    def __init__(
        self,
        models: Sequence[str],
        labels: Sequence[str],
        *,
        frames: int = 1,
        weight: float = 0.5,
        temperature: float = 1.0,
    ) -> None:
        folders = [load_model(model, threads=1) for model in models]
        self._teachers = [(folder, _columns_of(folder, labels, frames)) for folder in folders]
        self._weight = weight
        self._temperature = temperature

    def distill(self, images: Pixels, targets: Targets) -> Targets:
        """Mix the mean probabilities of the teachers into the targets.

        Args:
            images: (m, H, W, C) or (m, T, H, W, C), as the student gets them.
            targets: (m, k) without teachers.

        Returns:
            (m, k): (1 - weight) * targets + weight * mean probabilities.
        """
        probabilities = [
            softmax(folder.logits(images)[:, columns], self._temperature)
            for folder, columns in self._teachers
        ]
        weight = np.float32(self._weight)
        return (1 - weight) * targets + weight * np.mean(probabilities, axis=0, dtype=np.float32)


def training_prior(
    dataset: Dataset, settings: FitSettings, teachers: Teachers | None
) -> NDArray[np.floating]:
    """Label prior of the training: the mean target over the samples as they are drawn.

    Teachers predict every image once for it, without augmentation.

    Args:
        dataset: Training data.
        settings: Class-balanced sampling and label smoothing are taken into account.
        teachers: Teacher models, if any.

    Returns:
        (k,) probabilities, sum 1.
    """
    targets = dataset.targets
    if teachers is not None:
        starts = range(0, len(dataset), _BATCH_SIZE)
        batches = (slice(start, start + _BATCH_SIZE) for start in starts)
        targets = np.concatenate(
            [teachers.distill(dataset.images[rows], targets[rows]) for rows in batches]
        )
    if settings.class_balanced_sampling:
        # Samples are drawn by their labels, not by the probabilities of the teachers.
        weights = sampling_weights(dataset.targets, settings.class_balanced_sampling)
        prior = weights @ targets
    else:
        prior = targets.mean(axis=0)
    return (1 - settings.label_smoothing) * prior + settings.label_smoothing / len(prior)


def logit_offsets(prior: NDArray[np.floating], adjustment: float) -> NDArray[np.float32]:
    """Offsets added to the logits during training: adjustment * log(prior).

    Args:
        prior: (k,) label prior, as `training_prior` returns it.
        adjustment: 0 for none; at 1 the logits without offsets are those of a uniform prior.

    Returns:
        (k,) float32; 0 for labels that do not occur.

    Source:
        Menon et al. 2021, https://arxiv.org/abs/2007.07314, equation 10.
    """
    present = np.where(prior > 0, prior, 1)
    return (adjustment * np.log(present)).astype(np.float32)


def remaining_prior(prior: NDArray[np.floating], adjustment: float) -> NDArray[np.floating]:
    """Label prior of the logits without offsets: in proportion to prior ** (1 - adjustment).

    Args:
        prior: (k,) label prior, as `training_prior` returns it.
        adjustment: As for `logit_offsets`.

    Returns:
        (k,) probabilities, sum 1; 0 for labels that do not occur.

    Example:
        >>> remaining_prior(np.array([0.8, 0.2]), 1.0).tolist()
        [0.5, 0.5]
    """
    if not adjustment:
        return prior
    powers = np.zeros(len(prior))
    np.power(prior, 1 - adjustment, out=powers, where=prior > 0)
    return powers / powers.sum()


def _columns_of(teacher: ModelFolder, labels: Sequence[str], frames: int) -> list[int]:
    """Columns of the student's labels in the teacher's logits."""
    card = teacher.card
    if card.input.frames != frames:
        received = {1: "stills"}.get(card.input.frames, f"clips of {card.input.frames} frames")
        needed = {1: "stills"}.get(frames, f"clips of {frames} frames")
        raise RecipeError(
            f"`teacher` must be a model for {needed}. Received {card.name!r}, a model for "
            f"{received}."
        )
    try:
        return list(select_labels(list(labels), card.labels).columns)
    except LabelError as error:
        raise RecipeError(
            f"`teacher` must have all training labels: {', '.join(labels)}. Received "
            f"{card.name!r} with {', '.join(card.labels)}."
        ) from error
