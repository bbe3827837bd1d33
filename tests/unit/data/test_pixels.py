import numpy as np
import pytest

from emopy.data.dataset import pixels_as_uint8
from emopy.errors import DataError


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float64])
def test_whole_numbers_of_any_type_become_bytes(dtype):
    pixels = pixels_as_uint8(np.array([[0, 7], [128, 255]], dtype))
    assert pixels.dtype == np.uint8
    assert pixels.tolist() == [[0, 7], [128, 255]]


def test_bytes_are_not_copied():
    given = np.zeros((2, 4, 4, 1), np.uint8)
    assert np.shares_memory(pixels_as_uint8(given), given)


@pytest.mark.parametrize("value", [0.5, -1, 256, -300.0, np.nan, np.inf, True, "7"])
def test_what_is_no_pixel_is_refused(value):
    with pytest.raises(DataError, match="`images` must be whole numbers 0–255"):
        pixels_as_uint8(np.array([value, value]))
