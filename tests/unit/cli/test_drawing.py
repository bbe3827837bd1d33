import numpy as np
import pytest

from emopy.cli.drawing import GAP_PX, SHEET_GRAY, Drawings, tile
from emopy.media import read_image
from emopy.types import ImageResult


def plain(height, width, value):
    return np.full((height, width, 3), value, dtype=np.uint8)


@pytest.mark.parametrize("count, rows, columns", [(1, 1, 2), (2, 1, 2), (7, 2, 4), (8, 2, 4)])
def test_a_sheet_is_about_twice_as_wide_as_high(count, rows, columns):
    sheet = tile([plain(20, 20, 0)] * count)
    cell = 20 + GAP_PX
    assert sheet.shape == (rows * cell + GAP_PX, columns * cell + GAP_PX, 3)


def test_every_image_is_on_the_sheet_whole_and_the_rest_is_gray():
    sheet = tile([plain(10, 30, 1), plain(20, 10, 2)])
    assert np.sum(sheet == 1) == 10 * 30 * 3
    assert np.sum(sheet == 2) == 20 * 10 * 3
    assert set(np.unique(sheet)) == {1, 2, SHEET_GRAY}


def test_names_that_differ_only_in_case_are_kept_apart(tmp_path, astronaut_file):
    drawings = Drawings(tmp_path / "new")
    result = ImageResult("a.png", (512, 512))
    data = astronaut_file.read_bytes()
    (tmp_path / "A.png").write_bytes(data)
    (tmp_path / "a.png").write_bytes(data)
    first = drawings.add(str(tmp_path / "A.png"), result)
    second = drawings.add(str(tmp_path / "a.png"), result)
    assert (first.name, second.name) == ("A.png", "a-2.png")


def test_the_sheet_shows_what_was_drawn(tmp_path, astronaut_file):
    drawings = Drawings(tmp_path)
    drawings.add(astronaut_file.read_bytes(), ImageResult("<bytes>", (512, 512)))
    sheet = read_image(drawings.add_sheet("all"))
    assert sheet.shape[0] > 512
