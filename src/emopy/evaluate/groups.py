"""Metrics of each group of samples with bootstrap intervals, and the file that names the groups."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset, SkippedSample, text_of
from emopy.errors import DataError, nearest
from emopy.escaping import one_line
from emopy.evaluate import metrics
from emopy.labels import composed
from emopy.result_table import comparable_source
from emopy.tables import read_csv

MIN_GROUP_SAMPLES = 30
"""Samples below which a group is marked as too small."""

RESAMPLES = 1000
"""Bootstrap resamples: enough for the ends of a 95 % interval (Efron & Tibshirani 1993, 13.2)."""

UNKNOWN = "unknown"
"""Group of the samples without one."""

GROUP_METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced acc.",
    "macro_f1": "macro F1",
    "ece": "ECE",
}
"""Metrics that are measured for each group → heading in a table."""

_GROUP_TITLES = frozenset({"group", "groups"})
_SOURCE_TITLES = frozenset({
    "source", "sources", "origin", "filename", "file", "filepath", "path",
    "image", "imagename", "imagepath", "img",
})  # fmt: skip
"""Titles of the columns in lower case, without signs and space."""

_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Interval:
    """A metric and its 95 % interval; all NaN where undefined.

    Attributes:
        value: The metric on all samples, 0–1.
        low: 2.5th percentile of the resamples, 0–1.
        high: 97.5th percentile of the resamples, 0–1.
    """

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """Plain numbers for JSON; None where undefined."""
        ends = {"value": self.value, "low": self.low, "high": self.high}
        return dict.fromkeys(ends) if math.isnan(self.value) else {**ends}

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "–"
        return f"{self.value:.1%} {self.low * 100:3.0f}–{self.high * 100:.0f}"


@dataclass(frozen=True, slots=True)
class GroupMetrics:
    """Metrics of one group of samples.

    Attributes:
        name: Name of the group.
        samples: Number of samples.
        accuracy: Proportion of correct predictions.
        balanced_accuracy: Mean recall of the labels that occur in the group.
        macro_f1: Mean F1 over the labels that the whole report averages.
        ece: Expected calibration error in 15 bins. It grows as a group gets smaller, whatever
            the model: compare it only between groups of similar size.
    """

    name: str
    samples: int
    accuracy: Interval
    balanced_accuracy: Interval
    macro_f1: Interval
    ece: Interval

    @property
    def too_small(self) -> bool:
        """Whether the group has fewer than `MIN_GROUP_SAMPLES`."""
        return self.samples < MIN_GROUP_SAMPLES

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON, without the name."""
        values = {metric: getattr(self, metric).to_dict() for metric in GROUP_METRICS}
        return {"samples": self.samples, "too_small": self.too_small, **values}


