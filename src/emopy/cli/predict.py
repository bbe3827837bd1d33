"""`emopy predict`: the expression of every face in images, folders, or bytes on stdin."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from emopy.cli.drawing import Drawings
from emopy.cli.inputs import gather, load, protect
from emopy.cli.options import FILE, FOLDER
from emopy.cli.progress import track
from emopy.cli.reading import reading_options

FORMATS = ("text", "json", "jsonl", "csv")


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--recursive", is_flag=True, help="Look into folders within folders.")
@reading_options
@click.option(
    "--format",
    "output_format",
    type=click.Choice(FORMATS),
    help="Shape of the results.  [default: by the suffix of --out, else text]",
)
@click.option("--out", type=FILE, help="Write the results to this file.")
@click.option("--draw", type=FOLDER, help="Write images with the faces marked here.")
def predict(
    paths: tuple[str, ...],
    recursive: bool,
    output_format: str | None,
    out: Path | None,
    draw: Path | None,
    **model_options: Any,
) -> int:
    """Say what every face in the images shows.

    PATH is an image, a folder of images, or - for one image on stdin. Exit code 1 means
    that some images could not be read; they are listed, and the others are done.
    """
    from emopy.cli.sinks import open_sink
    from emopy.types import FailedInput

    sources = list(gather(paths, recursive=recursive))
    protect(sources, out=out, draw=draw)
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
        click.echo(f"emopy: {failed} of {len(sources)} images could not be read.", err=True)
    return 1 if failed else 0
