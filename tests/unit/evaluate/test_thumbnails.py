import base64
import io

import numpy as np
import pytest
from PIL import Image

from emopy.evaluate.thumbnails import LONGEST_PX, data_uri


def decoded(uri):
    head, _, body = uri.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body))))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_small_face_is_kept_pixel_by_pixel(channels):
    face = np.random.default_rng(0).integers(0, 256, (48, 40, channels), dtype=np.uint8)
    np.testing.assert_array_equal(decoded(data_uri(face)).reshape(face.shape), face)


def test_of_a_clip_the_last_frame_is_shown():
    clip = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)
    assert (decoded(data_uri(clip)) == 3).all()


def test_a_large_face_is_made_smaller_in_proportion():
    assert decoded(data_uri(np.zeros((600, 300, 3), np.uint8))).shape == (
        LONGEST_PX, LONGEST_PX // 2, 3,
    )  # fmt: skip
