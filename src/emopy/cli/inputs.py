"""What was typed → pictures, and a model that reads them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # the model would slow down --help
    from emopy.fermodel import FERModel

Source = str | bytes


def gather(paths: tuple[str, ...], *, recursive: bool) -> Iterator[Source]:
    """Turn what was typed into pictures; a folder without any is mentioned, not an error."""
    from emopy.media import find_images

    for path in paths:
        if path == "-":
            yield sys.stdin.buffer.read()
            continue
        found = find_images([path], recursive=recursive)
        if not found:
            hint = "" if recursive else " Type --recursive to look deeper."
            click.echo(f"emopy: no pictures in {path}.{hint}", err=True)
        yield from (str(picture) for picture in found)


def load(
    emotions: str | list[str],
    model: str | None,
    detector: str = "mtcnn",
    smallest_face_px: int | None = None,
    threads: int = 1,
) -> FERModel:
    """Load the model and the detector that the options ask for."""
    from emopy.faces import get_detector
    from emopy.fermodel import FERModel
    from emopy.models import DEFAULT_MODEL

    settings = {} if smallest_face_px is None else {"min_face_px": smallest_face_px}
    return FERModel(
        emotions,
        model=model or DEFAULT_MODEL,
        detector=get_detector(detector, **settings),
        threads=threads,
    )
