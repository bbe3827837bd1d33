"""`emopy data`: look at labelled faces, find what is wrong with them, prepare collections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emopy.cli.data_prepare import prepare
from emopy.cli.data_samples import samples
from emopy.cli.data_show import show
from emopy.cli.data_split import split
from emopy.cli.groups import NearestGroup
from emopy.cli.labelled import open_labelled
from emopy.cli.options import ANY_PATH, FILE

if TYPE_CHECKING:
    from emopy.data import Dataset


@click.group(cls=NearestGroup)
def data() -> None:
    """Describe, check, show, split and prepare labelled faces.

    DATA is a .npz file that `emopy data prepare` wrote, a .csv file with one face per row, or a
    folder with one folder of pictures per emotion.
    """


paths_argument = click.argument("paths", type=ANY_PATH, nargs=-1, required=True, metavar="DATA...")
clips_option = click.option(
    "--clips",
    type=click.IntRange(min=1),
    metavar="N",
    help="The folders hold clips, a folder each: take their last N frames.",
)


@data.command()
@paths_argument
@clips_option
@click.option("--picture", type=FILE, help="Draw the counts on this .png, .svg or .pdf as well.")
def describe(paths: tuple[Path, ...], clips: int | None, picture: Path | None) -> int:
    """Say how many faces there are, how large, and how many per emotion.

    Exit code 1 means that some files or rows could not be read; they are listed.
    """
    from emopy.data import counts_picture
    from emopy.data import describe as describe_data

    parts, problems = open_parts(paths, clips)
    click.echo(describe_data(parts))
    if picture is not None:
        click.echo(f"emopy: drawn on {counts_picture(parts, picture)}", err=True)
    return 1 if problems else 0


@data.command()
@paths_argument
@clips_option
def check(paths: tuple[Path, ...], clips: int | None) -> int:
    """Look for what spoils training: repeats, contradictions, people on both sides.

    Name the parts of a split together to find pictures that are in more than one. Exit code 1
    means that something serious was found, or that some files or rows could not be read.
    """
    from emopy.data import check as check_data

    parts, problems = open_parts(paths, clips)
    report = check_data(parts)
    click.echo(report)
    return 1 if problems or not report.ok else 0


data.add_command(show)
data.add_command(split)
data.add_command(prepare)
data.add_command(samples)


def open_parts(paths: tuple[Path, ...], clips: int | None) -> tuple[dict[str, Dataset], int]:
    """Load each data set under the path that was typed, and count what could not be read."""
    opened = {str(path): open_labelled(path, clips=clips) for path in paths}
    parts = {name: faces for name, (faces, _) in opened.items()}
    return parts, sum(left_out for _, left_out in opened.values())