def group_metrics(
    proba: NDArray[np.floating],
    y_true: NDArray[np.intp],
    groups: Sequence[object] | NDArray[Any],
    *,
    columns: Sequence[int] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[GroupMetrics, ...]:
    """Measure each group of samples separately, with 95 % intervals.

    The intervals are percentile intervals of the bootstrap: samples of the group are drawn with
    replacement, as many as it has, and measured again. Where resampling biases a metric, as it
    does the expected calibration error, the interval is widened to contain the measured value.

    Args:
        proba: (n, k), each row sums to 1.
        y_true: (n,) index of the true label.
        groups: (n,) group of each sample, such as ``"women"`` or ``40``. None, NaN and ``""``
            count as ``"unknown"``.
        columns: Indices of the labels that macro F1 averages; all by default.
        resamples: Number of resamples, 1 or more.
        seed: Seed of the resamples. The intervals of a group do not depend on other groups.

    Returns:
        One record per group, by name; ``"unknown"`` last.

    Raises:
        DataError: Not one group per sample, or no resample.

    Source:
        Efron 1979, "Bootstrap Methods: Another Look at the Jackknife",
        https://doi.org/10.1214/aos/1176344552. Metrics by group: Mitchell et al. 2019, "Model
        Cards for Model Reporting", https://doi.org/10.1145/3287560.3287596.

    Example:
        >>> proba = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
        >>> for group in group_metrics(proba, np.array([0, 1, 1]), ["old", "old", "young"]):
        ...     print(group.name, group.samples, group.accuracy.value)
        old 2 0.5
        young 1 1.0
    """
    names = group_names(groups, len(y_true))
    if resamples < 1:
        raise DataError(f"`resamples` must be 1 or more. Received {resamples}. Type 1000.")
    measured: list[GroupMetrics] = []
    for name in sorted(np.unique(names), key=lambda name: (name == UNKNOWN, name)):
        rows = names == name
        rng = np.random.default_rng(seed)
        intervals = _bootstrap_intervals(proba[rows], y_true[rows], columns, resamples, rng)
        measured.append(GroupMetrics(str(name), int(rows.sum()), **intervals))
    return tuple(measured)


def group_names(groups: Sequence[object] | NDArray[Any], count: int) -> NDArray[np.str_]:
    """The group of each of `count` samples as text; without one it is ``"unknown"``.

    Raises:
        DataError: Not one entry per sample.
    """
    shape = groups.shape if isinstance(groups, np.ndarray) else (len(groups),)
    if shape != (count,) or isinstance(groups, str):
        raise DataError(
            f"`groups` must have shape ({count},): one group for each sample of the data. Received "
            f"{type(groups).__name__} of shape {shape}. Give one entry per sample, in their order."
        )
    return np.array([_group_name(group) for group in groups], dtype=np.str_)


def _group_name(group: object) -> str:
    return one_line(composed(text_of(group)).strip()) or UNKNOWN


def _bootstrap_intervals(
    proba: NDArray[np.floating],
    y_true: NDArray[np.intp],
    columns: Sequence[int] | None,
    resamples: int,
    rng: np.random.Generator,
) -> dict[str, Interval]:
    """Every metric of one group: on all samples first, then on each resample."""
    n, k = proba.shape
    y_pred = np.argmax(proba, axis=1)
    confidence = proba.max(axis=1).astype(np.float64)
    bins = metrics.CONFIDENCE_BINS
    cell, bin_index = y_true * k + y_pred, metrics.confidence_bins(confidence, bins)
    gap = (y_pred == y_true) - confidence
    confusion = np.empty((resamples + 1, k * k), np.intp)
    ece = np.empty(resamples + 1)
    for i in range(resamples + 1):
        rows = rng.integers(n, size=n) if i else np.arange(n)
        confusion[i] = np.bincount(cell[rows], minlength=k * k)
        ece[i] = np.abs(np.bincount(bin_index[rows], weights=gap[rows], minlength=bins)).sum() / n
    confusion = confusion.reshape(-1, k, k)
    table = metrics.per_class_from_confusion(confusion)
    f1 = table.f1 if columns is None else table.f1[:, list(columns)]
    drawn = {
        "accuracy": np.trace(confusion, axis1=1, axis2=2) / n,
        "balanced_accuracy": metrics.mean_of_defined(table.recall),
        "macro_f1": metrics.mean_of_defined(f1),
        "ece": ece,
    }
    return {metric: _interval(float(values[0]), values[1:]) for metric, values in drawn.items()}


def _interval(value: float, resampled: NDArray[np.float64]) -> Interval:
    defined = resampled[~np.isnan(resampled)]
    if math.isnan(value) or not len(defined):
        return Interval(value, value, value)
    low, high = (float(end) for end in np.percentile(defined, _PERCENTILES))
    return Interval(value, min(low, value), max(high, value))


def read_groups(path: str | os.PathLike[str], dataset: Dataset) -> NDArray[np.str_]:
    """Read the group of each sample from a CSV file.

    A row is matched to a sample by its source, in any order. A file with the one column `group`
    must have one row per sample, in the order of the data.

        source,group
        anger/001.png,women
        anger/002.png,men

    Args:
        path: CSV file with a header row: UTF-8, separated by comma, semicolon or tab. The column of
            the sources may also be called filename, file, path or image.
        dataset: The samples.

    Returns:
        (n,) group of each sample, in the order of the data; ``""`` where the cell is empty.

    Raises:
        DataError: Unreadable, no column `group`, another column, a sample without a row or with two
            groups, or a row of no sample.
    """
    file = Path(path)
    table = read_csv(file, "groups", DataError)
    rows = table.rows
    source, group = _find_columns(file, table.header)
    groups = [composed(cells[group]) for cells in rows]
    if source is None:
        if len(rows) != len(dataset):
            raise DataError(
                f"`groups` must have one row for each of the {len(dataset):,} samples, or a column "
                f"`source`. Received {len(rows):,} rows in {file}. Add the column, which matches a "
                "row to a sample."
            )
        return np.array(groups, dtype=np.str_)
    group_of: dict[str, str] = {}
    for name, each in zip(
        (comparable_source(cells[source]) for cells in rows), groups, strict=True
    ):
        if group_of.setdefault(name, each) != each:
            raise DataError(
                f"`groups` must have one group for each sample. Received {file}, where {name!r} "
                f"has both {group_of[name]!r} and {each!r}. Keep one row."
            )
    sources = [comparable_source(str(source)) for source in dataset.sources]
    _refuse_mismatch(file, sources, group_of, dataset.skipped)
    return np.array([group_of[source] for source in sources], dtype=np.str_)


def _refuse_mismatch(
    path: Path,
    sources: Sequence[str],
    group_of: Mapping[str, str],
    skipped: Sequence[SkippedSample],
) -> None:
    """Refuse samples without a row, and rows of no sample."""
    if missing := [source for source in sources if source not in group_of]:
        others = group_of.keys() - set(sources)
        raise DataError(
            f"`groups` must have a row for every sample. Received {path}, where {len(missing):,} "
            f"of {len(sources):,} are missing, the first {missing[0]!r}. "
            f"{nearest(missing[0], sorted(others)) + ' ' if 0 < len(others) < 10 else ''}"
            "Add them; the group may stay empty."
        )
    known = set(sources)
    surplus = [name for name in group_of if name not in known and not _is_skipped(name, skipped)]
    if surplus:
        raise DataError(
            f"`groups` must have rows of these samples only. Received {path}, where "
            f"{len(surplus):,} of {len(group_of):,} names are not among them, the first "
            f"{surplus[0]!r}. A sample is called for example "
            f"{sources[0] if sources else 'anger/001.png'!r}. Correct or remove these rows."
        )


def _is_skipped(name: str, skipped: Sequence[SkippedSample]) -> bool:
    """Whether a name is that of a file or line that could not be loaded."""
    places = (
        each.source if each.line is None else f"{each.source}:{each.line}" for each in skipped
    )
    return any(f"/{comparable_source(place)}".endswith(f"/{name}") for place in places)


def _find_columns(path: Path, header: Sequence[str]) -> tuple[int | None, int]:
    """Column of the sources, if there is one, and column of the groups."""
    titles = [re.sub(r"[\W_]+", "", composed(title).lower()) for title in header]
    groups = [column for column, title in enumerate(titles) if title in _GROUP_TITLES]
    sources = [column for column, title in enumerate(titles) if title in _SOURCE_TITLES]
    others = [header[column] for column in range(len(titles)) if column not in groups + sources]
    if len(groups) == 1 and len(sources) <= 1 and not others:
        return (sources[0] if sources else None), groups[0]
    raise DataError(
        f"`groups` must have a column 'group', and may have a column 'source'. Received {path} "
        f"with the columns {', '.join(header) or 'of an empty file'}. Name the columns in the "
        "first line, and leave out others: source,group"
    )
