"""`emopy calibrate`: make a model's probabilities mean what they say."""

from __future__ import annotations

from pathlib import Path

import click

from emopy.cli.options import ANY_PATH


@click.command()
@click.argument("model")
@click.argument("data", type=ANY_PATH)
def calibrate(model: str, data: Path) -> None:
    """Make a model's probabilities mean what they say.

    Finds the temperature of MODEL on DATA and writes it into the model's card.
    DATA is a .npz file or a folder with one folder per emotion. Use faces that took no part in
    training, and other ones to evaluate afterwards.
    """
    from emopy.data import open_data
    from emopy.evaluate import calibrate as find_temperature
    from emopy.models import find_model

    temperature = find_temperature(find_model(model), open_data(data))
    click.echo(f"temperature {temperature:.4f}")
