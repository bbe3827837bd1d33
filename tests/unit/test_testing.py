from itertools import count

import numpy as np
import pytest

from emopy.data.dataset import Dataset
from emopy.errors import ModelError
from emopy.testing import check_detector, check_loader, check_model_folder
from emopy.types import Box, Face

FACE = Face(Box(0, 0, 10, 10), 0.9, np.ones((5, 2), np.float32))


def test_a_valid_detector_passes():
    check_detector(lambda image: (FACE,) * min(image.shape[0], 3))


def changes_image(image):
    if image.flags.writeable:
        image[0, 0] ^= 1
    return ()


def not_deterministic():
    calls = count()
    return lambda image: (FACE,) * (next(calls) % 2)


@pytest.mark.parametrize(
    "detector, reason",
    [
        (lambda image: [FACE], "must return a tuple of Face"),
        (lambda image: None, "must return a tuple of Face"),
        (lambda image: ((0, 0, 1, 1),), "must return a tuple of Face"),
        (lambda image: (Face(FACE.box, score=97.0),), "`score` must be 0 to 1. It was 97.0"),
        (lambda image: (Face(FACE.box, 1.0, np.full((5, 2), np.nan)),), "must be finite"),
        (changes_image, "must not change the image"),
        (not_deterministic(), "must return the same faces each time"),
    ],
)
def test_an_invalid_detector_fails_with_the_reason(detector, reason):
    with pytest.raises(AssertionError) as caught:
        check_detector(detector)
    assert reason in str(caught.value)


def test_a_detector_is_tested_on_given_images_too():
    seen = []

    def detector(image):
        seen.append(image.shape)
        return ()

    check_detector(detector, [np.zeros((77, 66, 3), np.uint8)])
    assert (77, 66, 3) in seen


class Loader:
    def __init__(self, **changes):
        self.changes = changes

    def load_data(self):
        parts = {
            "images": np.zeros((2, 48, 48, 1), np.uint8),
            "targets": np.eye(2, dtype=np.float32),
            "labels": ("anger", "fear"),
            "subject_ids": np.array(["", ""]),
            "sources": np.array(["a.png", "b.png"]),
        }
        parts |= {name: make() for name, make in self.changes.items()}
        return Dataset(**parts)


class Wrong:
    def load_data(self):
        return [1, 2]


class Nothing:
    def load_data(self):
        return Loader().load_data().take([])


def test_a_valid_loader_passes():
    check_loader(Loader())


def test_an_invalid_loader_fails_with_the_reason():
    numbers = count()
    cases = [
        (object(), "must have load_data"),
        (Wrong(), "must return a Dataset. It returned list"),
        (Nothing(), "must return faces"),
        (Loader(labels=lambda: ("happy", "joy")), "different names"),
        (Loader(sources=lambda: np.array(["a.png", ""])), "`sources` must name"),
        (
            Loader(images=lambda: np.full((2, 48, 48, 1), next(numbers), np.uint8)),
            "`images` differed",
        ),
    ]
    for loader, reason in cases:
        with pytest.raises(AssertionError) as caught:
            check_loader(loader)
        assert reason in str(caught.value)


def test_a_model_folder_can_be_checked(linear_model, tmp_path):
    assert check_model_folder(linear_model) < 1e-3
    with pytest.raises(ModelError):
        check_model_folder(tmp_path)
