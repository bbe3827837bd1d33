"""Pictures to read, made on the spot."""

import io

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def scene():
    """(24, 40, 3) uint8: four flat quarters, so that lossy codecs keep them."""
    picture = np.zeros((24, 40, 3), np.uint8)
    picture[:12, :20] = (255, 0, 0)
    picture[:12, 20:] = (0, 255, 0)
    picture[12:, :20] = (0, 0, 255)
    picture[12:, 20:] = (255, 255, 255)
    return picture


@pytest.fixture(scope="session")
def encode():
    """Encode a PIL picture or array: encode(picture, "PNG", **settings) -> bytes."""

    def encode(picture, kind, **settings):
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        stream = io.BytesIO()
        image.save(stream, kind, **settings)
        return stream.getvalue()

    return encode
