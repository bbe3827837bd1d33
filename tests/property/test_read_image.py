"""What holds for every array and every lossless file."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from emopy.errors import InputError
from emopy.media import read_image

pytestmark = pytest.mark.filterwarnings("ignore::emopy.errors.ImageWarning")  # dark at random

SIDES = st.integers(1, 12)
SHAPES = st.one_of(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES, st.sampled_from([1, 3, 4])))
FLOATS = arrays.arrays(np.float32, SHAPES, elements=st.floats(0, 1, width=32))
IMAGES = st.one_of(arrays.arrays(np.uint8, SHAPES), arrays.arrays(np.uint16, SHAPES), FLOATS)


@given(IMAGES)
def test_every_good_array_gives_a_contiguous_rgb_image_and_is_not_changed(image):
    before = image.copy()
    image.flags.writeable = False
    rgb = read_image(image)
    assert rgb.shape == (*image.shape[:2], 3)
    assert rgb.dtype == np.uint8
    assert rgb.flags.c_contiguous
    assert not np.shares_memory(rgb, image)
    assert np.array_equal(image, before)


@given(IMAGES)
def test_scale_and_transparency_follow_the_formula(image):
    top = {"u1": 255, "u2": 65535}.get(image.dtype.str[1:], 1)
    scaled = image.astype(float).reshape(*image.shape[:2], -1) / top
    if scaled.shape[2] == 4:
        scaled = scaled[..., :3] * scaled[..., 3:] + 1 - scaled[..., 3:]
    assert (
        np.abs(read_image(image) - np.broadcast_to(scaled * 255, (*scaled.shape[:2], 3))).max() < 2
    )


@given(IMAGES)
def test_reading_twice_changes_nothing(image):
    assert np.array_equal(read_image(read_image(image)), read_image(image))


@given(
    arrays.arrays(np.uint8, st.tuples(SIDES, SIDES, st.just(3))),
    st.sampled_from(["PNG", "BMP", "TIFF", "PPM"]),
)
def test_a_lossless_file_gives_back_its_pixels(image, kind):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, kind)
    assert np.array_equal(read_image(stream), image)


@settings(max_examples=200)
@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"GIF89a", b"II*\0", b"BM"]))
def test_bytes_that_are_no_image_are_refused_and_nothing_else_happens(content, start):
    try:
        rgb = read_image(start + content, max_pixels=10_000)
    except InputError as error:
        assert "<bytes>" in str(error)  # noqa: PT017  a few of these bytes are images
    else:
        assert rgb.shape[2] == 3


@given(arrays.arrays(np.float64, SHAPES, elements=st.floats(allow_nan=True)))
def test_floats_are_refused_exactly_when_they_leave_zero_to_one(image):
    if np.isfinite(image).all() and image.min() >= 0 and image.max() <= 1:
        assert read_image(image).dtype == np.uint8
    elif not np.isfinite(image).all() or image.min() < -1e-6 or image.max() > 1 + 1e-6:
        with pytest.raises(InputError):
            read_image(image)
