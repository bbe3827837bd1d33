"""Labelled faces for the verbs: what could not be read is told on stderr, the rest is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emopy.data import Dataset, Problem


def open_labelled(path: Path, *, clips: int | None = None) -> tuple[Dataset, int]:
    """Load a data set and tell each file or row that was left out.

    Args:
        path: What the user typed.
        clips: Frames per clip, where the folder holds clips; None for stills.

    Returns:
        The faces, and how many files or rows were left out.
    """
    from emopy.data import find_loader

    loader = find_loader(path, time_delay=clips)
    data = loader.load_data()
    for problem in loader.problems:
        tell(problem)
    return data, len(loader.problems)


def open_for(model: str, path: Path) -> tuple[Dataset, int]:
    """Load a data set for a model: clips of its length where it reads clips."""
    from emopy.models import find_model
    from emopy.models.files import read_card

    frames = read_card(find_model(model)).input.frames
    return open_labelled(path, clips=frames if frames > 1 else None)


def tell(problem: Problem) -> None:
    """Write on stderr what was left out, and why."""
    click.echo(f"emopy: {problem}", err=True)
