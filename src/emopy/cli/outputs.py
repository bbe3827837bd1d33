"""Which files `emopy video` writes for which video, and which of them are there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import click

from emopy.errors import InputError

TABLES = ("csv", "json", "jsonl", "parquet")
_SUFFIXES = {"draw": "mp4", "plot": "png", "summary": "json"}


@dataclass(frozen=True)
class Outputs:
    """What to write for one video; None for what is not wanted, or there already."""

    out: Path | None = None
    draw: Path | None = None
    plot: Path | None = None
    summary: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Those to be written."""
        found = (getattr(self, each.name) for each in fields(self))
        return tuple(file for file in found if file)

    def missing(self, video: str) -> Outputs:
        """Without those that are there already, and no older than the video; they are named."""
        return Outputs(*(_unless_there(getattr(self, each.name), video) for each in fields(self)))


def plan_outputs(
    videos: Sequence[str], wanted: Mapping[str, Path | None], *, table: str | None
) -> list[Outputs]:
    """Say which files belong to which video.

    Args:
        videos: Paths as they were typed.
        wanted: What was typed after --out, --draw, --plot and --summary: a file, or (without a
            suffix, and for several videos) a folder in which each gets a file of its name.
        table: Format of tables; None by their suffix, csv in a folder.

    Returns:
        The files of each video, in order.

    Raises:
        InputError: Several videos and a file, videos of one name and a folder, or a video that
            would be replaced.
    """
    suffixes = {**_SUFFIXES, "out": table or "csv"}
    outputs = [
        Outputs(
            **{
                option: _file(path, option, f"{Path(video).stem}.{suffixes[option]}", len(videos))
                for option, path in wanted.items()
            }
        )
        for video in videos
    ]
    sources = {Path(video).resolve() for video in videos}
    taken: set[str] = set()
    for file in (file for output in outputs for file in output.files):
        place = str(file.resolve())
        if file.resolve() in sources:
            raise InputError(f"`{file}` must not be replaced: it is read. Name another file.")
        if place.casefold() in taken:
            raise InputError(
                f"`{file}` would be written twice. Give videos of the same name one at a time, "
                "each with a folder of its own."
            )
        taken.add(place.casefold())
    return outputs


def _file(given: Path | None, option: str, name: str, videos: int) -> Path | None:
    if given is None or (videos == 1 and given.suffix and not given.is_dir()):
        return given
    if given.suffix and not given.is_dir():
        raise InputError(
            f"--{option} must be a folder for several videos. Received {given}. "
            f"Type for example: --{option} {given.with_suffix('')}"
        )
    return given / name


def _unless_there(file: Path | None, video: str) -> Path | None:
    if file is None or not file.is_file():
        return file
    source = Path(video)
    if source.is_file() and source.stat().st_mtime > file.stat().st_mtime:
        return file
    click.echo(f"emopy: {file} is there already. Type --overwrite to write it anew.", err=True)
    return None
