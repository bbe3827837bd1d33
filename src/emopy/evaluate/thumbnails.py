"""Faces small enough to stand inside a page."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LONGEST_PX = 144
"""Longest side of a thumbnail; larger faces are made smaller."""


def data_uri(face: NDArray[np.uint8]) -> str:
    """A face as the address of an image that holds the image itself.

    Args:
        face: (H, W, C) with C 1 (gray) or 3 (RGB); of a clip (T, H, W, C) the last frame is
            shown, which its label is about.

    Returns:
        PNG as a ``data:`` address.

    Source:
        Data addresses: RFC 2397, https://www.rfc-editor.org/rfc/rfc2397.

    Example:
        >>> data_uri(np.zeros((8, 8, 1), np.uint8))[:22]
        'data:image/png;base64,'
    """
    still = face[-1] if face.ndim == 4 else face
    image = Image.fromarray(still[:, :, 0] if still.shape[2] == 1 else still)
    image.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
