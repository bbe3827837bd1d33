"""`emopy evaluate`: measure a model on labelled faces."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import click

from emopy.cli.labelled import open_for
from emopy.cli.options import (
    ANY_PATH,
    FILE,
    emotions_option,
    json_option,
    threads_option,
)
from emopy.cli.prior import prior_option


@click.command()
@click.argument("model")
@click.argument("data", type=ANY_PATH)
@json_option
@emotions_option(default="all")
@prior_option(default="training")
@click.option(
    "--groups",
    type=FILE,
    metavar="FILE.csv",
    help="Measure each group too: columns source and group, or group in the order of the data.",
)
@click.option(
    "--html",
    type=FILE,
    metavar="FILE",
    help="Write a page with charts and the most confident errors.",
)
@click.option(
    "--record", metavar="NAME", help="Write the metrics into the model's card, under this name."
)
@threads_option
def evaluate(
    model: str,
    data: Path,
    output_format: str,
    emotions: str | list[str],
    prior: str | dict[str, float],
    groups: Path | None,
    html: Path | None,
    record: str | None,
    threads: int,
) -> int:
    """Measure a model on labelled faces.

    Prints accuracy, calibration, metrics of each label and the confusion matrix of MODEL on DATA.
    DATA is a .npz file, a .csv file with one face per row, or a folder with one folder per emotion;
    for a model of clips, in it one folder per clip. Use faces that were not used for training or
    calibration. The page of --html is one file that shows faces from DATA: share it only with
    those who may see them. Exit code 1 means that some files or rows could not be read; they are
    listed, and the others are evaluated.
    """
    from emopy import evaluate as evaluation
    from emopy.files import atomic_file
    from emopy.models import find_model, load_model

    faces, left_out = open_for(model, data)
    names = None if groups is None else evaluation.read_groups(groups, faces)
    with ExitStack() as stack:  # an unwritable page fails before the long work
        page = None if html is None else stack.enter_context(atomic_file(html))
        report = evaluation.evaluate(
            model, faces, labels=emotions, groups=names, prior=prior, threads=threads
        )
        if page:
            card = load_model(model).card
            text = evaluation.html_report(report, faces, card=card, data_name=data.name)
            page.write_text(text, encoding="utf-8")
    if html:
        click.echo(f"emopy: the page is {html}", err=True)
    if record:
        evaluation.record(find_model(model), record, report)
    click.echo(json.dumps(report.to_dict(), indent=2) if output_format == "json" else report)
    return 1 if left_out else 0
