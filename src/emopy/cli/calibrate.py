"""`emopy calibrate`: fit a model's temperature."""

from __future__ import annotations

from pathlib import Path

import click

from emopy.cli.labelled import open_for
from emopy.cli.options import ANY_PATH
from emopy.cli.prior import prior_option

FEW_SAMPLES = 200
"""Samples below which a fitted temperature is imprecise."""


@click.command()
@click.argument("model")
@click.argument("data", type=ANY_PATH)
@prior_option(default="training")
def calibrate(model: str, data: Path, prior: str | dict[str, float]) -> int:
    """Calibrate a model's probabilities by temperature scaling.

    Fits the temperature of MODEL on DATA and writes it into the model's card.
    DATA is a .npz file, a .csv file with one face per row, or a folder with one folder per emotion;
    for a model of clips, in it one folder per clip. Use faces that were not used for training,
    some hundreds if possible, and evaluate on others afterwards. Exit code 1 means that some files
    or rows could not be read; they are listed, and the others are used.
    """
    from emopy.evaluate import calibrate as fit_temperature
    from emopy.models import find_model

    faces, left_out = open_for(model, data)
    temperature = fit_temperature(find_model(model), faces, prior=prior)
    if len(faces) < FEW_SAMPLES:
        click.echo(
            f"emopy: the temperature is imprecise, fitted on {len(faces)} samples only. Give "
            f"{FEW_SAMPLES} or more.",
            err=True,
        )
    click.echo(f"temperature {temperature:.4f}")
    return 1 if left_out else 0
