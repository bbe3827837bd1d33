"""Videos end to end: frames per second, beside `fer`, and where the time goes."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.environments import fer_environment
from benchmarks.inputs import (
    FPS,
    FRAME_SIZE,
    Size,
    panned,
    repeated,
    walkers,
    write_clip,
    write_frames,
)
from benchmarks.report import CannotMeasureError, Figure, Section, Settings
from benchmarks.timing import Spread, alternate, ratios, seconds, whole_process
from benchmarks.worker import Worker
from emopy import FERModel
from emopy.faces import TrackingDetector, align_face, get_detector
from emopy.media import open_video

LARGE: Size = (1920, 1080)
MOST_FACES = 5
LEAST_SMALL, LEAST_LARGE, FASTER_THAN_FER = 30, 10, 10
REST_S = 0.1
SMALL_CLIP, PHOTOGRAPH = "640 × 480, 1 face", "640 × 480, photograph with noise, 1 face"

STEPS = ("a frame", "waiting for the decoder", "detecting", "predicting", "decoding alone")
NOTES = (
    "A search that finds one large face ends there; with two or more faces the whole image "
    "is searched for small ones too.",
    "Generated scenes have a smooth background: they decode fast and hold nothing that "
    "looks like a face. The clip with the photograph is busier.",
    "The decoder prefetches frames in its own thread, and another one detects the faces of the "
    "next frames while one is predicted. The steps of a frame were timed without the latter: one "
    "after the other, while the decoder was running. Detecting includes tracking, predicting "
    "includes alignment.",
)

Values = dict[str, list[float]]


def measure(settings: Settings) -> Section:
    """Time clips warm, beside fer, from the shell, by faces and by length."""
    clips = _write_clips(settings)
    fer_frames = 10 if settings.quick else 60
    turns = settings.turns(9)
    shell = _from_shell(clips[SMALL_CLIP], settings)
    with Worker(Path(sys.executable), "emopy_worker.py", "clips", settings.model) as emopy:
        notes = [
            f"EmoPy: {emopy.about['model']}; threads: {emopy.about['threads']}; "
            f"{emopy.about['versions']}."
        ]
        beside, more = _beside_fer(emopy, clips, fer_frames, turns)
        notes += more
        alone = {
            name: partial(_frame_s, emopy, clip)
            for name, clip in clips.items()
            if name not in beside
        }
        warm = beside | alternate(alone, settings.turns(5))
        lengths = _lengths(emopy, clips[SMALL_CLIP], settings)
    stages = _stages(clips, settings)
    frames = round(_seconds(settings) * FPS)
    return Section(
        title="Videos",
        how=(
            "Generated faces that sway, tilt and change their expression, H.264 with 25 frames "
            f"per second, {_seconds(settings):g} s in 640 × 480 and {_seconds(settings) / 2:g} s "
            "in 1920 × 1080. The time of a frame is that of the whole loop "
            "`for result in model.predict_video(clip)`, with opening the file, divided by its "
            "frames, in a program that is loaded and warm. fer's is that of "
            "`Video(clip).analyze(FER(mtcnn=True), …)` without display and saved images, over "
            f"the first {fer_frames} frames of the same clip. Sides take turns: {turns} with fer, "
            f"{settings.turns(5)} without. Ratios are taken turn by turn. From the shell: "
            f"`emopy video clip.mp4 --out t.csv --draw d.mp4 --plot p.png`, {frames} frames."
        ),
        figures=[*_warm_figures(warm), *shell, *_cost_figures(warm, lengths)],
        header=("clip", *(f"{step}, ms" for step in STEPS)),
        rows=[
            (name, *(round(1000 * Spread.of(values).median, 2) for values in (warm[name], *times)))
            for name, times in stages.items()
        ],
        notes=[*notes, *NOTES],
    )


def _large_clip(faces: int) -> str:
    return f"1920 × 1080, {faces} face{'s' if faces > 1 else ''}"


def _seconds(settings: Settings) -> float:
    return 2.0 if settings.quick else 12.0


def _write_clips(settings: Settings) -> dict[str, Path]:
    folder, seconds = settings.scratch, _seconds(settings)
    clips = {
        SMALL_CLIP: write_clip(
            folder / "small.mp4", walkers(1, FRAME_SIZE, seconds), size=FRAME_SIZE, seconds=seconds
        ),
        PHOTOGRAPH: write_frames(folder / "photograph.mp4", panned(seconds), size=FRAME_SIZE),
    }
    for count in range(1, MOST_FACES + 1):
        actors = walkers(count, LARGE, seconds / 2, places=MOST_FACES)
        clips[_large_clip(count)] = write_clip(
            folder / f"large-{count}.mp4", actors, size=LARGE, seconds=seconds / 2
        )
    return clips


def _frame_s(worker: Worker, clip: Path) -> float:
    """Seconds per frame of a clip, after the others' threads have come to rest."""
    time.sleep(REST_S)
    worker.send(str(clip))
    found = worker.read()
    return found["seconds"] / found["frames"]


