"""`plot_overview`: what faces express in several videos, as one bar per video."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emopy.errors import InputError
from emopy.escaping import one_line
from emopy.files import atomic_file
from emopy.present.episode_table import total_seconds
from emopy.present.stacked_areas import DIM_TEXT, TEXT, swatch
from emopy.present.text import NOT_SURE, duration, face_count
from emopy.present.timeline_plot import METADATA, SETTINGS, check_plot_path, matplotlib_module
from emopy.video import Summary

# Inches.
_WIDTH = 9.0
_BAR = 0.32
_HEADER = 0.45
_FOOTER = 0.75
_LEFT = 2.4
_RIGHT = 1.0

_MAX_NAME = 32
_NOT_SURE_COLOR = "#d4d4da"


def plot_overview(summaries: Sequence[Summary], path: str | os.PathLike[str]) -> Path:
    """Write a plot with a bar per video: the proportion of time for each predicted emotion.

    Args:
        summaries: Summaries of one or more videos, with the same labels; their faces are joined,
            each by the time for which it is visible.
        path: Ends in ``.png``, ``.svg`` or ``.pdf``. Missing folders are created.

    Returns:
        The path. The same summaries give the same bytes.

    Raises:
        InputError: No summary, another suffix, or a path that cannot be written.
        MissingExtraError: Matplotlib is not installed.
    """
    path, suffix = Path(path), check_plot_path(path)
    if not summaries:
        raise InputError("`summaries` must hold a video or more. Received none.")
    settings = matplotlib_module().rc_context(SETTINGS)
    with settings, warnings.catch_warnings(), atomic_file(path) as partial:
        warnings.filterwarnings("ignore", "Glyph")  # a script that the font does not have
        _draw(summaries).savefig(
            partial, format=suffix[1:], dpi=160, metadata=METADATA[suffix], facecolor="white"
        )
    return path


def _draw(summaries: Sequence[Summary]) -> Any:
    labels = summaries[0].labels
    height = _HEADER + _BAR * len(summaries) + _FOOTER
    figure = matplotlib_module("matplotlib.figure").Figure(figsize=(_WIDTH, height))
    area = (_LEFT / _WIDTH, _FOOTER / height)
    size = ((_WIDTH - _LEFT - _RIGHT) / _WIDTH, _BAR * len(summaries) / height)
    axes = figure.add_axes((*area, *size))
    colors: dict[str, Any] = {label: swatch(label, labels) for label in labels}
    for row, summary in enumerate(summaries):
        seconds = total_seconds(summary)
        total = sum(seconds.values())
        left = 0.0
        for label, part in seconds.items():
            width = part / total if total else 0.0
            axes.barh(row, width, 0.8, left, color=colors.get(label or "", _NOT_SURE_COLOR))
            left += width
        faces = face_count(len(summary.tracks))
        note = f"{duration(total)}, {faces}" if total else faces
        axes.annotate(note, (1, row), (6, 0), textcoords="offset points", va="center",
                      color=DIM_TEXT, size=7.5, annotation_clip=False)  # fmt: skip
    names = [_short(one_line(summary.source)) for summary in summaries]
    axes.set(xlim=(0, 1), ylim=(len(summaries) - 0.5, -0.5))
    axes.set_yticks(range(len(names)), names)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])
    axes.tick_params(colors=TEXT, length=0)
    axes.spines[:].set_visible(False)
    patches = matplotlib_module("matplotlib.patches")
    shown = {one_line(label): color for label, color in colors.items()}
    if any(track.not_sure for summary in summaries for track in summary.tracks):
        shown[NOT_SURE] = _NOT_SURE_COLOR
    handles = [patches.Patch(color=color, label=label) for label, color in shown.items()]
    figure.legend(handles=handles, loc="upper center", ncols=len(handles), frameon=False,
                  fontsize=7.5, handlelength=1, columnspacing=1.2)  # fmt: skip
    note = "Proportion of the time for which faces are visible, over all faces of a video."
    figure.text(_LEFT / _WIDTH, 0.16 / height, note, color=DIM_TEXT, size=7.5, va="center")
    return figure


def _short(name: str) -> str:
    """Return the end of a long path."""
    return name if len(name) <= _MAX_NAME else f"…{name[1 - _MAX_NAME :]}"
