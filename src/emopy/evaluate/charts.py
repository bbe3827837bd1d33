"""Small images for the page of a report, as SVG that takes its colours from the page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from emopy.evaluate.groups import Interval
from emopy.evaluate.predictions import Coverage, Reliability

WIDTH, HEIGHT = 360, 300
"""Size of a chart in its own units; a phone shows it at nearly one unit per pixel."""

_FEW = 10
"""Faces below which a bar is drawn faint."""

_POINTS = 200
_SURE_ENOUGH = 20
_FLOORS = (0.0, 0.5, 0.75, 0.9)  # five round steps lead from each to 1
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 40


@dataclass(frozen=True, slots=True)
class _Frame:
    """The plotting area: shares of 0–1 to the right, and from `low` to 1 upwards."""

    low: float = 0.0
    bottom: float = HEIGHT - _BOTTOM

    def x(self, share: float) -> float:
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)

    def y(self, share: float) -> float:
        part = (share - self.low) / (1 - self.low)
        return round(self.bottom - part * (self.bottom - _TOP), 1)

    def axes(self, across: str, up: str) -> str:
        """Grid, numbers and names of both axes."""
        steps = [self.low + (1 - self.low) * i / 5 for i in range(6)]
        parts = [
            f'<line class="grid" x1="{self.x(0)}" x2="{self.x(1)}" '
            f'y1="{self.y(step)}" y2="{self.y(step)}"/>'
            f'<text class="tick" text-anchor="end" x="{_LEFT - 7}" y="{self.y(step) + 4}">'
            f"{step:.0%}</text>"
            for step in steps
        ]
        parts += [
            f'<text class="tick" text-anchor="middle" x="{self.x(step)}" y="{HEIGHT - 22}">'
            f"{step:.0%}</text>"
            for step in (0, 0.25, 0.5, 0.75)
        ]
        middle = (_TOP + self.bottom) / 2
        return "".join(parts) + (
            f'<text class="tick" text-anchor="end" x="{self.x(1) + 8}" y="{HEIGHT - 22}">100%'
            f'</text><text class="name" text-anchor="middle" x="{self.x(0.5)}" '
            f'y="{HEIGHT - 4}">{across}</text>'
            f'<text class="name" text-anchor="middle" '
            f'transform="translate(11 {middle}) rotate(-90)">{up}</text>'
        )


def reliability_chart(found: Reliability, description: str) -> str:
    """How often answers of each confidence are right, above how many there are.

    Args:
        found: The bins.
        description: What the chart shows, for those who cannot see it.
    """
    frame = _Frame(bottom=HEIGHT - _BOTTOM - 46)
    bins, most = len(found.samples), max(1, int(found.samples.max()))
    foot = HEIGHT - _BOTTOM + 2
    width = (frame.x(1) - frame.x(0)) / bins
    parts = [
        frame.axes("confidence: what it says", "share that is right"),
        f'<line class="ideal" x1="{frame.x(0)}" y1="{frame.y(0)}" '
        f'x2="{frame.x(1)}" y2="{frame.y(1)}"/>',
    ]
    for i in range(bins):
        count = int(found.samples[i])
        if not count:
            continue
        left, right, said = frame.x(i / bins) + 1, float(found.accuracy[i]), found.confidence[i]
        tall = max(1.0, 34 * count / most)
        parts.append(
            f'<g class="{"few" if count < _FEW else "many"}"><title>{count:,} answers: said '
            f"{said:.0%}, right {right:.0%}</title>"
            + _bar(left, frame.y(right), width - 2, frame.bottom - frame.y(right), "bar")
            + _bar(left, frame.y(float(said)) - 1.5, width - 2, 3, "said")
            + _bar(left, foot - tall, width - 2, tall, "count")
            + "</g>"
        )
    return _svg(parts, description)


def coverage_chart(found: Coverage, description: str) -> str:
    """How often it is right when only the surest faces are answered.

    Args:
        found: The curve; its first few faces, where chance rules, are left out.
        description: What the chart shows, for those who cannot see it.
    """
    n = len(found.coverage)
    first = min(_SURE_ENOUGH, n) - 1
    rows = np.unique(np.linspace(first, n - 1, min(_POINTS, n - first)).round().astype(np.intp))
    lowest = float(found.accuracy[rows].min())
    frame = _Frame(low=max(floor for floor in _FLOORS if floor <= lowest))
    line = " ".join(
        f"{frame.x(float(found.coverage[i]))},{frame.y(float(found.accuracy[i]))}" for i in rows
    )
    left, right = (frame.x(float(found.coverage[i])) for i in (rows[0], rows[-1]))
    parts = [
        f'<polygon class="area" points="{left},{frame.bottom} {line} {right},{frame.bottom}"/>',
        frame.axes("share of the faces that is answered", "share that is right"),
        f'<polyline class="curve" points="{line}"/>',
    ]
    for share in (0.5, 0.8, 1.0):
        i = max(first, round(share * n) - 1)
        x, y = frame.x(float(found.coverage[i])), frame.y(float(found.accuracy[i]))
        parts.append(
            f'<circle class="dot" cx="{x}" cy="{y}" r="4"><title>{share:.0%} answered: '
            f"{found.accuracy[i]:.1%} right</title></circle>"
        )
    return _svg(parts, description)


def interval_scale(intervals: Iterable[Interval]) -> tuple[float, float]:
    """Round ends, 0–1, between which all intervals lie."""
    known = [interval for interval in intervals if not math.isnan(interval.value)]
    low = math.floor(10 * min((interval.low for interval in known), default=0)) / 10
    high = math.ceil(10 * max((interval.high for interval in known), default=1)) / 10
    return low, max(high, low + 0.1)


def interval_mark(interval: Interval, scale: tuple[float, float], overall: float) -> str:
    """A dot with its interval as a line, and the figure of all faces as an upright line.

    It repeats the numbers beside it, so it is hidden from screen readers.
    """
    if math.isnan(interval.value):
        return ""
    low, high = scale

    def x(share: float) -> float:
        return round(5 + 110 * (min(max(share, low), high) - low) / (high - low), 1)

    return (
        '<svg class="mark" viewBox="0 0 120 18" aria-hidden="true">'
        f'<line class="overall" x1="{x(overall)}" x2="{x(overall)}" y1="0" y2="18"/>'
        f'<line class="range" x1="{x(interval.low)}" x2="{x(interval.high)}" y1="9" y2="9"/>'
        f'<circle class="dot" cx="{x(interval.value)}" cy="9" r="4"/></svg>'
    )


def _bar(left: float, top: float, width: float, height: float, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" '
        f'width="{width:.1f}" height="{max(height, 0):.1f}"/>'
    )


def _svg(parts: Sequence[str], description: str) -> str:
    """Put a chart together; `description` must be free of markup."""
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{description}">{"".join(parts)}</svg>'
    )
