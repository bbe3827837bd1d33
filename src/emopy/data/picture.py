"""`plot_counts`: how many samples each label has, as a bar chart."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from emopy.data.checks import by_name
from emopy.data.dataset import Dataset
from emopy.data.split import Splits
from emopy.errors import DataError, MissingExtraError
from emopy.files import atomic_file

_SUFFIXES = (".png", ".svg", ".pdf")


def plot_counts(
    data: Dataset | Splits | Mapping[str, Dataset], path: str | os.PathLike[str]
) -> Path:
    """Draw the samples of each label as bars, one colour per dataset.

    Args:
        data: A dataset, the parts of a split, or datasets by name.
        path: The image to write: ``.png``, ``.svg`` or ``.pdf``.

    Returns:
        The path.

    Raises:
        DataError: Another suffix.
        InputError: The file may not be written.
        MissingExtraError: Matplotlib is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise DataError(
            f"`path` must end in {', '.join(_SUFFIXES)}. Received {path}. "
            f"Type for example {path.with_suffix('.png')}."
        )
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("The image of the counts", "train") from error
    named = by_name(data)
    labels = list(dict.fromkeys(label for part in named.values() for label in part.labels))
    thickness = 0.8 / len(named)
    figure = Figure(figsize=(7, 1.2 + 0.35 * len(labels) * max(1, len(named) / 2)), dpi=120)
    axes = figure.add_subplot()
    places = np.arange(len(labels))
    for i, (name, part) in enumerate(named.items()):
        counts = part.counts()
        bars = axes.barh(
            places + (i + 0.5) * thickness - 0.4,
            [counts.get(label, 0) for label in labels],
            thickness,
            label=Path(name).name,
        )
        axes.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=8)
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("samples")
    axes.spines[["top", "right"]].set_visible(False)
    if len(named) > 1:
        axes.legend(frameon=False)
    figure.tight_layout()
    with atomic_file(path) as partial:
        figure.savefig(partial, format=path.suffix[1:].lower())
    return path
