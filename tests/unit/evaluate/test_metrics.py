import numpy as np
import pytest
from sklearn import metrics as reference

from emopy.errors import DataError
from emopy.evaluate import metrics


@pytest.fixture(params=[0, 1, 2])
def guesses(request):
    """Probabilities of 300 samples in 8 labels, and their truth."""
    rng = np.random.default_rng(request.param)
    truth = rng.choice(8, 300, p=[0.3, 0.3, 0.2, 0.1, 0.05, 0.03, 0.01, 0.01])
    logits = rng.normal(size=(300, 8)) + 1.5 * np.eye(8)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return probabilities, truth


def test_accuracy_agrees_with_scikit_learn(guesses):
    probabilities, truth = guesses
    expected = reference.accuracy_score(truth, probabilities.argmax(1))
    assert metrics.accuracy(*guesses) == pytest.approx(expected)


def test_balanced_accuracy_agrees_with_scikit_learn(guesses):
    probabilities, truth = guesses
    seen = np.isin(probabilities.argmax(1), truth)  # scikit-learn warns about unseen guesses
    expected = reference.balanced_accuracy_score(truth[seen], probabilities[seen].argmax(1))
    assert metrics.balanced_accuracy(probabilities[seen], truth[seen]) == pytest.approx(expected)


def test_confusion_matrix_agrees_with_scikit_learn(guesses):
    probabilities, truth = guesses
    expected = reference.confusion_matrix(truth, probabilities.argmax(1), labels=range(8))
    np.testing.assert_array_equal(metrics.confusion_matrix(*guesses), expected)


def test_precision_recall_and_f1_of_each_label_agree_with_scikit_learn(guesses):
    probabilities, truth = guesses
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        truth, probabilities.argmax(1), labels=range(8), zero_division=np.nan
    )
    found = metrics.per_class(*guesses)
    np.testing.assert_allclose(found.precision, precision)
    np.testing.assert_allclose(found.recall, recall)
    np.testing.assert_allclose(found.f1, f1)
    np.testing.assert_array_equal(found.support, support)


@pytest.mark.parametrize("columns", [None, [0, 1, 2, 3], [4, 0]])
def test_macro_f1_over_some_labels_agrees_with_scikit_learn(guesses, columns):
    probabilities, truth = guesses
    expected = reference.f1_score(truth, probabilities.argmax(1), labels=columns, average="macro")
    assert metrics.macro_f1(*guesses, columns=columns) == pytest.approx(expected)


def test_log_loss_agrees_with_scikit_learn(guesses):
    probabilities, truth = guesses
    expected = reference.log_loss(truth, probabilities, labels=range(8))
    assert metrics.log_loss(*guesses) == pytest.approx(expected)


def test_brier_score_agrees_with_the_mean_squared_error_of_one_hot_truth(guesses):
    probabilities, truth = guesses
    expected = 8 * reference.mean_squared_error(np.eye(8)[truth], probabilities)
    assert metrics.brier(*guesses) == pytest.approx(expected)


def test_a_label_without_samples_has_no_recall_and_does_not_lower_the_mean():
    probabilities = np.eye(3)[[0, 1, 1]]
    truth = np.array([0, 1, 1])
    assert np.isnan(metrics.per_class(probabilities, truth).recall[2])
    assert metrics.balanced_accuracy(probabilities, truth) == 1
    assert metrics.macro_f1(probabilities, truth) == 1
    assert np.isnan(metrics.macro_f1(probabilities, truth, columns=[2]))


def test_calibration_error_of_a_case_worked_out_by_hand():
    # Bin (0.6, 0.8] of five: confidences 0.7 and 0.8, one right: |1 - 1.5| / 4 = 0.125.
    # Bin (0.8, 1]: confidences 0.9 and 1.0, both right: |2 - 1.9| / 4 = 0.025.
    sure = np.array([0.7, 0.8, 0.9, 1.0])
    probabilities = np.stack([sure, 1 - sure], axis=1)
    error = metrics.expected_calibration_error(probabilities, np.array([0, 1, 0, 0]), bins=5)
    assert error == pytest.approx(0.15)


def test_calibration_error_is_nothing_when_confidence_equals_accuracy():
    probabilities = np.tile([0.75, 0.25], (4, 1))
    truth = np.array([0, 0, 0, 1])
    assert metrics.expected_calibration_error(probabilities, truth) == pytest.approx(0)


def test_a_sure_mistake_has_a_large_but_finite_log_loss():
    assert 10 < metrics.log_loss(np.array([[1.0, 0.0]], np.float32), np.array([1])) < 100


def test_the_surest_samples_are_answered_first():
    sure = np.array([0.6, 0.9, 0.8, 0.7])
    probabilities = np.stack([sure, 1 - sure], axis=1)
    truth = np.array([1, 0, 0, 1])
    at = [
        metrics.accuracy_at_coverage(probabilities, truth, coverage=share)
        for share in (0.01, 0.5, 0.75, 1)
    ]
    assert at == pytest.approx([1, 1, 2 / 3, 0.5])


def test_wrong_arguments_are_refused_with_the_shapes_received():
    two = np.full((2, 2), 0.5)
    with pytest.raises(DataError, match=r"\(2, 2\) and \(3,\)"):
        metrics.accuracy(two, np.zeros(3, int))
    with pytest.raises(DataError, match="n 1 or more"):
        metrics.brier(np.empty((0, 2)), np.empty(0, int))
    with pytest.raises(DataError, match=r"columns 0 to 1. Received 0 to 2"):
        metrics.confusion_matrix(two, np.array([0, 2]))
    with pytest.raises(DataError, match="`bins`"):
        metrics.expected_calibration_error(two, np.array([0, 1]), bins=0)
    with pytest.raises(DataError, match="`coverage`"):
        metrics.accuracy_at_coverage(two, np.array([0, 1]), coverage=0)
