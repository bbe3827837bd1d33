"""Labelled faces for the verbs: what could not be read is told on stderr, the rest is used."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emopy.cli.options import ANY_PATH, Decorator

if TYPE_CHECKING:
    from emopy.data import Dataset, Loader, SkippedSample


data_arguments: Decorator = click.argument(
    "paths", type=ANY_PATH, nargs=-1, required=True, metavar="DATA..."
)

clips_option: Decorator = click.option(
    "--clips",
    type=click.IntRange(min=2),
    metavar="N",
    help="Folders hold clips, a folder each: take their last N frames.",
)


def open_labelled(
    path: Path,
    *,
    clips: int | None = None,
    size: tuple[int, int] = (48, 48),
    channels: int = 1,
) -> tuple[Dataset, int]:
    """Load a data set and tell each file or row that was left out.

    Args:
        path: What the user typed.
        clips: Frames per clip, where the folder holds clips; None for stills.
        size: (height, width) to bring the images of a folder to.
        channels: 1 for gray, 3 for RGB.

    Returns:
        The faces, and how many files or rows were left out.
    """
    from emopy.data import find_loader

    loader = find_loader(path, time_delay=clips, size=size, channels=channels)
    return load_told(loader), len(loader.skipped)


def load_told(loader: Loader) -> Dataset:
    """Load a data set and tell each file or row that was left out."""
    data = loader.load_data()
    for skipped_sample in loader.skipped:
        tell(skipped_sample)
    return data


def open_for(model: str, path: Path) -> tuple[Dataset, int]:
    """Load a data set as a model reads it: its size and colours, clips of its length."""
    from emopy.models import find_model
    from emopy.models.store import read_card

    spec = read_card(find_model(model)).input
    return open_labelled(
        path,
        clips=spec.frames if spec.frames > 1 else None,
        size=(spec.height, spec.width),
        channels=spec.channels,
    )


def tell(skipped_sample: SkippedSample) -> None:
    """Write on stderr what was left out, and why."""
    click.echo(f"emopy: {skipped_sample}", err=True)


def say(text: str) -> None:
    """Write on stdout what was found, in characters that it knows."""
    from emopy.present import encodable

    click.echo(encodable(text, sys.stdout.encoding))
