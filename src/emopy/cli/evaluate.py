"""`emopy evaluate`: judge a model on labelled faces."""

from __future__ import annotations

import json
from pathlib import Path

import click

from emopy.cli.options import ANY_PATH, emotions_option, json_option, threads_option


@click.command()
@click.argument("model")
@click.argument("data", type=ANY_PATH)
@json_option
@emotions_option(default="all")
@click.option("--record", metavar="NAME", help="Write the figures into the card, under this name.")
@threads_option
def evaluate(
    model: str,
    data: Path,
    output_format: str,
    emotions: str | list[str],
    record: str | None,
    threads: int,
) -> None:
    """Judge a model on labelled faces.

    Says how often MODEL is right on DATA, and how far its probabilities can be trusted.
    DATA is a .npz file or a folder with one folder per emotion. Its faces must have taken no
    part in training or calibration.
    """
    from emopy.data import open_data
    from emopy.evaluate import evaluate as judge
    from emopy.evaluate import record as write_down
    from emopy.models import find_model

    report = judge(model, open_data(data), labels=emotions, threads=threads)
    if record:
        write_down(find_model(model), record, report)
    click.echo(json.dumps(report.as_dict(), indent=2) if output_format == "json" else report)
