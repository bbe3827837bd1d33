"""Alignment undoes every rotation, scale and shift of a face."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emopy.faces import FRAMING, align_face
from emopy.faces.alignment import landmark_transform
from emopy.models.card import InputSpec
from emopy.types import Box, Face

similarities = st.builds(
    lambda angle, scale, x, y: np.array(
        [
            [scale * np.cos(angle), -scale * np.sin(angle), x],
            [scale * np.sin(angle), scale * np.cos(angle), y],
        ]
    ),
    st.floats(-3.1, 3.1),
    st.floats(0.5, 20),
    st.floats(-500, 500),
    st.floats(-500, 500),
)
wobbles = st.lists(st.floats(-3, 3), min_size=10, max_size=10)


def homogeneous(matrix):
    return np.vstack([matrix, [0, 0, 1]])


@given(similarities, wobbles, st.floats(0, 0.5))
def test_a_moved_face_has_the_same_place_in_the_crop(similarity, wobble, margin):
    spec = InputSpec(48, 48, margin=margin)
    landmarks = FRAMING * 48 + np.array(wobble, np.float32).reshape(5, 2)
    moved = landmarks @ similarity[:, :2].T + similarity[:, 2]
    there = landmark_transform(moved.astype(np.float32), spec)
    here = landmark_transform(landmarks, spec)
    np.testing.assert_allclose((homogeneous(there) @ homogeneous(similarity))[:2], here, atol=2e-3)


@settings(max_examples=30)
@given(st.floats(-0.6, 0.6), st.floats(1.0, 6.0), st.floats(-20, 20), st.floats(-20, 20))
def test_a_moved_image_gives_the_same_crop(angle, scale, x, y):
    spec = InputSpec(48, 48)
    rows, columns = np.mgrid[0:160, 0:160] + 0.5
    smooth = 127 + 60 * np.sin(rows / 19) + 60 * np.cos(columns / 23)
    image = np.repeat(np.round(smooth)[:, :, None], 3, axis=2).astype(np.uint8)
    landmarks = FRAMING * 90 + 35
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = 500 + np.array([x, y]) - turn @ (80, 80)
    centered = np.column_stack([turn, shift + turn @ (0.5, 0.5) - 0.5])
    moved = cv2.warpAffine(image, centered, (1000, 1000), borderMode=cv2.BORDER_REPLICATE)
    face = Face(Box(0, 0, 9, 9), landmarks=(landmarks @ turn.T + shift).astype(np.float32))
    here = align_face(image, Face(Box(0, 0, 9, 9), landmarks=landmarks), spec)
    assert np.abs(align_face(moved, face, spec).astype(int) - here).max() <= 6
