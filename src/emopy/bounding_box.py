"""`Box`: a rectangle in an image."""

from __future__ import annotations

import math
from dataclasses import dataclass

from emopy.errors import InputError

EDGES = ("left", "top", "right", "bottom")
"""Edges of a box, in the order in which they are written everywhere."""


@dataclass(frozen=True, slots=True, repr=False)
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
        try:
            finite = all(map(math.isfinite, edges))
        except TypeError:
            raise InputError(f"`Box` must have numbers as edges. Received {edges}.") from None
        if not finite:
            raise InputError(f"`Box` must have finite edges. Received {edges}.")
        if self.right <= self.left or self.bottom <= self.top:
            raise InputError(
                f"`Box` must have left < right and top < bottom. Received {edges}. "
                "Give edges as Box(left, top, right, bottom), not as width and height."
            )

    def __repr__(self) -> str:
        return f"Box({', '.join(f'{edge}={getattr(self, edge):.1f}' for edge in EDGES)})"

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

    def iou(self, other: Box) -> float:
        """Intersection over union with another box, 0–1."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        shared = max(0.0, width) * max(0.0, height)
        return shared / (self.width * self.height + other.width * other.height - shared)
