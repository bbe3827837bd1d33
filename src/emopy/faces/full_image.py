"""For images that are face crops already: the whole image is the face."""

from __future__ import annotations

from emopy.faces.detect import register_detector
from emopy.types import Box, Face, RGBImage


@register_detector("full-image")
class FullImage:
    """Take every image for one face, framed as the model expects it.

    Nothing is searched and nothing is turned upright: `align_face` only resizes.

    Example:
        >>> import numpy as np
        >>> FullImage()(np.zeros((48, 40, 3), np.uint8))[0].box
        Box(left=0.0, top=0.0, right=40.0, bottom=48.0)
    """

    def __call__(self, image: RGBImage) -> tuple[Face, ...]:
        """Give one face whose box is the image.

        Args:
            image: (H, W, 3) uint8.
        """
        height, width = image.shape[:2]
        return (Face(Box(0.0, 0.0, float(width), float(height))),)
