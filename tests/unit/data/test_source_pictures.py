import numpy as np
import pytest
from PIL import Image

from emopy.data import DirectoryDataLoader, ImageStats


def noted(*images):
    sources = ImageStats()
    for image in images:
        sources.add(image)
    return sources


def gray(width, height):
    return np.full((height, width, 3), 7, np.uint8)


def red(width, height):
    return np.full((height, width, 3), (255, 0, 0), np.uint8)


@pytest.mark.parametrize(
    "images, text",
    [
        ([], "none"),
        ([gray(40, 30)], "40 × 30 pixels; all gray"),
        ([red(40, 30)] * 2, "40 × 30 pixels; all in colour"),
        (
            [red(40, 30), gray(20, 60), gray(20, 60), gray(25, 50)],
            "20–40 pixels wide, 30–60 high, most often 20 × 60 (50%); 3 gray, 1 in colour",
        ),
    ],
)
def test_sizes_are_told_as_width_and_height(images, text):
    assert str(noted(*images)) == text
    assert len(noted(*images)) == len(images)


def test_small_and_long_images_are_counted():
    sources = noted(gray(24, 24), gray(23, 90), gray(90, 23), gray(130, 100), gray(131, 100))
    assert sources.smaller_than(24, 24) == 2
    assert sources.longer_than(1.3) == 3


@pytest.fixture
def folder(tmp_path):
    """Two clips of three frames, 60 × 50 pixels, and a file that is no image."""
    for place in ("fear/a", "joy/b"):
        (tmp_path / place).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (60, 50), (10 * number, 80, 90)).save(
                tmp_path / place / f"{number}.png"
            )
    (tmp_path / "joy" / "b" / "bad.png").write_bytes(b"no image")
    return tmp_path


def test_a_loader_of_stills_notes_what_it_read_each_time_anew(folder):
    loader = DirectoryDataLoader(folder)
    for _ in range(2):
        loaded = loader.load_data()
        assert str(loaded.image_stats) == "60 × 50 pixels; all in colour"
        assert len(loaded.image_stats) == 6


def test_a_loader_of_clips_notes_its_frames(folder):
    (folder / "joy" / "b" / "bad.png").unlink()
    loaded = DirectoryDataLoader(folder, num_frames=2).load_data()
    assert len(loaded.image_stats) == 4
