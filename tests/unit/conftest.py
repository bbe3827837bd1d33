"""Invented results."""

import numpy as np
import pytest

from emopy.errors import InputError
from emopy.labels import STANDARD_EMOTIONS
from emopy.types import Box, Face, FacePrediction, FailedInput, ImageResult, Prediction


@pytest.fixture(scope="session")
def found():
    """found(edges, emotion, ...) -> FacePrediction."""

    def found(
        edges, emotion="happiness", *, labels=STANDARD_EMOTIONS, probability=0.7, marks=None, **more
    ):
        probabilities = np.full(len(labels), (1 - probability) / (len(labels) - 1), np.float32)
        probabilities[labels.index(emotion)] = probability
        face = Face(Box(*edges), 0.987654321, marks, **more)
        return FacePrediction(face, Prediction(labels, probabilities))

    return found


@pytest.fixture
def results(found):
    """An image with two faces, one with none, and one that failed."""
    marks = np.arange(10, dtype=np.float32).reshape(5, 2)
    faces = (found((10, 20, 60, 80), marks=marks), found((-5.25, 0, 7.123456789, 9), "fear"))
    return [
        ImageResult("group, 1.jpg", (640, 480), faces),
        ImageResult("wall.jpg", (64, 48)),
        FailedInput("bad.jpg", InputError("`source` must hold an image.")),
    ]


@pytest.fixture(scope="session")
def shown(found):
    """shown(time_s, {track: emotion}) -> ImageResult of a video frame, 640 × 480."""

    def shown(time_s, faces, *, source="clip.mp4", size=(640, 480), **more):
        at = {track: 40 + 200 * i for i, track in enumerate(faces)}
        found_faces = tuple(
            found((at[track], 90, at[track] + 100, 210), emotion, track=track, **more)
            for track, emotion in faces.items()
        )
        return ImageResult(source, size, found_faces, time_s, round(time_s * 25))

    return shown


@pytest.fixture(scope="session")
def clip(shown):
    """Four seconds: face 1 leaves for one of them, face 2 comes late, two frames have no face."""

    def faces(time_s):
        first = {1: "happiness" if time_s < 1 else "fear"} if not 1.52 <= time_s < 2.52 else {}
        second = {2: "neutral"} if time_s >= 1.6 else {}
        return {**first, **second}

    return [shown(i / 25, faces(i / 25)) for i in range(100)]
