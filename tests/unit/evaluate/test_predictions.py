import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from emopy.errors import DataError
from emopy.evaluate import Predictions, metrics


@pytest.fixture
def predictions():
    rng = np.random.default_rng(0)
    proba = rng.random(400) * 0.98 + 0.01
    y_true = (rng.random(400) < proba).astype(int)
    return Predictions(np.stack([1 - proba, proba], axis=1), y_true)


def test_the_most_confident_errors_come_in_order_of_confidence():
    confidence = np.array([0.9, 0.6, 0.99, 0.8])
    found = Predictions(np.stack([confidence, 1 - confidence], axis=1), np.array([1, 1, 0, 1]))
    assert found.most_confident_errors(10).tolist() == [0, 3, 1]
    assert found.most_confident_errors(2).tolist() == [0, 3]
    assert found.correct.tolist() == [False, False, True, False]


def test_the_reliability_diagram_agrees_with_scikit_learn(predictions):
    diagram = predictions.reliability_diagram(10)
    occupied = diagram.samples > 0
    accuracy, confidence = calibration_curve(predictions.correct, predictions.confidence, n_bins=10)
    np.testing.assert_allclose(diagram.accuracy[occupied], accuracy)
    np.testing.assert_allclose(diagram.confidence[occupied], confidence)


def test_the_gaps_of_the_diagram_add_up_to_the_expected_calibration_error(predictions):
    diagram = predictions.reliability_diagram()
    gaps = np.nan_to_num(np.abs(diagram.accuracy - diagram.confidence)) * diagram.samples
    error = metrics.expected_calibration_error(predictions.proba, predictions.y_true)
    assert gaps.sum() / 400 == pytest.approx(error)


def test_the_coverage_curve_agrees_with_accuracy_at_coverage(predictions):
    curve = predictions.coverage_curve()
    for coverage in (0.1, 0.5, 1):
        expected = metrics.accuracy_at_coverage(
            predictions.proba, predictions.y_true, coverage=coverage
        )
        assert curve.accuracy[round(400 * coverage) - 1] == pytest.approx(expected)
        assert curve.row_at(coverage) == round(400 * coverage) - 1
    assert curve.coverage[-1] == 1
    assert np.all(np.diff(curve.confidence) <= 0)


def test_no_bin_is_refused(predictions):
    with pytest.raises(DataError, match="`bins`"):
        predictions.reliability_diagram(0)
