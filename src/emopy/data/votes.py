"""The vote rules of FER+: from the votes of ten annotators to training targets.

Barsoum et al. 2016, "Training Deep Networks for Facial Expression Recognition with
Crowd-Sourced Label Distribution", https://arxiv.org/abs/1608.01041. The rules are restated from
the paper and https://github.com/microsoft/FERPlus.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emopy.errors import DataError
from emopy.labels import ALL_EMOTIONS

VOTE_COLUMNS = (
    "neutral", "happiness", "surprise", "sadness", "anger",
    "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
"""The columns of votes in FER+'s own order; NF is "not a face"."""

_EMOTION_COLUMNS = [VOTE_COLUMNS.index(label) for label in ALL_EMOTIONS]


def majority_targets(votes: NDArray[np.generic]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The official FER+ majority rule, by which published accuracies are measured.

    Votes of 1 are dropped. The winner must have more than half of the remaining votes and be one
    of the eight emotions.

    Args:
        votes: (n, 10) votes per face, columns as in `VOTE_COLUMNS`.

    Returns:
        One-hot targets (n, 8) in the order of `ALL_EMOTIONS`, and (n,) bool: which faces the
        rule keeps. Rows of other faces are zero.

    Raises:
        DataError: `votes` has another shape, or negative or non-finite entries.

    Source:
        Barsoum et al. 2016, https://arxiv.org/abs/1608.01041, mode "majority".

    Example:
        >>> targets, keep = majority_targets(np.array([[0, 7, 1, 0, 0, 0, 0, 0, 2, 0]]))
        >>> ALL_EMOTIONS[targets[0].argmax()], bool(keep[0])
        ('happiness', True)
    """
    remaining = _without_single_votes(votes)
    emotions = remaining[:, _EMOTION_COLUMNS]
    targets = (2 * emotions > remaining.sum(axis=1, keepdims=True)).astype(np.float32)
    return targets, targets.any(axis=1)


def vote_targets(votes: NDArray[np.generic]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Soft targets: the proportions of the votes, for training.

    Votes of 1 are dropped; the remaining votes for the eight emotions are divided by their sum. A
    face is kept if the emotions have more than half of the remaining votes. FER+'s own rule
    ("crossentropy") is a little stricter: it adds up the leading columns until they hold three
    quarters of the votes, three at most, sets the others to zero, and rejects a face if more than
    three tie. Of the 31,865 faces for training and validation this rule keeps all that FER+'s
    rule keeps, and 504 more.

    Args:
        votes: (n, 10) votes per face, columns as in `VOTE_COLUMNS`.

    Returns:
        Targets (n, 8) in the order of `ALL_EMOTIONS`, and (n,) bool: which faces are kept. Rows
        of other faces are zero.

    Raises:
        DataError: `votes` has another shape, or negative or non-finite entries.

    Source:
        Idea: Barsoum et al. 2016, https://arxiv.org/abs/1608.01041, "cross-entropy loss".

    Example:
        >>> targets, keep = vote_targets(np.array([[0, 6, 3, 0, 0, 0, 0, 0, 1, 0]]))
        >>> [round(float(value), 2) for value in targets[0] if value]
        [0.67, 0.33]
    """
    remaining = _without_single_votes(votes)
    emotions = remaining[:, _EMOTION_COLUMNS]
    total = emotions.sum(axis=1, keepdims=True)
    keep = 2 * total[:, 0] > remaining.sum(axis=1)
    targets = np.where(keep[:, None], emotions / np.maximum(total, 1), 0)
    return targets.astype(np.float32), keep


def spread_vote_targets(
    votes: NDArray[np.generic],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Soft targets with "unknown" and "not a face" votes spread uniformly, for training.

    Votes of 1 are dropped. The remaining votes for the two are spread uniformly over the eight
    emotions. A face is kept if any emotion has votes left: a face with mostly "unknown" votes gets
    an uncertain target, and is rejected by `vote_targets`.

    Arguments, returns and errors are those of `vote_targets`.

    Example:
        >>> targets, keep = spread_vote_targets(np.array([[0, 6, 0, 0, 0, 0, 0, 0, 4, 0]]))
        >>> [round(float(value), 2) for value in targets[0]]
        [0.05, 0.05, 0.05, 0.05, 0.65, 0.05, 0.05, 0.05]
    """
    remaining = _without_single_votes(votes)
    emotions = remaining[:, _EMOTION_COLUMNS]
    total = remaining.sum(axis=1, keepdims=True)
    keep = emotions.max(axis=1) > 0
    spread = (total - emotions.sum(axis=1, keepdims=True)) / emotions.shape[1]
    targets = np.where(keep[:, None], (emotions + spread) / np.maximum(total, 1), 0)
    return targets.astype(np.float32), keep


def _without_single_votes(votes: NDArray[np.generic]) -> NDArray[np.float64]:
    counted = np.asarray(votes, dtype=np.float64)
    if counted.ndim != 2 or counted.shape[1] != len(VOTE_COLUMNS):
        raise DataError(
            f"`votes` must have shape (n, {len(VOTE_COLUMNS)}): {', '.join(VOTE_COLUMNS)}. "
            f"Received shape {counted.shape}."
        )
    if not np.all(np.isfinite(counted) & (counted >= 0)):
        raise DataError("`votes` must be numbers ≥ 0. Received negative or non-finite ones.")
    # Averages over duplicates of a face may be fractions: one vote or less is dropped.
    return np.where(counted > 1, counted, 0.0)
