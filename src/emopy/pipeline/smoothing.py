"""`Smoother`: exponential smoothing of the probabilities of each track over time."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError
from emopy.types import Prediction

_MIN_PROBABILITY = 1e-7
"""Smallest probability whose logarithm is taken."""


class Smoother:
    """Smooth the probabilities of each track over time, so that its label does not flicker.

    Logits move towards the new ones by 1 − exp(−Δt / time constant): an exponential average whose
    effect does not depend on the frame rate. After a long gap the past has no weight.

    Args:
        time_constant_s: Seconds after which a change has come through to 63 %; 0 is off.

    Raises:
        InputError: `time_constant_s` is negative or not a finite number.

    Source:
        Exponential smoothing of unevenly spaced times: Wright 1986,
        https://doi.org/10.1287/mnsc.32.4.499.
    """

    def __init__(self, time_constant_s: float) -> None:
        if not (math.isfinite(time_constant_s) and time_constant_s >= 0):
            raise InputError(
                "`smoothing_s` must be a time of 0 or more seconds. "
                f"Received {time_constant_s}. Type 0 for none."
            )
        self._time_constant_s = time_constant_s
        self._states: dict[int | None, tuple[float, NDArray[np.float64]]] = {}

    def __call__(self, prediction: Prediction, track: int | None, time_s: float) -> Prediction:
        """Return the prediction of one face smoothed; unchanged where it has no track number."""
        if self._time_constant_s == 0 or track is None:
            return prediction
        # Logits up to a constant, which cancels in the normalization below.
        logits = np.log(np.maximum(prediction.probabilities.astype(np.float64), _MIN_PROBABILITY))
        if track in self._states:
            last_s, smoothed = self._states[track]
            gain = 1 - math.exp(-max(0.0, time_s - last_s) / self._time_constant_s)
            logits = smoothed + gain * (logits - smoothed)
        self._states[track] = (time_s, logits)
        powers = np.where(prediction.probabilities > 0, np.exp(logits - logits.max()), 0.0)
        return replace(prediction, probabilities=(powers / powers.sum()).astype(np.float32))

    def forget(self, *, before_s: float) -> None:
        """Forget the tracks that were last seen before a time."""
        self._states = {
            track: state for track, state in self._states.items() if state[0] >= before_s
        }
