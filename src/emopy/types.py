"""Records of faces and predictions, and their form as JSON objects."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emopy.bounding_box import EDGES, Box
from emopy.errors import InputError
from emopy.escaping import escape_undecodable

if TYPE_CHECKING:  # what presents results is imported when it is asked for
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]
    from PIL.Image import Image as PILImage

__all__ = [
    "Box",
    "Face",
    "FacePrediction",
    "FailedInput",
    "Frame",
    "ImageResult",
    "Prediction",
    "RGBImage",
    "round_number",
    "round_time",
]

RGBImage = NDArray[np.uint8]
"""An image: (H, W, 3) uint8, red first. The only color order inside EmoPy."""


def check_rgb(image: RGBImage) -> None:
    """Raise InputError unless an image is an `RGBImage` of one pixel or more."""
    if not isinstance(image, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
        received = type(image).__name__
    elif image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8 and image.size:
        return
    else:
        received = f"{image.dtype} of shape {image.shape}"
    raise InputError(
        "`image` must be an RGB image, uint8 of shape (H, W, 3). "
        f"Received {received}. Use read_image to make one."
    )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Face:
    """A face that a detector found.

    Attributes:
        box: Bounding box of the face.
        score: Confidence of the detector that this is a face, 0–1; 1 where nothing gives one.
        landmarks: (5, 2) float32 pixels (x, y): left eye, right eye, nose tip, left and right
            mouth corner, as seen in the image (the left eye has the smaller x when the head
            is upright); None where the detector gives none.
        track: Track id: the same number for the same person through a video; None in an image.
    """

    box: Box
    score: float = 1.0
    landmarks: NDArray[np.float32] | None = None
    track: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.box, Box):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(
                f"`box` must be a Box. Received {type(self.box).__name__}. "
                "Type: Box(left, top, right, bottom)"
            )
        if self.landmarks is not None and not isinstance(self.landmarks, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(
                "`landmarks` must be an array of shape (5, 2). "
                f"Received {type(self.landmarks).__name__}. Type: np.array(points, np.float32)"
            )
        if self.landmarks is not None and self.landmarks.shape != (5, 2):
            raise InputError(
                "`landmarks` must have shape (5, 2): eyes, nose tip, mouth corners. "
                f"Received shape {self.landmarks.shape}."
            )

    def __repr__(self) -> str:
        fields = [repr(self.box), f"score={self.score:.2f}"]
        if self.landmarks is not None:
            points = ", ".join(f"({x:.1f}, {y:.1f})" for x, y in self.landmarks.tolist())
            fields.append(f"landmarks=[{points}]")
        if self.track is not None:
            fields.append(f"track={self.track}")
        return f"Face({', '.join(fields)})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Prediction:
    """Predicted expression of one face: a probability for each label.

    Attributes:
        labels: Names of the n requested emotions, in the user's order.
        probabilities: (n,) float32, sum 1.
        min_confidence: Confidence below which `emotion` is None, 0–1.
    """

    labels: tuple[str, ...]
    probabilities: NDArray[np.float32]
    min_confidence: float = 0.0

    def __post_init__(self) -> None:
        if self.probabilities.shape != (len(self.labels),):
            raise InputError(
                f"`probabilities` must have shape ({len(self.labels)},), one per label. "
                f"Received shape {self.probabilities.shape}."
            )

    def __repr__(self) -> str:
        ranking = ", ".join(f"{label} {p:.1%}" for label, p in self.top(len(self.labels)))
        return f"Prediction({ranking})"

    @property
    def emotion(self) -> str | None:
        """The most probable label; None ("not sure") below `min_confidence`."""
        if self.confidence < self.min_confidence:
            return None
        return self.labels[int(np.argmax(self.probabilities))]

    @property
    def confidence(self) -> float:
        """Probability of the most probable label, 0–1."""
        return float(np.max(self.probabilities))

    @property
    def entropy(self) -> float:
        """Entropy of the probabilities in nats: 0 for one certain label, ln n for n equal ones.

        Source: Shannon 1948, https://doi.org/10.1002/j.1538-7305.1948.tb01338.x.
        """
        positive = self.probabilities[self.probabilities > 0].astype(np.float64)
        return max(0.0, float(-np.sum(positive * np.log(positive))))

    def to_dict(self) -> dict[str, float]:
        """All labels with their probabilities, in the user's order."""
        return {label: float(p) for label, p in zip(self.labels, self.probabilities, strict=True)}

    def top(self, k: int) -> tuple[tuple[str, float], ...]:
        """The k most probable labels with their probabilities, most probable first."""
        order: list[int] = np.argsort(-self.probabilities, kind="stable")[:k].tolist()
        return tuple((self.labels[i], float(self.probabilities[i])) for i in order)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FacePrediction:
    """A face and its predicted expression."""

    face: Face
    prediction: Prediction

    def __repr__(self) -> str:
        name = "" if self.track is None else f"track {self.track}: "
        emotion = self.emotion or "not sure"
        return f"FacePrediction({name}{emotion} {self.confidence:.1%}, {self.box})"

    @property
    def box(self) -> Box:
        """Bounding box of the face."""
        return self.face.box

    @property
    def emotion(self) -> str | None:
        """The most probable label; None where the model is not sure enough."""
        return self.prediction.emotion

    @property
    def track(self) -> int | None:
        """Track id of the face in a video; None in an image."""
        return self.face.track

    @property
    def confidence(self) -> float:
        """Probability of the most probable label, 0–1."""
        return self.prediction.confidence

    @property
    def probabilities(self) -> dict[str, float]:
        """All labels with their probabilities, in the user's order."""
        return self.prediction.to_dict()


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image of a video.

    Attributes:
        image: (H, W, 3) uint8 RGB, upright.
        time_s: Presentation time in seconds from the start of the video.
        number: Index among all frames of the video, from 0; skipped frames are counted.
    """

    image: RGBImage
    time_s: float
    number: int


@dataclass(frozen=True, slots=True, eq=False)
class ImageResult:
    """All faces of one image or video frame. Without a face, `faces` is empty.

    A result has the length of its faces, and can be iterated and indexed like them. A notebook
    shows it as a table.

    Attributes:
        source: Where the image came from: a path, ``"<bytes>"``, ``"<array>"`` ….
        size: (width, height) in pixels, after EXIF orientation.
        faces: Largest face first; those that the caller gave are in the order given.
        time_s: Presentation time of a video frame in seconds; None for an image.
        frame: Number of a video frame, from 0, see `Frame.number`; None for an image.
    """

    source: str
    size: tuple[int, int]
    faces: tuple[FacePrediction, ...] = ()
    time_s: float | None = None
    frame: int | None = None

    @property
    def error(self) -> None:
        """None: the image could be read, unlike that of a `FailedInput`."""
        return

    def __len__(self) -> int:
        return len(self.faces)

    def __bool__(self) -> bool:
        return True  # also without a face: `if result.faces` asks for faces

    def __iter__(self) -> Iterator[FacePrediction]:
        return iter(self.faces)

    def __getitem__(self, index: int) -> FacePrediction:
        return self.faces[index]

    def __repr__(self) -> str:
        width, height = self.size
        place = "" if self.time_s is None else f", frame {self.frame}, {self.time_s:.2f} s"
        count = len(self.faces)
        faces = "no face" if not count else f"{count} face{'s' if count > 1 else ''}"
        head = f"ImageResult({self.source!r}, {width} × {height}{place}, {faces})"
        return "\n  ".join([head, *map(_face_line, self.faces)])

    def _repr_html_(self) -> str:
        from emopy.present.notebook import as_html

        return as_html(self)

    def show(self, image: Any = None) -> PILImage:
        """Return the image with the predictions drawn in; a notebook shows it.

        Args:
            image: The image of this result, see `FERModel.predict`; None reads the file `source`.

        Raises:
            InputError: None, and `source` is no image file; or another image.
        """
        from emopy.present.draw import draw, image_file

        if image is None:
            is_frame = self.frame is not None
            image = image_file(self.source, is_frame=is_frame, instead="result.show(image)")
        return draw(image, self)

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas data frame with one row per face, see `emopy.to_frame`."""
        from emopy.present import to_frame

        return to_frame([self])

    def to_json(self, indent: int | None = None) -> str:
        """Return `to_dict` as JSON text.

        Example:
            >>> print(ImageResult("a.jpg", (640, 480)).to_json())
            {"source": "a.jpg", "width": 640, "height": 480, "faces": [], "error": null}
        """
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, indent=indent)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as an object that JSON can hold.

        Returns:
            Keys: ``source``, ``width``, ``height``, ``time_s`` and ``frame`` (video frames only),
            ``faces`` and ``error`` (None). Each face: ``face`` (number from 1), ``track`` (tracked
            faces only), ``box``, ``score``, ``landmarks``, ``emotion``, ``confidence`` and
            ``probabilities``. Numbers have six significant digits, times six decimals; NaN and
            infinity become None.

        Example:
            >>> ImageResult("a.jpg", (640, 480)).to_dict()["faces"]
            []
        """
        width, height = self.size
        return {
            "source": escape_undecodable(self.source),
            "width": int(width),
            "height": int(height),
            **({} if self.time_s is None else {"time_s": round_time(self.time_s)}),
            **({} if self.frame is None else {"frame": int(self.frame)}),
            "faces": [_face_dict(number, face) for number, face in enumerate(self.faces, start=1)],
            "error": None,
        }


@dataclass(frozen=True, slots=True)
class FailedInput:
    """An input that could not be read.

    It has no faces, and can be iterated and indexed like an `ImageResult` without any.

    Attributes:
        source: Where it came from.
        error: The reason, ready to be shown to the user.
    """

    source: str
    error: Exception

    @property
    def faces(self) -> tuple[FacePrediction, ...]:
        """No faces: an empty tuple."""
        return ()

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True  # as for an `ImageResult`: `if result.error` asks for the reason

    def __iter__(self) -> Iterator[FacePrediction]:
        return iter(self.faces)

    def __getitem__(self, index: int) -> FacePrediction:
        return self.faces[index]

    def to_dict(self) -> dict[str, Any]:
        """Return an object with the keys of `ImageResult.to_dict`: no size, no faces, an error.

        Example:
            >>> FailedInput("a.jpg", InputError("no image")).to_dict()["error"]
            'no image'
        """
        error = escape_undecodable(str(self.error)) or type(self.error).__name__
        source = escape_undecodable(self.source)
        return {"source": source, "width": None, "height": None, "faces": [], "error": error}


def _face_line(face: FacePrediction) -> str:
    name = "" if face.track is None else f"track {face.track}: "
    emotion = face.emotion or "not sure"
    edges = ", ".join(f"{getattr(face.box, edge):.0f}" for edge in EDGES)
    return f"{name}{emotion} {face.confidence:.1%} in Box({edges})"


def round_number(value: float) -> float | None:
    """Round to six significant digits (float32 holds about seven); None for NaN and infinity."""
    number = float(value)
    return float(f"{number:.6g}") if math.isfinite(number) else None


def round_time(time_s: float) -> float:
    """Round seconds to six decimals: six significant digits would merge frames after hours."""
    return round(float(time_s), 6)


def box_dict(box: Box) -> dict[str, float | None]:
    """Return the edges of a box by name, in pixels, for JSON."""
    return {edge: round_number(getattr(box, edge)) for edge in EDGES}


def _face_dict(number: int, face: FacePrediction) -> dict[str, Any]:
    points = face.face.landmarks
    return {
        "face": number,
        **({} if face.track is None else {"track": int(face.track)}),
        "box": box_dict(face.box),
        "score": round_number(face.face.score),
        "landmarks": points if points is None else [[*map(round_number, xy)] for xy in points],
        "emotion": face.emotion,
        "confidence": round_number(face.confidence),
        "probabilities": {label: round_number(p) for label, p in face.probabilities.items()},
    }
