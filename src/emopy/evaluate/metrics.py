"""Classification metrics in NumPy, from class probabilities (n, k) and true label indices (n,).

The predicted label is the most probable one; of equally probable labels, the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopy.errors import DataError

Probabilities = NDArray[np.floating]
"""(n, k) probability of each label; each row sums to 1."""

LabelIndices = NDArray[np.intp]
"""(n,) index of the true label of each sample."""

CONFIDENCE_BINS = 15
"""Confidence bins of equal width in the expected calibration error and reliability diagram."""


def accuracy(proba: Probabilities, y_true: LabelIndices) -> float:
    """Proportion, 0–1, of samples whose predicted label is the true one.

    Source:
        ISO/IEC TS 4213:2022, "Assessment of machine learning classification performance".

    Example:
        >>> accuracy(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]))
        0.5
    """
    return float(np.mean(_predicted(proba, y_true) == y_true))


def confusion_matrix(proba: Probabilities, y_true: LabelIndices) -> NDArray[np.intp]:
    """(k, k) counts of samples: a row per true label, a column per predicted label.

    Source:
        ISO/IEC TS 4213:2022.
    """
    y_pred = _predicted(proba, y_true)
    k = proba.shape[1]
    return np.bincount(y_true * k + y_pred, minlength=k * k).reshape(k, k)


@dataclass(frozen=True, slots=True, eq=False)
class PerClass:
    """Metrics of each label; NaN where undefined. Leading axes are separate resamples.

    Attributes:
        precision: (…, k) proportion of the predictions of a label that are correct; NaN if the
            label is never predicted.
        recall: (…, k) proportion of the samples of a label that are predicted as it; NaN if
            there are no samples.
        f1: (…, k) harmonic mean of both; 0 if only one is defined, NaN if neither is.
        support: (…, k) number of samples of each label.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.intp]


def per_class(proba: Probabilities, y_true: LabelIndices) -> PerClass:
    """Precision, recall and F1 of each label.

    Source:
        van Rijsbergen 1979, "Information Retrieval", chapter 7.
    """
    return per_class_from_confusion(confusion_matrix(proba, y_true))


def per_class_from_confusion(confusion: NDArray[np.intp]) -> PerClass:
    """Precision, recall and F1 of each label, from one or more (…, k, k) confusion matrices."""
    correct = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    predicted, support = confusion.sum(axis=-2), confusion.sum(axis=-1)
    return PerClass(
        precision=_divide(correct, predicted),
        recall=_divide(correct, support),
        f1=_divide(2 * correct, predicted + support),
        support=support,
    )


def balanced_accuracy(proba: Probabilities, y_true: LabelIndices) -> float:
    """Mean recall, 0–1, of the labels that occur (macro recall): all weigh the same.

    Source:
        Brodersen et al. 2010, https://doi.org/10.1109/ICPR.2010.764.
    """
    return float(mean_of_defined(per_class(proba, y_true).recall))


def macro_f1(
    proba: Probabilities, y_true: LabelIndices, *, columns: Sequence[int] | None = None
) -> float:
    """Unweighted mean of the labels' F1, 0–1; NaN if none of the labels occurs.

    Args:
        proba: (n, k), each row sums to 1.
        y_true: (n,) index of the true label.
        columns: Indices of the labels to average, such as the seven standard emotions; all by
            default. Predictions are still made among all k. Labels that are neither true nor
            predicted for any sample are left out.

    Source:
        Opitz & Burst 2019, https://arxiv.org/abs/1911.03347 (the mean of F1 values).
    """
    f1 = per_class(proba, y_true).f1
    return float(mean_of_defined(f1 if columns is None else f1[list(columns)]))


def mean_of_defined(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the last axis without NaN; NaN where all are, without NumPy's warning."""
    defined = ~np.isnan(values)
    return _divide(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))


def expected_calibration_error(
    proba: Probabilities, y_true: LabelIndices, *, bins: int = CONFIDENCE_BINS
) -> float:
    """Mean absolute difference, 0–1, between confidence and accuracy over bins (ECE).

    Args:
        proba: (n, k), each row sums to 1.
        y_true: (n,) index of the true label.
        bins: Number of bins of equal width, (0, 1/bins], (1/bins, 2/bins] …

    Raises:
        DataError: Shapes differ, no samples or no bins.

    Source:
        Guo et al. 2017, "On Calibration of Modern Neural Networks",
        https://arxiv.org/abs/1706.04599, equations 2, 3 and 5.

    Example:
        >>> round(expected_calibration_error(np.array([[0.9, 0.1]]), np.array([0])), 6)
        0.1
    """
    if bins < 1:
        raise DataError(f"`bins` must be 1 or more. Received {bins}. Type for example 15.")
    correct = _predicted(proba, y_true) == y_true
    confidence = proba.max(axis=1).astype(np.float64)
    bin_index = confidence_bins(confidence, bins)
    gap = np.bincount(bin_index, weights=correct - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(y_true))


