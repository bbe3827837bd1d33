"""Options that several verbs share, so that they are spelled and explained once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
ANY_PATH = click.Path(path_type=Path)


def parse_emotions(
    context: click.Context, parameter: click.Parameter, value: str
) -> str | list[str]:
    """Turn ``a,b`` into a list; `standard` and `all` stay words."""
    del context, parameter
    words = [word.strip() for word in value.split(",") if word.strip()]
    is_subset = len(words) == 1 and words[0].lower() in ("standard", "all")
    return words[0] if is_subset else words


def emotions_option(*, default: str = "standard") -> Decorator:
    """`--emotions`, whose default differs between verbs."""
    return click.option(
        "--emotions",
        default=default,
        show_default=True,
        metavar="A,B,…",
        callback=parse_emotions,
        help="Labels to choose among: two or more, or standard, or all.",
    )


model_option: Decorator = click.option(
    "--model",
    metavar="MODEL",
    help="Name of a model or a model folder.  [default: the bundled model]",
)

detector_option: Decorator = click.option(
    "--detector",
    default="mtcnn",
    show_default=True,
    metavar="NAME",
    help="Name of the face detector; full-image takes each image as one face.",
)

min_face_size_option: Decorator = click.option(
    "--min-face-size",
    type=click.IntRange(min=12),
    metavar="PIXELS",
    help="Side of the smallest face to find; all of the image is searched.  [default: one large "
    "face ends the search; other images: 24, or more above one megapixel]",
)

min_confidence_option: Decorator = click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="Below this confidence the answer is: not sure.",
)

smoothing_option: Decorator = click.option(
    "--smoothing",
    "smoothing_s",
    type=click.FloatRange(min=0),
    default=0.3,
    show_default=True,
    metavar="SECONDS",
    help="How slowly answers follow a change, so that they do not flicker; 0: at once.",
)

threads_option: Decorator = click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="CPU threads for the network that reads the faces.",
)

json_option: Decorator = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For a person or for a program.",
)
