"""What `predict_many` takes: images, pairs of an image and its faces, a folder or a pattern."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy.errors import InputError, with_article
from emopy.faces.face_records import OwnFaces
from emopy.media import ImageSource
from emopy.media.paths import images_at

GivenImage: TypeAlias = ImageSource | tuple[ImageSource, OwnFaces | None]
"""An image, or a tuple of an image and its faces; None detects them."""

GivenImages: TypeAlias = Iterable[GivenImage] | str | os.PathLike[str]
"""Images; or the path of a folder, or a pattern."""


def several_images(sources: GivenImages) -> Iterable[GivenImage]:
    """Return the images that `predict_many` was given: itself, or those at a path.

    Raises:
        InputError: One image, or a path at which there are none.
    """
    if isinstance(sources, str | os.PathLike) and (paths := images_at(sources)) is not None:
        return paths
    single = isinstance(sources, str | bytes | bytearray | memoryview | os.PathLike | Image.Image)
    kind = type(sources)
    if issubclass(kind, np.ndarray):  # iterating an image would give its rows
        shape = np.shape(cast("NDArray[Any]", sources))
        single = len(shape) < 3 or (len(shape) == 3 and shape[-1] in (1, 3, 4))
    if not single and not hasattr(sources, "read") and isinstance(sources, Iterable):
        return cast("Iterable[GivenImage]", sources)
    received, instead = with_article(kind.__name__), "Type predict_many([image]) or predict(image)."
    if isinstance(sources, str | os.PathLike):
        received = f"{os.fsdecode(sources)!r}, which is no folder"
        if not os.path.lexists(sources):
            received = f"{os.fsdecode(sources)!r}: no such file or folder"
            instead = "Check its spelling."
    raise InputError(
        "`sources` must be several images, a folder of images, or a pattern such as "
        f"'photos/*.jpg'. Received {received}. {instead}"
    )


def split_pair(given: GivenImage) -> tuple[ImageSource, OwnFaces | None]:
    """Return an image and its faces; None where only the image was given.

    A tuple of two is a pair: an image is never given as a tuple.
    """
    if isinstance(given, tuple) and len(given) == 2:
        return given
    return given, None
