"""Results as JSON without rounding, so that they are read back exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emopy.errors import InputError

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.types import FacePrediction, FailedInput, ImageResult


def pack_result(result: ImageResult | FailedInput) -> dict[str, Any]:
    """Return a result as an object that JSON can hold."""
    from emopy.types import FailedInput

    if isinstance(result, FailedInput):
        error = str(result.error) or type(result.error).__name__
        return {"source": result.source, "error": error}
    faces = [_pack_face(face) for face in result.faces]
    return {
        "source": result.source,
        "size": [*map(int, result.size)],
        "time_s": result.time_s,
        "frame": result.frame,
        "faces": faces,
    }


def _pack_face(found: FacePrediction) -> dict[str, Any]:
    box, marks = found.box, found.face.landmarks
    return {
        "box": [float(edge) for edge in (box.left, box.top, box.right, box.bottom)],
        "score": float(found.face.score),
        "landmarks": marks if marks is None else marks.tolist(),
        "track": found.track if found.track is None else int(found.track),
        "probabilities": [_shortest(number) for number in found.prediction.probabilities],
    }


def _shortest(number: Any) -> float:
    """Return the shortest decimal that stands for the same float32."""
    return float(str(number))


def unpack_result(
    packed: dict[str, Any], labels: tuple[str, ...], min_confidence: float
) -> ImageResult | FailedInput:
    """Return the result that was packed.

    Args:
        packed: What `pack_result` returned.
        labels: Labels of every prediction, in order.
        min_confidence: As for `Prediction`.
    """
    import numpy as np

    from emopy.types import Box, Face, FacePrediction, FailedInput, ImageResult, Prediction

    if "error" in packed:
        return FailedInput(packed["source"], InputError(packed["error"]))
    faces: list[FacePrediction] = []
    for each in packed["faces"]:
        marks = each["landmarks"]
        face = Face(
            Box(*each["box"]),
            each["score"],
            None if marks is None else np.array(marks, np.float32),
            each["track"],
        )
        probabilities = np.array(each["probabilities"], np.float32)
        faces.append(FacePrediction(face, Prediction(labels, probabilities, min_confidence)))
    width, height = packed["size"]
    place = packed["time_s"], packed["frame"]
    return ImageResult(packed["source"], (width, height), tuple(faces), *place)
