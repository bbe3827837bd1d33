import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from emopy.errors import DataError
from emopy.evaluate import Predictions, metrics


@pytest.fixture
def judgement():
    rng = np.random.default_rng(0)
    right = rng.random(400) * 0.98 + 0.01
    return Predictions(np.stack([1 - right, right], axis=1), (rng.random(400) < right).astype(int))


def test_the_worst_mistakes_are_the_surest_wrong_answers():
    sure = np.array([0.9, 0.6, 0.99, 0.8])
    judged = Predictions(np.stack([sure, 1 - sure], axis=1), np.array([1, 1, 0, 1]))
    assert judged.worst(10).tolist() == [0, 3, 1]
    assert judged.worst(2).tolist() == [0, 3]
    assert judged.right.tolist() == [False, False, True, False]


def test_the_reliability_diagram_agrees_with_scikit_learn(judgement):
    found = judgement.reliability(10)
    occupied = found.samples > 0
    right, said = calibration_curve(judgement.right, judgement.confidence, n_bins=10)
    np.testing.assert_allclose(found.accuracy[occupied], right)
    np.testing.assert_allclose(found.confidence[occupied], said)


def test_the_gaps_of_the_diagram_add_up_to_the_calibration_error(judgement):
    found = judgement.reliability()
    gaps = np.nan_to_num(np.abs(found.accuracy - found.confidence)) * found.samples
    error = metrics.expected_calibration_error(judgement.probabilities, judgement.truth)
    assert gaps.sum() / 400 == pytest.approx(error)


def test_the_coverage_curve_agrees_with_accuracy_at_coverage(judgement):
    found = judgement.coverage()
    for share in (0.1, 0.5, 1):
        expected = metrics.accuracy_at_coverage(
            judgement.probabilities, judgement.truth, coverage=share
        )
        assert found.accuracy[round(400 * share) - 1] == pytest.approx(expected)
    assert found.coverage[-1] == 1
    assert np.all(np.diff(found.confidence) <= 0)


def test_no_bin_is_refused(judgement):
    with pytest.raises(DataError, match="`bins`"):
        judgement.reliability(0)
