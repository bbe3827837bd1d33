"""Legend of a plot: a square in the color of each label, in as many lines as needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from emopy.errors import import_extra
from emopy.escaping import one_line
from emopy.present.stacked_areas import TEXT, swatch
from emopy.present.text import NOT_SURE

NOT_SURE_STYLE = {"facecolor": "white", "edgecolor": "#9a9aa4", "hatch": "//////", "linewidth": 0.0}
"""Striped, unlike "neutral", which is gray too."""

# Inches.
_LINE = 0.22
_SQUARE = 0.12
_GAP = 0.4
_LETTER = 0.075


def label_style(label: str | None, labels: Sequence[str]) -> dict[str, Any]:
    """Return how the area of a label is filled, for Matplotlib; None is "not sure"."""
    if label is None:
        return dict(NOT_SURE_STYLE)
    color = swatch(label, labels)
    return {"facecolor": color, "edgecolor": color, "linewidth": 0.0}


def legend_height(shown: Iterable[str | None], width: float) -> float:
    """Return the height of all lines after the first, in inches.

    Args:
        shown: Labels; None is "not sure".
        width: Width of the legend in inches.
    """
    return max((line for _, _, line in _places(shown, width)), default=0) * _LINE


def draw_legend(
    figure: Any,
    place: tuple[float, float],
    shown: Iterable[str | None],
    labels: Sequence[str],
    *,
    width: float,
) -> None:
    """Draw a square and the name of each label.

    Args:
        figure: Figure of Matplotlib.
        place: Left edge and middle of the first line, in inches from the lower left corner.
        shown: Labels to draw; None is "not sure".
        labels: All labels, which decide on the colors.
        width: Width of the legend in inches.
    """
    patches = matplotlib_module("matplotlib.patches")
    figure_width, figure_height = figure.get_size_inches()
    size = (_SQUARE / figure_width, _SQUARE / figure_height)
    for label, x, line in _places(shown, width):
        middle = ((place[0] + x) / figure_width, (place[1] - _LINE * line) / figure_height)
        corner = (middle[0], middle[1] - size[1] / 2)
        style = {**label_style(label, labels), "linewidth": 1.0}
        figure.add_artist(patches.Rectangle(corner, *size, **style))
        name = one_line(label or NOT_SURE)
        figure.text(middle[0] + 1.5 * size[0], middle[1], name, color=TEXT, va="center_baseline")


def _places(shown: Iterable[str | None], width: float) -> Iterator[tuple[str | None, float, int]]:
    """Yield each label, its distance from the left in inches, and its line."""
    x, line = 0.0, 0
    for label in shown:
        needed = _GAP + _LETTER * len(one_line(label or NOT_SURE))
        if x and x + needed > width:
            x, line = 0.0, line + 1
        yield label, x, line
        x += needed


def matplotlib_module(name: str = "matplotlib") -> Any:
    """Import a module of Matplotlib, which is an extra."""
    return import_extra(name, feature="Plotting timelines", extra="video")
