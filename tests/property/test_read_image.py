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

SIDES = st.integers(1, 12)
SHAPES = st.one_of(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES, st.sampled_from([1, 3, 4])))
FLOATS = arrays.arrays(np.float32, SHAPES, elements=st.floats(0, 1, width=32))
PICTURES = st.one_of(arrays.arrays(np.uint8, SHAPES), arrays.arrays(np.uint16, SHAPES), FLOATS)


@given(PICTURES)
def test_every_good_array_gives_a_contiguous_rgb_picture_and_stays_as_it_was(picture):
    before = picture.copy()
    picture.flags.writeable = False
    rgb = read_image(picture)
    assert rgb.shape == (*picture.shape[:2], 3)
    assert rgb.dtype == np.uint8
    assert rgb.flags.c_contiguous
    assert not np.shares_memory(rgb, picture)
    assert np.array_equal(picture, before)


@given(PICTURES)
def test_scale_and_transparency_follow_the_formula(picture):
    top = {"u1": 255, "u2": 65535}.get(picture.dtype.str[1:], 1)
    share = picture.astype(float).reshape(*picture.shape[:2], -1) / top
    if share.shape[2] == 4:
        share = share[..., :3] * share[..., 3:] + 1 - share[..., 3:]
    assert (
        np.abs(read_image(picture) - np.broadcast_to(share * 255, (*share.shape[:2], 3))).max() < 2
    )


@given(PICTURES)
def test_reading_twice_changes_nothing(picture):
    assert np.array_equal(read_image(read_image(picture)), read_image(picture))


@given(
    arrays.arrays(np.uint8, st.tuples(SIDES, SIDES, st.just(3))),
    st.sampled_from(["PNG", "BMP", "TIFF", "PPM"]),
)
def test_a_lossless_file_gives_back_its_pixels(picture, kind):
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, kind)
    assert np.array_equal(read_image(stream), picture)


@settings(max_examples=200)
@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"GIF89a", b"II*\0", b"BM"]))
def test_bytes_that_are_no_picture_are_refused_and_nothing_else_happens(content, start):
    try:
        rgb = read_image(start + content, max_pixels=10_000)
    except InputError as error:
        assert "<bytes>" in str(error)  # noqa: PT017  a few of these bytes are pictures
    else:
        assert rgb.shape[2] == 3


@given(arrays.arrays(np.float64, SHAPES, elements=st.floats(allow_nan=True)))
def test_floats_are_refused_exactly_when_they_leave_zero_to_one(picture):
    if np.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1:
        assert read_image(picture).dtype == np.uint8
    elif not np.isfinite(picture).all() or picture.min() < -1e-6 or picture.max() > 1 + 1e-6:
        with pytest.raises(InputError):
            read_image(picture)
