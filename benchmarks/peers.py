"""Side by side with the package `fer`: one frame, and the whole process."""

from __future__ import annotations

import statistics
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.environments import core_environment, fer_environment
from benchmarks.inputs import write_frame
from benchmarks.report import CannotMeasureError, Figure, Section, Settings
from benchmarks.timing import Spread, alternate, ratios, whole_process
from benchmarks.worker import Worker

FASTER_THAN_DEFAULT, FASTER_THAN_MTCNN, FASTER_AT_SAME_SIZE = 3, 5, 2.5
FASTER_PROCESS, MAX_MEMORY_RATIO = 5, 1 / 3
FER_MIN_FACE_SIZE = 20
FRAMES_PER_TURN = 5
REST_S = 0.1
_PROCESS = (
    "import sys, cv2; from fer.fer import FER; "
    "print(FER().detect_emotions(cv2.imread(sys.argv[1])))"
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
        figures=[*_frame_figures(warm), *_process_figures(times, peaks)],
        notes=[
            *notes,
            "fer's default finds faces from 50 pixels, its MTCNN from 20 pixels. EmoPy's default "
            "searches for large faces first, and for small ones where it finds none or several; "
            f"the rows with `min_face_size` {FER_MIN_FACE_SIZE} px are the same search as fer's "
            "MTCNN.",
            "For fer's MTCNN one function of torchvision (`batched_nms`) is replaced by OpenCV's, "
            "which takes less time and memory than importing torchvision.",
        ],
    )


def _frames(core: Path, fer: Path, frame: str, settings: Settings) -> tuple[Values, list[str]]:
    emopy = (core, "emopy_worker.py", "frames", frame, settings.model)
    wanted = {
        "EmoPy": emopy,
        "EmoPy, 20 px": (*emopy, str(FER_MIN_FACE_SIZE)),
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
        sides = {name: partial(_median_s, worker) for name, worker in workers.items()}
        return alternate(sides, settings.turns(15)), notes


def _median_s(worker: Worker) -> float:
    """Median seconds of some frames, after the others' threads have come to rest."""
    time.sleep(REST_S)
    return statistics.median(worker.ask(FRAMES_PER_TURN))


def _processes(core: Path, fer: Path, frame: str, settings: Settings) -> tuple[Values, Values]:
    emopy = str(core.with_name("emopy" + core.suffix))
    commands = {
        "EmoPy": [emopy, "predict", frame, "--model", settings.model],
        "fer default": [str(fer), "-c", _PROCESS, frame],
    }
    times: Values = {name: [] for name in commands}
    peaks: Values = {name: [] for name in commands}
    for turn in range(settings.turns(7) + 1):
        for name, command in commands.items():
            time_s, peak = whole_process(command)
            if turn:
                times[name].append(time_s)
                peaks[name].append(peak / 1e6)
    return times, peaks


def _frame_figures(warm: Values) -> list[Figure]:
    targets = {"fer default": FASTER_THAN_DEFAULT, "fer MTCNN": FASTER_THAN_MTCNN}
    figures = [
        ratios(warm[name], warm["EmoPy"]).figure(
            f"{name} ÷ EmoPy, time per frame", "×", at_least=least
        )
        for name, least in targets.items()
        if name in warm
    ]
    if "fer MTCNN" in warm:
        what = f"fer MTCNN ÷ EmoPy with `min_face_size` {FER_MIN_FACE_SIZE} px, time per frame"
        same_size = ratios(warm["fer MTCNN"], warm["EmoPy, 20 px"])
        figures.append(same_size.figure(what, "×", at_least=FASTER_AT_SAME_SIZE))
    return figures + [
        Spread.of(values).scaled(1000).figure(f"{name}, one frame", "ms")
        for name, values in warm.items()
    ]


def _process_figures(times: Values, peaks: Values) -> list[Figure]:
    faster = ratios(times["fer default"], times["EmoPy"])
    peak = ratios(peaks["EmoPy"], peaks["fer default"])
    return [
        faster.figure("fer default ÷ EmoPy, whole process", "×", at_least=FASTER_PROCESS),
        peak.figure("EmoPy ÷ fer default, peak memory", "×", at_most=MAX_MEMORY_RATIO),
        *(Spread.of(s).figure(f"{name}, whole process", "s") for name, s in times.items()),
        *(Spread.of(mb).figure(f"{name}, peak memory", "MB") for name, mb in peaks.items()),
    ]
