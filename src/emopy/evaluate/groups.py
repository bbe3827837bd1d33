"""Figures of each group of people, with intervals that say how much they can be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy.errors import DataError
from emopy.evaluate import metrics

SMALLEST_GROUP = 30
"""Faces below which a group is too small to tell anything from."""

RESAMPLES = 1000
"""Bootstrap resamples: enough for the ends of a 95 % interval (Efron & Tibshirani 1993, 13.2)."""

UNKNOWN = "unknown"
"""The group of faces for which none is given."""

FIGURES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "ece": "calibration error",
}
"""Figures that are measured for each group, and their names."""

_OUTSIDE = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % interval; all NaN where it is undefined.

    Attributes:
        value: What was measured, 0–1.
        low: 2.5th percentile of the resamples, 0–1.
        high: 97.5th percentile of the resamples, 0–1.
    """

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float | None]:
        """Plain numbers for JSON; None where undefined."""
        known = not math.isnan(self.value)
        return {
            "value": self.value if known else None,
            "low": self.low if known else None,
            "high": self.high if known else None,
        }

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "–"
        return f"{self.value:.1%} {self.low * 100:3.0f}–{self.high * 100:.0f}"


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """Figures of one group of faces.

    Attributes:
        name: Name of the group.
        samples: Number of faces.
        accuracy: Share of the faces that are right.
        balanced_accuracy: Mean recall of the labels that occur in the group.
        macro_f1: Mean F1 over the labels that the whole report averages.
        ece: Expected calibration error in 15 bins. It grows as a group gets smaller, whatever
            the model: compare it between groups of like size only.
    """

    name: str
    samples: int
    accuracy: Interval
    balanced_accuracy: Interval
    macro_f1: Interval
    ece: Interval

    @property
    def too_small(self) -> bool:
        """Whether the group has too few faces to tell anything."""
        return self.samples < SMALLEST_GROUP

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON, without the name."""
        figures = {figure: getattr(self, figure).as_dict() for figure in FIGURES}
        return {"samples": self.samples, "too_small": self.too_small, **figures}


def group_figures(
    probabilities: NDArray[np.floating],
    truth: NDArray[np.intp],
    groups: Sequence[object] | NDArray[Any],
    *,
    columns: Sequence[int] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[GroupFigures, ...]:
    """Judge each group of faces apart.

    A figure of few faces says little, so each has a 95 % percentile interval of the bootstrap:
    faces of the group are drawn with replacement, as many as it has, and measured again. Where
    resampling moves a figure to one side, as it does the calibration error, the interval is
    widened until it holds what was measured.

    Args:
        probabilities: (n, k), each row sums to 1.
        truth: (n,) column of the true label.
        groups: (n,) group of each face, such as ``"women"`` or ``40``. None, NaN and ``""``
            count as ``"unknown"``.
        columns: Labels that macro-F1 averages over; every label by default.
        resamples: Number of resamples, 1 or more.
        seed: The same seed gives the same intervals; those of one group do not depend on others.

    Returns:
        One record per group, by name; the unknown ones last.

    Raises:
        DataError: Not one group per face, or no resample.

    Source:
        Efron 1979, "Bootstrap Methods: Another Look at the Jackknife",
        https://doi.org/10.1214/aos/1176344552. Figures by group: Mitchell et al. 2019, "Model
        Cards for Model Reporting", https://doi.org/10.1145/3287560.3287596.

    Example:
        >>> sure = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
        >>> for group in group_figures(sure, np.array([0, 1, 1]), ["old", "old", "young"]):
        ...     print(group.name, group.samples, group.accuracy.value)
        old 2 0.5
        young 1 1.0
    """
    names = group_names(groups, len(truth))
    if resamples < 1:
        raise DataError(f"`resamples` must be 1 or more. Received {resamples}. Type 1000.")
    found: list[GroupFigures] = []
    for name in sorted(np.unique(names), key=lambda name: (name == UNKNOWN, name)):
        rows = names == name
        chances = np.random.default_rng(seed)
        intervals = _intervals(probabilities[rows], truth[rows], columns, resamples, chances)
        found.append(GroupFigures(str(name), int(rows.sum()), **intervals))
    return tuple(found)


def group_names(groups: Sequence[object] | NDArray[Any], count: int) -> NDArray[np.str_]:
    """The group of each face as text.

    Args:
        groups: (n,) numbers or text; None, NaN and ``""`` become ``"unknown"``.
        count: Number of faces.

    Raises:
        DataError: Not one entry per face.
    """
    shape = groups.shape if isinstance(groups, np.ndarray) else (len(groups),)
    if shape != (count,) or isinstance(groups, str):
        raise DataError(
            f"`groups` must have shape ({count},): one group for each face of the data. Received "
            f"{type(groups).__name__} of shape {shape}. Give one entry per face, in their order."
        )
    return np.array([_name(group) for group in groups], dtype=np.str_)


def _name(group: object) -> str:
    missing = group is None or group != group  # NaN differs from itself
    return UNKNOWN if missing else str(group).strip() or UNKNOWN


def groups_table(groups: Sequence[GroupFigures]) -> list[str]:
    """Lines of text: a row per group."""
    width = min(24, max(len("group"), *(len(group.name) for group in groups)))
    cell = 13
    lines = [
        f"{'group':<{width}}  {'faces':>6}   "
        + "  ".join(f"{FIGURES[figure].split()[0]:<{cell}}" for figure in FIGURES).rstrip()
    ]
    for group in groups:
        mark = "*" if group.too_small else " "
        cells = "  ".join(f"{getattr(group, figure)!s:<{cell}}" for figure in FIGURES)
        lines.append(f"{group.name[:width]:<{width}}  {group.samples:>6,} {mark} {cells}".rstrip())
    lines.append("Behind each figure its 95 % interval: where two overlap, no clear difference.")
    if any(group.too_small for group in groups):
        lines.append(f"* fewer than {SMALLEST_GROUP} faces: too few to tell")
    return lines


def _intervals(
    probabilities: NDArray[np.floating],
    truth: NDArray[np.intp],
    columns: Sequence[int] | None,
    resamples: int,
    chances: np.random.Generator,
) -> dict[str, Interval]:
    """Every figure of some faces: measured on all of them, then on each resample."""
    n, k = probabilities.shape
    guess = np.argmax(probabilities, axis=1)
    confidence = probabilities.max(axis=1).astype(np.float64)
    bins = metrics.CONFIDENCE_BINS
    cell, place = truth * k + guess, metrics.bin_of(confidence, bins)
    gap = (guess == truth) - confidence
    confusion = np.empty((resamples + 1, k * k), np.intp)
    ece = np.empty(resamples + 1)
    for i in range(resamples + 1):
        rows = chances.integers(n, size=n) if i else np.arange(n)
        confusion[i] = np.bincount(cell[rows], minlength=k * k)
        ece[i] = np.abs(np.bincount(place[rows], weights=gap[rows], minlength=bins)).sum() / n
    table = metrics.per_class_of(confusion.reshape(-1, k, k))
    f1 = table.f1 if columns is None else table.f1[:, list(columns)]
    drawn = {
        "accuracy": np.trace(confusion.reshape(-1, k, k), axis1=1, axis2=2) / n,
        "balanced_accuracy": metrics.mean_of_defined(table.recall),
        "macro_f1": metrics.mean_of_defined(f1),
        "ece": ece,
    }
    return {figure: _interval(float(values[0]), values[1:]) for figure, values in drawn.items()}


def _interval(value: float, resampled: NDArray[np.float64]) -> Interval:
    defined = resampled[~np.isnan(resampled)]
    if math.isnan(value) or not len(defined):
        return Interval(value, value, value)
    low, high = (float(end) for end in np.percentile(defined, _OUTSIDE))
    return Interval(value, min(low, value), max(high, value))
