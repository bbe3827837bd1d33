"""Masks that hide parts of a face crop, and the map that the probabilities under them give."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError, nearest

Masks: TypeAlias = NDArray[np.float32]
"""(n, H, W), 0 (hidden) to 1 (visible)."""

DEFAULT_METHOD = "rise"
"""The method that deletion and insertion favor: docs/explanations.md."""

PATCH = 1 / 6
"""Side of an occluding patch, as a fraction of the shorter side of the crop."""

GRID = 7
"""Cells of a RISE mask along the shorter side of the crop, as in the paper."""

RISE_MASKS = 256
"""Masks of RISE. docs/explanations.md says what more of them would change."""


def occlusion_masks(height: int, width: int, rng: np.random.Generator) -> Masks:
    """Square patches at steps of half their side, each hidden in one mask; edges are covered alike.

    The random generator shifts the grid of patches by less than a step.

    Source:
        Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks",
        https://arxiv.org/abs/1311.2901.
    """
    side = max(2, round(PATCH * min(height, width)))
    step = max(1, side // 2)
    first = -side + 1 + rng.integers(0, step, size=2)
    tops, lefts = range(int(first[0]), height, step), range(int(first[1]), width, step)
    masks = np.ones((len(tops) * len(lefts), height, width), np.float32)
    corners = ((top, left) for top in tops for left in lefts)
    for mask, (top, left) in zip(masks, corners, strict=True):
        mask[max(top, 0) : top + side, max(left, 0) : left + side] = 0
    return masks


def rise_masks(
    height: int, width: int, rng: np.random.Generator, *, count: int = RISE_MASKS
) -> Masks:
    """Coarse random grids, half of their cells hidden, enlarged smoothly and shifted at random.

    Source:
        Petsiuk, Das and Saenko 2018, "RISE: Randomized Input Sampling for Explanation of
        Black-box Models", https://arxiv.org/abs/1806.07421.
    """
    cell = math.ceil(min(height, width) / GRID)
    rows, columns = math.ceil(height / cell), math.ceil(width / cell)
    size = (columns + 1) * cell, (rows + 1) * cell
    grids = (rng.random((count, rows + 1, columns + 1)) < 0.5).astype(np.float32)
    shifts = rng.integers(0, cell, size=(count, 2)).tolist()
    masks = np.empty((count, height, width), np.float32)
    for mask, grid, (top, left) in zip(masks, grids, shifts, strict=True):
        large = cast("Masks", cv2.resize(grid, size, interpolation=cv2.INTER_LINEAR))
        mask[...] = large[top : top + height, left : left + width]
    return masks


METHODS: Mapping[str, Callable[[int, int, np.random.Generator], Masks]] = {
    "rise": rise_masks,
    "occlusion": occlusion_masks,
}
"""Name of a method → the function that makes its masks from height, width and random generator."""


def make_masks(height: int, width: int, *, method: str, seed: int) -> Masks:
    """Make the masks of a method.

    Raises:
        InputError: An unknown method, or a bad seed.
    """
    if method not in METHODS:
        raise InputError(
            f"`method` must be {' or '.join(map(repr, METHODS))}. Received {method!r}. "
            f"{nearest(str(method), METHODS)}"
        )
    if type(seed) is not int or seed < 0:
        raise InputError(
            f"`seed` must be a whole number of 0 or more. Received {seed!r}. "
            "Type for example: `seed=0`"
        )
    return METHODS[method](height, width, np.random.default_rng(seed))
