"""`emopy calibrate`: fit the temperature of a model on labeled faces."""

from __future__ import annotations

from pathlib import Path

import click

from emopy.cli.inputs import open_labeled_for
from emopy.cli.interruption import START_AGAIN, on_stop
from emopy.cli.options import ANY_PATH, max_pixels_option, prior_option
from emopy.cli.terminal import echo

MIN_SAMPLES = 200
"""Fewer samples give a warning: the temperature then depends on their random choice."""


@click.command()
@click.argument("model_folder", metavar="MODEL")
@click.argument("dataset", type=ANY_PATH, metavar="DATA")
@prior_option(default="training")
@max_pixels_option
@on_stop(START_AGAIN)
def calibrate(
    model_folder: str, dataset: Path, prior: str | dict[str, float], max_pixels: int | None
) -> int:
    """Fit the temperature of a model on labeled faces.

    Finds the temperature that calibrates the probabilities of MODEL, a model's name or folder, on
    DATA, and writes it into the card of the model. DATA is a .npz file, a .csv file with one face
    per row, or a folder with one folder per emotion; for a model of clips, in it one folder per
    clip. Use some hundreds of faces that were not used for training, and others for the evaluation
    afterwards. Exit code 1 means that some files or rows could not be read; they are listed, and
    the others are used.
    """
    from emopy.evaluate import calibrate as fit_temperature
    from emopy.models import find_model

    faces = open_labeled_for(model_folder, dataset, max_pixels=max_pixels)
    temperature = fit_temperature(find_model(model_folder), faces, prior=prior)
    if len(faces) < MIN_SAMPLES:
        echo(
            f"emopy: the temperature is imprecise with fewer than {MIN_SAMPLES} faces. "
            f"Received {len(faces)}. Give more.",
            err=True,
        )
    echo(f"temperature {temperature:.4f}")
    return 1 if faces.skipped else 0
