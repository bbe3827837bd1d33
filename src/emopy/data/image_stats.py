"""`ImageStats`: how images were before a loader brought them to one size."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from emopy.types import RGBImage


@dataclass(slots=True)
class ImageStats:
    """Sizes and colours of the files that a loader read, noted while it read them.

    Attributes:
        sizes: How many images have each (width, height), in pixels.
        colour: How many are in colour; the others are gray.
    """

    sizes: Counter[tuple[int, int]] = field(default_factory=Counter[tuple[int, int]])
    colour: int = 0

    def __len__(self) -> int:
        return self.sizes.total()

    def add(self, image: RGBImage) -> None:
        """Note one image, (H, W, 3)."""
        height, width = image.shape[:2]
        self.sizes[width, height] += 1
        self.colour += bool(np.any(image != image[..., :1]))

    def smaller_than(self, width: float, height: float) -> int:
        """How many are less wide or less high than that, in pixels."""
        return sum(n for (w, h), n in self.sizes.items() if w < width or h < height)

    def longer_than(self, ratio: float) -> int:
        """How many have a longer side of more than `ratio` times the shorter one."""
        return sum(n for (w, h), n in self.sizes.items() if max(w, h) > ratio * min(w, h))

    def __str__(self) -> str:
        if not self.sizes:
            return "none"
        (usual, often), *others = self.sizes.most_common()
        text = f"{usual[0]} × {usual[1]} pixels"
        if others:
            widths, heights = zip(*self.sizes, strict=True)
            text = (
                f"{min(widths)}–{max(widths)} pixels wide, {min(heights)}–{max(heights)} high, "
                f"most often {usual[0]} × {usual[1]} ({often / len(self):.0%})"
            )
        gray = len(self) - self.colour
        kinds = {"all gray": not self.colour, "all in colour": not gray}
        tint = next((words for words, true in kinds.items() if true), None)
        return f"{text}; {tint or f'{gray:,} gray, {self.colour:,} in colour'}"
