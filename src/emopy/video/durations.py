"""`Durations`: how long each frame of a video counts."""

from __future__ import annotations

import math

from emopy.errors import InputError
from emopy.types import ImageResult

_LONGEST_S = 1.0
"""Seconds for which a frame may stand, whatever the rate."""

_LONGEST_STEPS = 3
"""Usual steps for which a frame may stand."""

_MEMORY = 8
"""Steps over which the usual one is averaged."""


class Durations:
    """Follows the times of the frames that are read.

    A frame counts until the next one that is read. Where none is read for long (damage, a cut
    recording), it counts for three usual steps, or for one second if that is longer.

    Attributes:
        start_s: Time of the first frame; None before it.
        time_s: Time of the newest frame; None before the first.
        usual_s: The usual step, an average of the last ones in seconds; 0 before the second frame.
    """

    def __init__(self) -> None:
        self.start_s: float | None = None
        self.time_s: float | None = None
        self.usual_s = 0.0

    @property
    def longest_s(self) -> float:
        """The most that a frame counts now, in seconds."""
        return max(_LONGEST_S, _LONGEST_STEPS * self.usual_s)

    def take(self, result: ImageResult) -> float:
        """Go on to the next frame.

        Returns:
            Seconds for which the frame before it counts; 0 for the first.

        Raises:
            InputError: An image without a time, an earlier time than before, or a face without
                a track.
        """
        time_s = _checked(result)
        if self.start_s is None or self.time_s is None:
            self.start_s = self.time_s = time_s
            return 0.0
        if time_s < self.time_s:
            raise InputError(
                "`result` must come in the order of time. "
                f"Received {time_s:.3f} s after {self.time_s:.3f} s. Begin anew for another video."
            )
        step = time_s - self.time_s
        if self.usual_s:
            step = min(step, self.longest_s)
        self.usual_s += (step - self.usual_s) / (_MEMORY if self.usual_s else 1)
        self.time_s = time_s
        return step


def _checked(result: ImageResult) -> float:
    if result.time_s is None or not math.isfinite(result.time_s):
        raise InputError(
            f"`result` must be a video frame with a time. Received {result.source!r} with "
            f"{result.time_s}. Use FERModel.predict_video to make such."
        )
    if any(face.face.track is None for face in result.faces):
        raise InputError(
            f"`result` must have faces with track numbers. Received {result.source!r} with a "
            "face that has none. Use FERModel.predict_video to make such."
        )
    return float(result.time_s)
