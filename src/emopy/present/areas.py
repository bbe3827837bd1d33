"""Stacked areas of probabilities over time, drawn with Matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy.present.panels import color_of
from emopy.present.text import clock, one_line
from emopy.video import ProbabilityCurve

INK = "#1c1c20"
FAINT = "#6e6e78"
_EMPTY = "#f4f4f6"

_TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_MOST_TICKS = 10

_PLACES = 500
"""Columns of a panel in which a place for a name is looked for."""

_NAME_HEIGHT = 0.19
"""Part of a panel's height that a name needs."""

_LETTER_WIDTH = 0.0084
"""Part of a panel's width that a letter needs."""

_CENTERED = {"ha": "center", "va": "center_baseline"}


def style_axes(axes: Any, span_s: tuple[float, float], *, last: bool) -> None:
    """Give a panel its frame, its scale of percent, and its scale of time.

    Args:
        axes: Matplotlib axes.
        span_s: Start and end of the video.
        last: Whether the times are written below.
    """
    start, end = span_s
    end = max(end, start + 1e-3)
    axes.set(xlim=(start, end), ylim=(0, 1), facecolor=_EMPTY)
    axes.set_yticks([0, 0.5, 1], ["0", "50", "100 %"])
    step = next((each for each in _TICKS_S if (end - start) / each <= _MOST_TICKS), _TICKS_S[-1])
    ticks = [n * step for n in range(ceil(start / step - 1e-9), floor(end / step + 1e-9) + 1)]
    digits = 0 if step >= 1 else 1
    axes.set_xticks(ticks, [clock(max(tick, 0.0), digits) for tick in ticks])
    axes.tick_params(colors=FAINT, length=3, width=0.6, labelbottom=last)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set(color=FAINT, linewidth=0.6)


def draw_areas(axes: Any, curves: Sequence[ProbabilityCurve], labels: Sequence[str]) -> None:
    """Stack the areas of one track, the first label on top, and name the large ones in place.

    Args:
        axes: Matplotlib axes with its limits set.
        curves: What the track shows, a curve for each time without a gap.
        labels: Labels in the order of the curves' columns.
    """
    for curve in curves:
        edges = _edges(curve.probabilities)
        for at, label in enumerate(labels):
            color = swatch(label, labels)
            axes.fill_between(
                *(curve.times_s, edges[:, at + 1], edges[:, at]),
                facecolor=color,
                edgecolor=color,  # closes the hair line between two areas
                linewidth=0.25,
            )
    _name(axes, curves, labels)


def swatch(label: str, labels: Sequence[str]) -> tuple[float, ...]:
    """The colour of a label's area, 0–1."""
    return tuple(part / 255 for part in color_of(label, labels))


def _edges(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, labels + 1): the borders of the areas from the top, 1, to the bottom, 0."""
    below = np.cumsum(shares, axis=1)
    total = np.maximum(below[:, -1:], 1e-12)
    return np.hstack([np.ones((len(shares), 1)), 1 - below / total])


def _name(axes: Any, curves: Sequence[ProbabilityCurve], labels: Sequence[str]) -> None:
    """Write names into the areas, in the middle of each stretch that has room for one."""
    first, final = map(float, axes.get_xlim())
    places = np.linspace(first, final, _PLACES)
    edges = np.full((_PLACES, len(labels) + 1), np.nan)
    for curve in curves:
        inside = np.flatnonzero((places >= curve.times_s[0]) & (places <= curve.times_s[-1]))
        known = _edges(curve.probabilities)
        for at in range(known.shape[1]):
            edges[inside, at] = np.interp(places[inside], curve.times_s, known[:, at])
    for at, label in enumerate(labels):
        name = one_line(label)
        window = int((len(name) + 2) * _LETTER_WIDTH * _PLACES)
        high = np.nan_to_num(edges[:, at] - edges[:, at + 1]) >= 1.3 * _NAME_HEIGHT
        for start, end in _stretches(high):
            for middle in _middles(start, end, window):
                part = slice(middle - window // 2, middle + window // 2 + 1)
                top, bottom = edges[part, at].min(), edges[part, at + 1].max()
                if top - bottom >= _NAME_HEIGHT:
                    at_place = (places[middle], (top + bottom) / 2)
                    axes.annotate(name, at_place, color=_ink(label, labels), **_CENTERED)
                    break


def _stretches(chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Start and end of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _middles(start: int, end: int, window: int) -> list[int]:
    """Places for the middle of a name in a stretch, those nearest to its middle first."""
    middle, half = (start + end - 1) // 2, window // 2 + 1
    return sorted(range(start + half, end - half), key=lambda place: abs(place - middle))


def _ink(label: str, labels: Sequence[str]) -> str:
    red, green, blue = swatch(label, labels)
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
