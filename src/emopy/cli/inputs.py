"""What was typed → images, and a model that reads them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emopy.errors import InputError

if TYPE_CHECKING:  # the model would slow down --help
    from emopy.fermodel import FERModel
    from emopy.media import Video

Source = str | bytes


def gather(paths: tuple[str, ...], *, recursive: bool) -> Iterator[Source]:
    """Turn what was typed into images; a folder without any is mentioned, not an error."""
    from emopy.media import find_images

    for path in paths:
        if path == "-":
            yield _read_stdin()
            continue
        if not path:
            raise InputError("PATH must not be empty. Type an image, a folder, or - for stdin.")
        found = find_images([path], recursive=recursive)
        if not found:
            hint = "" if recursive else " Type --recursive to look deeper."
            click.echo(f"emopy: no images in {path}.{hint}", err=True)
        yield from (str(image) for image in found)


def _read_stdin() -> bytes:
    if sys.stdin is None:
        raise InputError("- needs an image on stdin. Received a closed one. Type: … < image.jpg")
    return sys.stdin.buffer.read()


def protect(sources: list[Source], *, out: Path | None, draw: Path | None) -> None:
    """Refuse to write over the images that are read.

    Raises:
        InputError: `out` is one of the images, or `draw` is a folder that holds one, or
            cannot be made.
    """
    images = {Path(source).resolve() for source in sources if isinstance(source, str)}
    if out and out.resolve() in images:
        raise InputError(f"--out must not be one of the images. Received {out}. Name a new file.")
    if draw and draw.resolve() in {image.parent for image in images}:
        raise InputError(
            f"--draw must be another folder than that of the images. Received {draw}. "
            "Type for example: --draw drawn"
        )
    if draw:
        draw.mkdir(parents=True, exist_ok=True)  # fails now, not after the first image


def load(
    emotions: str | list[str],
    model: str | None,
    detector: str = "mtcnn",
    min_face_size: int | None = None,
    **reading: Any,
) -> FERModel:
    """Load the model and the detector that the options ask for.

    `reading` are the options that `FERModel` has by the same name: prior, min_confidence, threads.
    """
    from emopy.faces import get_detector
    from emopy.fermodel import FERModel
    from emopy.models import DEFAULT_MODEL

    settings = {} if min_face_size is None else {"min_face_size": min_face_size}
    return FERModel(
        emotions,
        model=model or DEFAULT_MODEL,
        detector=get_detector(detector, **settings),
        **reading,
    )


def say_missing(video: Video) -> int:
    """Say what a video lacked.

    Returns:
        The exit code: 1 if its end was missing.
    """
    if video.shortfall:
        click.echo(f"emopy: {video.shortfall}", err=True)
    return 1 if video.truncated else 0
