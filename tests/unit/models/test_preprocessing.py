import numpy as np
import pytest

from emopy.errors import InputError
from emopy.models import InputSpec, to_tensor

GRAY = InputSpec(48, 40)
RGB = InputSpec(48, 40, channels=3)
RAW = InputSpec(48, 40, scale=1.0)
CLIP = InputSpec(48, 40, frames=3)


def noise(*shape):
    return np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)


def test_pixels_are_scaled_then_shifted_then_divided():
    spec = InputSpec(8, 8, scale=0.5, mean=10.0, std=4.0)
    tensor = to_tensor(np.full((1, 8, 8), 100, np.uint8), spec)
    np.testing.assert_allclose(tensor, (100 * 0.5 - 10) / 4)


@pytest.mark.parametrize("spec", [GRAY, RGB])
@pytest.mark.parametrize(
    "crops",
    [
        noise(5, 48, 40),
        noise(5, 48, 40, 1),
        noise(5, 48, 40, 3),
        noise(5, 90, 70),
        noise(5, 20, 20, 3),
        [noise(48, 40)] * 5,
        [noise(48, 40), noise(48, 40, 3), noise(7, 9), noise(200, 100, 3), noise(48, 40, 1)],
    ],
    ids=lambda crops: type(crops).__name__ + str(getattr(crops, "shape", "")),
)
def test_every_accepted_form_gives_a_contiguous_batch(crops, spec):
    tensor = to_tensor(crops, spec)
    assert tensor.shape == (5, *spec.shape)
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous
    assert 0 <= tensor.min() <= tensor.max() <= 1


def test_crops_may_come_from_an_iterator():
    assert to_tensor((noise(50, 50) for _ in range(3)), GRAY).shape == (3, 48, 40, 1)


def test_color_becomes_the_luma_of_bt601():
    colors = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    crops = np.broadcast_to(colors[:, None, None], (3, 48, 40, 3))
    levels = to_tensor(crops, RAW)[:, 0, 0, 0]
    np.testing.assert_allclose(levels, [0.299 * 255, 0.587 * 255, 0.114 * 255], atol=0.6)


def test_gray_given_as_color_is_the_same_as_gray():
    gray = noise(4, 60, 50)
    color = np.repeat(gray[..., None], 3, axis=-1)
    np.testing.assert_array_equal(to_tensor(gray, GRAY), to_tensor(color, GRAY))
    np.testing.assert_array_equal(to_tensor(gray, RGB), to_tensor(color, RGB))


def test_a_crop_is_prepared_the_same_alone_as_among_others_of_any_size():
    crops = [noise(48, 40, 3), noise(90, 95, 3), noise(30, 20), noise(48, 40)]
    together = to_tensor(crops, GRAY)
    for crop, row in zip(crops, together, strict=True):
        np.testing.assert_array_equal(to_tensor([crop], GRAY)[0], row)


def test_downscaling_averages_pixels():
    stripes = np.zeros((96, 80), np.uint8)
    stripes[::2] = 200
    np.testing.assert_array_equal(to_tensor([stripes], RAW), 100)


def test_a_view_is_read_rightly():
    crops = noise(4, 48, 40, 3)
    turned = crops[:, ::-1, ::-1, ::-1]
    np.testing.assert_array_equal(to_tensor(turned, GRAY), to_tensor(turned.copy(), GRAY))
    fortran = np.asfortranarray(crops[..., 0])
    assert to_tensor(fortran, GRAY).flags.c_contiguous


def test_the_crops_stay_as_they_were():
    crops = noise(4, 48, 40, 1)
    before = crops.copy()
    to_tensor(crops, InputSpec(48, 40, mean=0.5))
    np.testing.assert_array_equal(crops, before)


@pytest.mark.parametrize("crops", [[], (), np.empty((0, 48, 40), np.uint8), noise(0, 9, 9, 3)])
def test_no_crops_give_an_empty_batch(crops):
    assert to_tensor(crops, GRAY).shape == (0, 48, 40, 1)


def test_clips_given_as_lists_equal_clips_given_as_an_array():
    clips = noise(2, 3, 60, 50, 3)
    tensor = to_tensor(clips, CLIP)
    assert tensor.shape == (2, 3, 48, 40, 1)
    np.testing.assert_array_equal(tensor, to_tensor([list(clip) for clip in clips], CLIP))
    np.testing.assert_array_equal(tensor[1], to_tensor(clips[1], GRAY))


def test_gray_clips_need_no_channel_axis():
    assert to_tensor(noise(2, 3, 48, 40), CLIP).shape == (2, 3, 48, 40, 1)


def test_no_clips_give_an_empty_batch():
    assert to_tensor([], CLIP).shape == (0, 3, 48, 40, 1)


@pytest.mark.parametrize(
    "crops, reason",
    [
        (noise(48, 40), r"Put a single crop into a list"),
        (noise(48, 40, 3), r"Put a single crop into a list"),
        (noise(1, 2, 48, 40, 3), r"Received shape \(1, 2, 48, 40, 3\)"),
        (noise(2, 48, 40, 4), r"1 or 3\), not empty. Received shape \(48, 40, 4\)"),
        (noise(2, 0, 40), r"not empty"),
        (np.zeros((2, 48, 40)), r"must be uint8, 0 to 255. Received float64"),
        ([noise(48, 40), np.zeros((48, 40), np.float32)], r"`crops\[1\]` must be uint8"),
        ([noise(48)], r"`crops\[0\]` must have shape"),
        ([noise(48, 40, 4)], r"Drop an alpha channel"),
        (["face.jpg"], r"`crops\[0\]` must be a uint8 array .* Received str"),
        ("face.jpg", r"Use FERModel.predict for whole images"),
        (5, r"Received int"),
        (None, r"Received NoneType"),
    ],
)
def test_what_is_no_row_of_crops_is_refused(crops, reason):
    with pytest.raises(InputError, match=reason):
        to_tensor(crops, GRAY)


@pytest.mark.parametrize(
    "clips, reason",
    [
        (noise(3, 48, 40, 1), r"Put a single clip into a list"),
        (noise(2, 4, 48, 40, 1), r"clips of 3 frames .* Received 4 frames"),
        ([[noise(48, 40)] * 3, [noise(48, 40)] * 2], r"Received 2 frames"),
        (np.zeros((2, 3, 48, 40)), r"must be uint8"),
    ],
)
def test_what_is_no_row_of_clips_is_refused(clips, reason):
    with pytest.raises(InputError, match=reason):
        to_tensor(clips, CLIP)
