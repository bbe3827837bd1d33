"""What `/openapi.json` says about each path.

Bodies are read by `emopy.serve.requests`, which knows their limits, so they are described here.
"""

from __future__ import annotations

from typing import Any

from emopy.bounding_box import EDGES
from emopy.explain import METHODS
from emopy.serve.requests import MAX_IMAGES

DESCRIPTION = (
    "Predicts facial expressions in images and videos. A face shows an expression, not what a "
    "person feels. Nothing of an image is written to disk or logged; no address is fetched and no "
    "file of the server is opened by request. Errors are problem details (RFC 9457)."
)

PROBES = ("/healthz", "/readyz")
"""Paths of probes, which need no key: they have none."""

_Schema = dict[str, Any]

_NUMBER: _Schema = {"type": "number"}
_TEXT: _Schema = {"type": "string"}
_OR_NULL = {"type": "null"}
_NUMBERS: _Schema = {"type": "object", "additionalProperties": _NUMBER}
_ROWS: _Schema = {"type": "array", "items": {"type": "array", "items": _NUMBER}}


def _said(schema: _Schema, description: str) -> _Schema:
    return {**schema, "description": description}


def _array(items: _Schema) -> _Schema:
    return {"type": "array", "items": items}


def _object(required: dict[str, _Schema], **more: _Schema) -> _Schema:
    return {"type": "object", "properties": required | more, "required": [*required]}


def _nullable(schema: _Schema) -> _Schema:
    return {"anyOf": [schema, _OR_NULL]}


