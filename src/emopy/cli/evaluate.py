"""`emopy evaluate` and `emopy calibrate`: a model on labeled faces."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from emopy.cli.inputs import open_labeled_for
from emopy.cli.interruption import START_AGAIN, on_stop
from emopy.cli.options import (
    ANY_PATH,
    FILE,
    emotions_option,
    max_pixels_option,
    overwrite_option,
    prior_option,
    text_or_json_option,
    threads_option,
    views_option,
)
from emopy.cli.outputs import refuse_existing
from emopy.cli.terminal import echo, print_text
from emopy.errors import naming

MIN_SAMPLES = 200
"""Fewer samples give a warning: the temperature then depends on their random choice."""


@click.command()
@click.argument("model")
@click.argument("dataset", type=ANY_PATH, metavar="DATA")
@text_or_json_option
@emotions_option("labels", default="all")
@prior_option(default="training")
@click.option("--groups", type=FILE, metavar="FILE.csv",
              help="Evaluate groups separately: columns source and group, or group alone in the "
              "order of the data.")  # fmt: skip
@click.option("--html", type=FILE, metavar="FILE",
              help="File for an HTML report: charts, the most confident errors and what the model "
              "reacts to in them.")  # fmt: skip
@overwrite_option
@click.option("--record", metavar="NAME", help="Write the metrics into the card under this name.")
@views_option
@threads_option
@max_pixels_option
@on_stop(START_AGAIN)
def evaluate(
    model: str,
    dataset: Path,
    format: str,
    groups: Path | None,
    html: Path | None,
    overwrite: bool,
    record: str | None,
    max_pixels: int | None,
    **options: Any,
) -> int:
    """Evaluate a model on labeled faces.

    Measures how accurate MODEL, a model's name or folder, is on DATA, and how well its
    probabilities are calibrated. DATA is a .npz file, a .csv file with one face per row, or a
    folder with one folder per emotion; for a model of clips, in it one folder per clip. Use faces
    that were used neither for training nor for calibration. The HTML report shows faces of DATA:
    pass it on only to people who may see them. Exit code 1 means that some files or rows could not
    be read; they are listed, and the others are evaluated.
    """
    from emopy.evaluate import evaluate as evaluate_model
    from emopy.evaluate import html_report, read_groups
    from emopy.evaluate import record as record_metrics
    from emopy.evaluate.evaluation import check_recordable
    from emopy.files import atomic_file
    from emopy.models import find_model, load_model

    refuse_existing({"--html": [html] if html else []}, overwrite=overwrite)
    if record is not None:
        with naming(model_folder="MODEL", data_name="--record"):
            check_recordable(find_model(model), record)
    faces = open_labeled_for(model, dataset, max_pixels=max_pixels)
    names = None if groups is None else read_groups(groups, faces)
    with ExitStack() as stack:
        page = None
        if html:  # a file that cannot be written is refused before the evaluation
            stack.enter_context(naming(path="--html"))
            page = stack.enter_context(atomic_file(html))
        with naming(target_emotions="labels"):
            report = evaluate_model(model, faces, groups=names, **options)
        if page:
            folder = load_model(model, threads=options["threads"])
            text = html_report(report, faces, model=folder, data_name=dataset.name)
            page.write_text(text, encoding="utf-8", newline="\n")
    if html:
        echo(f"emopy: the report is {html}", err=True)
    if record is not None:
        record_metrics(find_model(model), record, report)
    print_text(json.dumps(report.to_dict(), indent=2) if format == "json" else str(report))
    return 1 if faces.skipped else 0


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
    afterwards. Metrics of another temperature are removed from the card. Exit code 1 means that
    some files or rows could not be read; they are listed, and the others are used.
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
