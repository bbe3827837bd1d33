"""`Predictions`: a model's probabilities beside the true labels, and the curves drawn from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopy.errors import DataError
from emopy.evaluate.metrics import CONFIDENCE_BINS, confidence_bins


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a model predicted for each sample, beside the true label.

    Attributes:
        proba: (n, k), each row sums to 1.
        y_true: (n,) index of the true label.
    """

    proba: NDArray[np.floating]
    y_true: NDArray[np.intp]

    @property
    def y_pred(self) -> NDArray[np.intp]:
        """(n,) index of the most probable label; of equally probable ones, the first."""
        return np.argmax(self.proba, axis=1)

    @property
    def confidence(self) -> NDArray[np.floating]:
        """(n,) probability of the predicted label, 0–1."""
        return self.proba.max(axis=1)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """(n,) whether the predicted label is the true one."""
        return self.y_pred == self.y_true

    def most_confident_errors(self, count: int) -> NDArray[np.intp]:
        """At most `count` rows of wrong predictions, those with the highest confidence first."""
        wrong = np.flatnonzero(~self.correct)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")][:count]

    def reliability_diagram(self, bins: int = CONFIDENCE_BINS) -> ReliabilityDiagram:
        """Mean confidence and accuracy in each confidence bin.

        Args:
            bins: Number of bins of equal width, (0, 1/bins], (1/bins, 2/bins] …

        Raises:
            DataError: No bin.

        Source:
            Niculescu-Mizil & Caruana 2005, "Predicting Good Probabilities with Supervised
            Learning", https://doi.org/10.1145/1102351.1102430.
        """
        if bins < 1:
            raise DataError(f"`bins` must be 1 or more. Received {bins}. Type for example 15.")
        confidence = self.confidence.astype(np.float64)
        bin_index = confidence_bins(confidence, bins)
        samples = np.bincount(bin_index, minlength=bins)

        def bin_means(values: NDArray[np.float64]) -> NDArray[np.float64]:
            total = np.bincount(bin_index, weights=values, minlength=bins)
            return np.where(samples > 0, total / np.maximum(samples, 1), np.nan)

        return ReliabilityDiagram(
            samples, bin_means(confidence), bin_means(self.correct.astype(np.float64))
        )

    def coverage_curve(self) -> CoverageCurve:
        """Accuracy of the most confident predictions, for every number of them.

        Source:
            Geifman & El-Yaniv 2017, "Selective Classification for Deep Neural Networks",
            https://arxiv.org/abs/1705.08500.
        """
        by_confidence = np.argsort(-self.confidence, kind="stable")
        kept = np.arange(1, len(by_confidence) + 1)
        return CoverageCurve(
            kept / len(by_confidence),
            np.cumsum(self.correct[by_confidence]) / kept,
            self.confidence[by_confidence],
        )


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityDiagram:
    """Mean confidence and accuracy in each confidence bin.

    Attributes:
        samples: (bins,) number of samples.
        confidence: (bins,) their mean confidence; NaN where there are none.
        accuracy: (bins,) proportion of correct predictions; NaN where there are none.
    """

    samples: NDArray[np.intp]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CoverageCurve:
    """Accuracy against coverage; row i keeps the i + 1 most confident predictions.

    Attributes:
        coverage: (n,) proportion of the samples that are kept, rising to 1.
        accuracy: (n,) accuracy on the kept samples.
        confidence: (n,) lowest confidence among the kept samples.
    """

    coverage: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    confidence: NDArray[np.floating]

    def row_at(self, coverage: float) -> int:
        """Row that keeps the given proportion of the samples, at least one."""
        return max(1, round(coverage * len(self.coverage))) - 1
