"""`Predictions`: what a report was measured on, kept for images and for closer looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopy.errors import DataError
from emopy.evaluate.metrics import CONFIDENCE_BINS, bin_of


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a model said about each face, beside the truth.

    Attributes:
        probabilities: (n, k), each row sums to 1.
        truth: (n,) column of the true label.
    """

    probabilities: NDArray[np.floating]
    truth: NDArray[np.intp]

    @property
    def guess(self) -> NDArray[np.intp]:
        """(n,) column of the most probable label; of equal ones, the first."""
        return np.argmax(self.probabilities, axis=1)

    @property
    def confidence(self) -> NDArray[np.floating]:
        """(n,) probability of the guess, 0–1."""
        return self.probabilities.max(axis=1)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(n,) whether the guess is the truth."""
        return self.guess == self.truth

    def worst(self, count: int) -> NDArray[np.intp]:
        """Rows of the mistakes that the model was surest of, the surest first.

        Args:
            count: How many at most.
        """
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")][:count]

    def reliability(self, bins: int = CONFIDENCE_BINS) -> Reliability:
        """Confidence against accuracy, in intervals of confidence.

        Args:
            bins: Number of intervals of equal width, (0, 1/bins], (1/bins, 2/bins] …

        Raises:
            DataError: No interval.

        Source:
            Niculescu-Mizil & Caruana 2005, "Predicting Good Probabilities with Supervised
            Learning", https://doi.org/10.1145/1102351.1102430.
        """
        if bins < 1:
            raise DataError(f"`bins` must be 1 or more. Received {bins}. Type for example 15.")
        confidence = self.confidence.astype(np.float64)
        place = bin_of(confidence, bins)
        samples = np.bincount(place, minlength=bins)
        occupied = np.maximum(samples, 1)

        def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
            total = np.bincount(place, weights=values, minlength=bins)
            return np.where(samples > 0, total / occupied, np.nan)

        return Reliability(samples, mean(confidence), mean(self.right.astype(np.float64)))

    def coverage(self) -> Coverage:
        """Accuracy among the surest faces, for every number of them.

        Source:
            Geifman & El-Yaniv 2017, "Selective Classification for Deep Neural Networks",
            https://arxiv.org/abs/1705.08500.
        """
        surest = np.argsort(-self.confidence, kind="stable")
        answered = np.arange(1, len(surest) + 1)
        return Coverage(
            answered / len(surest),
            np.cumsum(self.right[surest]) / answered,
            self.confidence[surest],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """A reliability diagram.

    Attributes:
        samples: (bins,) faces in each interval of confidence.
        confidence: (bins,) their mean confidence; NaN where there is none.
        accuracy: (bins,) share of them that are right; NaN where there is none.
    """

    samples: NDArray[np.intp]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """What answering only the surest faces brings; row i is about the i + 1 surest ones.

    Attributes:
        coverage: (n,) share of the faces that are answered, rising to 1.
        accuracy: (n,) share of those that are right.
        confidence: (n,) the lowest confidence among them.
    """

    coverage: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    confidence: NDArray[np.floating]
