"""What is learnt from each face: how often it is drawn, mixed with which other, taught by whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.errors import LabelError, RecipeError
from emopy.labels import select_labels
from emopy.models import ModelFolder, load_model, softmax
from emopy.train.recipe import FitSettings

Pixels = NDArray[np.uint8]
Targets = NDArray[np.float32]

_BATCH = 1024
"""Faces that teachers judge at a time when a whole data set is gone through."""


def face_weights(targets: Targets, balance: float) -> NDArray[np.float64]:
    """How likely each face is to be drawn, so that rare labels are drawn more often.

    Label k is drawn in proportion to share_k ** (1 - balance). A face with soft targets counts
    for each of its labels: its weight is the sum over k of target_k * share_k ** -balance.

    Args:
        targets: (n, k) shares; each row sums to 1.
        balance: 0: every face is as likely as any other; 1: every label is.

    Returns:
        (n,) probabilities, sum 1.

    Source:
        Mahajan et al. 2018, https://arxiv.org/abs/1805.00932, section 2.2, for the power.

    Example:
        >>> face_weights(np.float32([[1, 0], [1, 0], [1, 0], [0, 1]]), 1.0).round(3).tolist()
        [0.167, 0.167, 0.167, 0.5]
    """
    shares = targets.mean(axis=0, dtype=np.float64)
    known = shares > 0
    weights = targets[:, known] @ shares[known] ** -balance
    return weights / weights.sum()


def mix_pairs(
    images: Pixels, targets: Targets, alpha: float, rng: np.random.Generator
) -> tuple[Pixels, Targets]:
    """Lay each face of a batch over another one, and mix their targets alike.

    Args:
        images: (m, …) faces or clips.
        targets: (m, k).
        alpha: Each share of the first is drawn from Beta(alpha, alpha), above 0: below 1 most
            are near 0 or 1, above 1 near a half.
        rng: Source of chance.

    Returns:
        Images and targets of the same shapes.

    Source:
        Zhang et al. 2018, https://arxiv.org/abs/1710.09412, equation 1.
    """
    partner = rng.permutation(len(images))
    share = rng.beta(alpha, alpha, len(images)).astype(np.float32)
    wide = share.reshape(-1, *[1] * (images.ndim - 1))
    mixed = wide * images + (1 - wide) * images[partner]
    both = share[:, None] * targets + (1 - share[:, None]) * targets[partner]
    return np.rint(mixed).astype(np.uint8), both.astype(np.float32, copy=False)


def cut_pairs(
    images: Pixels, targets: Targets, alpha: float, rng: np.random.Generator
) -> tuple[Pixels, Targets]:
    """Put a rectangle of another face into each face of a batch, and mix their targets by area.

    Args:
        images: (m, H, W, C) faces or (m, T, H, W, C) clips; all frames of one get the same.
        targets: (m, k).
        alpha: The part of each face that should stay is drawn from Beta(alpha, alpha), above 0.
            Rectangles have the proportions of the face; what would lie outside is cut off.
        rng: Source of chance.

    Returns:
        Images and targets of the same shapes.

    Source:
        Yun et al. 2019, https://arxiv.org/abs/1905.04899, section 3.1.
    """
    partner = rng.permutation(len(images))
    half = np.sqrt(1 - rng.beta(alpha, alpha, len(images))) / 2
    inside = np.ones((len(images), 1, 1), np.bool_)
    for axis, side in ((1, images.shape[-3]), (2, images.shape[-2])):
        away = np.abs(np.arange(side) + 0.5 - side * rng.random((len(images), 1)))
        inside = inside & np.expand_dims(away < side * half[:, None], 3 - axis)
    frames = [1] * (images.ndim - 4)
    mask = inside.reshape(len(images), *frames, *inside.shape[1:], 1)
    stays = 1 - inside.mean(axis=(1, 2), dtype=np.float32)[:, None]
    mixed = stays * targets + (1 - stays) * targets[partner]
    return np.where(mask, images[partner], images), mixed


def sharpened(targets: Targets, power: float) -> Targets:
    """Targets raised to a power and divided by their sum: above 1 the largest grows.

    Args:
        targets: (n, k) shares; each row sums to 1.
        power: Above 0; 1 leaves them as they are.

    Returns:
        (n, k) shares; each row sums to 1.

    Example:
        >>> sharpened(np.float32([[0.75, 0.25]]), 2.0).round(3).tolist()
        [[0.8999999761581421, 0.10000000149011612]]
    """
    if power == 1:
        return targets
    powers = (targets / targets.max(axis=1, keepdims=True)) ** np.float32(power)
    return powers / powers.sum(axis=1, keepdims=True)


class Teachers:
    """Models whose answers become a part of the targets.

    They judge the same changed and mixed faces that the network learns from, each brought to
    its own size and colours by `to_tensor`. One that knows more labels answers for those that
    are learnt.

    Args:
        models: Names or folders of models.
        labels: Labels that are learnt.
        frames: Frames per sample that is learnt; 1 for stills.
        weight: Part of the targets that is theirs, 0–1.
        temperature: Their logits are divided by it; the temperature on their cards is not used.

    Raises:
        RecipeError: A teacher that lacks a label, or reads stills instead of clips.
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
        self._teachers = [(folder, _columns(folder, labels, frames)) for folder in folders]
        self._weight = weight
        self._temperature = temperature

    def teach(self, images: Pixels, targets: Targets) -> Targets:
        """Targets that are partly the teachers' answers.

        Args:
            images: (m, H, W, C) or (m, T, H, W, C) faces, as the network will see them.
            targets: (m, k) without teachers.

        Returns:
            (m, k): (1 - weight) * targets + weight * mean answer.
        """
        answers = [
            softmax(folder.logits(images)[:, columns], self._temperature)
            for folder, columns in self._teachers
        ]
        share = np.float32(self._weight)
        return (1 - share) * targets + share * np.mean(answers, axis=0, dtype=np.float32)


