"""`describe`: what is in a dataset, as a text table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from emopy.data.checks import by_name
from emopy.data.dataset import Dataset
from emopy.data.duplicates import find_duplicates
from emopy.data.split import Splits

_BAR = 30
"""Characters of the longest bar."""

_UNEVEN = 10
"""How many times as frequent as another a label may be before it is worth a warning."""

_SQUARE = 1.3
"""Longer side of a crop of a face, in shorter sides; images of scenes are 4 : 3 or longer."""


def describe(data: Dataset | Splits | Mapping[str, Dataset]) -> str:
    """Count the samples of each label and tell the rest in a few lines.

    Args:
        data: A dataset, the parts of a split, or datasets by name.

    Returns:
        A table with a row per label and a column per dataset, with bars for a single one; then
        per dataset: sizes and colours, kind of targets, known people, surplus repeats; then what
        a user should know before training, marked ``!``.

    Example:
        >>> from emopy.samples import sample_splits
        >>> print(describe(sample_splits()).splitlines()[0].split())
        ['label', 'train', 'validation', 'calibration', 'test']
    """
    named = by_name(data)
    lines = _table(named)
    for name, part in named.items():
        lines += ["", name, *_facts(part)]
        lines += [f"! {warning}" for warning in _warnings(part)]
    return "\n".join(lines)


def _table(named: Mapping[str, Dataset]) -> list[str]:
    labels = list(dict.fromkeys(label for part in named.values() for label in part.labels))
    columns = [list(_cells(part, labels)) for part in named.values()]
    rows = [[label, *(column[i] for column in columns)] for i, label in enumerate(labels)]
    rows.append(["all", *(f"{len(part):,}         " for part in named.values())])
    short = [Path(name).name for name in named]
    table = [["label", *(short if len(set(short)) == len(short) else named)], *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    bars = [""] * len(table)
    if len(named) == 1:
        (part,) = named.values()
        counts = part.counts()
        most = max(1, *counts.values())
        bars[1:-1] = ["█" * round(_BAR * counts[label] / most) for label in labels]
    return [
        "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
            + [bar]
        ).rstrip()
        for row, bar in zip(table, bars, strict=True)
    ]


def _cells(part: Dataset, labels: list[str]) -> Iterator[str]:
    counts = part.counts()
    for label in labels:
        share = counts.get(label, 0) / max(len(part), 1)
        yield f"{counts[label]:,}  {share:6.1%}" if label in counts else "–"


def _facts(part: Dataset) -> Iterator[str]:
    height, width, channels = part.images.shape[-3:]
    clips = f"clips of {part.images.shape[1]}, " if part.images.ndim == 5 else ""
    kept = f"{clips}{width} × {height} pixels, {'gray' if channels == 1 else 'RGB'}"
    if part.image_stats is not None:
        yield f"  images  {part.image_stats}"
        yield f"  read as   {kept}"
    else:
        yield f"  images  {kept}"
    one_hot = bool(np.all(part.targets.max(axis=1, initial=0) == 1))
    yield f"  targets   {'one label each' if one_hot else 'soft: shares of votes'}"
    people = len({str(person) for person in part.subject_ids if person})
    yield f"  people    {f'{people:,}' if people else 'unknown'}"
    surplus = sum(len(group.members) - 1 for group in find_duplicates(part))
    yield f"  repeats   {f'{surplus:,} surplus copies' if surplus else 'none'}"


def _warnings(part: Dataset) -> Iterator[str]:
    found = {label: count for label, count in part.counts().items() if count}
    if missing := [label for label in part.labels if label not in found]:
        yield f"No sample of {', '.join(missing)}: it cannot be learnt."
    if found:
        most, least = max(found, key=found.__getitem__), min(found, key=found.__getitem__)
        if (ratio := found[most] / found[least]) >= _UNEVEN:
            yield (
                f"{most} is {ratio:.0f} times as frequent as {least}, which will be recognised "
                "worst: look at the balanced accuracy."
            )
    stats = part.image_stats
    if stats is None or not len(stats):
        return
    height, width = part.images.shape[-3:-1]
    if tiny := stats.smaller_than(width / 2, height / 2):
        yield (
            f"{tiny:,} of {len(stats):,} images are less than half of {width} × {height} "
            "pixels: they show little."
        )
    if long := stats.longer_than(_SQUARE):
        yield (
            f"{long:,} of {len(stats):,} images are far from square, and are squeezed. Each "
            "must be the crop of one face: cut them out first."
        )
