"""Images with the faces marked, for `--draw`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy would slow down --help
    from emopy.types import ImageResult, RGBImage

GAP_PX = 12
SHEET_GRAY = 128


class Drawings:
    """Writes one PNG per image into a folder, named after the image, none twice."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: set[str] = set()
        self._files: list[Path] = []

    def add(self, source: str | bytes, result: ImageResult) -> Path:
        """Mark the faces of one image and write it.

        Args:
            source: The image as it was given to the model.
            result: What was found in it.

        Returns:
            The file written.
        """
        from emopy.media import read_image
        from emopy.present import draw_faces, save_image

        stem = "stdin" if isinstance(source, bytes) else Path(source).stem
        drawn = draw_faces(read_image(source), result)
        self._files.append(save_image(drawn, self._folder / f"{self._free_name(stem)}.png"))
        return self._files[-1]

    def add_sheet(self, name: str) -> Path:
        """Write one image that shows all those written so far."""
        from emopy.media import read_image
        from emopy.present import save_image

        sheet = tile([read_image(file) for file in self._files])
        return save_image(sheet, self._folder / f"{self._free_name(name)}.png")

    def _free_name(self, stem: str) -> str:
        name, number = stem, 1
        while name.casefold() in self._names:
            number += 1
            name = f"{stem}-{number}"
        self._names.add(name.casefold())
        return name


def tile(images: list[RGBImage]) -> RGBImage:
    """Lay images out in rows, on gray.

    Args:
        images: One or more (H, W, 3), of any sizes.

    Returns:
        (H, W, 3): cells as large as the largest image, about twice as many columns as rows.
    """
    import numpy as np

    columns = math.ceil(math.sqrt(2 * len(images)))
    rows = math.ceil(len(images) / columns)
    height = max(image.shape[0] for image in images) + GAP_PX
    width = max(image.shape[1] for image in images) + GAP_PX
    shape = (rows * height + GAP_PX, columns * width + GAP_PX, 3)
    sheet = np.full(shape, SHEET_GRAY, dtype=np.uint8)
    for index, image in enumerate(images):
        top = GAP_PX + index // columns * height
        left = GAP_PX + index % columns * width
        sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
    return sheet
