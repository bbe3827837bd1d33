"""How often the label of a face flickers, raw and smoothed, and the delay that smoothing adds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.inputs import EMOTIONS, FPS, FRAME_SIZE
from benchmarks.report import Figure, Section, Settings
from emopy import FERModel
from emopy.fermodel import SMOOTHING_S
from emopy.pipeline import Smoother
from emopy.samples import Actor, SceneFace, scene
from emopy.types import FacePrediction, Frame, Prediction

SIDES_PX = (36, 48, 64, 80)
DWELL_S = (2.0, 5.0)
TILT_DEG = 15.0
TIME_CONSTANTS_S = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)
SECONDS = 60.0
SETTLED_S = _MARGIN_S = 1.0


class Degradation(NamedTuple):
    """What makes the faces of a scene ambiguous.

    Attributes:
        proportion: Weight of the true expression in the mixture, 0–1.
        noise: Standard deviation, in gray levels.
        blur: Standard deviation, in pixels.
        quality: Of JPEG, 0–100.
    """

    proportion: float
    noise: float
    blur: float
    quality: int


DEGRADATIONS = (
    Degradation(proportion=0.8, noise=10, blur=1.0, quality=60),
    Degradation(proportion=0.7, noise=6, blur=0.7, quality=75),
    Degradation(proportion=0.6, noise=4, blur=0.5, quality=90),
)


class _Observation(NamedTuple):
    """One face in one frame: its true emotion, and track and prediction where it was found."""

    time_s: float
    truth: str
    track: int | None
    prediction: Prediction | None


class _Label(NamedTuple):
    """The label of a face in one frame."""

    time_s: float
    truth: str
    predicted: str


class _Score(NamedTuple):
    """The result of one time constant."""

    flips_per_min: float
    accuracy: float
    settled_accuracy: float
    first_s: float
    stable_s: float
    missed: float


def measure(settings: Settings) -> Section:
    """Predict degraded scenes once, then smooth the predictions with each time constant."""
    model = FERModel(model=settings.model)
    seconds = 6.0 if settings.quick else SECONDS
    actors = [
        actor
        for seed, degradation in enumerate(DEGRADATIONS)
        for actor in _observe(model, degradation, seconds, seed=seed)
    ]
    scores = {
        time_s: _score([_labels(actor, time_s) for actor in actors]) for time_s in TIME_CONSTANTS_S
    }
    observations = [observation for actor in actors for observation in actor]
    found = sum(face.prediction is not None for face in observations) / len(observations)
    changes = sum(len(_segments(_labels(actor, 0.0))) - 1 for actor in actors)
    proportions = ", ".join(f"{degradation.proportion:.0%}" for degradation in DEGRADATIONS)
    return Section(
        title="Smoothing over time",
        how=(
            f"{len(DEGRADATIONS)} generated scenes of {seconds:g} s, each with faces of "
            f"{', '.join(map(str, SIDES_PX))} pixels that move and tilt by {TILT_DEG:g}°, with "
            "blur, noise and JPEG compression. Each face is a mixture of its true expression "
            f"({proportions}) and another one. Both change at random after {DWELL_S[0]:g} to "
            f"{DWELL_S[1]:g} s, within 0.4 s. The label is that of "
            "`predict_video`, raw and smoothed with several time constants. A flip is a change of "
            "the label that no change of the truth explains. Delays count from the moment when the "
            "face begins to change: until the new label first appears, and until it stays."
        ),
        figures=_figures(scores[0.0], scores[SMOOTHING_S]),
        header=(
            "time constant, s",
            "flips per minute",
            "accuracy, %",
            f"{SETTLED_S:g} s after a change, %",
            "until it appears / stays, s",
            "changes missed, %",
        ),
        rows=[_row(time_s, score) for time_s, score in scores.items()],
        notes=(
            f"Model: {model.card.name} {model.card.version}.",
            f"{len(observations) / FPS / 60:.1f} minutes of faces, {100 * found:.1f}% of them "
            f"found, {changes} changes. Delays are medians over all changes; a change at whose end "
            "the label is wrong counts as missed, with an infinite delay.",
            "Accuracy compares each frame with its truth, which changes when the face begins to "
            f"change: over all frames, and over those {SETTLED_S:g} s or more after a change. The "
            "expressions are those that the model predicts correctly when they are not "
            f"mixed: {', '.join(EMOTIONS)}.",
        ),
    )


def degraded_scene(
    degradation: Degradation, seconds: float, rng: np.random.Generator
) -> Iterator[tuple[Frame, tuple[SceneFace, ...]]]:
    """Two equal scenes with different expressions: mixed, blurred, with noise, JPEG-compressed."""
    actors = [_actor(index, seconds, rng) for index in range(len(SIDES_PX))]
    others = [
        replace(actor, emotions=[(at, _another(emotion, rng)) for at, emotion in actor.emotions])
        for actor in actors
    ]
    width, height = FRAME_SIZE
    noise = rng.normal(0, degradation.noise, (height + 32, width + 32, 3)).astype(np.float32)
    pair = (scene(each, seconds=seconds, fps=FPS) for each in (actors, others))
    weight = degradation.proportion
    for (frame, seen), (other, _) in zip(*pair, strict=True):
        mixed = cv2.addWeighted(frame.image, weight, other.image, 1 - weight, 0)
        blurred = cv2.GaussianBlur(mixed, (0, 0), degradation.blur).astype(np.float32)
        x, y = rng.integers(32, size=2)
        noisy = (blurred + noise[y : y + height, x : x + width]).clip(0, 255).astype(np.uint8)
        _, encoded = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, degradation.quality])
        image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
        yield Frame(image, frame.time_s, frame.number), seen


def _actor(index: int, seconds: float, rng: np.random.Generator) -> Actor:
    """A face that wanders through one column of the image."""
    width, height = FRAME_SIZE
    column_px = width / len(SIDES_PX)
    side_px = SIDES_PX[index]
    path = [
        (
            float(time_s),
            column_px * (index + 0.5) + float(rng.uniform(-0.15, 0.15)) * column_px,
            float(rng.uniform(0.35, 0.65)) * height,
            side_px * float(rng.uniform(0.95, 1.05)),
        )
        for time_s in np.arange(0, seconds + 2 * _MARGIN_S, 2.0)
    ]
    emotions = [(0.0, str(rng.choice(EMOTIONS)))]
    while (start := emotions[-1][0] + float(rng.uniform(*DWELL_S))) < seconds - _MARGIN_S:
        emotions.append((start, _another(emotions[-1][1], rng)))
    return Actor(path=path, emotions=emotions, tilt_deg=TILT_DEG)


def _another(emotion: str, rng: np.random.Generator) -> str:
    return str(rng.choice([other for other in EMOTIONS if other != emotion]))


def _observe(
    model: FERModel, degradation: Degradation, seconds: float, *, seed: int
) -> list[list[_Observation]]:
    """Predict a scene without smoothing: one list of observations per actor."""
    truths: list[tuple[SceneFace, ...]] = []

    def frames() -> Iterator[Frame]:
        for frame, seen in degraded_scene(degradation, seconds, np.random.default_rng(seed)):
            truths.append(seen)
            yield frame

    actors: list[list[_Observation]] = [[] for _ in SIDES_PX]
    for frame, result in model.predict_frames(frames(), smoothing_s=0.0):
        for seen in truths.pop(0):
            face = _nearest(seen, result.faces)
            track, prediction = (face.track, face.prediction) if face else (None, None)
            actors[seen.actor].append(_Observation(frame.time_s, seen.emotion, track, prediction))
    return actors


def _nearest(seen: SceneFace, faces: Sequence[FacePrediction]) -> FacePrediction | None:
    """The face whose center lies in the inner half of the true box."""

    def distance(face: FacePrediction) -> float:
        return math.dist(face.box.center, seen.box.center)

    nearest = min(faces, key=distance, default=None)
    return nearest if nearest and distance(nearest) < seen.box.width / 4 else None


def _labels(actor: Sequence[_Observation], time_constant_s: float) -> list[_Label]:
    """The smoothed label of each frame with the face found."""
    smooth = Smoother(time_constant_s)
    return [
        _Label(time_s, truth, smooth(prediction, track, time_s).emotion or "")
        for time_s, truth, track, prediction in actor
        if prediction is not None
    ]


def _segments(labels: Sequence[_Label]) -> list[list[_Label]]:
    """Split where the truth changes."""
    return [list(segment) for _, segment in groupby(labels, key=attrgetter("truth"))]


def _score(actors: Sequence[Sequence[_Label]]) -> _Score:
    flips = 0
    all_right: list[bool] = []
    settled_right: list[bool] = []
    delays: list[tuple[float, float]] = []
    for labels in actors:
        before = ""
        for segment in _segments(labels):
            flips += _flips(before, segment)
            if before:
                delays.append(_delays(segment))
            before = segment[-1].predicted
            right = [label.truth == label.predicted for label in segment]
            late = sum(label.time_s - segment[0].time_s < SETTLED_S for label in segment)
            all_right += right
            settled_right += right[late:]
    return _Score(
        flips_per_min=flips / (len(all_right) / FPS / 60),
        accuracy=statistics.fmean(all_right),
        settled_accuracy=statistics.fmean(settled_right),
        first_s=statistics.median(first for first, _ in delays),
        stable_s=statistics.median(stable for _, stable in delays),
        missed=sum(math.isinf(stable) for _, stable in delays) / len(delays),
    )


def _flips(before: str, segment: Sequence[_Label]) -> int:
    """Changes of the label except the one from the label before to the last one."""
    labels = [before or segment[0].predicted, *(label.predicted for label in segment)]
    changes = sum(one != other for one, other in pairwise(labels))
    return changes - (labels[0] != labels[-1])


def _delays(segment: Sequence[_Label]) -> tuple[float, float]:
    """Seconds until the true label first appears, and until it stays; infinite if it never does."""
    start, truth = segment[0].time_s, segment[0].truth
    first = next((label.time_s for label in segment if label.predicted == truth), math.inf)
    if segment[-1].predicted != truth:
        return first - start, math.inf
    wrong = [index for index, label in enumerate(segment) if label.predicted != truth]
    stable = segment[wrong[-1] + 1].time_s if wrong else start
    return first - start, stable - start


def _figures(raw: _Score, smoothed: _Score) -> tuple[Figure, ...]:
    name = f"smoothed with {SMOOTHING_S:g} s, the default"
    first_ms = 1000 * (smoothed.first_s - raw.first_s)
    stable_ms = 1000 * (smoothed.stable_s - raw.stable_s)
    return (
        Figure("flips of the label per minute, raw", raw.flips_per_min, "/min"),
        Figure(f"flips of the label per minute, {name}", smoothed.flips_per_min, "/min"),
        Figure("added delay until the new label appears", first_ms, "ms"),
        Figure("added delay until the new label stays", stable_ms, "ms"),
        Figure("frames with the true label, raw", 100 * raw.accuracy, "%"),
        Figure(f"frames with the true label, {name}", 100 * smoothed.accuracy, "%"),
    )


def _row(time_s: float, score: _Score) -> tuple[str | float, ...]:
    delays = (f"{s:.2f}" if math.isfinite(s) else "–" for s in (score.first_s, score.stable_s))
    name = f"{time_s:g}" if time_s else "raw"
    return (
        name + (" (default)" if time_s == SMOOTHING_S else ""),
        round(score.flips_per_min, 1),
        round(100 * score.accuracy, 1),
        round(100 * score.settled_accuracy, 1),
        " / ".join(delays),
        round(100 * score.missed, 1),
    )
