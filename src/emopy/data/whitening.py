"""ZCA whitening: decorrelate the pixels of faces.

For experiments only. A model card cannot hold the matrix (2,304 × 2,304 numbers for faces of 48 ×
48 pixels), so a network trained on whitened faces cannot be exported; batch normalization has a
similar effect and can.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emopy.errors import DataError

_MAX_SIZE = 128 * 128
"""Largest number of values per face; the matrix takes 1 GB of float32."""


@dataclass(frozen=True, eq=False)
class Whitening:
    """A linear map that decorrelates the pixels of the faces it was fitted on.

    Attributes:
        mean: (d,) float32, the average face; d = H · W · C.
        matrix: (d, d) float32, symmetric.
        shape: (H, W, C) of a face.

    Source:
        Bell & Sejnowski 1997, "The 'independent components' of natural scenes are edge filters",
        https://doi.org/10.1016/S0042-6989(97)00121-1
    """

    mean: NDArray[np.float32] = field(repr=False)
    matrix: NDArray[np.float32] = field(repr=False)
    shape: tuple[int, int, int]

    @classmethod
    def fit(cls, images: NDArray[np.floating | np.uint8], epsilon: float = 1e-6) -> Whitening:
        """Fit the map on training faces.

        Args:
            images: (n, H, W, C), or clips (n, T, H, W, C), whose frames count separately.
            epsilon: Added to each variance, so that directions without variance are not amplified;
                in squared units of the images: 1e-6 is for standardized images.

        Raises:
            DataError: Fewer than two faces, another shape, too large faces, or no such epsilon.
        """
        _check(images)
        if not epsilon > 0:
            raise DataError(f"`epsilon` must be positive. Received {epsilon}.")
        height, width, channels = images.shape[-3:]
        flat = images.reshape(-1, height * width * channels).astype(np.float32)
        mean = flat.mean(axis=0)
        flat -= mean
        covariance = (flat.T @ flat).astype(np.float64) / len(flat)
        variances, directions = np.linalg.eigh(covariance)
        gains = 1 / np.sqrt(np.maximum(variances, 0) + epsilon)
        matrix = (directions * gains) @ directions.T
        return cls(mean, matrix.astype(np.float32), (height, width, channels))

    def apply(self, images: NDArray[np.floating | np.uint8]) -> NDArray[np.float32]:
        """Whiten faces or clips of the fitted size and scale.

        Returns:
            float32 of the same shape.

        Raises:
            DataError: Faces of another size.
        """
        if images.shape[-3:] != self.shape:
            raise DataError(
                f"`images` must have faces of shape {self.shape}. Received {images.shape[-3:]}. "
                "Fit the whitening on faces of that shape."
            )
        flat: NDArray[np.float32] = images.reshape(-1, len(self.mean)).astype(np.float32)
        whitened = (flat - self.mean) @ self.matrix
        return whitened.astype(np.float32, copy=False).reshape(images.shape)


def _check(images: NDArray[np.floating | np.uint8]) -> None:
    if images.ndim not in (4, 5) or len(images) < 2:
        raise DataError(
            "`images` must be two faces or more, (n, H, W, C) or (n, T, H, W, C). "
            f"Received shape {images.shape}."
        )
    size = int(np.prod(images.shape[-3:]))
    if size > _MAX_SIZE:
        raise DataError(
            f"`images` must have at most {_MAX_SIZE:,} numbers per face for ZCA whitening. "
            f"Received {size:,}. Use smaller or gray faces."
        )
