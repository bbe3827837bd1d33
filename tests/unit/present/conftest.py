"""Invented results."""

import numpy as np
import pytest

from emopy.errors import InputError
from emopy.labels import STANDARD_EMOTIONS
from emopy.types import Box, Face, FacePrediction, FailedInput, ImageResult, Prediction


@pytest.fixture(scope="session")
def found():
    """found(edges, emotion, ...) -> FacePrediction."""

    def found(edges, emotion="happiness", *, labels=STANDARD_EMOTIONS, share=0.7, marks=None):
        shares = np.full(len(labels), (1 - share) / (len(labels) - 1), np.float32)
        shares[labels.index(emotion)] = share
        return FacePrediction(Face(Box(*edges), 0.987654321, marks), Prediction(labels, shares))

    return found


@pytest.fixture
def results(found):
    """A picture with two faces, one with none, and one that failed."""
    marks = np.arange(10, dtype=np.float32).reshape(5, 2)
    faces = (found((10, 20, 60, 80), marks=marks), found((-5.25, 0, 7.123456789, 9), "fear"))
    return [
        ImageResult("group, 1.jpg", (640, 480), faces),
        ImageResult("wall.jpg", (64, 48)),
        FailedInput("bad.jpg", InputError("`source` must hold a picture.")),
    ]