def confidence_bins(confidence: NDArray[np.floating], bins: int) -> NDArray[np.intp]:
    """(n,) index of the bin (0, 1/bins], (1/bins, 2/bins] … that holds each confidence."""
    return np.clip(np.ceil(confidence * bins).astype(np.intp) - 1, 0, bins - 1)


def brier_score(proba: Probabilities, y_true: LabelIndices) -> float:
    """Mean squared distance between the probabilities and the one-hot true label, summed.

    From 0 (confident and correct) to 2 (confident and wrong).

    Source:
        Brier 1950, https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
    """
    _predicted(proba, y_true)
    distance = proba.astype(np.float64)
    distance[np.arange(len(y_true)), y_true] -= 1
    return float(np.mean(np.sum(distance**2, axis=1)))


def log_loss(proba: Probabilities, y_true: LabelIndices) -> float:
    """Mean negative logarithm of the true label's probability (cross-entropy), in nats.

    Probabilities are clipped to the machine epsilon of their type, so that one confident error
    does not make the mean infinite. Uniform probabilities cost ln k; 0 is best.

    Source:
        Good 1952, "Rational Decisions", https://doi.org/10.1111/j.2517-6161.1952.tb00104.x.
    """
    _predicted(proba, y_true)
    given = proba[np.arange(len(y_true)), y_true]
    epsilon = np.finfo(proba.dtype).eps
    return float(-np.mean(np.log(np.clip(given.astype(np.float64), epsilon, 1))))


def kl_divergence(targets: NDArray[np.floating], proba: Probabilities) -> float:
    """Mean Kullback-Leibler divergence from soft targets to probabilities, in nats; 0 if equal.

    Args:
        targets: (n, k), each row sums to 1.
        proba: (n, k), each row sums to 1; clipped to the machine epsilon of its type.

    Source:
        Kullback and Leibler 1951, https://doi.org/10.1214/aoms/1177729694.

    Example:
        >>> round(kl_divergence(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])), 4)
        0.6931
    """
    if targets.shape != proba.shape or not len(targets):
        raise DataError(f"`targets` must be {proba.shape} numbers. Received {targets.shape}.")
    epsilon = np.finfo(proba.dtype).eps
    expected = targets.astype(np.float64)
    log_proba = np.log(np.clip(proba.astype(np.float64), epsilon, 1))
    log_expected = np.log(expected, out=np.zeros_like(expected), where=expected > 0)
    return float(np.mean(np.sum(expected * (log_expected - log_proba), axis=1)))


def accuracy_at_coverage(proba: Probabilities, y_true: LabelIndices, *, coverage: float) -> float:
    """Accuracy, 0–1, on the most confident predictions (selective accuracy).

    Args:
        proba: (n, k), each row sums to 1.
        y_true: (n,) index of the true label.
        coverage: Proportion of the samples that are kept, above 0 up to 1; at least one sample.

    Source:
        Geifman & El-Yaniv 2017, "Selective Classification for Deep Neural Networks",
        https://arxiv.org/abs/1705.08500.

    Example:
        >>> proba = np.array([[0.9, 0.1], [0.6, 0.4]])
        >>> accuracy_at_coverage(proba, np.array([0, 1]), coverage=0.5)
        1.0
    """
    if not 0 < coverage <= 1:
        raise DataError(
            f"`coverage` must be above 0 and at most 1. Received {coverage}. "
            "Type for example 0.8 to keep the most confident 80 %."
        )
    correct = _predicted(proba, y_true) == y_true
    by_confidence = np.argsort(-proba.max(axis=1), kind="stable")
    return float(np.mean(correct[by_confidence[: max(1, round(coverage * len(y_true)))]]))


def _predicted(proba: Probabilities, y_true: LabelIndices) -> LabelIndices:
    """Index of the most probable label of each row, after a check of the arguments."""
    if proba.ndim != 2 or np.shape(y_true) != (len(proba),) or not len(proba):
        raise DataError(
            "`proba` must have shape (n, k) and `y_true` (n,), n 1 or more. "
            f"Received shapes {proba.shape} and {np.shape(y_true)}."
        )
    if not 0 <= y_true.min() <= y_true.max() < proba.shape[1]:
        raise DataError(
            f"`y_true` must be indices 0 to {proba.shape[1] - 1}. "
            f"Received {y_true.min()} to {y_true.max()}."
        )
    return np.argmax(proba, axis=1)


def _divide(numerator: NDArray[np.float64], denominator: NDArray[np.intp]) -> NDArray[np.float64]:
    """Element by element; NaN where the denominator is 0."""
    undefined = np.full(np.shape(numerator), np.nan)
    return np.divide(numerator, denominator, out=undefined, where=denominator > 0)
