"""`emopy predict`: the expression of every face in pictures, folders, or bytes on stdin."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from emopy.cli.drawing import Drawings
from emopy.cli.options import (
    FILE,
    FOLDER,
    detector_option,
    emotions_option,
    model_option,
    threads_option,
)
from emopy.cli.progress import track

FORMATS = ("text", "json", "jsonl", "csv")

Source = str | bytes


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--recursive", is_flag=True, help="Look into folders within folders.")
@emotions_option()
@model_option
@detector_option
@threads_option
@click.option(
    "--format",
    "output_format",
    type=click.Choice(FORMATS),
    help="Shape of the results.  [default: by the suffix of --out, else text]",
)
@click.option("--out", type=FILE, help="Write the results to this file.")
@click.option("--draw", type=FOLDER, help="Write pictures with the faces marked here.")
def predict(
    paths: tuple[str, ...],
    recursive: bool,
    output_format: str | None,
    out: Path | None,
    draw: Path | None,
    **model_options: Any,
) -> int:
    """Say what every face in the pictures shows.

    PATH is a picture, a folder of pictures, or - for one picture on stdin. Exit code 1 means
    that some pictures could not be read; they are listed, and the others are done.
    """
    from emopy.cli.sinks import open_sink
    from emopy.types import FailedInput

    sources = list(gather(paths, recursive=recursive))
    model = load(**model_options)
    drawings = Drawings(draw) if draw else None
    failed = 0
    with open_sink(output_format, out, model.labels) as sink:
        results = zip(sources, model.predict_many(sources), strict=True)
        busy = out is None and sys.stdout.isatty()
        for source, result in track(results, len(sources), "Reading", busy=busy):
            sink.write(result)
            if isinstance(result, FailedInput):
                failed += 1
                click.echo(f"emopy: {result.error}", err=True)
            elif drawings:
                drawings.add(source, result)
    if failed and len(sources) > 1:
        click.echo(f"emopy: {failed} of {len(sources)} pictures could not be read.", err=True)
    return 1 if failed else 0


def gather(paths: tuple[str, ...], *, recursive: bool) -> Iterator[Source]:
    """Turn what was typed into pictures; a folder without any is mentioned, not an error."""
    from emopy.media import find_images

    for path in paths:
        if path == "-":
            yield sys.stdin.buffer.read()
            continue
        found = find_images([path], recursive=recursive)
        if not found:
            hint = "" if recursive else " Type --recursive to look deeper."
            click.echo(f"emopy: no pictures in {path}.{hint}", err=True)
        yield from (str(picture) for picture in found)


def load(emotions: str | list[str], model: str | None, detector: str, threads: int) -> Any:
    """Load the model that the options ask for."""
    from emopy.fermodel import FERModel
    from emopy.models import DEFAULT_MODEL

    return FERModel(emotions, model=model or DEFAULT_MODEL, detector=detector, threads=threads)
