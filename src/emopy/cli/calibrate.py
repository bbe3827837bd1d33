"""`emopy calibrate`: make a model's probabilities mean what they say."""

from __future__ import annotations

from pathlib import Path

import click

from emopy.cli.labelled import open_for
from emopy.cli.options import ANY_PATH
from emopy.cli.prior import prior_option

FEW = 200
"""Samples below which a temperature depends on chance more than on the model."""


@click.command()
@click.argument("model")
@click.argument("data", type=ANY_PATH)
@prior_option(default="training")
def calibrate(model: str, data: Path, prior: str | dict[str, float]) -> int:
    """Make a model's probabilities mean what they say.

    Finds the temperature of MODEL on DATA and writes it into the model's card.
    DATA is a .npz file, a .csv file with one face per row, or a folder with one folder per emotion;
    for a model of clips, in it one folder per clip. Use faces that took no part in training, some
    hundreds if you can, and other ones to evaluate afterwards. Exit code 1 means that some files
    or rows could not be read; they are listed, and the others are used.
    """
    from emopy.evaluate import calibrate as find_temperature
    from emopy.models import find_model

    faces, left_out = open_for(model, data)
    temperature = find_temperature(find_model(model), faces, prior=prior)
    if len(faces) < FEW:
        click.echo(
            f"emopy: the temperature is a rough guess, found on {len(faces)} samples only. Give "
            f"{FEW} or more.",
            err=True,
        )
    click.echo(f"temperature {temperature:.4f}")
    return 1 if left_out else 0
