"""HOG and LBP: handcrafted features for classical models.

Faces in color are converted to gray first. Needs the extra `features`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy.errors import DataError, MissingExtraError, nearest
from emopy.models import InputSpec, to_pixels

Pixels = NDArray[np.uint8]


def hog_features(
    images: Pixels,
    *,
    orientations: int = 8,
    pixels_per_cell: tuple[int, int] = (8, 8),
    cells_per_block: tuple[int, int] = (2, 2),
) -> NDArray[np.float32]:
    """Histograms of oriented gradients.

    Args:
        images: (n, H, W, 1 | 3) uint8 faces of one size.
        orientations: Number of directions.
        pixels_per_cell: (height, width) of the area of a histogram, pixels.
        cells_per_block: (height, width) of the area that is normalized, cells.

    Returns:
        (n, features) float32, 0–1.

    Raises:
        DataError: Other images, or settings that do not fit their size.
        MissingExtraError: scikit-image is not installed.

    Source:
        Dalal & Triggs 2005, "Histograms of Oriented Gradients for Human Detection",
        https://doi.org/10.1109/CVPR.2005.177

    Example:
        >>> hog_features(np.zeros((3, 48, 48, 1), np.uint8)).shape
        (3, 800)
    """
    hog = _hog(images, orientations, pixels_per_cell, cells_per_block)
    return np.array([hog(face) for face in _gray(images)], np.float32)


def hog_images(
    images: Pixels,
    *,
    orientations: int = 8,
    pixels_per_cell: tuple[int, int] = (8, 8),
    cells_per_block: tuple[int, int] = (2, 2),
) -> Pixels:
    """Images of the gradients of `hog_features`; same settings and errors.

    Returns:
        (n, H, W) uint8; the longest stroke of each image is white.
    """
    hog = _hog(images, orientations, pixels_per_cell, cells_per_block)
    drawn = [hog(face, visualize=True)[1] for face in _gray(images)]
    return np.stack([_stretched(image, float(image.max())) for image in drawn])


def lbp_features(
    images: Pixels,
    *,
    radius: int = 1,
    n_points: int = 8,
    pixels_per_cell: tuple[int, int] = (8, 8),
) -> NDArray[np.float32]:
    """Histograms of local binary patterns.

    Textures are the rotation-invariant uniform patterns; each cell gives a histogram of
    ``n_points + 2`` bins that sums to 1.

    Args:
        images: (n, H, W, 1 | 3) uint8 faces of one size.
        radius: Of the circle of neighbors a pixel is compared with, pixels.
        n_points: Neighbors on that circle.
        pixels_per_cell: (height, width) of the area of a histogram, pixels.

    Returns:
        (n, features) float32, 0–1.

    Raises:
        DataError: Other images, or settings that do not fit their size.
        MissingExtraError: scikit-image is not installed.

    Source:
        Ojala et al. 2002, https://doi.org/10.1109/TPAMI.2002.1017623; cells: Ahonen et al. 2006,
        https://doi.org/10.1109/TPAMI.2006.244

    Example:
        >>> lbp_features(np.zeros((3, 48, 48, 1), np.uint8)).shape
        (3, 360)
    """
    codes = _patterns(images, radius, n_points)
    n, height, width = codes.shape
    tall, wide = _checked_cell(pixels_per_cell, height, width)
    down, across = height // tall, width // wide
    # The remainder that fills no cell is cropped evenly.
    top, left = (height - down * tall) // 2, (width - across * wide) // 2
    codes = codes[:, top : top + down * tall, left : left + across * wide]
    cells = codes.reshape(n, down, tall, across, wide).swapaxes(2, 3).reshape(-1, tall * wide)
    bins = n_points + 2
    shifted = cells + bins * np.arange(len(cells))[:, None]
    counts = np.bincount(shifted.ravel(), minlength=bins * len(cells))
    return (counts.reshape(n, -1) / (tall * wide)).astype(np.float32)


def lbp_images(images: Pixels, *, radius: int = 1, n_points: int = 8) -> Pixels:
    """The pattern at every pixel as a gray value; settings and errors as of `lbp_features`.

    Returns:
        (n, H, W) uint8: black is a bright spot, white a non-uniform pattern.
    """
    return _stretched(_patterns(images, radius, n_points), n_points + 1)


_KINDS: Mapping[str, tuple[Callable[..., NDArray[np.float32]], Callable[..., Pixels]]] = {
    "hog": (hog_features, hog_images),
    "lbp": (lbp_features, lbp_images),
}
_SETTINGS = {
    "hog": ("orientations", "pixels_per_cell", "cells_per_block"),
    "lbp": ("radius", "n_points", "pixels_per_cell"),
}


class FeatureExtractor:
    """Concatenates several kinds of features of the same faces.

    Args:
        images: (n, H, W, 1 | 3) uint8 faces of one size.

    Example:
        >>> extractor = FeatureExtractor(np.zeros((5, 48, 48, 1), np.uint8))
        >>> extractor.add_feature("hog", {"orientations": 8, "pixels_per_cell": (4, 4)})
        >>> extractor.add_feature("lbp")
        >>> extractor.extract().shape
        (5, 4232)
    """

    def __init__(self, images: Pixels) -> None:
        self._images = _checked(images)
        self._wanted: list[tuple[str, dict[str, Any]]] = []

    def add_feature(self, feature_type: str, params: Mapping[str, Any] | None = None) -> None:
        """Add a kind of features.

        Args:
            feature_type: ``"hog"`` or ``"lbp"``.
            params: Settings of `hog_features` or `lbp_features`; the others have their defaults.

        Raises:
            DataError: Unknown kind or setting.
        """
        if feature_type not in _KINDS:
            raise DataError(
                f"`feature_type` must be one of {', '.join(_KINDS)}. Received {feature_type!r}. "
                f"{nearest(feature_type, _KINDS)}"
            )
        for name in params or {}:
            if name not in _SETTINGS[feature_type]:
                raise DataError(
                    f"`params` must be settings of {feature_type}. Received {name!r}. "
                    f"{nearest(name, _SETTINGS[feature_type])}"
                )
        self._wanted.append((feature_type, dict(params or {})))

    def extract(self) -> NDArray[np.float32]:
        """All features of each face in one row, in the order they were added.

        Returns:
            (n, features) float32.

        Raises:
            DataError: None was asked for, or settings that do not suit the faces.
            MissingExtraError: scikit-image is not installed.
        """
        kinds = [_KINDS[kind][0](self._images, **params) for kind, params in self._asked()]
        return np.concatenate(kinds, axis=1)

    def images(self) -> Pixels:
        """The same as images, side by side; errors as of `extract`.

        Returns:
            (n, H, W · kinds) uint8.
        """
        drawn: list[Pixels] = []
        for kind, params in self._asked():
            shown = {k: v for k, v in params.items() if kind == "hog" or k != "pixels_per_cell"}
            drawn.append(_KINDS[kind][1](self._images, **shown))
        return np.concatenate(drawn, axis=2)

    def _asked(self) -> list[tuple[str, dict[str, Any]]]:
        if not self._wanted:
            raise DataError("No feature was asked for. Type for example: add_feature('hog')")
        return self._wanted


def _scikit_image() -> ModuleType:
    try:
        from skimage import feature
    except ImportError as error:
        raise MissingExtraError("Feature extraction", "features") from error
    return feature


def _checked(images: Pixels) -> Pixels:
    pixels = np.asarray(images)
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] not in (1, 3):
        raise DataError(
            "`images` must be uint8 faces (n, H, W, 1 or 3). "
            f"Received {pixels.dtype} of shape {pixels.shape}."
        )
    if not len(pixels) or min(pixels.shape[1:3]) < 8:
        raise DataError(
            "`images` must be one face or more, each 8 × 8 pixels or more. "
            f"Received shape {pixels.shape}."
        )
    return pixels


def _gray(images: Pixels) -> Pixels:
    """(n, H, W) uint8, gray as for prediction."""
    pixels = _checked(images)
    if pixels.shape[3] == 1:
        return pixels[..., 0]
    spec = InputSpec(pixels.shape[1], pixels.shape[2], channels=1)
    return to_pixels(pixels, spec)[..., 0]


def _patterns(images: Pixels, radius: int, n_points: int) -> NDArray[np.intp]:
    """(n, H, W) number of the uniform pattern at each pixel, 0 to n_points + 1."""
    local_binary_pattern = _scikit_image().local_binary_pattern
    if radius < 1 or n_points < 2:
        raise DataError(
            "`radius` must be 1 or more and `n_points` 2 or more. "
            f"Received {radius} and {n_points}."
        )
    faces = _gray(images)
    return np.stack(
        [local_binary_pattern(face, n_points, radius, "uniform").astype(np.intp) for face in faces]
    )


def _hog(
    images: Pixels, orientations: int, cell: tuple[int, int], block: tuple[int, int]
) -> Callable[..., Any]:
    """scikit-image's function with these settings, checked against the size of the faces."""
    hog = _scikit_image().hog
    height, width = _checked(images).shape[1:3]
    tall, wide = _checked_cell(cell, height, width)
    if orientations < 1 or min(block) < 1:
        raise DataError(
            "`orientations` and `cells_per_block` must be 1 or more. "
            f"Received {orientations} and {tuple(block)}."
        )
    if height // tall < block[0] or width // wide < block[1]:
        raise DataError(
            f"`cells_per_block` must fit into the {height // tall} × {width // wide} cells of a "
            f"face. Received {tuple(block)}. Choose smaller blocks or smaller cells."
        )
    return partial(
        hog, orientations=orientations, pixels_per_cell=cell, cells_per_block=tuple(block)
    )


def _checked_cell(cell: tuple[int, int], height: int, width: int) -> tuple[int, int]:
    tall, wide = cell
    if not (1 <= tall <= height and 1 <= wide <= width):
        raise DataError(
            f"`pixels_per_cell` must be (height, width) within {height} × {width} pixels. "
            f"Received {tuple(cell)}."
        )
    return tall, wide


def _stretched(values: NDArray[Any], largest: float) -> Pixels:
    return np.rint(values * (255 / largest if largest > 0 else 0)).astype(np.uint8)
