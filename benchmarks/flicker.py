"""How often the label of a face flickers, raw and steadied, and the delay that it costs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from clips import EMOTIONS, FPS
from doubtful import DWELL_S, HARDSHIPS, LEAN_DEG, SIDES_PX, Hardship, doubtful_scene
from emopy import FERModel
from emopy.fermodel import SMOOTHING_S
from emopy.pipeline import Smoother
from emopy.samples import Seen
from emopy.types import FacePrediction, Frame, Prediction
from figures import Figure, Settings

TIMES_S = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)
SECONDS = 60.0
SETTLED_S = 1.0


@dataclass(frozen=True, slots=True)
class _Sight:
    """One face in one frame: the truth, and what the network alone says where it was found."""

    time_s: float
    truth: str
    track: int | None
    shown: Prediction | None


Story = list[_Sight]
"""All sights of one person, in order of time."""


@dataclass(frozen=True, slots=True)
class Flicker:
    """What this part of a section holds."""

    how: str
    figures: tuple[Figure, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Score:
    """How one time constant did."""

    flips_per_min: float
    right: float
    right_settled: float
    first_s: float
    stays_s: float
    missed: float


def measure(settings: Settings) -> Flicker:
    """Judge hard scenes once, then steady the answers with each time constant."""
    model = FERModel(model=settings.model)
    seconds = 6.0 if settings.quick else SECONDS
    stories = [
        story
        for number, hardship in enumerate(HARDSHIPS)
        for story in _watch(model, hardship, seconds, seed=number)
    ]
    scores = {time_s: _score([_labels(story, time_s) for story in stories]) for time_s in TIMES_S}
    sights = [sight for story in stories for sight in story]
    found = sum(sight.shown is not None for sight in sights) / len(sights)
    raw, steady = scores[0.0], scores[SMOOTHING_S]
    changes = sum(len(_parts(_labels(story, 0.0))) - 1 for story in stories)
    shares = ", ".join(f"{hardship.share:.0%}" for hardship in HARDSHIPS)
    return Flicker(
        how=(
            f"Flicker: {len(HARDSHIPS)} generated scenes of {seconds:g} s, each with faces of "
            f"{', '.join(map(str, SIDES_PX))} pixels that move and lean by {LEAN_DEG:g}°, blurred, "
            "with noise and JPEG. The faces are mixtures: of the expression that counts as true "
            f"they hold {shares}, of another one the rest. Both change at random after "
            f"{DWELL_S[0]:g} to {DWELL_S[1]:g} s, within 0.4 s. The label is that of "
            "`predict_video`: raw, and steadied with several time constants. A flip is a change of "
            "the label beyond the one that a change of the truth needs. The delay is counted from "
            "the moment when the face begins to change: until the new label is there, and until it "
            "is there and stays."
        ),
        figures=_figures(raw, steady),
        header=(
            "time constant, s",
            "flips per minute",
            "frames right, %",
            f"{SETTLED_S:g} s after a change, %",
            "new label there, s",
            "there and stays, s",
            "changes missed, %",
        ),
        rows=tuple(_row(time_s, score) for time_s, score in scores.items()),
        notes=(
            f"Model: {model.card.name} {model.card.version}.",
            f"Flicker: {len(sights) / FPS / 60:.1f} minutes of faces, {100 * found:.1f}% of them "
            f"found, {changes} changes. Delays are medians over all changes, those counted as "
            "endless at whose end the label is wrong, the missed ones.",
            "Right: against the truth of each frame, which changes when the face begins to change; "
            f"once over all frames, once over those {SETTLED_S:g} s or more after a change. The "
            "expressions are those that the network reads right when they are not "
            f"mixed: {', '.join(EMOTIONS)}.",
        ),
    )


def _figures(raw: _Score, steady: _Score) -> tuple[Figure, ...]:
    name = f"steadied with {SMOOTHING_S:g} s, the default"
    return (
        Figure("flips of the label per minute, raw", raw.flips_per_min, "/min"),
        Figure(f"flips of the label per minute, {name}", steady.flips_per_min, "/min"),
        Figure(
            "delay of the new label that this costs", 1000 * (steady.first_s - raw.first_s), "ms"
        ),
        Figure(
            "delay of the new label that stays, against raw",
            1000 * (steady.stays_s - raw.stays_s),
            "ms",
        ),
        Figure("frames with the right label, raw", 100 * raw.right, "%"),
        Figure(f"frames with the right label, {name}", 100 * steady.right, "%"),
    )


def _row(time_s: float, score: _Score) -> tuple[str | float, ...]:
    delays = [
        round(value, 2) if math.isfinite(value) else "–" for value in (score.first_s, score.stays_s)
    ]
    name = "raw" if time_s == 0 else f"{time_s:g}"
    return (
        name + (" (default)" if time_s == SMOOTHING_S else ""),
        round(score.flips_per_min, 1),
        round(100 * score.right, 1),
        round(100 * score.right_settled, 1),
        *delays,
        round(100 * score.missed, 1),
    )


def _watch(model: FERModel, hardship: Hardship, seconds: float, *, seed: int) -> list[Story]:
    """Read a scene without smoothing; one story per actor."""
    truths: list[tuple[Seen, ...]] = []

    def frames() -> Iterator[Frame]:
        for frame, seen in doubtful_scene(hardship, seconds, np.random.default_rng(seed)):
            truths.append(seen)
            yield frame

    stories: list[Story] = [[] for _ in SIDES_PX]
    for frame, result in model.predict_frames(frames(), smoothing_s=0.0):
        for seen in truths.pop(0):
            face = _nearest(seen, result.faces)
            stories[seen.actor].append(
                _Sight(
                    frame.time_s,
                    seen.emotion,
                    face.track if face else None,
                    face.prediction if face else None,
                )
            )
    return stories


def _nearest(seen: Seen, faces: Sequence[FacePrediction]) -> FacePrediction | None:
    """The face whose middle lies in the inner half of the true box."""

    def away(face: FacePrediction) -> float:
        return math.dist(face.box.center, seen.box.center)

    nearest = min(faces, key=away, default=None)
    return nearest if nearest and away(nearest) < seen.box.width / 4 else None


Labels = list[tuple[float, str, str]]
"""Time, truth and label of a person in each frame with the face found."""


def _labels(story: Story, time_constant_s: float) -> Labels:
    smooth = Smoother(time_constant_s)
    return [
        (sight.time_s, sight.truth, smooth(sight.shown, sight.track, sight.time_s).emotion or "")
        for sight in story
        if sight.shown is not None
    ]


def _parts(labels: Labels) -> list[Labels]:
    """Cut where the truth changes."""
    splits: list[Labels] = []
    for entry in labels:
        if not splits or splits[-1][-1][1] != entry[1]:
            splits.append([])
        splits[-1].append(entry)
    return splits


def _score(people: Sequence[Labels]) -> _Score:
    flips, right, frames, right_settled, settled = 0, 0, 0, 0, 0
    delays: list[tuple[float, float]] = []
    for labels in people:
        before = ""
        for part in _parts(labels):
            flips += _flips(before, part)
            if before:
                delays.append(_delays(part))
            before = part[-1][2]
            late = [entry for entry in part if entry[0] - part[0][0] >= SETTLED_S]
            right += sum(truth == label for _, truth, label in part)
            right_settled += sum(truth == label for _, truth, label in late)
            frames, settled = frames + len(part), settled + len(late)
    return _Score(
        flips_per_min=flips / (frames / FPS / 60),
        right=right / frames,
        right_settled=right_settled / settled,
        first_s=statistics.median(first for first, _ in delays),
        stays_s=statistics.median(stays for _, stays in delays),
        missed=sum(math.isinf(stays) for _, stays in delays) / len(delays),
    )


def _flips(before: str, part: Labels) -> int:
    """Changes of the label but for the one from the label before to the last one."""
    labels = [before or part[0][2], *(label for _, _, label in part)]
    changes = sum(one != other for one, other in pairwise(labels))
    return changes - (labels[0] != labels[-1])


def _delays(part: Labels) -> tuple[float, float]:
    """Seconds until the new truth is the label, and until it stays; infinite where it never is."""
    start, truth, last = part[0][0], part[0][1], part[-1][2]
    first = next((time_s for time_s, _, label in part if label == truth), math.inf)
    if last != truth:
        return first - start, math.inf
    wrong = [index for index, (_, _, label) in enumerate(part) if label != truth]
    stays = part[wrong[-1] + 1][0] if wrong else start
    return first - start, stays - start
