"""`emopy data prepare`: well-known collections, made ready for training."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from emopy.cli.groups import NearestGroup
from emopy.cli.options import FILE, FOLDER


@click.group(cls=NearestGroup)
def prepare() -> None:
    """Make a well-known collection ready for training.

    Exit code 1 means that some of it could not be read; that is listed, and the rest is written.
    """


@prepare.command()
@click.argument("images_csv", type=FILE)
@click.argument("votes_csv", type=FILE)
@click.argument("out", type=FOLDER)
@click.option("--calibration", type=click.IntRange(min=1), default=2500, show_default=True,
              help="Faces held out of the training split for calibration.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Decides which ones.")
@click.option("--as", "layout", type=click.Choice(["npz", "folders"]), default="npz",
              show_default=True, help="A file per part, or a folder per emotion.")  # fmt: skip
@click.option("--unknown", type=click.Choice(["drop", "spread"]), default="drop",
              show_default=True, help="Training votes for no emotion: dropped, with the faces "
              "that have mostly such; or doubt, spread over all emotions.")  # fmt: skip
def ferplus(
    images_csv: Path,
    votes_csv: Path,
    out: Path,
    calibration: int,
    seed: int,
    layout: Literal["npz", "folders"],
    unknown: Literal["drop", "spread"],
) -> int:
    """Write FER+ in parts without repeats, from its two official files.

    IMAGES_CSV is fer2013.csv, VOTES_CSV is fer2013new.csv. Images in folders carry one emotion
    each; the votes of the training faces are kept in .npz files only.
    """
    from emopy.data import prepare_ferplus, read_ferplus

    faces = read_ferplus(images_csv, votes_csv)
    for skipped_sample in faces.skipped:
        click.echo(f"emopy: {skipped_sample}", err=True)
    report = prepare_ferplus(
        faces, out, calibration=calibration, seed=seed, layout=layout, unknown=unknown
    )
    click.echo(report)
    return 1 if faces.skipped else 0


@prepare.command()
@click.argument("folder", type=FOLDER)
@click.argument("out", type=FOLDER)
@click.option("--as", "kind", type=click.Choice(["stills", "clips"]), default="stills",
              show_default=True, help="Single faces, or whole clips.")  # fmt: skip
@click.option("--peaks", type=click.IntRange(min=1), default=3, show_default=True,
              help="Of stills: frames at the end of each clip that show its emotion.")  # fmt: skip
@click.option("--first", type=click.Choice(["neutral", "skip"]), default="neutral",
              show_default=True, help="Of stills: what to do with the first frame.")  # fmt: skip
@click.option("--detector", default="mtcnn", show_default=True, metavar="NAME",
              help="What finds the faces; whole: each image is one face.")  # fmt: skip
def ckplus(
    folder: Path,
    out: Path,
    kind: Literal["stills", "clips"],
    peaks: int,
    first: Literal["neutral", "skip"],
    detector: str,
) -> int:
    """Write CK+ as one folder per emotion, with the faces cut out.

    FOLDER holds cohn-kanade-images and Emotion, as they were unpacked. CK+ may not be passed on:
    what is written is for the licensee alone.
    """
    from emopy.data import convert_ckplus

    report = convert_ckplus(folder, out, kind=kind, peaks=peaks, first=first, detector=detector)
    for skipped_sample in report.skipped:
        click.echo(f"emopy: {skipped_sample}", err=True)
    click.echo(report)
    return 1 if report.skipped else 0
