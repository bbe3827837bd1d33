"""Which files `emopy video` writes for which video, and which of them are there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from emopy.cli.names import FreeNames
from emopy.errors import InputError

TABLES = ("csv", "json", "jsonl", "parquet")
_FILM, _PLOT = "mp4", "png"


@dataclass(frozen=True)
class Outputs:
    """What to write for one video; None for what is not wanted, or there already."""

    table: Path | None = None
    film: Path | None = None
    plot: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Those to be written."""
        return tuple(file for file in (self.table, self.film, self.plot) if file)

    def missing(self) -> Outputs:
        """Without those that are there already, which are mentioned."""
        return Outputs(*map(_unless_there, (self.table, self.film, self.plot)))


def plan_outputs(
    videos: Sequence[str], *, out: Path | None, draw: Path | None, plot: Path | None, table: str
) -> list[Outputs]:
    """Say which files belong to which video.

    Args:
        videos: Paths as they were typed.
        out: File of the table; for several videos a folder, in which each gets a file of its name.
        draw: The same for the film.
        plot: The same for the plot.
        table: Format of tables in a folder.

    Returns:
        The files of each video, in order.

    Raises:
        InputError: Several videos and a file, two of one name, or a video that would be replaced.
    """
    names = FreeNames()
    outputs = [
        Outputs(
            _file(out, "--out", stem, table, videos),
            _file(draw, "--draw", stem, _FILM, videos),
            _file(plot, "--plot", stem, _PLOT, videos),
        )
        for stem in (names.give(Path(video).stem) for video in videos)
    ]
    sources = {Path(video).resolve() for video in videos}
    taken: set[Path] = set()
    for file in (file for output in outputs for file in output.files):
        if file.resolve() in sources:
            raise InputError(f"`{file}` must not be replaced: it is read. Name another file.")
        if file.resolve() in taken:
            raise InputError(f"`{file}` would be written twice. Name another file or folder.")
        taken.add(file.resolve())
    return outputs


def _file(
    given: Path | None, option: str, stem: str, suffix: str, videos: Sequence[str]
) -> Path | None:
    if given is None:
        return None
    if given.is_dir() or len(videos) > 1:
        if given.suffix and not given.is_dir():
            raise InputError(
                f"{option} must be a folder for several videos. Received {given}. "
                f"Type for example: {option} {given.with_suffix('')}"
            )
        return given / f"{stem}.{suffix}"
    return given


def _unless_there(file: Path | None) -> Path | None:
    if file is None or not file.is_file():
        return file
    click.echo(f"emopy: {file} is there already. Type --overwrite to write it anew.", err=True)
    return None