def seen_shares(dataset: Dataset, how: FitSettings, teachers: Teachers | None) -> NDArray[Any]:
    """Share of each label in the targets that a network meets: its prior.

    Teachers judge every face once for it, unchanged.

    Args:
        dataset: What is learnt.
        how: How it is learnt: class balance and label smoothing count.
        teachers: Who teaches, if anyone.

    Returns:
        (k,) shares, sum 1.
    """
    targets = dataset.targets
    if teachers is not None:
        starts = range(0, len(dataset), _BATCH)
        batches = (slice(start, start + _BATCH) for start in starts)
        targets = np.concatenate(
            [teachers.teach(dataset.images[rows], targets[rows]) for rows in batches]
        )
    if how.class_balanced_sampling:
        # Faces are drawn by the labels that people gave, whatever a teacher says.
        shares = face_weights(dataset.targets, how.class_balanced_sampling) @ targets
    else:
        shares = targets.mean(axis=0)
    return (1 - how.label_smoothing) * shares + how.label_smoothing / len(shares)


def logit_shift(shares: NDArray[np.floating], adjustment: float) -> NDArray[np.float32]:
    """What is added to the logits while learning: adjustment * log(share), per label.

    Args:
        shares: (k,) of the labels, as `seen_shares` gives them.
        adjustment: 0 for none; at 1 the bare logits are those of equally frequent labels.

    Returns:
        (k,) float32; 0 for a label that is never met.

    Source:
        Menon et al. 2021, https://arxiv.org/abs/2007.07314, equation 10.
    """
    known = np.where(shares > 0, shares, 1)
    return (adjustment * np.log(known)).astype(np.float32)


def kept_shares(shares: NDArray[np.floating], adjustment: float) -> NDArray[np.floating]:
    """The prior that stays in the bare logits: in proportion to share ** (1 - adjustment).

    Args:
        shares: (k,) of the labels, as `seen_shares` gives them.
        adjustment: As for `logit_shift`.

    Returns:
        (k,) shares, sum 1; 0 for a label that is never met.

    Example:
        >>> kept_shares(np.array([0.8, 0.2]), 1.0).tolist()
        [0.5, 0.5]
    """
    if not adjustment:
        return shares
    powers = np.zeros(len(shares))
    np.power(shares, 1 - adjustment, out=powers, where=shares > 0)
    return powers / powers.sum()


def _columns(teacher: ModelFolder, labels: Sequence[str], frames: int) -> list[int]:
    """Where the labels stand among the teacher's answers."""
    card = teacher.card
    if card.input.frames != frames:
        reads = {1: "stills"}.get(card.input.frames, f"clips of {card.input.frames} frames")
        given = {1: "stills"}.get(frames, f"clips of {frames} frames")
        raise RecipeError(
            f"`teacher` must read {given}. Received {card.name!r}, which reads {reads}."
        )
    try:
        return list(select_labels(list(labels), card.labels).columns)
    except LabelError as error:
        raise RecipeError(
            f"`teacher` must know every label that is learnt: {', '.join(labels)}. Received "
            f"{card.name!r}, which knows {', '.join(card.labels)}."
        ) from error
