"""A simulation of a hundred million images on a cluster, from shard times measured here."""

from __future__ import annotations

import heapq
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.batch import SHARD, shard_seconds
from benchmarks.inputs import write_variants
from benchmarks.report import Section, Settings
from emopy.batch.plan import SHARD_SIZE

IMAGES = 100_000_000
CORES = (64, 256, 1024)
MEASURED = 20

START_S = 2.0
"""Start of a process, with its model."""

DISPATCH_S = 0.002
"""Time in which one driver of Ray places a task; the tasks are placed one after the other."""

CORE_SPREAD = 0.1
"""Standard deviation of the logarithm of the speeds of cores: machines differ."""

STRAGGLERS, STRAGGLER_SPEED = 0.02, 1 / 3
"""Proportion of slow cores, and their speed."""

FAILURES_PER_CORE_HOUR = 1 / 50
"""How often a process ends; its shard is lost and its successor starts."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Cores and the way in which shards are placed.

    Attributes:
        cores: Number of cores.
        is_static: Whether core I takes every N-th shard (``--shard I/N``, a core to each job); else
            a free core takes the next shard (the engines).
    """

    cores: int
    is_static: bool


def measure(settings: Settings) -> Section:
    """Measure shards on one core, and simulate their placement."""
    folder = write_variants(
        settings.scratch / "images", (3 if settings.quick else MEASURED + 1) * SHARD
    )
    times = shard_seconds(folder, settings.scratch / "out", settings.model)
    rows = []
    for cores in CORES:
        for kind, cluster in (
            ("an engine", Cluster(cores, is_static=False)),
            ("`--shard I/N`", Cluster(cores, is_static=True)),
        ):
            total_s, lost = simulate(cluster, times)
            ideal_s = statistics.mean(times) * IMAGES / SHARD / cores
            rows.append(
                (str(cores), kind, f"{total_s / 3600:.2f}", f"{ideal_s / total_s:.0%}", f"{lost:,}")
            )
    return Section(
        title="A hundred million images, simulated",
        how=(
            f"{IMAGES:,} images in shards of {SHARD_SIZE:,}, each {SHARD_SIZE // SHARD} times a "
            f"shard of {SHARD} images that was measured here with one process. Not measured: a "
            "cluster."
        ),
        figures=[],
        header=("cores", "placed by", "hours", "efficiency", "shards lost by failures"),
        rows=rows,
        notes=[
            "Efficiency is the time on cores that are all as fast as this one and never fail, "
            "divided by the simulated time.",
            f"Assumptions: the speeds of cores are log-normal with a deviation of {CORE_SPREAD:g}; "
            f"{STRAGGLERS:.0%} of them have a third of their speed; a process ends "
            f"{FAILURES_PER_CORE_HOUR:g} times in an hour, which loses its shard and the "
            f"{START_S:g} s of a start, on the same core; one driver places a task in "
            f"{1000 * DISPATCH_S:g} ms; "
            "the store is as fast as a local disk and does not slow down with more cores.",
            "With `--shard I/N` the slowest core decides; a run without `--shard` at the end takes "
            "its remaining shards.",
        ],
    )


def simulate(cluster: Cluster, times: Sequence[float], *, seed: int = 0) -> tuple[float, int]:
    """Return the time of a run in seconds, and how many shards were lost and predicted again.

    Args:
        cluster: Cores and placement.
        times: Times of shards of `SHARD` images, measured.
        seed: Seed of everything random.
    """
    rng = np.random.default_rng(seed)
    shards = IMAGES // SHARD_SIZE
    parts = rng.choice(times, (shards, SHARD_SIZE // SHARD))
    work = parts.sum(axis=1)
    speeds = rng.lognormal(0, CORE_SPREAD, cluster.cores)
    speeds[rng.random(cluster.cores) < STRAGGLERS] *= STRAGGLER_SPEED
    lost = 0
    free = [(START_S, core) for core in range(cluster.cores)]
    heapq.heapify(free)
    ends = np.full(cluster.cores, START_S)
    placed_s = 0.0
    for shard in range(shards):
        if cluster.is_static:
            core = shard % cluster.cores
            begin = ends[core]
        else:
            begin, core = heapq.heappop(free)
            placed_s = max(placed_s + DISPATCH_S, begin)
            begin = placed_s
        needed = work[shard] / speeds[core]
        for tried in _lost_times(rng, needed):
            begin += tried + START_S
            lost += 1
        ends[core] = begin + needed
        if not cluster.is_static:
            heapq.heappush(free, (ends[core], core))
    return float(ends.max()), lost


def _lost_times(rng: np.random.Generator, needed: float) -> Iterator[float]:
    """How long each process that ends within a shard has worked on it."""
    while (until := rng.exponential(3600 / FAILURES_PER_CORE_HOUR)) < needed:
        yield until
