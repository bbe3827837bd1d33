"""The options of every verb that reads faces: what `load` takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emopy.cli.options import (
    detector_option,
    emotions_option,
    min_confidence_option,
    min_face_size_option,
    model_option,
    threads_option,
)
from emopy.cli.prior import prior_option

_OPTIONS = (
    emotions_option(),
    model_option,
    detector_option,
    min_face_size_option,
    prior_option(),
    min_confidence_option,
    threads_option,
)


def reading_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Which emotions, model, detector, prior and so on, in this order."""
    for option in reversed(_OPTIONS):
        verb = option(verb)
    return verb
