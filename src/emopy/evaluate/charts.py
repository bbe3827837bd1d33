"""Coordinates of the charts in the HTML report; `charts.svg.j2` draws them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from emopy.evaluate.groups import Interval
from emopy.evaluate.predictions import CoverageCurve, ReliabilityDiagram

WIDTH, HEIGHT = 360, 300
"""Size of a chart in SVG units; about one unit per pixel on a phone."""

FEW_PREDICTIONS = 10
"""Predictions in a bin below which its bar is drawn faint."""

_MAX_POINTS = 200  # of a curve
_MIN_KEPT = 20  # predictions at the left end of the coverage curve: fewer are noise
_Y_STARTS = (0.0, 0.5, 0.75, 0.9)  # five round steps lead from each to 1
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 40  # margins, SVG units
_COUNT_HEIGHT = 34  # of the highest bar of counts, SVG units


@dataclass(frozen=True, slots=True)
class Axes:
    """Plotting area: x from 0 to 1, y from `y_start` at the height `bottom` to 1 at the top."""

    y_start: float = 0.0
    bottom: float = HEIGHT - _BOTTOM

    def x(self, proportion: float) -> float:
        """SVG position of a proportion 0–1 on the x axis."""
        return round(_LEFT + proportion * (WIDTH - _LEFT - _RIGHT), 1)

    def y(self, proportion: float) -> float:
        """SVG position of a proportion on the y axis."""
        height = (proportion - self.y_start) / (1 - self.y_start)
        return round(self.bottom - height * (self.bottom - _TOP), 1)

    @property
    def middle(self) -> float:
        """SVG position of the middle of the y axis."""
        return (_TOP + self.bottom) / 2

    @property
    def y_ticks(self) -> list[float]:
        """Six proportions from the start of the y axis to 1."""
        return [self.y_start + (1 - self.y_start) * i / 5 for i in range(6)]


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in SVG units."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class ReliabilityBar:
    """One bin of a reliability diagram: its numbers and rectangles."""

    samples: int
    confidence: float
    accuracy: float
    accuracy_bar: Rect
    confidence_mark: Rect
    count_bar: Rect

    @property
    def few(self) -> bool:
        """Whether the bin has too few predictions to be drawn solid."""
        return self.samples < FEW_PREDICTIONS


def reliability_bars(diagram: ReliabilityDiagram) -> tuple[Axes, list[ReliabilityBar]]:
    """Axes and bars of a reliability diagram, above a histogram of the predictions."""
    axes = Axes(bottom=HEIGHT - _BOTTOM - 46)
    bins, most = len(diagram.samples), max(1, int(diagram.samples.max()))
    histogram_bottom = HEIGHT - _BOTTOM + 2
    width = (axes.x(1) - axes.x(0)) / bins - 2
    bars: list[ReliabilityBar] = []
    for i in np.flatnonzero(diagram.samples):
        samples, left = int(diagram.samples[i]), axes.x(i / bins) + 1
        confidence, accuracy = float(diagram.confidence[i]), float(diagram.accuracy[i])
        count_height = max(1.0, _COUNT_HEIGHT * samples / most)
        bar = _rect(left, axes.y(accuracy), width, axes.bottom - axes.y(accuracy))
        mark = _rect(left, axes.y(confidence) - 1.5, width, 3)
        count = _rect(left, histogram_bottom - count_height, width, count_height)
        bars.append(ReliabilityBar(samples, confidence, accuracy, bar, mark, count))
    return axes, bars


def _rect(x: float, y: float, width: float, height: float) -> Rect:
    return Rect(round(x, 1), round(y, 1), round(width, 1), round(max(height, 0), 1))


def coverage_points(
    curve: CoverageCurve,
) -> tuple[Axes, list[tuple[float, float]], list[tuple[float, float]]]:
    """Axes, points of the curve and marked points, (coverage, accuracy), of a coverage curve.

    The curve starts at the first 20 predictions: accuracy on fewer is noise.
    """
    n = len(curve.coverage)
    first = min(_MIN_KEPT, n) - 1
    rows = np.unique(np.linspace(first, n - 1, min(_MAX_POINTS, n - first)).round().astype(int))
    lowest = float(curve.accuracy[rows].min())
    marked = [max(first, curve.row_at(coverage)) for coverage in (0.5, 0.8, 1.0)]
    line, marks = (
        [(float(curve.coverage[i]), float(curve.accuracy[i])) for i in chosen]
        for chosen in (rows, marked)
    )
    return Axes(y_start=max(start for start in _Y_STARTS if start <= lowest)), line, marks


@dataclass(frozen=True, slots=True)
class IntervalScale:
    """Range of the interval marks, 0–1, on which `x` is a position in SVG units."""

    low: float
    high: float

    def x(self, proportion: float) -> float:
        """SVG position 5–115 of a proportion, clipped to the range."""
        clipped = min(max(proportion, self.low), self.high)
        return round(5 + 110 * (clipped - self.low) / (self.high - self.low), 1)


def interval_scale(intervals: Iterable[Interval]) -> IntervalScale:
    """The scale with round ends that contains all defined intervals."""
    defined = [interval for interval in intervals if not math.isnan(interval.value)]
    low = math.floor(10 * min((interval.low for interval in defined), default=0)) / 10
    high = math.ceil(10 * max((interval.high for interval in defined), default=1)) / 10
    return IntervalScale(low, max(high, low + 0.1))
