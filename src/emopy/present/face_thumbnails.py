"""One small image of each face in a video, the best seen so far."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from PIL import Image

from emopy.types import ImageResult, RGBImage

_SIDE_PX = 170


class FaceThumbnails:
    """Keeps of each track the face of which the detector was most certain."""

    def __init__(self) -> None:
        self._best: dict[int, tuple[float, RGBImage]] = {}

    @property
    def images(self) -> Mapping[int, RGBImage]:
        """Faces (H, W, 3) uint8 RGB of at most 170 pixels a side, by track number."""
        return {track: image for track, (_, image) in self._best.items()}

    def add(self, image: RGBImage, result: ImageResult) -> None:
        """Look at the faces of the next frame.

        Args:
            image: (H, W, 3) uint8 RGB: the frame.
            result: What was found in it.
        """
        for face in result.faces:
            box = face.box
            rows = slice(max(0, round(box.top)), max(0, round(box.bottom)))
            columns = slice(max(0, round(box.left)), max(0, round(box.right)))
            cut = image[rows, columns]
            if face.track is None or not cut.size:
                continue
            if face.face.score > self._best.get(face.track, (0.0,))[0]:
                small = Image.fromarray(cut)
                small.thumbnail((_SIDE_PX, _SIDE_PX))
                self._best[face.track] = (face.face.score, np.array(small))

    def keep(self, tracks: Collection[int]) -> None:
        """Forget all other tracks."""
        self._best = {track: best for track, best in self._best.items() if track in tracks}
