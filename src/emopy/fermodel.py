"""`FERModel`: predict the expression of every face in an image or a video."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from emopy.cores import usable_cores
from emopy.errors import InputError
from emopy.explain import DEFAULT_METHOD, Explanation, explain_face
from emopy.faces import Detector, TrackingDetector
from emopy.faces.detectors import OwnFaces, detector_with_threads, own_faces
from emopy.media import (
    DEFAULT_MAX_PIXELS,
    ImageSource,
    VideoSource,
    describe_source,
    open_video,
    read_image,
    take_image,
)
from emopy.media.arrays import ColorOrder, check_color, crops_to_rgb
from emopy.media.limits import check_max_pixels
from emopy.models import DEFAULT_MODEL, ModelCard, Prior, load_model
from emopy.models.preprocessing import Crops
from emopy.pipeline import (
    Classifier,
    Smoother,
    VideoResults,
    detect_faces,
    detect_frames,
    join_predictions,
    predict_frames,
    predict_images,
)
from emopy.pipeline.images import DetectedFaces, GivenImages, several_images
from emopy.types import Face, FacePrediction, FailedInput, Frame, ImageResult, Prediction, RGBImage

DEFAULT_PRIOR = "tempered"
"""Prior for images from unknown sources: a compromise between ``"training"``, which has the best
accuracy, and ``"uniform"``, which finds rare emotions more often."""

SMOOTHING_S = 0.3
"""Time constant of the smoothing in seconds: after it, a change is 63 % complete."""


class FERModel:
    """Predict facial expressions in images and videos.

    One model serves every subset of its labels: probabilities are renormalized over the labels
    asked for. Thread-safe if its detector is; the built-in detectors are.

    Args:
        target_emotions: Two or more labels or aliases (``"calm"`` for ``"neutral"``); results
            have the same words in the same order; ``"standard"`` for the seven standard emotions;
            ``"all"`` for every label of the model.
        model: Name of a model, or path of a model folder.
        detector: Name of a detector (``"mtcnn"``, ``"yunet"``, ``"full-image"`` …), or any callable
            that takes an RGB image and returns a tuple of `Face`, or arrays: see
            `emopy.faces.detect`.
        prior: Expected frequency of each emotion: ``"training"``: as in the training data;
            ``"uniform"``: equal; ``"tempered"``: the training frequencies to the power 2/3; or a
            probability for each label, such as ``{"anger": 0.2, "calm": 0.8}``.
        min_confidence: Confidence, 0–1, below which `Prediction.emotion` is None ("not sure").
        views: 1, or 2 to predict each face and its mirror image, and to answer with their mean:
            more accurate, and twice the time of the network.
        threads: Images that `predict_many` reads and searches at the same time, and CPU threads of
            each search for faces and each run of the model. With 2 or more, `predict_video`
            searches the next frames of a file ahead; with 1, your detector is always called in
            your thread. None: one for each usable core, but one for each run of the model.
        providers: Where the model runs: ``"cpu"``, ``"cuda"``, ``"coreml"``, ``"directml"`` or
            ``"openvino"``, or several in order of preference; None is the CPU.
        max_pixels: Largest width × height of an image file or of a frame of a video. Decoding an
            image takes at most 17 bytes for each of these pixels, up to 1.1 GB, above 100
            megapixels 11 bytes for each. Arrays and loaded PIL images have no limit.

    A model can be copied, pickled and sent to other processes: the copy opens the model folder and
    the detector again.

    Raises:
        LabelError: Unknown, repeated or fewer than two labels.
        InputError: A bad prior, `min_confidence`, `views` or `max_pixels` out of range, or a
            provider that is unknown, not installed or does not start.
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
        views: int = 1,
        threads: int | None = None,
        providers: str | Sequence[str] | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> None:
        folder = load_model(model, threads=1 if threads is None else threads, providers=providers)
        self._classifier = Classifier(
            folder, target_emotions, prior=prior, min_confidence=min_confidence, views=views
        )
        self._detector_name = detector if isinstance(detector, str) else repr(detector)
        self._detector = detector_with_threads(detector, threads)
        check_max_pixels(max_pixels)
        self._max_pixels = max_pixels
        self._threads = usable_cores() if threads is None else threads
        given = {"model": model, "detector": detector, "prior": prior, "providers": providers}
        if folder.path == Path(model):  # a path, not a name
            given["model"] = Path(model).absolute()
        numbers = {"min_confidence": min_confidence, "views": views, "threads": threads}
        self._settings: dict[str, Any] = {**given, **numbers, "max_pixels": max_pixels}

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), **self._settings), (self.labels,)

    def with_options(
        self,
        target_emotions: str | Iterable[str] | None = None,
        *,
        prior: Prior | None = None,
        min_confidence: float | None = None,
        views: int | None = None,
    ) -> FERModel:
        """Return a model with other options with the same network and detector.

        The arguments and errors are those of `FERModel`; None keeps the option of this model.
        """
        labels = self.labels if target_emotions is None else target_emotions
        options: dict[str, Any] = {"prior": prior, "min_confidence": min_confidence, "views": views}
        options |= {name: self._settings[name] for name in options if options[name] is None}
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        other._classifier = self._classifier.with_options(labels, **options)
        other._settings = {**self._settings, **options}
        return other

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all results: as they were asked for, in the same order."""
        return self._classifier.labels

    @property
    def card(self) -> ModelCard:
        """The card of the model."""
        return self._classifier.card

    @property
    def max_pixels(self) -> int:
        """Largest width × height of an image file that is read."""
        return self._max_pixels

    def __repr__(self) -> str:
        names = f"model={self.card.name!r}, detector={self._detector_name!r}"
        return f"FERModel({list(self.labels)}, {names})"

    def predict(
        self, source: ImageSource, *, faces: OwnFaces | None = None, color: ColorOrder = "rgb"
    ) -> ImageResult:
        """Predict the expression of every face in one image.

        Args:
            source: Path, bytes, file object, array or PIL image; of an animation the first image.
            faces: Your own faces, which are not searched for: each a `Face`, a `Box`, or left, top,
                right and bottom in pixels, also as one array (n, 4); or arrays as detectors
                return them, see `emopy.faces.detect`. A face with landmarks is aligned by them.
                Empty is no face; None detects them.
            color: Order of the channels of an array: ``"rgb"``, or ``"bgr"`` as in OpenCV. Other
                sources have an order of their own.

        Returns:
            The faces, largest first, or your own in your order, their `Face.score` as given, else
            1; no face is an empty tuple, not an error.

        Raises:
            InputError: The image cannot be read, `faces` do not fit it, or the model takes clips,
                not images.
        """
        self._classifier.check_takes_images()
        own = None if faces is None else own_faces(faces)
        image = read_image(source, max_pixels=self._max_pixels, color=color)
        found = self._detect_faces(image, describe_source(source), own)
        return join_predictions(found, self.predict_faces(found.crops))

    def predict_many(
        self, sources: GivenImages, *, batch_size: int = 32, color: ColorOrder = "rgb"
    ) -> Iterator[ImageResult | FailedInput]:
        """Predict the expressions in many images, one result after the other.

        Images are prefetched in `threads` threads, and the model gets the faces of several at once.
        Memory stays flat: at most `batch_size` + `threads` + 1 images are taken from `sources`
        before their results are, and those in threads have at most twice `max_pixels` together.

        Args:
            sources: Any iterable of images, consumed as the results are. A tuple of two is an
                image and its `faces`, as for `predict`: ``[(image, boxes), …]``. A path is a folder
                of images, or a pattern such as ``"photos/*.jpg"`` or ``"photos/**/*.jpg"``.
            batch_size: Faces per run of the model, 1 or more; also the most images that wait.
            color: As for `predict`.

        Returns:
            One result per image, in order, of a folder or pattern in natural order; an image that
            cannot be read, or whose `faces` do not fit it, is a `FailedInput`.

        Raises:
            InputError: One image instead of several, a folder or pattern without images, a bad
                `batch_size` or `color`, or a model of clips.
        """
        # Checked here, not in the generator: a mistake shows at the call, not at the first result.
        self._classifier.check_takes_images()
        if batch_size < 1:
            raise InputError(f"`batch_size` must be 1 or more. Received {batch_size}.")
        check_color(color)
        return predict_images(
            several_images(sources),
            self._detect_faces,
            partial(self._classifier.predict, batch_size=batch_size),
            batch_size=batch_size,
            take=partial(take_image, max_pixels=self._max_pixels, color=color),
            threads=self._threads,
            max_pixels=self._max_pixels,
        )

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
        """Predict the expressions in a video or camera, frame by frame; memory stays flat.

        Args:
            source: Path of a video, or the number of a camera: 0 is the first.
            every: Read every n-th frame only, 1 or more.
            fps: Read at most that many frames per second of the video.
            start_s: Start time in seconds.
            end_s: End time in seconds; None reads to the end.
            smoothing_s: As for `predict_frames`.

        Returns:
            One result per frame, with `time_s`, `frame`, and the same `Face.track` for the same
            person. Damaged frames are skipped; a warning is logged if there were any, or if the
            file ends too early.

        Raises:
            InputError: No such video or camera, or a bad argument.
            MissingExtraError: Video files need the extra ``video``.
        """
        video = open_video(
            source, every=every, fps=fps, start_s=start_s, end_s=end_s, max_pixels=self._max_pixels
        )
        try:
            results = self.predict_frames(video, source=video.source, smoothing_s=smoothing_s)
        except BaseException:
            video.close()
            raise
        return VideoResults(video, results)

    def predict_frames(
        self,
        frames: Iterable[Frame],
        *,
        source: str = "<frames>",
        smoothing_s: float = SMOOTHING_S,
        color: ColorOrder = "rgb",
    ) -> Generator[tuple[Frame, ImageResult]]:
        """Predict the expressions in frames from any source, in the order of time.

        Args:
            frames: ``open_video(…)``, whose frames are taken in advance unless it is live; or any
                iterable of `Frame`, consumed as the results are. Images other than RGB are
                converted as by `predict`.
            source: Name of the video in the results.
            smoothing_s: Time constant of the smoothing of probabilities, so that the label does
                not flicker: seconds after which a change has come through to 63 %. 0 is off.
            color: Order of the channels of the frames, as for `predict`.

        Returns:
            Each frame, in RGB, with its result. A model of clips gets each face together with the
            frames before it.

        Raises:
            InputError: A bad `smoothing_s` or `color`, or something other than a `Frame`.
        """
        check_color(color)
        detect = TrackingDetector(self._detector)
        return predict_frames(
            detect_frames(frames, detect, color=color, threads=self._threads),
            source=source,
            spec=self.card.input,
            predict=self.predict_faces,
            smooth=Smoother(smoothing_s),
        )

    def predict_faces(self, crops: Crops, *, color: ColorOrder = "rgb") -> tuple[Prediction, ...]:
        """Predict the expressions of face crops; nothing is detected or aligned.

        Args:
            crops: uint8 (n, H, W) or (n, H, W, 1 | 3), or a sequence of (H, W) or (H, W, 1 | 3) of
                any size, in color or gray; for a model of clips, clips of its length.
            color: Order of the channels, as for `predict`.

        Returns:
            One prediction per crop; an empty tuple for no crops.

        Raises:
            InputError: Another type or shape, or a bad `color`.
        """
        return self._classifier.predict(crops_to_rgb(crops, color))

    def predict_sequence(
        self, crops: Crops, *, color: ColorOrder = "rgb"
    ) -> tuple[Prediction, ...]:
        """Predict the expressions of one person's crops in the order of time.

        A model of clips of T frames gets each crop together with the T − 1 crops before it; before
        the first crop, that one is repeated. A model of still images gets each crop alone.

        Args:
            crops: Still images as for `predict_faces`: uint8 (n, H, W) or (n, H, W, 1 | 3), or a
                sequence of (H, W) or (H, W, 1 | 3) of any size, oldest first.
            color: Order of the channels, as for `predict`.

        Returns:
            One prediction per crop, in order; an empty tuple for no crops.

        Raises:
            InputError: Another type or shape, or a bad `color`.
        """
        return self._classifier.predict_sequence(crops_to_rgb(crops, color))

    def explain(
        self,
        source: ImageSource,
        emotion: str | Iterable[str] | None = None,
        *,
        face: Face | FacePrediction | None = None,
        method: str = DEFAULT_METHOD,
        seed: int = 0,
        color: ColorOrder = "rgb",
    ) -> Explanation:
        """Explain which pixels of a face raise or lower the probability of an emotion.

        The model runs on some 250 copies of the face with parts hidden.

        Args:
            source: As for `predict`. An image of the input size of the model is one face crop.
            emotion: A label of the results, several, or ``"all"``; None is the most probable one.
            face: A face of the image, such as ``predict(image)[1]``; None is the largest.
            method: ``"rise"`` or ``"occlusion"``.
            seed: Seed of the masks, 0 or more: the same seed gives the same maps.
            color: As for `predict`.

        Raises:
            InputError: The image cannot be read or shows no face, a bad argument, or the model
                takes clips.
            LabelError: An emotion that the results do not have.

        Source:
            RISE: Petsiuk, Das and Saenko 2018, https://arxiv.org/abs/1806.07421. Occlusion: Zeiler
            and Fergus 2014, https://arxiv.org/abs/1311.2901.
        """
        self._classifier.check_takes_images()
        image = read_image(source, max_pixels=self._max_pixels, color=color)
        spec = self.card.input
        if face is None and image.shape[:2] != (spec.height, spec.width):
            detected = self._detect_faces(image, describe_source(source))
            if not detected.faces:
                raise InputError(
                    f"`source` must show a face. Received {detected.source}, in which none was "
                    "found. Give `face`, or a face crop with `detector='full-image'`."
                )
            face = detected.faces[0]
        if isinstance(face, FacePrediction):
            face = face.face
        predict = self.predict_faces
        found = explain_face(image, face, predict, spec, emotion=emotion, method=method, seed=seed)
        return replace(found, source=describe_source(source))

    def _detect_faces(
        self, image: RGBImage, source: str, faces: tuple[Face, ...] | None = None
    ) -> DetectedFaces:
        return detect_faces(image, source, self._detector, self.card.input, faces)
