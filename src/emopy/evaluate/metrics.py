"""Figures of merit in NumPy. All take probabilities (n, k) and the true column of each sample.

The guess is the most probable column; of equal ones, the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopy.errors import DataError

Probabilities = NDArray[np.floating]
Truth = NDArray[np.intp]
CONFIDENCE_BINS = 15  # intervals of confidence in the calibration error and reliability diagram


def accuracy(probabilities: Probabilities, truth: Truth) -> float:
    """Share of samples whose most probable label is the true one.

    Args:
        probabilities: (n, k), each row sums to 1.
        truth: (n,) column of the true label.

    Returns:
        0–1.

    Source:
        ISO/IEC TS 4213:2022, "Assessment of machine learning classification performance".

    Example:
        >>> accuracy(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]))
        0.5
    """
    return float(np.mean(_guess(probabilities, truth) == truth))


def confusion_matrix(probabilities: Probabilities, truth: Truth) -> NDArray[np.intp]:
    """How often each label was taken for each.

    Args:
        probabilities: (n, k), each row sums to 1.
        truth: (n,) column of the true label.

    Returns:
        (k, k) counts: a row per true label, a column per guessed label.

    Source:
        ISO/IEC TS 4213:2022.
    """
    guess = _guess(probabilities, truth)
    k = probabilities.shape[1]
    return np.bincount(truth * k + guess, minlength=k * k).reshape(k, k)


@dataclass(frozen=True, slots=True, eq=False)
class PerClass:
    """Figures of each label; NaN where they are undefined. Leading axes are separate samplings.

    Attributes:
        precision: (…, k) share of the guesses of a label that are right; NaN if never guessed.
        recall: (…, k) share of the samples of a label that are found; NaN if there is none.
        f1: (…, k) harmonic mean of both; 0 if only one is defined, NaN if none is.
        support: (…, k) samples of each label.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.intp]


def per_class(probabilities: Probabilities, truth: Truth) -> PerClass:
    """Precision, recall and F1 of each label.

    Args:
        probabilities: (n, k), each row sums to 1.
        truth: (n,) column of the true label.

    Source:
        van Rijsbergen 1979, "Information Retrieval", chapter 7.
    """
    return per_class_of(confusion_matrix(probabilities, truth))


def per_class_of(confusion: NDArray[np.intp]) -> PerClass:
    """Precision, recall and F1 of each label, from counts.

    Args:
        confusion: (…, k, k) counts, as `confusion_matrix` gives them; many matrices at once
            where it has leading axes.
    """
    right = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    guessed, support = confusion.sum(axis=-2), confusion.sum(axis=-1)
    return PerClass(
        precision=_ratio(right, guessed),
        recall=_ratio(right, support),
        f1=_ratio(2 * right, guessed + support),
        support=support,
    )


def balanced_accuracy(probabilities: Probabilities, truth: Truth) -> float:
    """Mean recall of the labels that occur: rare emotions count as much as frequent ones.

    Args:
        probabilities: (n, k), each row sums to 1.
        truth: (n,) column of the true label.

    Returns:
        0–1.

    Source:
        Brodersen et al. 2010, https://doi.org/10.1109/ICPR.2010.764.
    """
    return float(mean_of_defined(per_class(probabilities, truth).recall))


def macro_f1(
    probabilities: Probabilities, truth: Truth, *, columns: Sequence[int] | None = None
) -> float:
    """Mean F1 over labels, each with the same weight.

    Args:
        probabilities: (n, k), each row sums to 1.
        truth: (n,) column of the true label.
        columns: Labels to average over, such as those of the seven standard emotions; every
            label by default. Guesses are still made among all k. Labels that are neither true
            nor guessed anywhere are left out.

    Returns:
        0–1; NaN if none of the labels occurs.

    Source:
        Opitz & Burst 2019, https://arxiv.org/abs/1911.03347 (the mean of F1 values).
    """
    f1 = per_class(probabilities, truth).f1
    return float(mean_of_defined(f1 if columns is None else f1[list(columns)]))


