import numpy as np
import pytest

from emopy.faces import cascade


def boxes(*rows):
    return np.array(rows, np.float32)


def test_the_pyramid_has_scales_from_min_face_size_to_the_image():
    scales = cascade.pyramid_scales(480, 640, min_face_size=24, factor=0.5)
    assert scales == [0.5, 0.25, 0.125, 0.0625, 0.03125]


def test_an_image_below_min_face_size_has_no_pyramid():
    assert cascade.pyramid_scales(20, 400, min_face_size=24, factor=0.7) == []


def test_network_input_is_transposed_and_centered():
    image = np.zeros((1, 2, 3, 3), np.uint8)
    image[0, 1, 2] = 255
    tensor = cascade.to_input(image)
    assert tensor.shape == (1, 3, 2, 3)
    assert tensor[0, 2, 1, 0] == pytest.approx(127.5 / 128)
    assert tensor[0, 0, 0, 0] == pytest.approx(-127.5 / 128)


def test_candidate_boxes_are_windows_with_high_scores():
    scores = np.zeros((4, 3), np.float32)
    scores[3, 1] = 0.9
    offsets = np.zeros((4, 3, 4), np.float32)
    found, kept = cascade.candidate_boxes(scores, offsets, scale=0.5, threshold=0.6)
    np.testing.assert_allclose(found, [[12, 4, 36, 28]])
    np.testing.assert_allclose(kept, [0.9])


def test_regression_moves_edges_relative_to_the_side():
    moved = cascade.regress(boxes([0, 0, 10, 20]), boxes([0.1, -0.1, 0.2, 0.5]))
    np.testing.assert_allclose(moved, [[1, -2, 12, 30]])


def test_squares_keep_the_center_and_the_longer_side():
    np.testing.assert_allclose(cascade.to_squares(boxes([0, 0, 10, 20])), [[-5, 0, 15, 20]])


def test_nms_keeps_the_best_of_each_cluster():
    candidates = boxes([0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60])
    kept = cascade.nms(candidates, np.array([0.7, 0.9, 0.8], np.float32), threshold=0.5)
    assert kept.tolist() == [1, 2]


def test_a_box_inside_another_is_removed_only_by_the_smaller_measure():
    candidates = boxes([0, 0, 30, 30], [10, 10, 20, 20])
    scores = np.array([0.9, 0.8], np.float32)
    assert len(cascade.nms(candidates, scores, threshold=0.5)) == 2
    assert len(cascade.nms(candidates, scores, threshold=0.5, measure="smaller")) == 1


def test_nms_of_no_boxes_keeps_none():
    none = np.zeros((0, 4), np.float32)
    assert cascade.nms(none, np.zeros(0, np.float32), threshold=0.5).size == 0


def test_pixels_beyond_the_border_are_black():
    image = np.full((10, 10, 3), 200, np.uint8)
    (crop,) = cascade.crop_squares(image, boxes([-10, 0, 10, 20]), 20)
    assert (crop[:10, 10:] == 200).all()
    assert (crop[:, :10] == 0).all()
    assert (crop[10:] == 0).all()


def test_a_box_outside_the_image_is_all_black():
    image = np.full((10, 10, 3), 200, np.uint8)
    crops = cascade.crop_squares(image, boxes([20, 20, 30, 30], [-30, -30, -20, -20]), 8)
    assert not crops.any()


def test_a_crop_of_the_images_size_is_the_image():
    image = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    np.testing.assert_array_equal(cascade.crop_squares(image, boxes([0, 0, 24, 24]), 24)[0], image)
