"""The frozen records that travel between the rooms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError

RGBImage = NDArray[np.uint8]
"""An image: (H, W, 3) uint8, red first. The only colour order inside EmoPy."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the image; right and bottom are excluded.

    A box may reach beyond the image: a face cut by the border keeps its true size.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        edges = (self.left, self.top, self.right, self.bottom)
        if not all(math.isfinite(edge) for edge in edges):
            raise InputError(f"`Box` must have finite edges. Received {edges}.")
        if self.right <= self.left or self.bottom <= self.top:
            raise InputError(
                f"`Box` must have left < right and top < bottom. Received {edges}. "
                "Give edges as Box(left, top, right, bottom), not as width and height."
            )

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def center(self) -> tuple[float, float]:
        """Middle of the box as (x, y) in pixels."""
        return ((self.left + self.right) / 2, (self.top + self.bottom) / 2)


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face that a detector found.

    Attributes:
        box: Where it is.
        score: The detector's certainty that this is a face, 0–1.
        landmarks: (5, 2) float32 pixels (x, y): left eye, right eye, nose tip, left and right
            mouth corner, as seen in the image (the left eye has the smaller x when the head
            is upright); None where the detector gives none.
        track: Number that stays with a person through a video, or None.
    """

    box: Box
    score: float = 1.0
    landmarks: NDArray[np.float32] | None = None
    track: int | None = None

    def __post_init__(self) -> None:
        if self.landmarks is not None and self.landmarks.shape != (5, 2):
            raise InputError(
                "`landmarks` must have shape (5, 2): eyes, nose tip, mouth corners. "
                f"Received shape {self.landmarks.shape}."
            )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Prediction:
    """What one face shows.

    Attributes:
        labels: Names of the n emotions asked for, in the user's order.
        probabilities: (n,) float32, sum 1: how the model's belief is shared among them.
        min_confidence: Confidence below which no emotion is named, 0–1.
    """

    labels: tuple[str, ...]
    probabilities: NDArray[np.float32]
    min_confidence: float = 0.0

    def __post_init__(self) -> None:
        if self.probabilities.shape != (len(self.labels),):
            raise InputError(
                f"`probabilities` must have shape ({len(self.labels)},), one per label. "
                f"Received shape {self.probabilities.shape}."
            )

    def __repr__(self) -> str:
        shares = ", ".join(f"{label} {share:.1%}" for label, share in self.top(len(self.labels)))
        return f"Prediction({shares})"

    @property
    def emotion(self) -> str | None:
        """The most probable label; None ("not sure") below `min_confidence`."""
        if self.confidence < self.min_confidence:
            return None
        return self.labels[int(np.argmax(self.probabilities))]

    @property
    def confidence(self) -> float:
        """Probability of the most probable label, 0–1."""
        return float(np.max(self.probabilities))

    @property
    def entropy(self) -> float:
        """How mixed the belief is, in nats: 0 for one sure label, ln n for n equal ones.

        Source: Shannon 1948, https://doi.org/10.1002/j.1538-7305.1948.tb01338.x.
        """
        shares = self.probabilities[self.probabilities > 0].astype(np.float64)
        return max(0.0, float(-np.sum(shares * np.log(shares))))

    def as_dict(self) -> dict[str, float]:
        """All labels with their probabilities, in the user's order."""
        return {label: float(p) for label, p in zip(self.labels, self.probabilities, strict=True)}

    def top(self, k: int) -> tuple[tuple[str, float], ...]:
        """The k most probable labels with their probabilities, most probable first."""
        order: list[int] = np.argsort(-self.probabilities, kind="stable")[:k].tolist()
        return tuple((self.labels[i], float(self.probabilities[i])) for i in order)


@dataclass(frozen=True, slots=True, eq=False)
class FacePrediction:
    """A face and what it shows."""

    face: Face
    prediction: Prediction

    @property
    def box(self) -> Box:
        """Where the face is."""
        return self.face.box

    @property
    def emotion(self) -> str | None:
        """The most probable label; None where the model is not sure enough."""
        return self.prediction.emotion

    @property
    def track(self) -> int | None:
        """Number that stays with a person through a video; None in an image."""
        return self.face.track

    @property
    def confidence(self) -> float:
        """Probability of the most probable label, 0–1."""
        return self.prediction.confidence

    @property
    def probabilities(self) -> dict[str, float]:
        """All labels with their probabilities, in the user's order."""
        return self.prediction.as_dict()


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image of a video.

    Attributes:
        image: (H, W, 3) uint8 RGB, upright.
        time_s: When it is shown, in seconds from the start of the video.
        number: Its place among all frames of the video, from 0; frames left out are counted.
    """

    image: RGBImage
    time_s: float
    number: int


@dataclass(frozen=True, slots=True, eq=False)
class ImageResult:
    """Every face of one image or video frame. No face is an empty tuple, not an error.

    Attributes:
        source: Where the image came from: a path, ``"<bytes>"``, ``"<array>"`` ….
        size: (width, height) in pixels, after EXIF orientation.
        faces: Largest face first.
        time_s: Presentation time of a video frame in seconds; None for an image.
        frame: Number of a video frame, from 0, see `Frame.number`; None for an image.
    """

    source: str
    size: tuple[int, int]
    faces: tuple[FacePrediction, ...] = ()
    time_s: float | None = None
    frame: int | None = None


@dataclass(frozen=True, slots=True)
class FailedInput:
    """One input among many that could not be read; the others are not lost.

    Attributes:
        source: Where it came from.
        error: The reason, ready to be shown to the user.
    """

    source: str
    error: Exception
