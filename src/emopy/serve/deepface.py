"""`POST /analyze` in the shape of deepface's service, so that its clients can move.

Source: https://github.com/serengil/deepface, its HTTP service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from starlette.requests import Request

from emopy.errors import InputError
from emopy.fermodel import FERModel
from emopy.serve.forms import MULTIPART
from emopy.serve.problems import ProblemDetails
from emopy.serve.requests import (
    JSON,
    Upload,
    content_type,
    decode_base64,
    find_uploads,
    read_form,
    read_json,
)
from emopy.serve.wording import UNNAMED, refusal
from emopy.types import FacePrediction

_WORDS = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprise",
    "neutral": "neutral",
}
"""deepface's word for each emotion; others, such as labels of your own, stay as they are."""


def find_image(request: Request, body: bytes) -> tuple[Upload, bool]:
    """Return the image of a request, and whether an image without a face is an error.

    Raises:
        ProblemDetails: 400 or 422 for no image, an address or path, or another action than
            ``emotion``.
    """
    kind = content_type(request.headers)
    uploads: list[Upload] = []
    found: Mapping[str, Any] = {}
    if kind == JSON:
        found = read_json(body)
    elif kind == MULTIPART:
        uploads, found = read_form(request.headers, body)
    else:
        uploads = find_uploads(request, body)
    _check_actions(found.get("actions", "emotion"))
    if not uploads:
        uploads = [Upload(UNNAMED, decode_base64(found.get("img", found.get("img_path"))))]
    if len(uploads) > 1:
        raise ProblemDetails(HTTPStatus.UNPROCESSABLE_ENTITY, "The form must hold one image.")
    return uploads[0], str(found.get("enforce_detection", True)).lower() not in ("false", "0")


def _check_actions(actions: object) -> None:
    """Raise the problem 422 for other actions than the one that there is; a form has a text."""
    if isinstance(actions, str):
        actions = re.findall(r"\w+", actions)
    if actions != ["emotion"]:
        raise ProblemDetails(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            'actions must be ["emotion"]: age, gender and race are not predicted here.',
        )


def analyze(model: FERModel, upload: Upload, *, enforce: bool) -> dict[str, Any]:
    """Return the answer of deepface's service for an image.

    Raises:
        ProblemDetails: 422 if the image cannot be read, 400 if it shows no face and `enforce` is
            set.
    """
    try:
        result = model.predict(upload.content)
    except InputError as error:
        raise refusal(error, upload.name) from error
    if not result.faces and enforce:
        raise ProblemDetails(
            HTTPStatus.BAD_REQUEST,
            "Face could not be detected. Send an image of a face, or set enforce_detection to "
            "false.",
        )
    return {"results": [_record(face) for face in result.faces]}


def _record(found: FacePrediction) -> dict[str, Any]:
    box, marks = found.box, found.face.landmarks
    left, top = round(box.left), round(box.top)
    region: dict[str, Any] = {
        "x": left,
        "y": top,
        "w": round(box.right) - left,
        "h": round(box.bottom) - top,
        "left_eye": None,
        "right_eye": None,
    }
    if marks is not None:  # there, left and right are the person's own
        right, left_eye = cast("list[list[float]]", marks[:2].tolist())
        region |= {"left_eye": [*map(round, left_eye)], "right_eye": [*map(round, right)]}
    percent = {_WORDS.get(name, name): 100 * p for name, p in found.probabilities.items()}
    return {
        "emotion": percent,
        "dominant_emotion": max(percent, key=lambda name: percent[name]),
        "region": region,
        "face_confidence": round(found.face.score, 2),
    }
