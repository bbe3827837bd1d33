"""Stacked areas of probabilities over time, drawn with Matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy.escaping import one_line
from emopy.present.face_labels import color_of
from emopy.present.text import clock
from emopy.video import ProbabilityCurve

TEXT = "#1c1c20"
DIM_TEXT = "#6e6e78"
BACKGROUND = "#f4f4f6"

_SECONDS, _MINUTES = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30), (1, 2, 5, 10, 15, 30, 60, 120, 240)
_TICK_STEPS_S = (*_SECONDS, *(60 * minutes for minutes in _MINUTES))
_MAX_TICKS = 10

_POSITIONS = 500
"""Positions along the time axis that are tried for the name of an area."""

_NAME_HEIGHT = 0.19
"""Height of a name, as a fraction of the panel's height."""

_LETTER_WIDTH = 0.0084
"""Width of a letter, as a fraction of the panel's width."""

_CENTERED = {"ha": "center", "va": "center_baseline"}


def style_axes(axes: Any, span_s: tuple[float, float], *, last: bool) -> None:
    """Set limits, ticks and the frame of a panel; the last one has the times below it."""
    start, end = span_s
    end = max(end, start + 1e-3)
    axes.set(xlim=(start, end), ylim=(0, 1), facecolor=BACKGROUND)
    axes.set_yticks([0, 0.5, 1], ["0", "50", "100 %"])
    ticks, digits = time_ticks(start, end)
    axes.set_xticks(ticks, [clock(max(tick, 0.0), digits) for tick in ticks])
    axes.tick_params(colors=DIM_TEXT, length=3, width=0.6, labelbottom=last)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set(color=DIM_TEXT, linewidth=0.6)


def time_ticks(start: float, end: float) -> tuple[list[float], int]:
    """Return round times between two others, in seconds, and how many decimals they need."""
    few = (step for step in _TICK_STEPS_S if (end - start) / step <= _MAX_TICKS)
    step = next(few, _TICK_STEPS_S[-1])
    ticks = [n * step for n in range(ceil(start / step - 1e-9), floor(end / step + 1e-9) + 1)]
    return ticks, 0 if step >= 1 else 1


def draw_areas(axes: Any, curves: Sequence[ProbabilityCurve], labels: Sequence[str]) -> None:
    """Draw the stacked areas of one track, the first label on top, and name the large ones.

    The limits of the axes must be set. There is one curve for each time without a gap.
    """
    for curve in curves:
        edges = _edges(curve.probabilities)
        for index, label in enumerate(labels):
            bottom, top, color = edges[:, index + 1], edges[:, index], swatch(label, labels)
            # The edge closes the thin gap between two areas.
            style = {"facecolor": color, "edgecolor": color, "linewidth": 0.25}
            axes.fill_between(curve.times_s, bottom, top, **style)
    _draw_names(axes, curves, labels)


def swatch(label: str, labels: Sequence[str]) -> tuple[float, ...]:
    """Return the RGB color of a label's area, 0–1."""
    return tuple(channel / 255 for channel in color_of(label, labels))


def _edges(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, labels + 1): the edges of the areas from the top, 1, to the bottom, 0."""
    cumulative = np.cumsum(probabilities, axis=1)
    total = np.maximum(cumulative[:, -1:], 1e-12)
    return np.hstack([np.ones((len(probabilities), 1)), 1 - cumulative / total])


def _draw_names(axes: Any, curves: Sequence[ProbabilityCurve], labels: Sequence[str]) -> None:
    """Write names into the areas, in the middle of each stretch with room for one."""
    start, end = map(float, axes.get_xlim())
    positions = np.linspace(start, end, _POSITIONS)
    edges = np.full((_POSITIONS, len(labels) + 1), np.nan)
    for curve in curves:
        inside = np.flatnonzero((positions >= curve.times_s[0]) & (positions <= curve.times_s[-1]))
        known = _edges(curve.probabilities)
        for index in range(known.shape[1]):
            edges[inside, index] = np.interp(positions[inside], curve.times_s, known[:, index])
    for index, label in enumerate(labels):
        name = one_line(label)
        window = int((len(name) + 2) * _LETTER_WIDTH * _POSITIONS)
        high = np.nan_to_num(edges[:, index] - edges[:, index + 1]) >= 1.3 * _NAME_HEIGHT
        for first, last in _true_runs(high):
            for middle in _middles(first, last, window):
                part = slice(middle - window // 2, middle + window // 2 + 1)
                top, bottom = edges[part, index].min(), edges[part, index + 1].max()
                if top - bottom >= _NAME_HEIGHT:
                    point = (positions[middle], (top + bottom) / 2)
                    axes.annotate(name, point, color=_text_color(label, labels), **_CENTERED)
                    break


def _true_runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Start and end of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _middles(start: int, end: int, window: int) -> list[int]:
    """Positions for the middle of a name in a stretch, those nearest to its middle first."""
    middle, half = (start + end - 1) // 2, window // 2 + 1
    candidates = range(start + half, end - half)
    return sorted(candidates, key=lambda position: abs(position - middle))


def _text_color(label: str, labels: Sequence[str]) -> str:
    """Dark text on a light area, white text on a dark one."""
    red, green, blue = swatch(label, labels)
    return TEXT if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
