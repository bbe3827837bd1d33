"""The old `FeatureExtractor`, which gave images unless asked for vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy.data import features


class FeatureExtractor(features.FeatureExtractor):
    """HOG and LBP features of faces.

    Args:
        images: (n, H, W) or (n, H, W, 1 | 3) uint8 faces of one size.
        return_2d_array: Give images instead of one row of numbers per face.
    """

    def __init__(self, images: NDArray[np.uint8], return_2d_array: bool = True) -> None:
        super().__init__(images[..., None] if np.ndim(images) == 3 else images)
        self.return_2d_array = return_2d_array

    def extract(self) -> NDArray[Any]:
        """Images (n, H, W · kinds), or features (n, features); errors as of `emopy`'s own."""
        return self.images() if self.return_2d_array else super().extract()
