"""How to predict: the names and values in the query of a request."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from emopy.errors import EmoPyError, InputError, naming
from emopy.fermodel import FERModel
from emopy.labels import split_labels
from emopy.models.prior import Prior, split_prior
from emopy.serve.problems import ProblemDetails
from emopy.serve.wording import refusal
from emopy.types import Box

OPTIONS = ("emotions", "prior", "min_confidence", "views")
"""Names in a query that change how the model answers."""

_MAX_TEXT = 2000
_MAX_BOXES_TEXT = 32_000
_MAX_NUMBER = 40
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


def choose_model(model: FERModel, query: Mapping[str, str]) -> FERModel:
    """Return the model with the emotions, prior, least confidence and views that a query asks for.

    Raises:
        ProblemDetails: 422 if one of them is none.
    """
    if not any(name in query for name in OPTIONS):
        return model
    prior: Prior | None = None
    try:
        with naming(target_emotions="emotions"):
            emotions = split_labels(query["emotions"]) if "emotions" in query else None
            prior = split_prior(query["prior"]) if "prior" in query else None
            confidence = number(query, "min_confidence") if "min_confidence" in query else None
            views = whole_number(query, "views") if "views" in query else None
            return model.with_options(emotions, prior=prior, min_confidence=confidence, views=views)
    except EmoPyError as error:
        raise refusal(error) from error


def number(query: Mapping[str, str], name: str) -> float:
    """Return a finite number of a query.

    Raises:
        InputError: It is none.
    """
    text = query[name]
    if len(text) <= _MAX_NUMBER and _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    raise InputError(f"`{name}` must be a number. Received {text[:_MAX_NUMBER]!r}.")


def whole_number(query: Mapping[str, str], name: str) -> int:
    """Return a whole number of a query.

    Raises:
        InputError: It is none.
    """
    value = number(query, name)
    if not value.is_integer():
        raise InputError(f"`{name}` must be a whole number. Received {query[name]!r}.")
    return int(value)


def read_boxes(query: Mapping[str, str]) -> list[Box] | None:
    """Return the boxes of a query: ``boxes=left,top,right,bottom;left,…``; None for none.

    Raises:
        ProblemDetails: 422 if one is no box.
    """
    text = query.get("boxes")
    if text is None:
        return None
    boxes: list[Box] = []
    try:
        for each in text.split(";") if text else ():
            edges = [number({"boxes": edge.strip()}, "boxes") for edge in each.split(",")]
            if len(edges) != 4:
                raise InputError("four numbers")
            boxes.append(Box(*edges))
    except InputError as error:
        raise ProblemDetails(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "boxes must be left,top,right,bottom in pixels, separated by semicolons. "
            f"Received {text[:60] + '…' * (len(text) > 60)!r}.",
        ) from error
    return boxes


def check_query(query: Sequence[tuple[str, str]], known: Sequence[str]) -> dict[str, str]:
    """Return a query in which every name is known and stands once.

    Raises:
        ProblemDetails: 422 if not.
    """
    found: dict[str, str] = {}
    for name, value in query:
        if name not in known:
            needed = f"have known names only: {', '.join(known)}" if known else "be empty"
            raise ProblemDetails(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"The query must {needed}. Received {name[:60]!r}.",
            )
        if name in found:
            raise ProblemDetails(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} must stand once in the query."
            )
        longest = _MAX_BOXES_TEXT if name == "boxes" else _MAX_TEXT
        if len(value) > longest:
            raise ProblemDetails(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"{name} must have at most {longest:,} characters. Received {len(value):,}.",
            )
        found[name] = value
    return found
