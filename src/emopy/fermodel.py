"""`FERModel`: an image or a video in, every face's expression out."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError
from emopy.faces import Detector, TrackingDetector, get_detector
from emopy.labels import select_labels
from emopy.media import ImageSource, Video, VideoSource, open_video
from emopy.models import DEFAULT_MODEL, ModelCard, Prior, load_model, prior_shift, softmax
from emopy.models.preprocessing import Crops, checked
from emopy.models.store import BATCH_SIZE
from emopy.pipeline import (
    Clip,
    Smoother,
    find_faces,
    join_predictions,
    predict_frames,
    predict_images,
)
from emopy.pipeline.images import DetectedFaces
from emopy.types import FailedInput, Frame, ImageResult, Prediction

_log = logging.getLogger("emopy")

DEFAULT_PRIOR = "tempered"
"""Images of which nothing is known: a little is lost wherever they come from, much nowhere."""

SMOOTHING_S = 0.3
"""Seconds after which a change of expression in a video has come through to 63 %."""


class FERModel:
    """Reads facial expressions (facial expression recognition) from images and videos.

    One model serves every subset of its labels: its belief is shared among the wanted ones only,
    the conditional distribution given "one of these". Thread-safe: one object may serve many
    threads, where its detector may (the built-in ones do).

    Args:
        target_emotions: Two or more labels or aliases (``"calm"`` for ``"neutral"``); results
            have the same words in the same order; ``"standard"`` for the seven standard emotions;
            ``"all"`` for every label of the model.
        model: Name of a model, or path of a model folder.
        detector: Name of a detector (``"mtcnn"``, ``"yunet"``, ``"full-image"`` …), or any callable
            that takes an RGB image and returns a tuple of `Face`.
        prior: How often each emotion is expected: ``"training"``: as among the training faces;
            ``"uniform"``: all alike; ``"tempered"``: a third of the way from the first to the
            second; or a share for each, such as ``{"anger": 0.2, "calm": 0.8}``.
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
        for result in model.predict_video("clip.mp4"):
            print(result.time_s, [(face.track, face.emotion) for face in result.faces])
    """

    def __init__(
        self,
        target_emotions: str | Iterable[str] = "standard",
        *,
        model: str | Path = DEFAULT_MODEL,
        detector: str | Detector = "mtcnn",
        prior: Prior = DEFAULT_PRIOR,
        min_confidence: float = 0.0,
        threads: int = 1,
        providers: Sequence[str] | None = None,
    ) -> None:
        self._folder = load_model(model, threads=threads, providers=providers)
        selection = select_labels(target_emotions, self.card.labels)
        self._labels = selection.labels
        self._columns = list(selection.columns)
        self._shift = prior_shift(self.card, selection.known, prior)
        if not 0 <= min_confidence <= 1:
            raise InputError(f"`min_confidence` must be 0 to 1. Received {min_confidence}.")
        self._min_confidence = min_confidence
        self._detector_name = detector if isinstance(detector, str) else repr(detector)
        self._detect = get_detector(detector)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all results: as they were asked for, in the same order."""
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
        """Read every face of one image.

        Args:
            source: Path, bytes, file object, array or PIL image.

        Returns:
            The faces, largest first; none is an empty tuple, not an error.

        Raises:
            InputError: The image cannot be read, or the network reads clips, not images.
        """
        self._check_reads_images()
        found = self._find(source)
        return join_predictions(found, self.predict_faces(found.crops))

    def predict_many(
        self, sources: Iterable[ImageSource], *, batch_size: int = 32
    ) -> Iterator[ImageResult | FailedInput]:
        """Read every face of many images, as a stream.

        Images are read ahead while the network works, and it gets the faces of several
        images at once. Memory stays flat: of `sources` no more than `batch_size` images and
        a few are taken before their results are.

        Args:
            sources: Any iterable of images, consumed as the results are.
            batch_size: Faces per run of the network, 1 or more; also the most images that wait.

        Returns:
            One result per image, in order; an image that cannot be read is a `FailedInput`.

        Raises:
            InputError: One image instead of several, a bad `batch_size`, or a network that
                reads clips.
        """
        # Checked here, not in the generator: a mistake shows at the call, not at the first result.
        self._check_reads_images()
        if batch_size < 1:
            raise InputError(f"`batch_size` must be 1 or more. Received {batch_size}.")
        single = isinstance(sources, str | bytes | bytearray | os.PathLike) or hasattr(
            sources, "read"
        )
        if single or not isinstance(sources, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(
                "`sources` must be several images. Received one "
                f"{type(sources).__name__}. Type predict_many([image]) or predict(image)."
            )
        judge = partial(self._judge, batch_size=batch_size)
        return predict_images(sources, self._find, judge, batch_size=batch_size)

    def predict_video(
        self,
        source: VideoSource,
        *,
        every: int = 1,
        fps: float | None = None,
        start_s: float = 0.0,
        end_s: float | None = None,
        smoothing_s: float = SMOOTHING_S,
    ) -> Iterator[ImageResult]:
        """Read the faces of a video or camera, frame by frame; memory stays flat.

        Args:
            source: Path of a video, or the number of a camera: 0 is the first.
            every: Read every n-th frame only, 1 or more.
            fps: Or so many frames per second of the video.
            start_s: Where to begin, in seconds.
            end_s: Where to end; None reads to the end.
            smoothing_s: As for `predict_frames`.

        Returns:
            One result per frame read, with `time_s`, `frame`, and the same `Face.track` for the
            same person. Damaged frames are left out; a warning is logged when there were any, or
            when the file ends too early.

        Raises:
            InputError: No such video or camera, or a bad argument.
            MissingExtraError: Video files need the extra ``video``.
        """
        video = open_video(source, every=every, fps=fps, start_s=start_s, end_s=end_s)
        try:
            results = self.predict_frames(video, source=video.source, smoothing_s=smoothing_s)
        except BaseException:
            video.close()
            raise
        return _closing(video, results)

    def predict_frames(
        self,
        frames: Iterable[Frame],
        *,
        source: str = "<frames>",
        smoothing_s: float = SMOOTHING_S,
    ) -> Iterator[tuple[Frame, ImageResult]]:
        """Read the faces of frames that come from anywhere, in the order of time.

        Args:
            frames: ``open_video(…)``, or any iterable of `Frame`, consumed as the results are.
            source: Name of the video in the results.
            smoothing_s: Probabilities are steadied over time, so that the label does not flicker:
                seconds after which a change has come through to 63 %. 0 leaves them raw.

        Returns:
            Each frame with its result. A network that reads clips judges each face together with
            the frames before it.

        Raises:
            InputError: A bad `smoothing_s`, or something else than a `Frame`.
        """
        return predict_frames(
            frames,
            source=source,
            follow=TrackingDetector(self._detect),
            spec=self.card.input,
            judge=partial(self._judge, batch_size=BATCH_SIZE),
            smooth=Smoother(smoothing_s),
        )

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
        clip = Clip(frames)
        clips = [clip.add(item) for item in items]
        return self._judge(clips, BATCH_SIZE)

    def _judge(self, crops: Crops, batch_size: int) -> tuple[Prediction, ...]:
        logits = self._folder.logits(crops, batch_size=batch_size)[:, self._columns]
        rows = softmax(logits / self.card.temperature + self._shift)
        return tuple(Prediction(self._labels, row, self._min_confidence) for row in rows)

    def _check_reads_images(self) -> None:
        if (frames := self.card.input.frames) > 1:
            raise InputError(
                f"`model` must read still images here. Received {self.card.name!r}, which reads "
                f"clips of {frames} frames. Type predict_faces([clip]), predict_sequence(crops) "
                "or predict_video(path)."
            )

    def _find(self, source: ImageSource) -> DetectedFaces:
        return find_faces(source, self._detect, self.card.input)


def _closing(video: Video, results: Iterator[tuple[Frame, ImageResult]]) -> Generator[ImageResult]:
    with video:
        for _, result in results:
            yield result
    if shortfall := video.shortfall:
        _log.warning("%s", shortfall)
