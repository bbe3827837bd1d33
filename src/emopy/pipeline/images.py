"""Images: prefetched and searched for faces in threads, predicted in batches of faces."""

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
"""Function from crops (or clips of crops, for a model of clips) to one prediction each."""

_THREADS = 2
"""Images that are decoded and searched at the same time."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFaces:
    """The faces of an image and their crops, largest first; without the image itself."""

    source: str
    size: tuple[int, int]
    faces: tuple[Face, ...]
    crops: tuple[NDArray[np.uint8], ...]


def detect_faces(source: ImageSource, detector: Detector, spec: InputSpec) -> DetectedFaces:
    """Read an image, detect its faces and crop them to the input of the model.

    Raises:
        InputError: The image cannot be read.
    """
    image = read_image(source)
    faces = largest_first(detector(image))
    crops = tuple(align_face(image, face, spec) for face in faces)
    return DetectedFaces(describe_source(source), (image.shape[1], image.shape[0]), faces, crops)


def join_predictions(detected: DetectedFaces, predictions: Iterable[Prediction]) -> ImageResult:
    """Join the faces of an image with their predictions, which are in the same order."""
    pairs = zip(detected.faces, predictions, strict=True)
    faces = tuple(FacePrediction(face, prediction) for face, prediction in pairs)
    return ImageResult(detected.source, detected.size, faces)


def predict_images(
    sources: Iterable[ImageSource],
    detect: Callable[[ImageSource], DetectedFaces],
    predict: CropPredictor,
    *,
    batch_size: int,
) -> Generator[ImageResult | FailedInput]:
    """Yield one result per image, in order.

    Args:
        sources: The images, consumed as the results are.
        detect: Returns the faces of one image; an `EmoPyError` becomes a `FailedInput`.
        predict: Returns the predictions of crops.
        batch_size: Faces per call of `predict`; also the most images that wait.
    """
    batch: list[DetectedFaces | FailedInput] = []
    faces = 0
    for detected in _prefetch_detected(sources, detect):
        batch.append(detected)
        faces += len(detected.crops) if isinstance(detected, DetectedFaces) else 0
        if faces >= batch_size or len(batch) >= batch_size:
            yield from _predict_batch(batch, predict)
            batch, faces = [], 0
    yield from _predict_batch(batch, predict)


def _prefetch_detected(
    sources: Iterable[ImageSource], detect: Callable[[ImageSource], DetectedFaces]
) -> Generator[DetectedFaces | FailedInput]:
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="emopy-detect")
    pending: deque[Future[DetectedFaces | FailedInput]] = deque()

    def try_detect(source: ImageSource) -> DetectedFaces | FailedInput:
        try:
            return detect(source)
        except EmoPyError as error:
            return FailedInput(describe_source(source), error)

    try:
        for source in sources:
            pending.append(pool.submit(try_detect, source))
            if len(pending) > _THREADS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        # Also when the caller stops early: no thread continues in the background.
        pool.shutdown(wait=True, cancel_futures=True)


def _predict_batch(
    batch: Sequence[DetectedFaces | FailedInput], predict: CropPredictor
) -> Iterator[ImageResult | FailedInput]:
    detected = [item for item in batch if isinstance(item, DetectedFaces)]
    predictions = iter(predict([crop for item in detected for crop in item.crops]))
    for item in batch:
        if isinstance(item, FailedInput):
            yield item
        else:
            yield join_predictions(item, [next(predictions) for _ in item.crops])
