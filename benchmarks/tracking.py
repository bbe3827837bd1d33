"""Do people keep their track numbers? Generated scenes with known truth, and the real detector.

Source: Ristani, Solera, Zou, Cucchiara, Tomasi 2016, "Performance Measures and a Data Set for
Multi-Target, Multi-Camera Tracking", https://arxiv.org/abs/1609.01775 (IDF1); Bernardin and
Stiefelhagen 2008, https://doi.org/10.1155/2008/246309 (ID switches).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.report import Figure, Section, Settings
from benchmarks.tracking_scenes import FPS, SECONDS, Scene, Truth, scenes
from emopy.faces import MTCNN, TrackingDetector
from emopy.types import Face

SAME_FACE_IOU = 0.3
"""Overlap from which a detected box is a true one; the boxes of the truth are squares."""

MIN_IDF1 = 90.0
"""Least mean IDF1 of all scenes with people, in percent."""


@dataclass(frozen=True)
class Score:
    """How well one scene was tracked.

    Attributes:
        persons: People in the truth.
        tracks: Track numbers that were given.
        one_frame: Tracks of one frame.
        switches: How often a person's track number changed.
        idf1: IDF1 in percent; 100 where there is neither a face nor a track.
    """

    persons: int
    tracks: int
    one_frame: int
    switches: int
    idf1: float


def score(frames: Iterable[tuple[Truth, Sequence[Face]]]) -> Score:
    """Compare true faces with tracked ones, frame by frame."""
    together: Counter[tuple[int, int]] = Counter()
    persons: Counter[int] = Counter()
    tracks: Counter[int] = Counter()
    last: dict[int, int] = {}
    switches = 0
    for truth, faces in frames:
        numbers = [face.track or 0 for face in faces]
        persons.update(person for person, _ in truth)
        tracks.update(numbers)
        overlaps = np.array([[box.iou(face.box) for face in faces] for _, box in truth])
        if not overlaps.size:
            continue
        for row, column in zip(*linear_sum_assignment(-overlaps), strict=True):
            if overlaps[row, column] < SAME_FACE_IOU:
                continue
            person, track = truth[row][0], numbers[column]
            together[person, track] += 1
            switches += last.setdefault(person, track) != track
            last[person] = track
    names, given = sorted(persons), sorted(tracks)
    common = np.array([[together[person, track] for track in given] for person in names])
    matched = 0
    if common.size:  # each person is one track, all together as well as possible
        matched = int(common[linear_sum_assignment(-common)].sum())
    total = persons.total() + tracks.total()
    idf1 = 200 * matched / total if total else 100.0
    one_frame = sum(count == 1 for count in tracks.values())
    return Score(len(persons), len(tracks), one_frame, switches, idf1)


def track_scene(played: Scene, *, detector: MTCNN, limit: int | None = None) -> Score:
    """Track the faces of a scene; `limit` is the most frames."""
    detect = TrackingDetector(detector)
    pairs: list[tuple[Truth, Sequence[Face]]] = []
    for frame, truth in played.play():
        if limit is not None and frame.number >= limit:
            break
        pairs.append((truth, detect(frame.image, frame.time_s)))
    return score(pairs)


def measure(settings: Settings) -> Section:
    """Track every scene once; the figures do not depend on the machine."""
    detector = MTCNN()
    started = time.perf_counter()
    limit = 5 if settings.quick else None
    scores = {each.name: track_scene(each, detector=detector, limit=limit) for each in scenes()}
    taken = time.perf_counter() - started
    populated = [each for each in scores.values() if each.persons]
    rows = [
        [name, str(s.persons), str(s.tracks), str(s.one_frame), str(s.switches), f"{s.idf1:.1f} %"]
        for name, s in scores.items()
    ]
    mean = sum(each.idf1 for each in populated) / len(populated)
    return Section(
        title="Tracks of people",
        how=(
            f"{len(scores)} generated scenes of composite faces, {SECONDS:.0f} s each, 640 × 480 "
            f"with noise, {FPS:g} frames per second where nothing else is said, tracked with "
            "`mtcnn` and the default settings: `python -m benchmarks --only tracking`. Tracks "
            "over minutes are not measured. At dinner six people turn away for up to 1.8 s, lean "
            "over, and raise their hands. A face that is turned away, outside the image or half "
            "hidden by another is not in the truth. IDF1 matches each person with one track over "
            "the whole scene."
        ),
        figures=[
            Figure("IDF1, mean of the scenes with people", mean, "%", at_least=MIN_IDF1),
            Figure("persons", sum(each.persons for each in scores.values()), ""),
            Figure("tracks", sum(each.tracks for each in scores.values()), ""),
            Figure("tracks of one frame", sum(each.one_frame for each in scores.values()), ""),
            Figure("ID switches", sum(each.switches for each in scores.values()), ""),
        ],
        header=("scene", "persons", "tracks", "one frame", "ID switches", "IDF1"),
        rows=rows,
        notes=(
            f"Rendering and tracking all of it took {taken:.0f} s.",
            "hide: one person leaves the image, and another comes in at the same place a second "
            "later and gets the same number. The composites look more alike than people do.",
        ),
    )
