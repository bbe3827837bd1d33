import numpy as np
import pytest
from sklearn import metrics as reference

from emopy.errors import DataError
from emopy.evaluate import metrics


@pytest.fixture(params=[0, 1, 2])
def samples(request):
    """Probabilities of 300 samples in 8 labels, and their true labels."""
    rng = np.random.default_rng(request.param)
    y_true = rng.choice(8, 300, p=[0.3, 0.3, 0.2, 0.1, 0.05, 0.03, 0.01, 0.01])
    logits = rng.normal(size=(300, 8)) + 1.5 * np.eye(8)[y_true]
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return proba, y_true


def test_accuracy_agrees_with_scikit_learn(samples):
    proba, y_true = samples
    expected = reference.accuracy_score(y_true, proba.argmax(1))
    assert metrics.accuracy(*samples) == pytest.approx(expected)


def test_balanced_accuracy_agrees_with_scikit_learn(samples):
    proba, y_true = samples
    seen = np.isin(proba.argmax(1), y_true)  # scikit-learn warns about unseen labels
    expected = reference.balanced_accuracy_score(y_true[seen], proba[seen].argmax(1))
    assert metrics.balanced_accuracy(proba[seen], y_true[seen]) == pytest.approx(expected)


def test_confusion_matrix_agrees_with_scikit_learn(samples):
    proba, y_true = samples
    expected = reference.confusion_matrix(y_true, proba.argmax(1), labels=range(8))
    np.testing.assert_array_equal(metrics.confusion_matrix(*samples), expected)


def test_precision_recall_and_f1_of_each_label_agree_with_scikit_learn(samples):
    proba, y_true = samples
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        y_true, proba.argmax(1), labels=range(8), zero_division=np.nan
    )
    found = metrics.per_class(*samples)
    np.testing.assert_allclose(found.precision, precision)
    np.testing.assert_allclose(found.recall, recall)
    np.testing.assert_allclose(found.f1, f1)
    np.testing.assert_array_equal(found.support, support)


@pytest.mark.parametrize("columns", [None, [0, 1, 2, 3], [4, 0]])
def test_macro_f1_over_some_labels_agrees_with_scikit_learn(samples, columns):
    proba, y_true = samples
    expected = reference.f1_score(y_true, proba.argmax(1), labels=columns, average="macro")
    assert metrics.macro_f1(*samples, columns=columns) == pytest.approx(expected)


def test_log_loss_agrees_with_scikit_learn(samples):
    proba, y_true = samples
    expected = reference.log_loss(y_true, proba, labels=range(8))
    assert metrics.log_loss(*samples) == pytest.approx(expected)


def test_brier_score_agrees_with_the_mean_squared_error_of_one_hot_labels(samples):
    proba, y_true = samples
    expected = 8 * reference.mean_squared_error(np.eye(8)[y_true], proba)
    assert metrics.brier_score(*samples) == pytest.approx(expected)


def test_a_label_without_samples_has_no_recall_and_does_not_lower_the_mean():
    proba = np.eye(3)[[0, 1, 1]]
    y_true = np.array([0, 1, 1])
    assert np.isnan(metrics.per_class(proba, y_true).recall[2])
    assert metrics.balanced_accuracy(proba, y_true) == 1
    assert metrics.macro_f1(proba, y_true) == 1
    assert np.isnan(metrics.macro_f1(proba, y_true, columns=[2]))


def test_expected_calibration_error_of_a_case_worked_out_by_hand():
    # Bin (0.6, 0.8] of five: confidences 0.7 and 0.8, one correct: |1 - 1.5| / 4 = 0.125.
    # Bin (0.8, 1]: confidences 0.9 and 1.0, both correct: |2 - 1.9| / 4 = 0.025.
    confidence = np.array([0.7, 0.8, 0.9, 1.0])
    proba = np.stack([confidence, 1 - confidence], axis=1)
    error = metrics.expected_calibration_error(proba, np.array([0, 1, 0, 0]), bins=5)
    assert error == pytest.approx(0.15)


def test_expected_calibration_error_is_zero_when_confidence_equals_accuracy():
    proba = np.tile([0.75, 0.25], (4, 1))
    y_true = np.array([0, 0, 0, 1])
    assert metrics.expected_calibration_error(proba, y_true) == pytest.approx(0)


def test_a_confident_error_has_a_large_but_finite_log_loss():
    assert 10 < metrics.log_loss(np.array([[1.0, 0.0]], np.float32), np.array([1])) < 100


def test_the_most_confident_samples_are_kept_first():
    confidence = np.array([0.6, 0.9, 0.8, 0.7])
    proba = np.stack([confidence, 1 - confidence], axis=1)
    y_true = np.array([1, 0, 0, 1])
    at = [
        metrics.accuracy_at_coverage(proba, y_true, coverage=coverage)
        for coverage in (0.01, 0.5, 0.75, 1)
    ]
    assert at == pytest.approx([1, 1, 2 / 3, 0.5])


def test_wrong_arguments_are_refused_with_the_shapes_received():
    two = np.full((2, 2), 0.5)
    with pytest.raises(DataError, match=r"\(2, 2\) and \(3,\)"):
        metrics.accuracy(two, np.zeros(3, int))
    with pytest.raises(DataError, match=r"\(2, 2\) and \(2, 1\)"):
        metrics.accuracy(two, np.zeros((2, 1), int))
    with pytest.raises(DataError, match="n 1 or more"):
        metrics.brier_score(np.empty((0, 2)), np.empty(0, int))
    with pytest.raises(DataError, match=r"indices 0 to 1. Received 0 to 2"):
        metrics.confusion_matrix(two, np.array([0, 2]))
    with pytest.raises(DataError, match="`bins`"):
        metrics.expected_calibration_error(two, np.array([0, 1]), bins=0)
    with pytest.raises(DataError, match="`coverage`"):
        metrics.accuracy_at_coverage(two, np.array([0, 1]), coverage=0)
