"""`describe`: what is in a dataset, as a text table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emopy.data.checks import by_name
from emopy.data.dataset import Dataset
from emopy.data.repeats import find_repeats
from emopy.data.split import Parts


def describe(data: Dataset | Parts | Mapping[str, Dataset]) -> str:
    """Count the samples of each label and tell the rest in a few lines.

    Args:
        data: A dataset, the parts of a split, or datasets by name.

    Returns:
        A table with a row per label and a column per dataset, then per dataset: picture shape,
        length of clips, kind of targets, known people, surplus repeats.
    """
    named = by_name(data)
    labels = list(dict.fromkeys(label for part in named.values() for label in part.labels))
    columns = [list(_cells(part, labels)) for part in named.values()]
    heads = ["label", *named]
    rows = [[label, *(column[i] for column in columns)] for i, label in enumerate(labels)]
    rows.append(["all", *(f"{len(part):,}         " for part in named.values())])
    table = [heads, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(heads))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    return "\n".join([*lines, "", *(_facts(name, part) for name, part in named.items())])


def _cells(part: Dataset, labels: list[str]) -> list[str]:
    counts = part.counts()
    return [
        f"{counts[label]:,}  {counts[label] / max(len(part), 1):6.1%}" if label in counts else "–"
        for label in labels
    ]


def _facts(name: str, part: Dataset) -> str:
    one_hot = bool(np.all(part.targets.max(axis=1, initial=0) == 1))
    shape = " × ".join(str(side) for side in part.images.shape[-3:])
    clips = f"clips of {part.images.shape[1]} " if part.images.ndim == 5 else ""
    people = len({str(person) for person in part.people if person})
    surplus = sum(len(group.members) - 1 for group in find_repeats(part))
    return (
        f"{name}: {clips}pictures {shape} uint8, {'one-hot' if one_hot else 'soft'} targets, "
        f"{f'{people:,} people' if people else 'people unknown'}, {surplus:,} surplus repeats"
    )
