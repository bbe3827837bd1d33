"""`Explanation`: how much each pixel of a face raises or lowers the probability of an emotion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy.errors import LabelError, nearest
from emopy.faces import FRAMING
from emopy.labels import canonical
from emopy.media import ImageSource, read_image
from emopy.models import InputSpec
from emopy.present.draw import image_file
from emopy.types import Face, Prediction, round_number

Map: TypeAlias = NDArray[np.float32]
"""(H, W): positive where the pixel raises the probability of the emotion, negative where it lowers
it, in log-odds."""

REGIONS = ("brows and eyes", "nose and cheeks", "mouth and chin")
"""Bands of an aligned face from top to bottom, parted halfway between eyes, nose and mouth."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Explanation:
    """How much each pixel of a face crop raises or lowers the probability of an emotion.

    The unit of the maps is the log-odds, ln(p / (1 - p)): how much higher they are with the pixel
    visible than hidden. +0.7 doubles the odds, -0.7 halves them. The maps describe the model, not
    the person, and not whether the prediction is correct.

    Attributes:
        maps: For each emotion asked for, in that order, (H, W) float32 in pixels of the crop.
        prediction: Predicted expression of the face.
        method: ``"rise"`` or ``"occlusion"``.
        seed: Seed of the masks.
        masks: Number of masked crops that the model ran on.
        transform: (2, 3) float64 matrix from pixels of the image to pixels of the crop; the center
            of the first pixel is (0.5, 0.5) in both.
        size: (width, height) of the image in pixels.
        spec: Input of the model: size and framing of the crop.
        face: The face; None where a crop was given.
        source: Where the image came from, see `ImageResult.source`.
    """

    maps: Mapping[str, Map]
    prediction: Prediction
    method: str
    seed: int
    masks: int
    transform: NDArray[np.float64]
    size: tuple[int, int]
    spec: InputSpec
    face: Face | None = None
    source: str = "<array>"

    @property
    def map(self) -> Map:
        """The map of the first emotion asked for."""
        return next(iter(self.maps.values()))

    def on_image(self, emotion: str | None = None) -> Map:
        """Place a map on the image.

        Args:
            emotion: One that was asked for; None is the first.

        Returns:
            (H, W) float32 of the size of the image. It is NaN outside the crop of the face: the
            model does not see these pixels, so that they have no effect, not even one of 0.

        Raises:
            LabelError: An emotion that was not asked for.
        """
        found = self.map if emotion is None else self.maps[self._asked(emotion)]
        pixels = self.transform.copy()
        pixels[:, 2] += pixels[:, :2] @ (0.5, 0.5) - 0.5  # OpenCV starts at the center of a pixel
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        placed = cv2.warpAffine(
            found, pixels, self.size, flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        inside = cv2.warpAffine(np.ones(found.shape, np.uint8), pixels, self.size, flags=flags)
        return np.where(inside > 0, placed, np.float32(np.nan)).astype(np.float32)

    def show(self, image: ImageSource | None = None) -> Image.Image:
        """Return a drawing of the maps over the face; a notebook shows it.

        It is a row of `draw_explanations`.

        Args:
            image: The image that was explained, see `FERModel.explain`; None reads the file
                `source`.

        Raises:
            InputError: None, and `source` is no image file; or another image.
        """
        from emopy.explain.draw import draw_explanations

        if image is None:
            image = image_file(self.source, instead="explanation.show(image)")
        return Image.fromarray(draw_explanations(read_image(image), [self]))

    def by_region(self, emotion: str | None = None) -> dict[str, float]:
        """Return the mean of a map over each of `REGIONS`.

        The regions are those of a typical face in the framing of the model.

        Args:
            emotion: One that was asked for; None is the first.

        Raises:
            LabelError: An emotion that was not asked for.
        """
        found = self.map if emotion is None else self.maps[self._asked(emotion)]
        rows = _region_rows(self.spec)
        return {
            region: float(band.mean()) if band.size else 0.0
            for region, band in zip(REGIONS, np.split(found, rows), strict=True)
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as an object that JSON can hold.

        Returns:
            Keys: ``method``, ``seed``, ``masks``, ``transform`` and ``emotions``, which has for
            each emotion asked for its ``probability``, ``regions`` and ``map`` (rows of numbers of
            six significant digits).
        """
        probabilities = self.prediction.to_dict()
        return {
            "method": self.method,
            "seed": self.seed,
            "masks": self.masks,
            "transform": [[*map(round_number, row)] for row in self.transform],
            "emotions": {
                emotion: {
                    "probability": round_number(probabilities[emotion]),
                    "regions": {
                        name: round_number(mean) for name, mean in self.by_region(emotion).items()
                    },
                    "map": [[*map(round_number, row)] for row in found],
                }
                for emotion, found in self.maps.items()
            },
        }

    def __repr__(self) -> str:
        regions = ", ".join(f"{name} {mean:+.2f}" for name, mean in self.by_region().items())
        return f"Explanation({next(iter(self.maps))}: {regions}; {self.method}, seed {self.seed})"

    def _asked(self, emotion: str) -> str:
        for label in self.maps:
            if canonical(label) == canonical(emotion):
                return label
        raise LabelError(
            f"`emotion` must be one that was explained. Received {emotion!r}. "
            f"{nearest(emotion, self.maps)}"
        )


def _region_rows(spec: InputSpec) -> list[int]:
    """Rows of the crop at which the second and the third region start."""
    eyes, nose, mouth = FRAMING[0, 1], FRAMING[2, 1], FRAMING[3, 1]
    borders = np.array([(eyes + nose) / 2, (nose + mouth) / 2])
    side = min(spec.height, spec.width)
    inside = (borders + spec.margin) / (1 + 2 * spec.margin) * side + (spec.height - side) / 2
    return cast("list[int]", np.clip(np.rint(inside), 0, spec.height).astype(int).tolist())
