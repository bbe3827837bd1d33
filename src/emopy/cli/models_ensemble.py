"""`emopy models ensemble`: the mean of several models."""

from __future__ import annotations

from pathlib import Path

import click

from emopy.cli.options import FOLDER
from emopy.cli.quiet import quiet_import


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL MODEL...")
@click.option("--out", type=FOLDER, required=True, help="Model folder to write.")
@click.option("--name", help="Name on its card.  [default: that of the first]")
def ensemble(models: tuple[str, ...], out: Path, name: str | None) -> None:
    """Let several models answer together, as one.

    The logits of the new model are the mean of theirs, so that it is right more often than each,
    and takes as long as all of them. They need the same labels and input: trainings that differ in
    their seed, for one. Calibrate and evaluate it before you use it. Needs the extra train.
    """
    with quiet_import():
        from emopy.train import ensemble as average

    click.echo(average(models, out, name=name))
