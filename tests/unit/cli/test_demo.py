import numpy as np
import pytest

from emopy.cli.demo import GAP_PX, SHEET_GRAY, image_grid


def plain(height, width, value):
    return np.full((height, width, 3), value, dtype=np.uint8)


@pytest.mark.parametrize("count, rows, columns", [(1, 1, 2), (2, 1, 2), (7, 2, 4), (8, 2, 4)])
def test_a_sheet_is_about_twice_as_wide_as_high(count, rows, columns):
    sheet = image_grid([plain(20, 20, 0)] * count)
    cell = 20 + GAP_PX
    assert sheet.shape == (rows * cell + GAP_PX, columns * cell + GAP_PX, 3)


def test_every_image_is_on_the_sheet_whole_and_the_rest_is_gray():
    sheet = image_grid([plain(10, 30, 1), plain(20, 10, 2)])
    assert np.sum(sheet == 1) == 10 * 30 * 3
    assert np.sum(sheet == 2) == 20 * 10 * 3
    assert set(np.unique(sheet)) == {1, 2, SHEET_GRAY}
