"""Errors of Python in the words of HTTP."""

from __future__ import annotations

import ast
import re
from http import HTTPStatus

from emopy.errors import EmoPyError, InputError, MissingExtraError
from emopy.serve.problems import ProblemDetails

UNNAMED = "<bytes>"
"""Name of an image or video that was sent without one, as in Python."""

_ARRAY = "<array>"
"""Name of a decoded image in Python."""

_BOX = re.compile(r"Box\(left=([^,]+), top=([^,]+), right=([^,]+), bottom=([^,)]+)\)")

_CALLS = {"FERModel().predict": "POST /v1/predict", "FERModel.predict_video": "POST /v1/video"}


def in_http_words(error: EmoPyError, name: str = UNNAMED) -> str:
    """Return the text of an error with names of the query in place of Python's arguments.

    Args:
        error: The error.
        name: Name of the image or video that was sent.

    Example:
        >>> in_http_words(InputError("Type: `emotions=['anger', 'fear']`"))
        'Type: emotions=anger,fear'
    """
    text = _BOX.sub(_edges, error.worded(_renamed).replace("`", ""))
    for unnamed in (UNNAMED, _ARRAY):
        text = text.replace(repr(unnamed), repr(name)).replace(unnamed, name)
    return text


def refusal(error: EmoPyError, name: str | None = None) -> ProblemDetails:
    """Return the problem of what cannot be used: 422, or 501 without the extra for it.

    Args:
        error: Why.
        name: Name of the image or video that was sent, which counts as a failed input if it is at
            fault; None for a value of the query.
    """
    is_missing = isinstance(error, MissingExtraError)
    return ProblemDetails(
        HTTPStatus.NOT_IMPLEMENTED if is_missing else HTTPStatus.UNPROCESSABLE_ENTITY,
        in_http_words(error, UNNAMED if name is None else name),
        failed_inputs=int(name is not None and is_about_input(error)),
    )


def is_about_input(error: EmoPyError) -> bool:
    """Return whether an image or video is at fault rather than an option such as ``start_s``."""
    argument = re.match(r"`(\w+)`", str(error))
    return isinstance(error, InputError) and (argument is None or argument[1] == "source")


def _edges(box: re.Match[str]) -> str:
    """Spell a box as the query does, with at most six digits."""
    return ",".join(f"{float(edge):g}" for edge in box.groups())


def _renamed(code: str) -> str:
    for call, request in _CALLS.items():
        if code == call or code.startswith(f"{call}("):
            return request
    name, equals, value = code.partition("=")
    if name == "max_pixels" and equals:
        return f"emopy serve --max-pixels {value}"
    if not re.fullmatch(r"[a-z_]+", name):
        return code
    return f"{name}{equals}{_spelled(value)}"


def _spelled(value: str) -> str:
    """Spell a Python value as a query does."""
    try:
        plain = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
    if isinstance(plain, dict):
        return ",".join(f"{key}={number}" for key, number in plain.items())
    return ",".join(map(str, plain)) if isinstance(plain, list | tuple) else str(plain)
