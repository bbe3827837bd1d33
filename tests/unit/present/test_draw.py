"""Images of results."""

import os

import numpy as np
import pytest
from PIL import Image

from emopy.errors import InputError
from emopy.labels import ALL_EMOTIONS, STANDARD_EMOTIONS
from emopy.present import COLORS, draw_faces, save_image
from emopy.present.face_labels import color_of
from emopy.types import ImageResult


def flat(width, height, value=128):
    return np.full((height, width, 3), value, np.uint8)


def drawn(image, *faces):
    return draw_faces(image, ImageResult("x", (image.shape[1], image.shape[0]), faces))


def colors_in(image):
    packed = image.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    return {(c >> 16, c >> 8 & 255, c & 255) for c in np.unique(packed).tolist()}


@pytest.mark.parametrize("value", [0, 128, 255])
def test_box_text_and_bars_are_visible_on_any_background(found, value):
    image = flat(640, 480, value)
    annotated = drawn(image, found((50, 50, 200, 230)))
    assert np.array_equal(image, flat(640, 480, value))
    assert {COLORS["happiness"], COLORS["fear"], COLORS["sadness"]} <= colors_in(annotated)
    bright, dark = annotated.min(axis=2) > 240, annotated.max(axis=2) < 90
    panel = (slice(50, 250), slice(210, 450))
    assert bright[panel].sum() > 200
    assert dark[panel].mean() > 0.3


def test_the_line_of_the_box_has_the_color_of_the_emotion(found):
    image = drawn(flat(640, 480), found((50, 50, 200, 230), "fear"))
    edge = image[150, 50:58].tolist()
    assert list(COLORS["fear"]) in edge
    assert image[140, 125].tolist() == [128, 128, 128]


def test_without_a_face_the_image_is_unchanged():
    image = flat(640, 480)
    assert np.array_equal(drawn(image), image)


@pytest.mark.parametrize(
    "size", [(48, 48), (1, 1), (24, 3000), (3000, 24), (8, 600), (200, 150), (640, 480)]
)
def test_any_size_works_and_small_ones_are_enlarged_by_a_whole_factor(found, size):
    width, height = size
    image = drawn(flat(width, height), found((-3, -2, width + 4, height + 5)))
    assert image.shape[0] % height == image.shape[1] % width == 0
    assert image.shape[0] // height == image.shape[1] // width
    assert image.shape[0] * image.shape[1] <= 4_000_000
    assert COLORS["happiness"] in colors_in(image)


def test_a_face_that_fills_the_image_still_has_bars(found):
    image = drawn(flat(48, 48), found((0, 0, 48, 48), probability=0.6))
    assert image.shape == (480, 480, 3)
    assert {COLORS["happiness"], COLORS["anger"]} <= colors_in(image)
    assert (image[125:400, 100:380] == 128).all()


def test_expand_makes_room_for_bars_beside_a_face_that_fills_the_image(found):
    image = flat(480, 480)
    result = ImageResult("x", (480, 480), (found((0, 0, 480, 480)),))
    expanded = draw_faces(image, result, expand=True)
    assert expanded.shape[0] == 480
    assert expanded.shape[1] > 480
    assert (expanded[30:450, 30:450] == 128).all()
    assert {COLORS[label] for label in STANDARD_EMOTIONS} <= colors_in(expanded[:, 480:])


def test_expand_keeps_the_size_where_there_is_room_or_no_face(found):
    image = flat(640, 480)
    beside = ImageResult("x", (640, 480), (found((50, 50, 200, 230)),))
    assert np.array_equal(draw_faces(image, beside, expand=True), draw_faces(image, beside))
    nobody = ImageResult("x", (640, 480))
    assert np.array_equal(draw_faces(image, nobody, expand=True), image)


def test_thirty_faces_all_have_their_colors(found):
    faces = [
        found((20 + i % 8 * 78, 20 + i // 8 * 110, 64 + i % 8 * 78, 76 + i // 8 * 110), label)
        for i, label in enumerate((STANDARD_EMOTIONS * 5)[:30])
    ]
    image = drawn(flat(640, 480), *faces)
    assert {COLORS[label] for label in STANDARD_EMOTIONS} <= colors_in(image)


@pytest.mark.parametrize("edges", [(-90, -90, -50, -50), (700, 500, 900, 600), (5, 5, 5.1, 5.1)])
def test_boxes_outside_the_image_and_tiny_boxes_are_drawn(found, edges):
    assert drawn(flat(640, 480), found(edges)).shape == (480, 640, 3)


def test_large_images_get_thicker_lines(found):
    image = drawn(flat(4000, 3000), found((500, 500, 1500, 1800)))
    assert (image[1500, 495:530] == COLORS["happiness"]).all(axis=1).sum() >= 8


def test_a_label_has_the_color_of_its_emotion_whatever_word_is_used(found):
    image = drawn(flat(640, 480), found((50, 50, 200, 230), "Joy", labels=("calm", "Joy")))
    assert {COLORS["happiness"], COLORS["neutral"]} <= colors_in(image)
    assert color_of("calm", ("calm", "Joy")) == COLORS["neutral"]


def test_custom_labels_have_different_colors():
    labels = ("bored", "awake", "lost")
    assert len({color_of(label, labels) for label in labels}) == 3
    assert len({color_of(label, ALL_EMOTIONS) for label in ALL_EMOTIONS}) == 8


def test_another_image_than_that_of_the_result_is_refused(found):
    with pytest.raises(InputError, match=r"image of `result`, 640 × 480\. Received 480 × 640"):
        draw_faces(flat(480, 640), ImageResult("x", (640, 480), (found((0, 0, 9, 9)),)))
    with pytest.raises(InputError, match="uint8 of shape"):
        draw_faces(np.zeros((480, 640), np.uint8), ImageResult("x", (640, 480)))


@pytest.mark.parametrize("name", ["a.png", "new/b.jpg", "c.JPEG"])
def test_an_image_is_saved_completely(tmp_path, name):
    image = flat(64, 48)
    path = save_image(image, tmp_path / name)
    assert path == tmp_path / name
    assert np.abs(np.array(Image.open(path)).astype(int) - image).max() <= 2
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208


def test_an_image_that_cannot_be_saved_leaves_no_file(tmp_path):
    with pytest.raises(InputError, match=r"end in \.png, \.jpg or \.jpeg"):
        save_image(flat(8, 8), tmp_path / "a.gif")
    with pytest.raises(InputError, match="very large image"):
        save_image(flat(70_000, 1), tmp_path / "a.jpg")
    assert list(tmp_path.iterdir()) == []
