"""`Smoother`: what a face shows, steadied over time."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError
from emopy.types import Prediction

_FLOOR = 1e-7
"""Smallest share whose logarithm is taken."""


class Smoother:
    """Steadies the probabilities of each track, so that its label does not flicker.

    Logits move towards the new ones by 1 − exp(−Δt / time constant): an exponential average
    whose effect does not depend on the frame rate. After a long gap the past counts for nothing.

    Args:
        time_constant_s: Seconds after which a change has come through to 63 %; 0 is off.

    Raises:
        InputError: A negative time, or none at all.

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
        self._past: dict[int | None, tuple[float, NDArray[np.float64]]] = {}

    def __call__(self, prediction: Prediction, track: int | None, time_s: float) -> Prediction:
        """Steady one prediction.

        Args:
            prediction: What the network alone says of this frame.
            track: Whose face it is; without a number it stays as it is.
            time_s: When.
        """
        if self._time_constant_s == 0 or track is None:
            return prediction
        # Logits but for a constant, which the normalisation below takes out again.
        logits = np.log(np.maximum(prediction.probabilities.astype(np.float64), _FLOOR))
        if track in self._past:
            before_s, past = self._past[track]
            gain = 1 - math.exp(-max(0.0, time_s - before_s) / self._time_constant_s)
            logits = past + gain * (logits - past)
        self._past[track] = (time_s, logits)
        shares = np.where(prediction.probabilities > 0, np.exp(logits - logits.max()), 0.0)
        return replace(prediction, probabilities=(shares / shares.sum()).astype(np.float32))

    def forget(self, *, before_s: float) -> None:
        """Drop the tracks last seen before that time."""
        gone = [track for track, (time_s, _) in self._past.items() if time_s < before_s]
        for track in gone:
            del self._past[track]
