"""Comparing sides turn by turn: what disturbs the machine then disturbs all of them."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import clean_environment
from benchmarks.report import CannotMeasureError, Figure

_LAUNCHER = Path(__file__).parent / "workers" / "measure_process.py"


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, smallest and largest of some values."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Sum up one or more values."""
        return cls(statistics.median(values), min(values), max(values))

    def scaled(self, factor: float) -> Spread:
        """The same in another unit."""
        return Spread(self.median * factor, self.low * factor, self.high * factor)

    def figure(
        self, what: str, unit: str, *, at_most: float | None = None, at_least: float | None = None
    ) -> Figure:
        """As a number for the page."""
        return Figure(what, self.median, unit, self.low, self.high, at_most, at_least)


def alternate(sides: Mapping[str, Callable[[], float]], turns: int) -> dict[str, list[float]]:
    """Measure every side once per turn, A, B, A, B; return the values of each side in order."""
    values: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(turns):
        for name, measure in sides.items():
            values[name].append(measure())
    return values


def ratios(above: Sequence[float], below: Sequence[float]) -> Spread:
    """How many times larger one side was, turn by turn."""
    return Spread.of([a / b for a, b in zip(above, below, strict=True)])


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def whole_process(command: Sequence[str]) -> tuple[float, float]:
    """Run a command; return its wall time in seconds and peak memory (``ru_maxrss``) in bytes.

    A small launcher starts it: the kernel counts what the starting process holds as memory of
    the child, so a large one would hide the child's own peak.
    """
    done = subprocess.run(
        [sys.executable, "-S", str(_LAUNCHER), *command],
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    if done.returncode:
        said = " ".join(done.stderr.strip().splitlines()[-2:])
        raise CannotMeasureError(f"`{' '.join(command)}` failed: {said}")
    found = json.loads(done.stdout.splitlines()[-1])
    return found["time_s"], found["peak_bytes"]