def mean_of_defined(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the last axis of what is not NaN; NaN where nothing is left."""
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))


def expected_calibration_error(
    probabilities: Probabilities, truth: Truth, *, bins: int = CONFIDENCE_BINS
) -> float:
    """How far confidence and accuracy lie apart: 0.03 means 3 percentage points on average.

    Args:
        probabilities: (n, k), each row sums to 1.
        truth: (n,) column of the true label.
        bins: Number of intervals of equal width, (0, 1/bins], (1/bins, 2/bins] …

    Returns:
        0–1.

    Source:
        Guo et al. 2017, "On Calibration of Modern Neural Networks",
        https://arxiv.org/abs/1706.04599, equations 2, 3 and 5.

    Example:
        >>> round(expected_calibration_error(np.array([[0.9, 0.1]]), np.array([0])), 6)
        0.1
    """
    if bins < 1:
        raise DataError(f"`bins` must be 1 or more. Received {bins}. Type for example 15.")
    right = _guess(probabilities, truth) == truth
    confidence = probabilities.max(axis=1).astype(np.float64)
    gap = np.bincount(bin_of(confidence, bins), weights=right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(truth))


def bin_of(confidence: NDArray[np.floating], bins: int) -> NDArray[np.intp]:
    """(n,) number of the interval (0, 1/bins], (1/bins, 2/bins] … that each confidence is in."""
    return np.clip(np.ceil(confidence * bins).astype(np.intp) - 1, 0, bins - 1)


def brier(probabilities: Probabilities, truth: Truth) -> float:
    """Mean squared distance between the probabilities and the truth, summed over labels.

    Args:
        probabilities: (n, k), each row sums to 1.
        truth: (n,) column of the true label.

    Returns:
        0 (sure and right) to 2 (sure and wrong).

    Source:
        Brier 1950, https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
    """
    _guess(probabilities, truth)
    distance = probabilities.astype(np.float64)
    distance[np.arange(len(truth)), truth] -= 1
    return float(np.mean(np.sum(distance**2, axis=1)))


def log_loss(probabilities: Probabilities, truth: Truth) -> float:
    """Mean negative logarithm of the probability given to the true label, in nats.

    Probabilities are held above the smallest step of their number type, so that one sure
    mistake does not make the mean infinite.

    Args:
        probabilities: (n, k), each row sums to 1.
        truth: (n,) column of the true label.

    Returns:
        0 or more; ln k is what guessing evenly costs.

    Source:
        Good 1952, "Rational Decisions", https://doi.org/10.1111/j.2517-6161.1952.tb00104.x.
    """
    _guess(probabilities, truth)
    given = probabilities[np.arange(len(truth)), truth]
    floor = np.finfo(probabilities.dtype).eps
    return float(-np.mean(np.log(np.clip(given.astype(np.float64), floor, 1))))


def kl_divergence(targets: NDArray[np.floating], probabilities: Probabilities) -> float:
    """Mean Kullback-Leibler divergence from soft targets to probabilities.

    Args:
        targets: (n, k), each row sums to 1.
        probabilities: (n, k), each row sums to 1; held above the smallest step of their type.

    Returns:
        0 (the same) or more, in nats.

    Source:
        Kullback and Leibler 1951, https://doi.org/10.1214/aoms/1177729694.

    Example:
        >>> round(kl_divergence(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])), 4)
        0.6931
    """
    if targets.shape != probabilities.shape or not len(targets):
        raise DataError(
            f"`targets` must be {probabilities.shape} numbers. Received {targets.shape}."
        )
    floor = np.finfo(probabilities.dtype).eps
    wanted = targets.astype(np.float64)
    given = np.log(np.clip(probabilities.astype(np.float64), floor, 1))
    own = np.log(wanted, out=np.zeros_like(wanted), where=wanted > 0)
    return float(np.mean(np.sum(wanted * (own - given), axis=1)))


def accuracy_at_coverage(probabilities: Probabilities, truth: Truth, *, coverage: float) -> float:
    """Accuracy on the samples that the model is surest of.

    Args:
        probabilities: (n, k), each row sums to 1.
        truth: (n,) column of the true label.
        coverage: Share of the samples that are answered, above 0 up to 1; at least one is.

    Returns:
        0–1.

    Source:
        Geifman & El-Yaniv 2017, "Selective Classification for Deep Neural Networks",
        https://arxiv.org/abs/1705.08500.

    Example:
        >>> sure_and_right = np.array([[0.9, 0.1], [0.6, 0.4]])
        >>> accuracy_at_coverage(sure_and_right, np.array([0, 1]), coverage=0.5)
        1.0
    """
    if not 0 < coverage <= 1:
        raise DataError(
            f"`coverage` must be above 0 and at most 1. Received {coverage}. "
            "Type for example 0.8 to answer the surest 80 %."
        )
    right = _guess(probabilities, truth) == truth
    surest = np.argsort(-probabilities.max(axis=1), kind="stable")
    return float(np.mean(right[surest[: max(1, round(coverage * len(truth)))]]))


def _guess(probabilities: Probabilities, truth: Truth) -> NDArray[np.intp]:
    """Most probable column of each row, after a check of the arguments."""
    if probabilities.ndim != 2 or len(probabilities) != len(truth) or not len(truth):
        raise DataError(
            "`probabilities` must have shape (n, k) and `truth` (n,), n 1 or more. "
            f"Received shapes {probabilities.shape} and {np.shape(truth)}."
        )
    if not 0 <= truth.min() <= truth.max() < probabilities.shape[1]:
        raise DataError(
            f"`truth` must be columns 0 to {probabilities.shape[1] - 1}. "
            f"Received {truth.min()} to {truth.max()}."
        )
    return np.argmax(probabilities, axis=1)


def _ratio(part: NDArray[np.float64], whole: NDArray[np.intp]) -> NDArray[np.float64]:
    """Element by element; NaN where the whole is nothing."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
