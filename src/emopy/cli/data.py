"""`emopy data`: look at labelled faces, find what is wrong with them, prepare FER+."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emopy.cli.groups import NearestGroup
from emopy.cli.options import ANY_PATH, FILE, FOLDER

if TYPE_CHECKING:
    from emopy.data import Dataset


@click.group(cls=NearestGroup)
def data() -> None:
    """Describe, check and prepare labelled faces.

    DATA is a .npz file that `emopy data prepare` wrote, or a folder with one folder of pictures
    per emotion.
    """


@data.command()
@click.argument("paths", type=ANY_PATH, nargs=-1, required=True, metavar="DATA...")
def describe(paths: tuple[Path, ...]) -> None:
    """Say how many faces there are, how large, and how many per emotion."""
    from emopy.data import describe as describe_data

    click.echo(describe_data(open_parts(paths)))


@data.command()
@click.argument("paths", type=ANY_PATH, nargs=-1, required=True, metavar="DATA...")
def check(paths: tuple[Path, ...]) -> int:
    """Look for what spoils training: repeats, contradictions, people on both sides.

    Name the parts of a split together to find pictures that are in more than one. Exit code 1
    means that something serious was found.
    """
    from emopy.data import check as check_data

    report = check_data(open_parts(paths))
    click.echo(report)
    return 0 if report.ok else 1


@data.command()
@click.argument("collection", type=click.Choice(["ferplus"]))
@click.argument("images_csv", type=FILE)
@click.argument("votes_csv", type=FILE)
@click.argument("out", type=FOLDER)
@click.option("--calibration", type=click.IntRange(min=1), default=2500, show_default=True,
              help="Faces held out of the training split for calibration.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Decides which ones.")
def prepare(
    collection: str, images_csv: Path, votes_csv: Path, out: Path, calibration: int, seed: int
) -> int:
    """Write FER+ as .npz files, from its two official files.

    IMAGES_CSV is fer2013.csv, VOTES_CSV is fer2013new.csv. Exit code 1 means that some rows
    could not be read; they are listed, and the others are written.
    """
    del collection  # one so far
    from emopy.data import prepare_ferplus, read_ferplus

    faces = read_ferplus(images_csv, votes_csv)
    for problem in faces.problems:
        click.echo(f"emopy: {problem}", err=True)
    click.echo(prepare_ferplus(faces, out, calibration=calibration, seed=seed))
    return 1 if faces.problems else 0


def open_parts(paths: tuple[Path, ...]) -> dict[str, Dataset]:
    """Load each data set under the path that was typed."""
    from emopy.data import open_data

    return {str(path): open_data(path) for path in paths}
