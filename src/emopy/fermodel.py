"""`FERModel`: a picture in, every face's expression out."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from emopy.errors import EmoPyError, InputError
from emopy.faces.align import align_face
from emopy.faces.detect import Detector, get_detector, largest_first
from emopy.labels import select_labels
from emopy.media import ImageSource, describe_source, read_image
from emopy.models import DEFAULT_MODEL, ModelCard, Prior, load_model, prior_shift, softmax
from emopy.models.preprocess import Crops, checked
from emopy.models.store import BATCH_SIZE
from emopy.types import Face, FacePrediction, FailedInput, ImageResult, Prediction

_READERS = 2
"""Pictures that `predict_many` reads at the same time."""


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A picture after detection: faces and their crops, largest first; its pixels are let go."""

    source: str
    size: tuple[int, int]
    faces: tuple[Face, ...]
    crops: tuple[NDArray[np.uint8], ...]


class FERModel:
    """Reads facial expressions (facial expression recognition) from pictures.

    One model serves every subset of its labels: its belief is shared among the wanted ones only,
    the conditional distribution given "one of these". Thread-safe: one object may serve many
    threads, where its detector may (the built-in ones do).

    Args:
        target_emotions: Two or more labels or aliases (``"calm"`` is ``"neutral"``), in the order
            in which results shall have them; ``"standard"`` for the seven standard emotions;
            ``"all"`` for every label of the model.
        model: Name of a model, or path of a model folder.
        detector: Name of a detector (``"mtcnn"``, ``"yunet"``, ``"whole"`` …), or any callable
            that takes an RGB picture and returns a tuple of `Face`.
        prior: How often each emotion is expected: ``"training"``: as among the training faces;
            ``"uniform"``: all alike; or a share for each, such as ``{"anger": 0.2, "calm": 0.8}``.
        min_confidence: Confidence below which `Prediction.emotion` is None, "not sure", 0–1.
        threads: CPU threads that one run of the network may use.
        providers: Where the network runs, names such as ``"cuda"`` or ``"cpu"``; None takes the
            fastest that is there.

    Raises:
        LabelError: Unknown, repeated or fewer than two labels.
        InputError: A bad prior, or `min_confidence` out of range.
        ModelNotFoundError: No such model or detector.
        ModelError: The model folder is damaged.

    Example::

        model = FERModel(["calm", "anger", "happiness"])
        for face in model.predict("group.jpg").faces:
            print(face.box, face.emotion, face.confidence)
    """

    def __init__(
        self,
        target_emotions: str | Iterable[str] = "standard",
        *,
        model: str | Path = DEFAULT_MODEL,
        detector: str | Detector = "mtcnn",
        prior: Prior = "training",
        min_confidence: float = 0.0,
        threads: int = 1,
        providers: Sequence[str] | None = None,
    ) -> None:
        self._folder = load_model(model, threads=threads, providers=providers)
        self._labels = select_labels(target_emotions, self.card.labels)
        self._columns = [self.card.labels.index(label) for label in self._labels]
        self._shift = prior_shift(self.card, self._labels, prior)
        if not 0 <= min_confidence <= 1:
            raise InputError(f"`min_confidence` must be 0 to 1. Received {min_confidence}.")
        self._min_confidence = min_confidence
        self._detector_name = detector if isinstance(detector, str) else repr(detector)
        self._detect = get_detector(detector)

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions asked for, in the user's order."""
        return self._labels

    @property
    def card(self) -> ModelCard:
        """What is known about the model."""
        return self._folder.card

    def __repr__(self) -> str:
        return (
            f"FERModel({list(self._labels)}, model={self.card.name!r}, "
            f"detector={self._detector_name!r})"
        )

    def predict(self, source: ImageSource) -> ImageResult:
        """Read every face of one picture.

        Args:
            source: Path, bytes, file object, array or PIL picture.

        Returns:
            The faces, largest first; none is an empty tuple, not an error.

        Raises:
            InputError: The picture cannot be read, or the network reads clips, not pictures.
        """
        self._check_reads_pictures()
        found = self._find(source)
        return _result(found, self.predict_faces(found.crops))

    def predict_many(
        self, sources: Iterable[ImageSource], *, batch_size: int = 32
    ) -> Iterator[ImageResult | FailedInput]:
        """Read every face of many pictures, as a stream.

        Pictures are read ahead while the network works, and it gets the faces of several
        pictures at once. Memory stays flat: of `sources` no more than `batch_size` pictures and
        a few are taken before their results are.

        Args:
            sources: Any iterable of pictures, consumed as the results are.
            batch_size: Faces per run of the network, 1 or more; also the most pictures that wait.

        Returns:
            One result per picture, in order; a picture that cannot be read is a `FailedInput`.

        Raises:
            InputError: One picture instead of several, a bad `batch_size`, or a network that
                reads clips.
        """
        # Checked here, not in the generator: a mistake shows at the call, not at the first result.
        self._check_reads_pictures()
        if batch_size < 1:
            raise InputError(f"`batch_size` must be 1 or more. Received {batch_size}.")
        single = isinstance(sources, str | bytes | bytearray | os.PathLike) or hasattr(
            sources, "read"
        )
        if single or not isinstance(sources, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(
                "`sources` must be several pictures. Received one "
                f"{type(sources).__name__}. Type predict_many([picture]) or predict(picture)."
            )
        return self._stream(sources, batch_size)

    def predict_faces(self, crops: Crops) -> tuple[Prediction, ...]:
        """Read faces that are cut out already; nothing is detected or aligned.

        Args:
            crops: uint8 (n, H, W) or (n, H, W, 1 | 3), or a sequence of (H, W) or (H, W, 1 | 3) of
                any size, RGB or gray; clips of the network's length where it reads clips.

        Returns:
            One prediction per crop; an empty tuple for no crops.

        Raises:
            InputError: Another type or shape.
        """
        return self._judge(crops, BATCH_SIZE)

    def predict_sequence(self, crops: Crops) -> tuple[Prediction, ...]:
        """Read the crops of one person in the order of time, one prediction each.

        A network that reads clips of T frames judges each crop together with the T − 1 crops
        before it; before the first one it is repeated. One that reads stills judges each alone.

        Args:
            crops: As `predict_faces` takes stills: uint8 (n, H, W) or (n, H, W, 1 | 3), or a
                sequence of (H, W) or (H, W, 1 | 3) of any size, oldest first.

        Returns:
            One prediction per crop, in order; an empty tuple for no crops.

        Raises:
            InputError: Another type or shape.
        """
        frames = self.card.input.frames
        if frames == 1:
            return self.predict_faces(crops)
        items = cast(
            "list[NDArray[np.uint8]]", list(checked(crops, replace(self.card.input, frames=1)))
        )
        clips = [
            [items[max(0, now - ago)] for ago in reversed(range(frames))]
            for now in range(len(items))
        ]
        return self._judge(clips, BATCH_SIZE)

    def _judge(self, crops: Crops, batch_size: int) -> tuple[Prediction, ...]:
        logits = self._folder.logits(crops, batch_size=batch_size)[:, self._columns]
        rows = softmax(logits / self.card.temperature + self._shift)
        return tuple(Prediction(self._labels, row, self._min_confidence) for row in rows)

    def _check_reads_pictures(self) -> None:
        if (frames := self.card.input.frames) > 1:
            raise InputError(
                f"`model` must read still pictures here. Received {self.card.name!r}, which reads "
                f"clips of {frames} frames. Type predict_faces([clip]) or predict_sequence(crops)."
            )

    def _find(self, source: ImageSource) -> _Found:
        image = read_image(source)
        faces = largest_first(self._detect(image))
        crops = tuple(align_face(image, face, self.card.input) for face in faces)
        return _Found(describe_source(source), (image.shape[1], image.shape[0]), faces, crops)

    def _try_find(self, source: ImageSource) -> _Found | FailedInput:
        try:
            return self._find(source)
        except EmoPyError as error:
            return FailedInput(describe_source(source), error)

    def _stream(
        self, sources: Iterable[ImageSource], batch_size: int
    ) -> Generator[ImageResult | FailedInput]:
        waiting: list[_Found | FailedInput] = []
        faces = 0
        for found in self._read_ahead(sources):
            waiting.append(found)
            faces += 0 if isinstance(found, FailedInput) else len(found.crops)
            if faces >= batch_size or len(waiting) >= batch_size:
                yield from self._finish(waiting, batch_size)
                waiting, faces = [], 0
        yield from self._finish(waiting, batch_size)

    def _read_ahead(self, sources: Iterable[ImageSource]) -> Generator[_Found | FailedInput]:
        pool = ThreadPoolExecutor(_READERS, thread_name_prefix="emopy-read")
        ahead: deque[Future[_Found | FailedInput]] = deque()
        try:
            for source in sources:
                ahead.append(pool.submit(self._try_find, source))
                if len(ahead) > _READERS:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            # Also when the caller stops early: nothing goes on in the background.
            pool.shutdown(wait=True, cancel_futures=True)

    def _finish(
        self, waiting: Sequence[_Found | FailedInput], batch_size: int
    ) -> Iterator[ImageResult | FailedInput]:
        crops = [crop for found in waiting if isinstance(found, _Found) for crop in found.crops]
        predictions = iter(self._judge(crops, batch_size))
        for found in waiting:
            if isinstance(found, FailedInput):
                yield found
            else:
                yield _result(found, [next(predictions) for _ in found.crops])


def _result(found: _Found, predictions: Sequence[Prediction]) -> ImageResult:
    pairs = zip(found.faces, predictions, strict=True)
    return ImageResult(
        found.source, found.size, tuple(FacePrediction(face, shown) for face, shown in pairs)
    )