def _beside_fer(
    emopy: Worker, clips: Mapping[str, Path], frames: int, turns: int
) -> tuple[Values, list[str]]:
    """Seconds per frame of both on the clips of the comparison, and what they found."""
    wanted = (SMALL_CLIP, PHOTOGRAPH)
    notes: list[str] = []
    with ExitStack() as stack:
        workers = {"": emopy}
        try:
            fer = stack.enter_context(
                Worker(fer_environment(), "fer_worker.py", "clips", str(frames))
            )
            notes.append(f"fer: threads: {fer.about['threads']}; {fer.about['versions']}.")
            workers["fer: "] = fer
        except CannotMeasureError as error:
            notes.append(f"fer was not measured: {error}")
            print(notes[-1], file=sys.stderr)
        for side, worker in workers.items():
            for name in wanted:
                worker.send(str(clips[name]))  # the first reading finds cold caches
                found = worker.read()
                faces = found["faces"] / found["frames"]
                notes.append(f"{side or 'EmoPy: '}{name}: {faces:.2f} faces found per frame.")
        sides = {
            side + name: partial(_frame_s, worker, clips[name])
            for name in wanted
            for side, worker in workers.items()
        }
        return alternate(sides, turns), notes


def _lengths(worker: Worker, clip: Path, settings: Settings) -> dict[int, Spread]:
    """Seconds for a video of one minute and one of three."""
    turns_per_minute = 1 if settings.quick else round(60 / _seconds(settings))
    frames = round(_seconds(settings) * FPS) * turns_per_minute
    sides = {
        str(minutes): partial(_frame_s, worker, repeated(clip, path, turns_per_minute * minutes))
        for minutes, path in ((m, clip.with_name(f"{m}-minutes.mp4")) for m in (1, 3))
    }
    values = alternate(sides, settings.turns(3))
    return {int(name): Spread.of(each).scaled(frames * int(name)) for name, each in values.items()}


def _from_shell(clip: Path, settings: Settings) -> list[Figure]:
    outputs = {"--out": "t.csv", "--draw": "d.mp4", "--plot": "p.png"}
    python = Path(sys.executable)
    command = [str(python.with_name("emopy" + python.suffix)), "video", str(clip), "--overwrite"]
    command += ["--model", settings.model]
    for option, name in outputs.items():
        command += [option, str(clip.with_name(name))]
    whole_process(command)  # the first run reads from the disk
    found = [whole_process(command) for _ in range(settings.turns(5))]
    frames = round(_seconds(settings) * FPS)
    times = Spread.of([time_s for time_s, _ in found])
    rate = Spread.of([frames / time_s for time_s, _ in found])
    peak = Spread.of([size / 1e6 for _, size in found])
    what = f"from the shell with table, annotated video and plot, {SMALL_CLIP}"
    return [
        rate.figure(f"{what}: frames per second", "/s"),
        times.figure(f"{what}: whole process", "s"),
        peak.figure(f"{what}: peak memory", "MB"),
    ]


def _stages(clips: Mapping[str, Path], settings: Settings) -> dict[str, list[list[float]]]:
    """Per clip the seconds of a frame for waiting, detecting, predicting; and decoding alone."""
    model = FERModel(model=settings.model)
    spec, detector = model.card.input, get_detector("mtcnn")
    stages: dict[str, list[list[float]]] = {name: [[], [], [], []] for name in clips}
    for _ in range(settings.turns(3)):
        for name, clip in clips.items():
            detect = TrackingDetector(detector)
            frames, spent = 0, np.zeros(4)
            mark = time.perf_counter()
            with open_video(clip) as video:
                for frame in video:
                    came = time.perf_counter()
                    faces = detect(frame.image, frame.time_s)
                    found = time.perf_counter()
                    model.predict_faces([align_face(frame.image, face, spec) for face in faces])
                    spent += (came - mark, found - came, time.perf_counter() - found, 0)
                    mark = time.perf_counter()
                    frames += 1
            spent[3] = seconds(partial(_decode, clip))
            for values, total in zip(stages[name], spent, strict=True):
                values.append(total / frames)
    return stages


def _decode(clip: Path) -> None:
    with open_video(clip) as video:
        deque(video, maxlen=0)


def _warm_figures(warm: Values) -> list[Figure]:
    least = {SMALL_CLIP: LEAST_SMALL, PHOTOGRAPH: None, _large_clip(MOST_FACES): LEAST_LARGE}
    figures = [
        Spread.of([1 / value for value in warm[name]]).figure(
            f"{name}: frames per second", "/s", at_least=at_least
        )
        for name, at_least in least.items()
    ]
    for name, at_least in ((SMALL_CLIP, FASTER_THAN_FER), (PHOTOGRAPH, None)):
        if f"fer: {name}" in warm:
            found = ratios(warm[f"fer: {name}"], warm[name])
            what = f"fer's `Video` with MTCNN ÷ EmoPy, time per frame, {name}"
            figures.append(found.figure(what, "×", at_least=at_least))
    return figures + [
        Spread.of(warm[side + name])
        .scaled(1000)
        .figure(f"{side or 'EmoPy: '}{name}, one frame", "ms")
        for name in (SMALL_CLIP, PHOTOGRAPH)
        for side in ("", "fer: ")
        if side + name in warm
    ]


def _cost_figures(warm: Values, lengths: Mapping[int, Spread]) -> list[Figure]:
    one, two, most = (1000 * np.array(warm[_large_clip(count)]) for count in (1, 2, MOST_FACES))
    second = Spread.of((two - one).tolist())
    each = Spread.of(((most - two) / (MOST_FACES - 2)).tolist())
    per_minute = (lengths[3].median - lengths[1].median) / 2
    return [
        second.figure("1920 × 1080: the second face, per frame", "ms"),
        each.figure("1920 × 1080: each further face, per frame", "ms"),
        lengths[1].figure("640 × 480, 1 face: a video of one minute", "s"),
        lengths[3].figure("640 × 480, 1 face: a video of three minutes", "s"),
        Figure("640 × 480, 1 face: each further minute", per_minute, "s"),
    ]
