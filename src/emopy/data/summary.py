"""`describe`: summarize datasets as a text table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from emopy.data.dataset import Dataset
from emopy.data.duplicates import find_duplicates
from emopy.data.split import Splits, by_name
from emopy.labels import probable_emotion
from emopy.tables import text_table

_BAR_LENGTH = 30
"""Characters of the longest bar."""

_MAX_IMBALANCE = 10
"""Ratio of the most frequent to the rarest label from which a warning is given."""

_MAX_SIDE_RATIO = 1.3
"""Ratio of the sides of a face crop; images of scenes are 4 : 3 or longer."""


def describe(data: Dataset | Splits | Mapping[str, Dataset]) -> str:
    """Summarize datasets: counts per label, sizes, targets, subjects, duplicates, warnings.

    Args:
        data: A dataset, the splits, or datasets by name.

    Returns:
        A table with a row per label and a column per dataset, with bars for a single one; then
        the other facts per dataset; then warnings, marked ``!``.

    Example:
        >>> from emopy.samples import sample_splits
        >>> print(describe(sample_splits()).splitlines()[0].split())
        ['label', 'train', 'validation', 'calibration', 'test']
    """
    named = by_name(data)
    lines = [_counts_table(named)]
    for name, dataset in named.items():
        lines += ["", name]
        lines += [f"  {fact:<11} {value}" for fact, value in _facts(dataset)]
        lines += [f"! {warning}" for warning in _warnings(dataset)]
    return "\n".join(lines)


def _counts_table(named: Mapping[str, Dataset]) -> str:
    labels = list(dict.fromkeys(label for dataset in named.values() for label in dataset.labels))
    columns = [_count_cells(dataset, labels) for dataset in named.values()]
    rows = [[label, *cells, ""] for label, *cells in zip(labels, *columns, strict=True)]
    rows.append(["all", *(f"{len(dataset):,}         " for dataset in named.values()), ""])
    if len(named) == 1:
        (dataset,) = named.values()
        counts = dataset.counts()
        most = max(1, *counts.values())
        for label, row in zip(labels, rows, strict=False):
            row[-1] = "█" * round(_BAR_LENGTH * counts[label] / most)
    short = [Path(name).name for name in named]
    names = short if len(set(short)) == len(short) else list(named)
    return text_table(["label", *names, ""], rows, "l" + "r" * len(names) + "l")


def _count_cells(dataset: Dataset, labels: list[str]) -> list[str]:
    counts = dataset.counts()
    total = max(len(dataset), 1)
    return [
        f"{counts[label]:,}  {counts[label] / total:6.1%}" if label in counts else "–"
        for label in labels
    ]


def _facts(dataset: Dataset) -> Iterator[tuple[str, str]]:
    height, width, channels = dataset.images.shape[-3:]
    clips = f"clips of {dataset.images.shape[1]}, " if dataset.images.ndim == 5 else ""
    loaded = f"{clips}{width} × {height} pixels, {'gray' if channels == 1 else 'RGB'}"
    if dataset.image_stats is None:
        yield "images", loaded
    else:
        yield "images", str(dataset.image_stats)
        yield "loaded as", loaded
    one_hot = bool(np.all(dataset.targets.max(axis=1, initial=0) == 1))
    yield "targets", "one label each" if one_hot else "soft: proportions of votes"
    subjects = len({str(subject) for subject in dataset.subject_ids if subject})
    yield "subjects", f"{subjects:,}" if subjects else "unknown"
    surplus = sum(len(group.members) - 1 for group in find_duplicates(dataset))
    yield "duplicates", f"{surplus:,}" if surplus else "none"


def _warnings(dataset: Dataset) -> Iterator[str]:
    found = {label: count for label, count in dataset.counts().items() if count}
    if missing := [label for label in dataset.labels if label not in found]:
        yield f"No sample of {', '.join(missing)}: it is not trained."
    if misspelt := {name: like for name in dataset.labels if (like := probable_emotion(name))}:
        pairs = ", ".join(f"{label} ({emotion}?)" for label, emotion in misspelt.items())
        yield f"Probably emotions under another name, trained as labels of their own: {pairs}."
    if found:
        most, least = max(found, key=found.__getitem__), min(found, key=found.__getitem__)
        if (ratio := found[most] / found[least]) >= _MAX_IMBALANCE:
            yield (
                f"{most} is {ratio:.0f} times as frequent as {least}, which will be predicted "
                "worst: look at the balanced accuracy."
            )
    stats = dataset.image_stats
    if stats is None or not len(stats):
        return
    height, width = dataset.images.shape[-3:-1]
    if small := stats.smaller_than(width / 2, height / 2):
        yield (
            f"{small:,} of {len(stats):,} images are smaller than half of {width} × {height} "
            "pixels: they have little detail."
        )
    if long := stats.longer_than(_MAX_SIDE_RATIO):
        yield (
            f"{long:,} of {len(stats):,} images are far from square, and are distorted. Each "
            "must be the crop of one face: crop the faces first."
        )
