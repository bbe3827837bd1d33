"""`/v1/predict` and `/v1/explain`: the work on the images of one request."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from emopy.errors import EmoPyError, InputError, naming
from emopy.fermodel import FERModel
from emopy.media import read_image
from emopy.present.draw import draw
from emopy.serve.problems import ProblemDetails
from emopy.serve.requests import Upload
from emopy.serve.wording import in_http_words, is_about_input, refusal
from emopy.serve.work_queue import IsWanted
from emopy.types import Box, FailedInput, ImageResult, box_dict


def predict_uploads(
    model: FERModel,
    uploads: Sequence[Upload],
    boxes: Sequence[Box] | None,
    is_wanted: IsWanted,
) -> list[ImageResult | FailedInput]:
    """Predict images; one that cannot be read is a `FailedInput`.

    Args:
        model: The model.
        uploads: The images.
        boxes: Faces of the only image; None detects them.
        is_wanted: Whether anybody waits for the results; if not, the other images are left out.

    Raises:
        ProblemDetails: 422 if no image can be read.
    """
    if boxes is not None and len(uploads) != 1:
        raise ProblemDetails(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"boxes must be given for one image. Received {len(uploads)} images.",
        )
    results: list[ImageResult | FailedInput] = []
    for upload in uploads:
        if not is_wanted():
            break
        try:
            with naming(faces="boxes"):
                found = model.predict(upload.content, faces=boxes)
        except InputError as error:
            if not is_about_input(error):
                raise refusal(error, upload.name) from error
            results.append(FailedInput(upload.name, InputError(in_http_words(error, upload.name))))
        else:
            results.append(replace(found, source=upload.name))
    failed = [result for result in results if isinstance(result, FailedInput)]
    if failed and len(failed) == len(results):
        records = {"results": [result.to_dict() for result in results]}
        raise ProblemDetails(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            str(failed[0].error),
            more=records,
            failed_inputs=len(failed),
        )
    return results


def draw_upload(model: FERModel, upload: Upload, boxes: Sequence[Box] | None) -> tuple[bytes, int]:
    """Return an image with its predictions drawn in, as PNG, and the number of its faces.

    Raises:
        ProblemDetails: 422 if it cannot be read.
    """
    try:
        image = read_image(upload.content, max_pixels=model.max_pixels)
        with naming(faces="boxes"):
            result = model.predict(image, faces=boxes)
    except InputError as error:
        raise refusal(error, upload.name) from error
    file = io.BytesIO()
    draw(image, result).save(file, "PNG", compress_level=4)
    return file.getvalue(), len(result.faces)


def explain_upload(
    model: FERModel, upload: Upload, emotion: str | list[str] | None, method: str
) -> dict[str, Any]:
    """Return the explanation of the largest face of an image, with ``source`` and ``box``.

    Raises:
        ProblemDetails: 422 if the image cannot be read or shows no face.
    """
    try:
        found = model.explain(upload.content, emotion, method=method)
    except EmoPyError as error:
        if str(error).startswith("`source` must show a face"):
            raise _no_face(upload.name) from error
        raise refusal(error, upload.name) from error
    box = None if found.face is None else box_dict(found.face.box)
    return {"source": upload.name, "box": box, **found.to_dict()}


def _no_face(name: str) -> ProblemDetails:
    """The problem of an image that can be read, but has nothing to explain."""
    return ProblemDetails(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"source must show a face. Received {name!r}, in which none was found. "
        "Send an image that shows a face.",
    )
