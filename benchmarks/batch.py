"""Batch runs: overhead, processes, Ray, start-up, memory, and the planning of a million inputs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.child import import_psutil
from benchmarks.inputs import write_variants
from benchmarks.report import CannotMeasureError, Figure, Section, Settings
from benchmarks.timing import Spread, alternate, ratios, whole_process
from emopy.batch import Progress, run
from emopy.fermodel import FERModel

IMAGES, SHARD, PLANNED = 1000, 100, 1_000_000
MAX_OVERHEAD, MIN_SPEEDUP, MIN_RAY = 1.1, 1.7, 0.9
MAX_WORKER_MB, MAX_PLAN_S, MAX_PLAN_MB = 250, 60, 500

IDLE_CORES = 1.8
"""Cores that must be idle before the measurement: two, less what a system needs itself."""

_WORKERS = {"local": "emopy.batch.local_worker", "ray": "ray::"}
"""Words in the command lines of the processes of each engine."""

_WRITE_LIST = """
import csv, sys
import pyarrow as pa, pyarrow.parquet as parquet
path, count = sys.argv[1], int(sys.argv[2])
names = (f"/data/photos/{n // 1000:05}/portrait-{n:08}.jpg" for n in range(count))
if path.endswith(".csv"):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([["path"], *([name] for name in names)])
else:
    parquet.write_table(pa.table({"path": list(names)}), path)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured of a batch run.

    Attributes:
        begin_s: Time until the first shard was written, in seconds.
        per_image_s: Time per image after that.
        memory_mb: Of the largest process at the end: its part of all memory, and resident at most,
            MB.
    """

    begin_s: float
    per_image_s: float
    memory_mb: tuple[float, float]


def measure(settings: Settings) -> Section:
    """Predict generated images with each engine, and plan a million paths."""
    if (cores := _idle_cores()) < IDLE_CORES and not settings.quick:
        raise CannotMeasureError(f"Two idle cores are needed; there are about {cores:.1f}.")
    count = 4 * SHARD if settings.quick else IMAGES
    folder = write_variants(settings.scratch / "images", count)
    made: dict[str, list[Run]] = {}

    def side(name: str, **options: Any) -> Callable[[], float]:
        def measured() -> float:
            out = settings.scratch / f"{name}-{len(made.setdefault(name, []))}"
            made[name].append(_run(folder, out, settings.model, **options))
            return made[name][-1].per_image_s

        return measured

    sides = {
        "predict_many": lambda: _predict_many_s(folder, settings.model),
        "pinned": side("pinned", pinned=True, workers=1),
        "one": side("one", workers=1),
        "two": side("two", workers=2),
        "ray": side("ray", workers=2, engine="ray"),
    }
    found = alternate(sides, settings.turns(3))
    figures = [*_figures(found, made), *_planning(settings)]
    return Section(
        title="Speed and memory",
        how=(
            f"{count} JPEG files of 640 × 480 pixels, each with one face, in shards of {SHARD}; "
            f"{settings.turns(3)} turns, the sides one after the other in each turn. Times per "
            "image are those after the first shard, without the start of the processes. Planning "
            "is the whole command, from a table of generated paths to a complete plan."
        ),
        figures=figures,
    )


def _figures(
    found: Mapping[str, Sequence[float]], made: Mapping[str, Sequence[Run]]
) -> list[Figure]:
    """Return the ratios of the sides, and what their runs need."""
    begin = {name: Spread.of([each.begin_s for each in runs]) for name, runs in made.items()}
    sides = {"local": made["two"], "ray": made["ray"]}
    memory = [
        Spread.of([each.memory_mb[column] for each in runs]).figure(
            f"{what}, `{engine}` with 2", "MB", at_most=at_most
        )
        for column, what, at_most in (
            (0, "proportional set size (PSS) of a process", MAX_WORKER_MB),
            (1, "resident memory of a process, peak", None),
        )
        for engine, runs in sides.items()
    ]
    return [
        ratios(found["pinned"], found["predict_many"]).figure(
            "`local` with 1 process ÷ `predict_many`, time per image, on one core",
            "×", at_most=MAX_OVERHEAD,
        ),
        ratios(found["one"], found["two"]).figure(
            "2 processes ÷ 1, images per second", "×", at_least=MIN_SPEEDUP
        ),
        ratios(found["two"], found["ray"]).figure(
            "`ray` with 2 ÷ `local` with 2, images per second", "×", at_least=MIN_RAY
        ),
        Spread.of([1 / each for each in found["two"]]).figure(
            "images per second, 2 processes", "/s"
        ),
        begin["two"].figure(f"until the first {SHARD} images are written, `local`", "s"),
        begin["ray"].figure("the same with a Ray that is started for the run", "s"),
        *memory,
    ]  # fmt: skip


def shard_seconds(folder: Path, out: Path, model: str) -> list[float]:
    """Return the time of each shard but the first in a run with one process, in seconds."""
    ends: list[float] = []
    options: dict[str, Any] = {"workers": 1, "shard_size": SHARD, "model": model}
    run(folder, out, on_progress=lambda _: ends.append(time.perf_counter()), **options)
    return [after - before for before, after in pairwise(ends)]


def _run(folder: Path, out: Path, model: str, *, pinned: bool = False, **options: Any) -> Run:
    seen: list[Progress] = []
    memory = (0.0, 0.0)

    def progress(now: Progress) -> None:
        nonlocal memory
        seen.append(now)
        if now.done == now.shards:  # the end: to look earlier would take time from the run
            memory = _memory_mb(options.get("engine", "local"))

    with _pinned(active=pinned):
        run(folder, out, shard_size=SHARD, model=model, on_progress=progress, **options)
    first, last = seen[0], seen[-1]
    per_image_s = (last.seconds - first.seconds) / (last.images - first.images)
    return Run(first.seconds, per_image_s, memory)


def _predict_many_s(folder: Path, model: str) -> float:
    """Time per image of `FERModel.predict_many` on one core, after the first shard."""
    images = sorted(folder.iterdir())
    start = 0.0
    with _pinned():
        fer_model = FERModel(model=model)  # as on a machine with one core
        for number, _ in enumerate(fer_model.predict_many(images)):
            if number == SHARD:
                start = time.perf_counter()
        return (time.perf_counter() - start) / (len(images) - SHARD)


@contextmanager
def _pinned(*, active: bool = True) -> Generator[None]:
    """Keep this process, and those that it starts, on one core."""
    cores = os.sched_getaffinity(0)

    def pin(to: set[int]) -> None:
        for thread in import_psutil().Process().threads():
            with suppress(ProcessLookupError):  # it has ended
                os.sched_setaffinity(thread.id, to)

    pin({min(cores)} if active else cores)
    try:
        yield
    finally:
        pin(cores)


def _memory_mb(engine: str) -> tuple[float, float]:
    """Memory of the largest process of a run: its part of all memory now, and resident at most.

    The first is the PSS of Linux: pages that several processes use, such as those of libraries, are
    divided among them.
    """
    found = [(0.0, 0.0)]
    for process in import_psutil().Process().children(recursive=True):
        with suppress(import_psutil().Error, OSError):
            if _WORKERS[engine] in " ".join(process.cmdline()):
                status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
                resident = int(status.split("VmHWM:")[1].split()[0]) * 1024
                found.append((process.memory_full_info().pss / 1e6, resident / 1e6))
    return max(found)


def _idle_cores() -> float:
    """How many cores are idle during two seconds."""
    return sum(100 - busy for busy in import_psutil().cpu_percent(2.0, percpu=True)) / 100


def _planning(settings: Settings) -> list[Figure]:
    """Plan from tables of generated paths, without predicting anything."""
    count = 10_000 if settings.quick else PLANNED
    figures: list[Figure] = []
    for suffix in ("parquet", "csv"):
        table = settings.scratch / f"list.{suffix}"
        subprocess.run([sys.executable, "-c", _WRITE_LIST, str(table), str(count)], check=True)
        out = settings.scratch / f"planned-{suffix}"
        command = ["batch", "run", str(table), str(out), "--shard", f"{PLANNED}/{PLANNED}"]
        time_s, peak = whole_process([sys.executable, "-m", "emopy", *command])
        what = f"planning {count:,} paths of a table ({suffix})"
        figures += [
            Figure(what, time_s, "s", at_most=MAX_PLAN_S),
            Figure(f"{what}, peak memory", peak / 1e6, "MB", at_most=MAX_PLAN_MB),
        ]
    return figures
