"""Side by side with the package `fer`: one frame, and the whole process."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.environments import core_environment, fer_environment
from benchmarks.inputs import write_frame
from benchmarks.report import CannotMeasureError, Figure, Section, Settings
from benchmarks.timing import Spread, alternate, ratios, whole_process
from benchmarks.worker import Worker

FASTER_THAN_DEFAULT, FASTER_THAN_MTCNN = 3, 5
FASTER_PROCESS, MAX_MEMORY_RATIO = 5, 1 / 3
FER_MIN_FACE_SIZE = 20
FRAMES_PER_TURN = 5
REST_S = 0.1
_PROCESS = (
    "import sys, cv2; from fer.fer import FER; "
    "print(FER({detector}).detect_emotions(cv2.imread(sys.argv[1])))"
)

Values = dict[str, list[float]]


def measure(settings: Settings) -> Section:
    """Time both, warm and from the shell."""
    frame = str(write_frame(settings.scratch))
    core, fer = core_environment(), fer_environment()
    warm, notes = _frames(core, fer, frame, settings)
    times, peaks = _processes(core, fer, frame, settings)
    return Section(
        title="Beside the package fer 25.10.3",
        how=(
            "One 640 × 480 frame with one face, predicted repeatedly by loaded programs that take "
            f"turns: {settings.turns(15)} turns, {FRAMES_PER_TURN} frames each after one that "
            "does not count; the median frame of a turn is its value. Then the whole process from "
            "the shell to the answer, `emopy predict frame.png` and `python -c` with "
            f"`detect_emotions`, {settings.turns(7)} turns after one that does not count. "
            "Each program has its own environment and its default threads. Ratios are "
            "taken turn by turn."
        ),
        figures=(*_frame_figures(warm), *_process_figures(times, peaks)),
        notes=(
            *notes,
            "fer's default finds faces from 50 pixels, its MTCNN from 20 pixels. EmoPy's default "
            "searches for large faces first, and for small ones where it finds none or several; "
            f"the rows with `min_face_size` {FER_MIN_FACE_SIZE} px are the same search as fer's "
            "MTCNN.",
            "For fer's MTCNN one function of torchvision (`batched_nms`) is replaced by OpenCV's, "
            "which takes less time and memory than importing torchvision.",
        ),
    )


def _frames(core: Path, fer: Path, frame: str, settings: Settings) -> tuple[Values, list[str]]:
    wanted = {
        "EmoPy": (core, "emopy_worker.py", "frames", frame, settings.model),
        "EmoPy, 20 px": (
            core,
            "emopy_worker.py",
            "frames",
            frame,
            settings.model,
            str(FER_MIN_FACE_SIZE),
        ),
        "fer default": (fer, "fer_worker.py", "frames", frame, "default"),
        "fer MTCNN": (fer, "fer_worker.py", "frames", frame, "mtcnn"),
    }
    notes: list[str] = []
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for name, (python, script, *arguments) in wanted.items():
            try:
                workers[name] = stack.enter_context(Worker(python, script, *arguments))
            except CannotMeasureError as error:
                if name != "fer MTCNN":
                    raise
                notes.append(f"{name} was not measured: {error}")
                print(notes[-1], file=sys.stderr)
                continue
            about = workers[name].about
            notes.append(
                f"{name}: faces found: {about['faces']}; the largest: {about['emotion']}; "
                f"threads: {about['threads']}; {about['versions']}."
            )
        sides = {name: _one_turn(worker) for name, worker in workers.items()}
        return alternate(sides, settings.turns(15)), notes


def _one_turn(worker: Worker) -> Callable[[], float]:
    """A turn gives the median of some frames, after the others' threads have come to rest."""

    def turn() -> float:
        time.sleep(REST_S)
        return statistics.median(worker.ask(FRAMES_PER_TURN))

    return turn


def _processes(core: Path, fer: Path, frame: str, settings: Settings) -> tuple[Values, Values]:
    commands = {
        "EmoPy": [
            str(core.with_name("emopy" + core.suffix)),
            "predict",
            frame,
            "--model",
            settings.model,
        ],
        "fer default": [str(fer), "-c", _PROCESS.format(detector=""), frame],
    }
    times: Values = {name: [] for name in commands}
    peaks: Values = {name: [] for name in commands}
    for turn in range(settings.turns(7) + 1):
        for name, command in commands.items():
            time_s, peak = whole_process(command)
            if turn:
                times[name].append(time_s)
                peaks[name].append(peak)
    return times, peaks


def _frame_figures(warm: Values) -> list[Figure]:
    targets = {"fer default": FASTER_THAN_DEFAULT, "fer MTCNN": FASTER_THAN_MTCNN}
    figures: list[Figure] = []
    for name, least in targets.items():
        if name in warm:
            found = ratios(warm[name], warm["EmoPy"])
            what = f"{name} ÷ EmoPy, time per frame"
            figures.append(_spread(what, found, "×", at_least=least))
    if "fer MTCNN" in warm:
        found = ratios(warm["fer MTCNN"], warm["EmoPy, 20 px"])
        what = f"fer MTCNN ÷ EmoPy with `min_face_size` {FER_MIN_FACE_SIZE} px, time per frame"
        figures.append(_spread(what, found, "×"))
    for name, values in warm.items():
        figures.append(_spread(f"{name}, one frame", Spread.of(values).scaled(1000), "ms"))
    return figures


def _process_figures(times: Values, peaks: Values) -> list[Figure]:
    faster = ratios(times["fer default"], times["EmoPy"])
    peak = ratios(peaks["EmoPy"], peaks["fer default"])
    figures = [
        _spread("fer default ÷ EmoPy, whole process", faster, "×", at_least=FASTER_PROCESS),
        Figure(
            "EmoPy ÷ fer default, peak memory",
            peak.median,
            "×",
            peak.low,
            peak.high,
            at_most=MAX_MEMORY_RATIO,
        ),
    ]
    for name, values in times.items():
        figures.append(_spread(f"{name}, whole process", Spread.of(values), "s"))
    for name, values in peaks.items():
        figures.append(_spread(f"{name}, peak memory", Spread.of(values).scaled(1e-6), "MB"))
    return figures


def _spread(what: str, found: Spread, unit: str, *, at_least: float | None = None) -> Figure:
    return Figure(what, found.median, unit, found.low, found.high, at_least=at_least)
