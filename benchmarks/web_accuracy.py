"""How often each library names the labeled expression of faces in larger images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs import FRAME_SIZE
from benchmarks.web_browser import SidePage
from emopy.labels import canonical

CHUNK = 25
HEADER = (
    "side",
    "faces found, %",
    "accuracy, %",
    "balanced accuracy, %",
    "accuracy where all sides found the face, %",
)

Labels = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Answers:
    """The predicted emotion of each labeled face, by side; "" where the face was not found."""

    truth: Labels
    predicted: Mapping[str, Labels]

    def accuracy(self, side: str) -> float:
        """Percentage of all faces whose emotion is right; a face that was not found is wrong."""
        return 100 * float(np.mean(self.predicted[side] == self.truth))

    def rows(self) -> Iterator[Sequence[str | float]]:
        """A row for each side, as in `HEADER`."""
        found = {side: labels != "" for side, labels in self.predicted.items()}
        by_all = np.logical_and.reduce([*found.values()])
        for side, labels in self.predicted.items():
            right = labels == self.truth
            recalls = [right[self.truth == label].mean() for label in np.unique(self.truth)]
            proportions = (found[side].mean(), right.mean(), np.mean(recalls), right[by_all].mean())
            yield side, *(f"{100 * value:.1f}" for value in proportions)


def ask(sides: Mapping[str, SidePage], urls: Sequence[str], truth: Sequence[str]) -> Answers:
    """Let the sides predict all images, some at a time in turn."""
    predicted: dict[str, list[str]] = {name: [] for name in sides}
    for start in range(0, len(urls), CHUNK):
        for name, page in sides.items():
            results = page.predict_files(urls[start : start + CHUNK])
            predicted[name] += [_emotion_in_the_middle(faces) for faces in results]
    return Answers(np.array(truth), {name: np.array(all_) for name, all_ in predicted.items()})


def _emotion_in_the_middle(faces: Sequence[dict[str, Any]]) -> str:
    """Emotion of the largest face around the center of the image, in EmoPy's spelling."""
    x, y = (side / 2 for side in FRAME_SIZE)
    around = [
        face
        for face in faces
        if face["left"] < x < face["right"] and face["top"] < y < face["bottom"]
    ]
    largest = max(around, key=lambda face: face["right"] - face["left"], default=None)
    return "" if largest is None or largest["emotion"] is None else canonical(largest["emotion"])
