"""Scaling of arrays."""

import numpy as np

from emopy.media.arrays import from_array, sixteen_to_eight


def test_sixteen_bits_are_rounded_to_eight():
    values = np.array([[0, 128, 129, 257, 65406, 65407, 65535]], np.uint16)
    assert sixteen_to_eight(values).tolist() == [[0, 0, 1, 1, 254, 255, 255]]


def test_a_float_slightly_above_1_is_accepted():
    assert from_array(np.full((2, 2), 1 + 1e-7)).max() == 255


def test_tall_images_are_scaled_band_by_band_without_a_seam():
    ramp = np.linspace(0, 1, 1000)[:, None]
    assert np.array_equal(from_array(ramp)[:, 0, 0], np.rint(ramp[:, 0].astype("f4") * 255))
