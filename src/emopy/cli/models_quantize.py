"""`emopy models quantize`: a smaller and faster copy of a model."""

from __future__ import annotations

from pathlib import Path

import click

from emopy.cli.labelled import open_for
from emopy.cli.options import ANY_PATH, FOLDER
from emopy.cli.quiet import quiet_import


@click.command()
@click.argument("model")
@click.argument("data", type=ANY_PATH)
@click.option("--out", type=FOLDER, required=True, help="Model folder to write.")
@click.option("--name", help="Name on its card.  [default: that of MODEL]")
def quantize(model: str, data: Path, out: Path, name: str | None) -> int:
    """Copy a model into one of 8-bit integers: a quarter of the size, and faster.

    The range of each layer is measured on DATA, which `emopy evaluate` would take too: give
    faces that MODEL was trained on. Evaluate the copy before you use it. Exit code 1 means that
    some files or rows could not be read; the others are used. Needs the extra train.
    """
    from emopy.models import find_model

    with quiet_import():
        from emopy.train import quantize as convert

    faces, left_out = open_for(model, data)
    click.echo(convert(find_model(model), faces, out, name=name))
    return 1 if left_out else 0
