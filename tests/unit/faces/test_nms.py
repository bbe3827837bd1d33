import numpy as np
import pytest

from emopy.faces.nms import nms
from tests.unit.faces import reference_mtcnn


def boxes(*rows):
    return np.array(rows, np.float32)


def random_boxes(count, seed=0):
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 200, (count, 2))
    found = np.concatenate([corner, corner + rng.uniform(5, 60, (count, 2))], axis=1)
    return found.astype(np.float32), rng.uniform(0, 1, count).astype(np.float32)


def test_the_best_of_each_cluster_is_kept():
    candidates = boxes([0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60])
    kept = nms(candidates, np.array([0.7, 0.9, 0.8], np.float32), threshold=0.5)
    assert kept.tolist() == [1, 2]


def test_a_box_inside_another_is_removed_only_by_the_smaller_measure():
    candidates = boxes([0, 0, 30, 30], [10, 10, 20, 20])
    scores = np.array([0.9, 0.8], np.float32)
    assert len(nms(candidates, scores, threshold=0.5)) == 2
    assert len(nms(candidates, scores, threshold=0.5, measure="smaller")) == 1


def test_of_no_boxes_none_are_kept():
    none = np.zeros((0, 4), np.float32)
    kept = nms(none, np.zeros(0, np.float32), threshold=0.5)
    assert kept.size == 0
    assert none[kept].shape == (0, 4)


def test_of_equal_scores_the_first_is_kept():
    candidates = boxes([0, 0, 10, 10], [0, 0, 10, 10])
    assert nms(candidates, np.ones(2, np.float32), threshold=0.5).tolist() == [0]


def test_a_removed_box_removes_no_other():
    chain = boxes([0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10])
    kept = nms(chain, np.array([0.9, 0.8, 0.7], np.float32), threshold=0.3)
    assert kept.tolist() == [0, 2]


@pytest.mark.parametrize("count", [1, 2, 127, 128, 129, 600])
@pytest.mark.parametrize("measure", ["union", "smaller"])
def test_many_boxes_are_kept_as_one_after_the_other(count, measure):
    candidates, scores = random_boxes(count)
    kept = nms(candidates, scores, threshold=0.4, measure=measure)
    expected = reference_mtcnn.suppress(candidates, scores, 0.4, smaller=measure == "smaller")
    np.testing.assert_array_equal(kept, expected)


def test_boxes_of_different_groups_are_not_compared():
    candidates, scores = random_boxes(300)
    groups = np.arange(300) % 3
    kept = nms(candidates, scores, threshold=0.4, groups=groups)
    alone = [
        rows[nms(candidates[rows], scores[rows], threshold=0.4)]
        for rows in (np.flatnonzero(groups == group) for group in range(3))
    ]
    assert sorted(kept) == sorted(np.concatenate(alone))
    assert (np.diff(scores[kept]) <= 0).all()