_COUNT: _Schema = {"type": "integer"}
_BOX = _said(
    _object(dict.fromkeys(EDGES, _NUMBER)),
    "left, top, right and bottom in pixels; right and bottom are exclusive.",
)
_FACE = _object(
    {
        "face": _said(_COUNT, "Number from 1, the largest face first."),
        "box": _BOX,
        "score": _nullable(_said(_NUMBER, "Confidence of the detector, 0–1; 1 for your boxes.")),
        "landmarks": _nullable(
            _said(_ROWS, "x and y in pixels: two eyes, nose tip, two mouth corners.")
        ),
        "emotion": _nullable(_said(_TEXT, "The most probable one; null: not sure.")),
        "confidence": _said(_NUMBER, "Probability of the most probable emotion, 0–1."),
        "probabilities": _said(_NUMBERS, "For each emotion, 0–1; their sum is 1."),
    },
    track=_said(_COUNT, "Number of a person in a live session."),
)
_RESULT = _object(
    {
        "source": _said(_TEXT, "Name of the file in a form; `<bytes>` for others."),
        "width": _nullable(_said(_COUNT, "Pixels, after rotation by EXIF.")),
        "height": _nullable(_said(_COUNT, "Pixels.")),
        "faces": _array(_FACE),
        "error": _nullable(_said(_TEXT, "Why the image cannot be read; null if it can.")),
    }
)
_PROBLEM = _object({"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT})


def _query(name: str, description: str, schema: _Schema = _TEXT, example: object = None) -> _Schema:
    found = {"in": "query", "name": name, "description": description, "schema": schema}
    return found if example is None else {**found, "example": example}


_OPTIONS = [
    _query(
        "emotions",
        "Labels to choose among, two or more, with commas between them; or standard, or all. "
        "Results have the same words.",
        example="calm,anger,happiness",
    ),
    _query(
        "prior",
        "How often each emotion is expected: training, uniform, tempered, or a probability for "
        "each of `emotions`, such as anger=0.2,neutral=0.8 with emotions=anger,neutral.",
        example="uniform",
    ),
    _query(
        "min_confidence",
        'Confidence below which the emotion is null, "not sure".',
        {"type": "number", "minimum": 0, "maximum": 1},
        example=0.5,
    ),
    _query(
        "views",
        "2: predict each face and its mirror image, and answer with their mean.",
        {"type": "integer", "enum": [1, 2]},
        example=2,
    ),
]
_BOXES = _query(
    "boxes",
    "Faces of the image instead of detected ones: left,top,right,bottom in pixels; several with "
    "semicolons between them.",
    example="20,20,180,200",
)
_DRAW = _query("draw", "png: answer with the annotated image.", {"type": "string", "enum": ["png"]})
_VIDEO = [
    _query("every", "Read every n-th frame.", {"type": "integer", "minimum": 1}),
    _query(
        "fps", "Read at most so many frames per second.", {"type": "number", "exclusiveMinimum": 0}
    ),
    _query("start_s", "Start time in seconds.", {"type": "number", "minimum": 0}),
    _query("end_s", "End time in seconds.", {"type": "number", "exclusiveMinimum": 0}),
    _query(
        "smoothing_s",
        "Time constant of the smoothing of probabilities in seconds; 0: none.",
        {"type": "number", "minimum": 0},
    ),
]

_BINARY: _Schema = {"type": "string", "format": "binary"}
_BASE64: _Schema = _said(_TEXT, "Base64, or a data URL.")


def _body(kind: str, json_schema: _Schema, *, most: int = 1) -> _Schema:
    """Return how a body is described: as it is, a form, or JSON; with at most so many files."""
    files = _said({**_array(_BINARY), "maxItems": most}, "Fields may have other names, too.")
    content: _Schema = {
        f"{kind}/*": {"schema": _BINARY},
        "application/octet-stream": {"schema": _BINARY},
        "multipart/form-data": {"schema": _object({"file": files})},
        "application/json": {"schema": json_schema},
    }
    return {"required": True, "content": content}


_IMAGES_JSON = {
    "type": "object",
    "properties": {
        "image": _BASE64,
        "images": _said(_array(_BASE64), "Several images, in place of `image`."),
    },
    "additionalProperties": False,
}
_ONE_JSON = _object({"image": _BASE64}) | {"additionalProperties": False}
_ANALYZE_JSON = _object(
    {},
    img=_BASE64,
    img_path=_said(_TEXT, "Base64, or a data URL, in place of `img`."),
    actions=_array({"type": "string", "enum": ["emotion"]}),
    enforce_detection=_said({"type": "boolean"}, "Whether an image without a face is an error."),
)

_PROBLEMS = {
    400: "The request cannot be read.",
    401: "The API key is missing or wrong.",
    403: "A web page of another origin sent it.",
    408: "The body did not arrive in time.",
    413: "The body is over the limit.",
    415: "The content type is not supported.",
    421: "The Host header is not one that the service accepts.",
    422: "An image or a value cannot be used, or there are too many.",
    429: "The queue is full; try again after Retry-After seconds.",
    431: "The request headers exceed 64 kB.",
    500: "The service failed; its log has the reason.",
    504: "The answer was not ready in time.",
}


_OPEN = (400, 403, 421, 431, 500)
"""Problems of a request without a body that needs no key."""


def _problem(description: str) -> dict[str, Any]:
    """Return how an answer with problem details is described."""
    content = {"application/problem+json": {"schema": _PROBLEM}}
    return {"description": description, "content": content}


def _operation(
    tag: str,
    summary: str,
    description: str,
    *,
    answers: dict[str, _Schema],
    parameters: list[_Schema] | None = None,
    body: _Schema | None = None,
    needs_key: bool = True,
) -> dict[str, Any]:
    """Return the keywords of `FastAPI.add_api_route`."""
    without_body = (*_OPEN, 401) if needs_key else _OPEN
    codes = _PROBLEMS if body else {code: _PROBLEMS[code] for code in without_body}
    failures = {code: _problem(text) for code, text in codes.items()}
    content = {kind: {"schema": schema} for kind, schema in answers.items()}
    extra: _Schema = {} if body is None else {"requestBody": body}
    if parameters:
        extra["parameters"] = parameters
    return {
        "tags": [tag],
        "summary": summary,
        "description": description,
        "responses": {200: {"description": "The answer.", "content": content}, **failures},
        "openapi_extra": extra,
    }


_MODEL_NAME = _said(_TEXT, "Name of the model.")
_MAP = _object(
    {
        "probability": _said(_NUMBER, "Of this emotion, 0–1."),
        "regions": _said(_NUMBERS, "Mean of the map in each region of the face."),
        "map": _said(_ROWS, "Change of the log-odds by each pixel of the aligned face."),
    }
)
_EXPLANATION = _object(
    {
        "model": _MODEL_NAME,
        "source": _said(_TEXT, "Name of the file in a form; `<bytes>` for others."),
        "box": _nullable(_BOX),
        "method": _said(_TEXT, "How pixels were hidden."),
        "seed": _said(_COUNT, "Seed of the masks."),
        "masks": _said(_COUNT, "Number of masked copies."),
        "transform": _said(_ROWS, "From the image to the aligned face: two rows of three."),
        "emotions": {"type": "object", "additionalProperties": _MAP},
    }
)
_ANALYSIS = _object(
    {
        "emotion": _said(_NUMBERS, "Percent for each emotion, in deepface's words."),
        "dominant_emotion": _said(_TEXT, "The most probable one."),
        "region": _said(
            {"type": "object"}, "x, y, w, h, and left_eye and right_eye of the person, in pixels."
        ),
        "face_confidence": _said(_NUMBER, "Confidence of the detector, 0–1."),
    }
)
_DESCRIPTION = _object(
    {
        "name": _MODEL_NAME,
        "version": _TEXT,
        "labels": _said(_array(_TEXT), "All that the model knows."),
        "emotions": _said(_array(_TEXT), "Those that are predicted unless a request asks."),
        "precision": _said(_TEXT, "float32 or int8."),
        "sha256": _nullable(_said(_TEXT, "Checksum of the weights.")),
        "intended_use": _TEXT,
        "limits": _TEXT,
    }
)
_PREDICTIONS = _object({"model": _MODEL_NAME, "results": _array(_RESULT)})

OPERATIONS: dict[str, dict[str, Any]] = {
    "/v1/predict": _operation(
        "predict",
        "Predict the expression of every face",
        "One image, or several in a form or a list. An image that cannot be read has an error "
        "instead of faces; if none can be read, the status is 422.",
        answers={"application/json": _PREDICTIONS, "image/png": _BINARY},
        parameters=[*_OPTIONS, _BOXES, _DRAW],
        body=_body("image", _IMAGES_JSON, most=MAX_IMAGES),
    ),
    "/v1/explain": _operation(
        "predict",
        "Explain the prediction of the largest face",
        "Answers with a map for each emotion asked for: how much each pixel of the aligned face "
        "raises or lowers its log-odds.",
        answers={"application/json": _EXPLANATION},
        parameters=[
            *_OPTIONS,
            _query(
                "emotion",
                "Emotions to explain, with commas between them. Default: the most probable one.",
            ),
            _query("method", "How to hide pixels.", {"type": "string", "enum": [*METHODS]}),
        ],
        body=_body("image", _ONE_JSON),
    ),
    "/v1/video": _operation(
        "predict",
        "Predict a video",
        "Answers with one line of JSON for each face of each frame while the video is read; "
        "a frame without a face has a line too. The last line has an error if "
        "frames are missing. To cancel, close the connection.",
        answers={"application/x-ndjson": _TEXT},
        parameters=[*_OPTIONS, *_VIDEO],
        body=_body("video", _ONE_JSON),
    ),
    "/analyze": _operation(
        "compatibility",
        "Predict in the shape of deepface's service",
        "For clients of deepface: emotion only; percentages and deepface's words. The image is "
        "sent as a data URL, base64 or a form.",
        answers={"application/json": _object({"results": _array(_ANALYSIS)})},
        body=_body("image", _ANALYZE_JSON),
    ),
    "/v1/models": _operation(
        "service",
        "Describe the model",
        "Name, version, labels, checksum, use and limits of the model that predicts.",
        answers={"application/json": _object({"models": _array(_DESCRIPTION)})},
    ),
    "/healthz": _operation(
        "service", "Tell whether the process runs", "For liveness probes; needs no key.",
        answers={"text/plain": _TEXT},
        needs_key=False,
    ),
    "/readyz": _operation(
        "service",
        "Tell whether new requests are welcome",
        "For readiness probes; needs no key. The status is 503 while the service stops.",
        answers={"text/plain": _TEXT},
        needs_key=False,
    ),
    "/metrics": _operation(
        "service", "Count requests, faces and failures", "In the text format of Prometheus.",
        answers={"text/plain": _TEXT},
    ),
}  # fmt: skip
OPERATIONS["/readyz"]["responses"] |= {503: _problem("The service is stopping.")}
OPERATIONS["/v1/video"]["responses"] |= {501: _problem("The extra `video` is not installed.")}
