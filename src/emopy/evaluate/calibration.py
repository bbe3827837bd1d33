"""`calibrate`: find the temperature that makes a model's probabilities mean what they say."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.errors import DataError
from emopy.evaluate.evaluation import compute_logits, shift_for, writable
from emopy.evaluate.report import make_report
from emopy.models import Prior, softmax, update_card

LOWEST, HIGHEST = 0.05, 20.0
"""Bounds of the search. A model that is never wrong on the data would want 0."""

_GOLDEN = (math.sqrt(5) - 1) / 2
_PRECISION = 1e-6


def calibrate(
    model_folder: str | Path, dataset: Dataset, *, prior: Prior = "training", threads: int = 1
) -> float:
    """Find a model's temperature on faces apart and write it into the model's card.

    Trained networks are surer than they are right. Dividing the logits by one number mends
    most of that and never changes which label wins. The card also notes on how many faces it
    was found, and the calibration error before and after. On few faces that are all right it
    stays as sure as their number allows. Figures recorded with another temperature no longer hold
    and are taken off the card: evaluate again.

    Args:
        model_folder: Folder of your own model.
        dataset: Faces that took no part in training; evaluate on other ones afterwards. Soft
            targets are welcome.
        prior: How often each emotion is met in `dataset`, where that is not as in training: for
            a network that learnt from balanced draws, say, or for posed faces; see `FERModel`.
        threads: CPU threads for the network.

    Returns:
        The temperature; above 1 where the model was too sure.

    Raises:
        ModelError: The folder may not be written to, or is no model.
        LabelError: The data have labels that the model lacks.
        DataError: No faces.
        InputError: A bad prior.

    Source:
        Guo et al. 2017, "On Calibration of Modern Neural Networks",
        https://arxiv.org/abs/1706.04599, section 4.2.
    """
    folder = writable(model_folder, threads=threads)
    logits = compute_logits(folder, dataset)
    shift = shift_for(folder.card, dataset.labels, prior)
    temperature = _at_least(find_temperature(logits, dataset.targets, shift), logits, shift)
    before, after = (
        make_report(softmax(logits / t + shift), dataset.truth, dataset.labels, temperature=t)
        for t in (1.0, temperature)
    )
    note = {
        "samples": len(dataset),
        "temperature": temperature,
        "ece_before": before.ece,
        "ece_after": after.ece,
        "log_loss_before": before.log_loss,
        "log_loss_after": after.log_loss,
    }
    card = folder.card.changed(
        temperature=temperature,
        training={**folder.card.training, "calibration": note},
        metrics={
            data: figures
            for data, figures in folder.card.metrics.items()
            if figures.get("temperature") == temperature
        },
    )
    update_card(folder.path, card)
    return temperature


def _at_least(
    temperature: float, logits: NDArray[np.floating], shift: NDArray[np.float64]
) -> float:
    """The temperature, raised where so few faces cannot show that a model is so rarely wrong.

    Source:
        The rule of succession: n of n right leave a chance of (n + 1) / (n + 2) for the next one
        (Laplace 1774).
    """
    surest = (len(logits) + 1) / (len(logits) + 2)

    def confidence(t: float) -> float:
        return float(softmax(logits / t + shift).max(axis=1).mean())

    if confidence(temperature) <= surest:
        return temperature
    low, high = temperature, HIGHEST
    while high - low > _PRECISION:
        middle = (low + high) / 2
        low, high = (middle, high) if confidence(middle) > surest else (low, middle)
    return high


def find_temperature(
    logits: NDArray[np.floating],
    targets: NDArray[np.floating],
    shift: NDArray[np.floating] | None = None,
) -> float:
    """The temperature with the least negative log-likelihood.

    Args:
        logits: (n, k).
        targets: (n, k), each row sums to 1; one-hot or soft.
        shift: (k,) finite, added to the logits after they are divided; none by default.

    Returns:
        Between `LOWEST` and `HIGHEST`.

    Raises:
        DataError: Shapes differ, no rows, or logits that are not finite.

    Source:
        The likelihood is convex in 1 / temperature, so it has one valley, which golden-section
        search finds: Kiefer 1953, https://doi.org/10.1090/S0002-9939-1953-0055639-3.
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
            "`shift` must be finite numbers. Received infinite ones or NaN. Give each emotion a "
            "share above 0, or keep the others with Dataset.only."
        )
    centred = logits.astype(np.float64)
    centred -= centred.max(axis=1, keepdims=True)
    added = np.zeros(centred.shape[1]) if shift is None else shift.astype(np.float64)
    wanted = float(np.mean(np.sum(targets * centred, axis=1)))

    def loss(log_temperature: float) -> float:
        scale = math.exp(-log_temperature)
        return float(np.mean(_log_sum_exp(centred * scale + added))) - wanted * scale

    return math.exp(_golden_section(loss, math.log(LOWEST), math.log(HIGHEST)))


def _log_sum_exp(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    highest = logits.max(axis=1)
    return np.log(np.exp(logits - highest[:, None]).sum(axis=1)) + highest


def _golden_section(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is least, to `_PRECISION`."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > _PRECISION:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
    return (low + high) / 2
