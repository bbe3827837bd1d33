"""Images: prefetched and searched for faces in threads, predicted in batches of faces."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy.errors import EmoPyError, ImageWarning, InputError, with_article
from emopy.faces import Detector, align_face, detect, largest_first
from emopy.faces.detectors import OwnFaces, check_own_faces, own_faces
from emopy.faces.parallel import work_alone
from emopy.forking import Owner
from emopy.media import ImageSource, describe_source
from emopy.media.images import ImageReader
from emopy.media.paths import images_at
from emopy.models import InputSpec
from emopy.models.preprocessing import Crops
from emopy.pipeline.pixel_budget import PixelBudget
from emopy.types import Face, FacePrediction, FailedInput, ImageResult, Prediction, RGBImage

GivenImage: TypeAlias = ImageSource | tuple[ImageSource, OwnFaces | None]
"""An image, or a tuple of an image and its faces; None detects them."""

GivenImages: TypeAlias = Iterable[GivenImage] | str | os.PathLike[str]
"""Images; or the path of a folder, or a pattern."""

CropPredictor: TypeAlias = Callable[[Crops], Sequence[Prediction]]
"""Function from crops (or clips of crops, for a model of clips) to one prediction each."""

ImageTaker: TypeAlias = Callable[[ImageSource], ImageReader]
"""Function that starts to read an image, and returns one that reads the rest."""

_LARGE_IMAGES = 2
"""Images of the largest size that may be in memory at the same time, whatever the threads."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFaces:
    """The faces of an image and their crops, without the image itself."""

    source: str
    size: tuple[int, int]
    faces: tuple[Face, ...]
    crops: tuple[NDArray[np.uint8], ...]


FaceFinder: TypeAlias = Callable[[RGBImage, str, tuple[Face, ...] | None], DetectedFaces]
"""Function from an image, its name, and its faces or None, to the faces with their crops."""


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
        array = cast("NDArray[Any]", sources)
        is_image = array.ndim < 3 or (array.ndim == 3 and array.shape[-1] in (1, 3, 4))
        single = is_image and not (array.ndim == 1 and array.dtype.kind in "UO")  # paths
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


def detect_faces(
    image: RGBImage,
    source: str,
    detector: Detector,
    spec: InputSpec,
    faces: tuple[Face, ...] | None = None,
) -> DetectedFaces:
    """Detect the faces of an image, unless they are given, and crop them to the input of the model.

    Args:
        image: (H, W, 3) uint8 RGB.
        source: Name of the image in the result.
        detector: Finds the faces.
        spec: Size of the crops.
        faces: Faces whose order is kept; None detects them, largest first.

    Raises:
        InputError: The detector returns no faces in an accepted form, or a face is none of this
            image.
    """
    if faces is None:
        faces = largest_first(detect(detector, image))
    else:
        check_own_faces(faces, image, source)
    crops = tuple(align_face(image, face, spec) for face in faces)
    return DetectedFaces(source, (image.shape[1], image.shape[0]), faces, crops)


def join_predictions(detected: DetectedFaces, predictions: Iterable[Prediction]) -> ImageResult:
    """Join the faces of an image with their predictions, which are in the same order."""
    pairs = zip(detected.faces, predictions, strict=True)
    faces = tuple(FacePrediction(face, prediction) for face, prediction in pairs)
    return ImageResult(detected.source, detected.size, faces)


def predict_images(
    sources: Iterable[GivenImage],
    detect: FaceFinder,
    predict: CropPredictor,
    *,
    batch_size: int,
    take: ImageTaker,
    threads: int,
    max_pixels: int,
) -> Generator[ImageResult | FailedInput]:
    """Yield one result per image, in order.

    Args:
        sources: The images, each alone or with its faces, consumed as the results are.
        detect: Returns the faces of one image of that name, detected if None are given; an
            `EmoPyError` becomes a `FailedInput`.
        predict: Returns the predictions of crops.
        batch_size: Faces per call of `predict`; also the most images that wait. The first calls
            have fewer, so that the first results do not wait: one, then twice as many each time.
        take: Starts to read an image, see `take_image`.
        threads: Images that are decoded and searched for faces at the same time.
        max_pixels: Pixels of a large image: the images together have at most twice as many.
    """
    owner = Owner()
    batch: list[DetectedFaces | FailedInput] = []
    faces, size = 0, 1
    reading = _Reading(detect, take, threads, PixelBudget(_LARGE_IMAGES * max_pixels))
    for detected in reading.results(sources, owner):
        batch.append(detected)
        faces += len(detected.crops) if isinstance(detected, DetectedFaces) else 0
        if faces >= size or len(batch) >= size:
            for result in _predict_batch(batch, predict):
                yield result
                owner.check("results", "Call predict_many in the other process.")
            batch, faces, size = [], 0, min(2 * size, batch_size)
    yield from _predict_batch(batch, predict)


@dataclass(frozen=True)
class _Reading:
    """Reads images in threads and detects their faces."""

    detect: FaceFinder
    take: ImageTaker
    threads: int
    budget: PixelBudget

    def results(
        self, sources: Iterable[GivenImage], owner: Owner
    ) -> Generator[DetectedFaces | FailedInput]:
        """Yield the faces of each image, in order; with one thread, read in that of the caller."""
        begun = map(self._begin, sources)
        if self.threads == 1:
            yield from (detect() for detect in begun)
            return
        # One core for each image: to divide the work on it as well would only take longer.
        pool = ThreadPoolExecutor(self.threads, "emopy-detect", initializer=work_alone)
        pending: deque[Future[DetectedFaces | FailedInput]] = deque()
        try:
            for detect in begun:
                pending.append(pool.submit(detect))
                if len(pending) > self.threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            # Also when the caller stops early: no thread continues in the background.
            pool.shutdown(wait=owner.is_here, cancel_futures=True)

    def _begin(self, given: GivenImage) -> Callable[[], DetectedFaces | FailedInput]:
        """Take an image, which may change afterwards; return what reads it, in any thread."""
        source, own = _split_pair(given)
        name = describe_source(source)
        try:
            read = self.take(source)
            faces = None if own is None else own_faces(own)
        except (EmoPyError, ImageWarning) as error:
            failed = FailedInput(name, error)
            return lambda: failed
        return partial(self._detect, read, name, faces)

    def _detect(
        self, read: ImageReader, name: str, faces: tuple[Face, ...] | None
    ) -> DetectedFaces | FailedInput:
        try:
            with self.budget.spending() as admit:
                return self.detect(read(admit=admit), name, faces)
        except (EmoPyError, ImageWarning) as error:
            return FailedInput(name, error)


def _split_pair(given: GivenImage) -> tuple[ImageSource, OwnFaces | None]:
    """An image and its faces; None where only the image was given.

    A tuple of two is a pair: an image is never given as a tuple.
    """
    if isinstance(given, tuple) and len(given) == 2:
        return given
    return given, None


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
