"""Memory through an hour of video."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.inputs import FPS, FRAME_SIZE, repeated, walkers, write_clip
from benchmarks.report import CannotMeasureError, Figure, Section, Settings
from benchmarks.worker import Worker
from emopy.media import open_video
from emopy.samples import Actor

MINUTES, QUICK_MINUTES = 60, 3
MAX_GROWTH_MB = 10
LOOP_S = 60.0
_COMES_S, _GOES_S = 10.0, 40.0


def measure(settings: Settings) -> Section:
    """Predict a generated video into table, summary and plot; note the memory at each minute."""
    minutes = QUICK_MINUTES if settings.quick else MINUTES
    clip = _write_long(settings.scratch, minutes)
    marks = [60 * minute for minute in range(1, minutes)]
    resident: list[float] = []
    end: dict[str, float] = {}
    arguments = (str(clip), settings.model, str(settings.scratch), *map(str, marks))
    with Worker(Path(sys.executable), "emopy_worker.py", "long", *arguments) as worker:
        loaded = worker.resident_mb()
        for minute in range(1, minutes + 1):
            end = worker.read()
            resident.append(worker.resident_mb())
            print(f"{minute} min: {resident[-1]:.1f} MB", file=sys.stderr)
            worker.send("continue")
    wanted = round(minutes * 60 * FPS)
    if end["frames"] != wanted:
        raise CannotMeasureError(f"{end['frames']} of {wanted} frames of the long video were read.")
    rate = Figure(f"{minutes} minutes of video: frames per second", wanted / end["time_s"], "/s")
    return Section(
        title="An hour of video",
        how=(
            f"A video of {minutes} minutes, 640 × 480 with 25 frames per second, H.264: one person "
            "is visible all the time, another comes and goes once a minute. Each result of "
            "`predict_video` goes into a `Summary`, a `TimelinePlot` and a CSV file of "
            "`open_table`. Resident memory is read by another process at each minute."
        ),
        figures=[rate, *_memory_figures(loaded, resident, settled=1 if settings.quick else 5)],
        notes=(
            f"The long video: {wanted} frames read, {end['faces']} faces, {end['tracks']} tracks; "
            f"the last frame at {end['at_s']:.2f} s. At the end no frames are prefetched: less "
            "memory is in use than in the minutes before.",
        ),
    )


def _memory_figures(loaded: float, resident: Sequence[float], *, settled: int) -> Iterator[Figure]:
    """Resident memory in MB, and its growth after the first `settled` minutes.

    Args:
        loaded: MB before the first frame.
        resident: MB after each minute.
        settled: Minutes after which the memory should not grow.
    """
    yield Figure("resident memory before the first frame", loaded, "MB")
    for minute in sorted({settled, *range(10, len(resident) + 1, 10), len(resident)}):
        yield Figure(f"resident memory after {minute} minutes", resident[minute - 1], "MB")
    for name, last in (("end", resident[-1]), ("largest of all minutes", max(resident[settled:]))):
        what = f"growth after the first {settled} minutes: {name}"
        yield Figure(what, last - resident[settled - 1], "MB", at_most=MAX_GROWTH_MB)


def _write_long(folder: Path, minutes: int) -> Path:
    """A minute, repeated: one stays and ends where they began, one comes and goes."""
    stays, visits = walkers(2, FRAME_SIZE, LOOP_S)
    width, height = FRAME_SIZE
    side_px = visits.path[0][3]
    inside, outside = 0.75 * width, width + side_px
    moments = ((_COMES_S, outside), ((_COMES_S + _GOES_S) / 2, inside), (_GOES_S, outside))
    path = [(time_s, x, height / 2, side_px) for time_s, x in moments]
    visitor = Actor(path=path, emotions=visits.emotions)
    minute = write_clip(folder / "minute.mp4", [stays, visitor], size=FRAME_SIZE, seconds=LOOP_S)
    clip = repeated(minute, folder / "long.mp4", minutes)
    with open_video(clip) as video:
        declared = video.duration_s or 0.0
    if abs(declared - 60 * minutes) > 1 / FPS:
        raise CannotMeasureError(f"The long video lasts {declared} s, not {60 * minutes} s.")
    return clip
