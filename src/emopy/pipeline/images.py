"""Many images: read ahead in threads, their faces judged several images at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from emopy.errors import EmoPyError
from emopy.faces import Detector, align_face, largest_first
from emopy.media import ImageSource, describe_source, read_image
from emopy.models import InputSpec
from emopy.models.preprocessing import Crops
from emopy.types import Face, FacePrediction, FailedInput, ImageResult, Prediction

CropPredictor: TypeAlias = Callable[[Crops], Sequence[Prediction]]
"""Crops, or clips of crops where the network reads clips → one prediction each."""

_READERS = 2
"""Images that are read at the same time."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFaces:
    """An image after detection: faces and their crops, largest first; its pixels are let go."""

    source: str
    size: tuple[int, int]
    faces: tuple[Face, ...]
    crops: tuple[NDArray[np.uint8], ...]


def find_faces(source: ImageSource, detect: Detector, spec: InputSpec) -> DetectedFaces:
    """Read an image, find its faces and cut them out as the network expects them.

    Raises:
        InputError: The image cannot be read.
    """
    image = read_image(source)
    faces = largest_first(detect(image))
    crops = tuple(align_face(image, face, spec) for face in faces)
    return DetectedFaces(describe_source(source), (image.shape[1], image.shape[0]), faces, crops)


def join_predictions(found: DetectedFaces, predictions: Iterable[Prediction]) -> ImageResult:
    """Join the faces of an image with what they show, in the same order."""
    pairs = zip(found.faces, predictions, strict=True)
    faces = tuple(FacePrediction(face, shown) for face, shown in pairs)
    return ImageResult(found.source, found.size, faces)


def predict_images(
    sources: Iterable[ImageSource],
    find: Callable[[ImageSource], DetectedFaces],
    judge: CropPredictor,
    *,
    batch_size: int,
) -> Generator[ImageResult | FailedInput]:
    """Give one result per image, in order.

    Args:
        sources: The images, consumed as the results are.
        find: Gives the faces of one; an `EmoPyError` becomes a `FailedInput`.
        judge: Says what crops show.
        batch_size: Faces per call of `judge`; also the most images that wait.
    """
    waiting: list[DetectedFaces | FailedInput] = []
    faces = 0
    for found in _find_ahead(sources, find):
        waiting.append(found)
        faces += 0 if isinstance(found, FailedInput) else len(found.crops)
        if faces >= batch_size or len(waiting) >= batch_size:
            yield from _finish(waiting, judge)
            waiting, faces = [], 0
    yield from _finish(waiting, judge)


def _find_ahead(
    sources: Iterable[ImageSource], find: Callable[[ImageSource], DetectedFaces]
) -> Generator[DetectedFaces | FailedInput]:
    pool = ThreadPoolExecutor(_READERS, thread_name_prefix="emopy-read")
    prefetch: deque[Future[DetectedFaces | FailedInput]] = deque()

    def try_find(source: ImageSource) -> DetectedFaces | FailedInput:
        try:
            return find(source)
        except EmoPyError as error:
            return FailedInput(describe_source(source), error)

    try:
        for source in sources:
            prefetch.append(pool.submit(try_find, source))
            if len(prefetch) > _READERS:
                yield prefetch.popleft().result()
        while prefetch:
            yield prefetch.popleft().result()
    finally:
        # Also when the caller stops early: nothing goes on in the background.
        pool.shutdown(wait=True, cancel_futures=True)


def _finish(
    waiting: Sequence[DetectedFaces | FailedInput], judge: CropPredictor
) -> Iterator[ImageResult | FailedInput]:
    crops = [crop for found in waiting if isinstance(found, DetectedFaces) for crop in found.crops]
    predictions = iter(judge(crops))
    for found in waiting:
        if isinstance(found, FailedInput):
            yield found
        else:
            yield join_predictions(found, [next(predictions) for _ in found.crops])
