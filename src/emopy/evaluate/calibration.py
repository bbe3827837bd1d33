"""`calibrate`: fit a model's temperature (temperature scaling)."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.errors import DataError, InputError
from emopy.evaluate.evaluation import compute_logits, label_shift, load_writable_model
from emopy.evaluate.report import make_report
from emopy.models import ModelCard, Prior, softmax, update_card

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
"""Bounds of the search. The best temperature of a model without errors would be 0."""

_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2
_TOLERANCE = 1e-6


def calibrate(
    model_folder: str | Path, dataset: Dataset, *, prior: Prior = "training", threads: int = 1
) -> float:
    """Fit a model's temperature on held-out faces and write it into the model's card.

    Trained models are overconfident. Dividing the logits by one number corrects most of that. With
    the prior of the training data it never changes the predicted label; with another prior it may
    change a few. The card also stores the number of faces, and the expected calibration error and
    log loss before and after. On a few faces without errors, the mean confidence is limited to what
    their number supports. Metrics recorded with another temperature are removed from the card:
    evaluate again.

    Args:
        model_folder: Folder of your own model.
        dataset: Faces that were not used for training; evaluate on others afterwards. Targets may
            be soft.
        prior: Label frequencies in `dataset` where they differ from training, such as after
            class-balanced sampling; see `FERModel`.
        threads: CPU threads for the model.

    Returns:
        The temperature; above 1 where the model was overconfident.

    Raises:
        ModelError: The folder is read-only or not a model.
        LabelError: The data have labels that the model does not know.
        DataError: No faces.
        InputError: An invalid prior.

    Source:
        Guo et al. 2017, "On Calibration of Modern Neural Networks",
        https://arxiv.org/abs/1706.04599, section 4.2.
    """
    folder = load_writable_model(model_folder, threads=threads)
    logits = compute_logits(folder, dataset)
    shift = label_shift(folder.card, dataset.labels, prior)
    if not np.isfinite(shift).all():
        raise InputError(
            "`prior` must be above 0 for each label of the data. Received 0 for "
            f"{', '.join(np.array(dataset.labels)[np.isinf(shift)])}. Give the proportions of the "
            "data, or remove the samples of that label."
        )
    temperature = _limit_confidence(fit_temperature(logits, dataset.targets, shift), logits, shift)
    before, after = (
        make_report(softmax(logits / t + shift), dataset.truth, dataset.labels, temperature=t)
        for t in (1.0, temperature)
    )
    summary = {
        "samples": len(dataset),
        "temperature": temperature,
        "ece_before": before.ece,
        "ece_after": after.ece,
        "log_loss_before": before.log_loss,
        "log_loss_after": after.log_loss,
    }

    def calibrated(card: ModelCard) -> ModelCard:
        metrics = card.metrics.items()
        return card.changed(
            temperature=temperature,
            training={**card.training, "calibration": summary},
            metrics={
                data: each for data, each in metrics if each.get("temperature") == temperature
            },
        )

    update_card(folder.path, calibrated)
    return temperature


def _limit_confidence(
    temperature: float, logits: NDArray[np.floating], shift: NDArray[np.float64]
) -> float:
    """The temperature, raised until the mean confidence is at most (n + 1) / (n + 2).

    Source:
        The rule of succession: after n of n correct, the next is correct with probability
        (n + 1) / (n + 2) (Laplace 1774).
    """
    max_confidence = (len(logits) + 1) / (len(logits) + 2)

    def confidence(t: float) -> float:
        return float(softmax(logits / t + shift).max(axis=1).mean())

    if confidence(temperature) <= max_confidence:
        return temperature
    low, high = temperature, MAX_TEMPERATURE
    while high - low > _TOLERANCE:
        middle = (low + high) / 2
        low, high = (middle, high) if confidence(middle) > max_confidence else (low, middle)
    return high


def fit_temperature(
    logits: NDArray[np.floating],
    targets: NDArray[np.floating],
    shift: NDArray[np.floating] | None = None,
) -> float:
    """The temperature, 0.05 to 20, with the least negative log-likelihood.

    Args:
        logits: (n, k).
        targets: (n, k), each row sums to 1; one-hot or soft.
        shift: (k,) finite, added to the logits after they are divided; none by default.

    Raises:
        DataError: Shapes differ, no rows, or logits that are not finite.

    Source:
        The negative log-likelihood is convex in 1 / temperature, so golden-section search finds
        its minimum: Kiefer 1953, https://doi.org/10.1090/S0002-9939-1953-0055639-3.
    """
    if logits.ndim != 2 or logits.shape != targets.shape or not len(logits):
        raise DataError(
            "`logits` and `targets` must both have shape (n, k), n 1 or more. "
            f"Received {logits.shape} and {targets.shape}."
        )
    if not np.all(np.isfinite(logits)):
        raise DataError("`logits` must be finite numbers. Received infinite ones or NaN.")
    if shift is not None and not np.all(np.isfinite(shift)):
        raise DataError(
            "`shift` must be finite numbers. Received infinite ones or NaN. Give each label a "
            "frequency above 0, or remove its samples."
        )
    centered = logits.astype(np.float64)
    centered -= centered.max(axis=1, keepdims=True)
    offset = np.zeros(centered.shape[1]) if shift is None else shift.astype(np.float64)
    expected = float(np.mean(np.sum(targets * centered, axis=1)))

    def loss(log_temperature: float) -> float:
        scale = math.exp(-log_temperature)
        return float(np.mean(_log_sum_exp(centered * scale + offset))) - expected * scale

    return math.exp(_golden_section(loss, math.log(MIN_TEMPERATURE), math.log(MAX_TEMPERATURE)))


def _log_sum_exp(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    highest = logits.max(axis=1)
    return np.log(np.exp(logits - highest[:, None]).sum(axis=1)) + highest


def _golden_section(function: Callable[[float], float], low: float, high: float) -> float:
    """Argument of the minimum of a unimodal function, to `_TOLERANCE`."""
    left, right = high - _GOLDEN_RATIO * (high - low), low + _GOLDEN_RATIO * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > _TOLERANCE:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN_RATIO * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN_RATIO * (high - low)
            at_right = function(right)
    return (low + high) / 2
