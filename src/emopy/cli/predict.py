"""`emopy predict`: the expression of every face in images, folders, or an image on stdin."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emopy.cli.inputs import create_model, find_sources
from emopy.cli.options import (
    FILE,
    FOLDER,
    max_pixels_option,
    model_options,
    overwrite_option,
    refuse_parquet_on_stdout,
)
from emopy.cli.streams import echo
from emopy.cli.terminal import TextSink, print_error, progress
from emopy.errors import InputError, naming
from emopy.tables import TABLE_FORMATS

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.present import Table

FORMATS = ("text", *TABLE_FORMATS)


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="PATH...")
@click.option("--recursive", is_flag=True, help="Search subfolders as well.")
@max_pixels_option
@model_options
@click.option("--format", type=click.Choice(FORMATS),
              help="Format of the results.  [default: by the suffix of --out, else "
              "text]")  # fmt: skip
@click.option("--out", type=FILE, help="File for the results.  [default: stdout]")
@click.option("--draw", type=FOLDER, help="Folder for annotated images.")
@overwrite_option
def predict(
    sources: tuple[str, ...],
    recursive: bool,
    format: str | None,
    out: Path | None,
    draw: Path | None,
    overwrite: bool,
    **options: Any,
) -> int:
    """Predict facial expressions in images.

    PATH is an image, a folder of images, or - for one image on stdin. Of an animation the first
    frame is predicted; emopy video predicts all. Exit code 1 means that some images could not be
    read, or that there are none; those that could not be read are listed, and the others are done.
    """
    from emopy.media.image_sequences import is_animation
    from emopy.types import FailedInput

    images = list(find_sources(sources, recursive=recursive))
    drawings: list[Path] = []
    if out or draw:
        from emopy.cli.outputs import drawing_files, protect_inputs, refuse_existing

        protect_inputs(images, out=out, draw=draw)
        drawings = drawing_files(draw, images) if draw else []
        refuse_existing({"--out": [out] if out else [], "--draw": drawings}, overwrite=overwrite)
    chosen = choose_format(format, out)
    model = create_model(**options)
    failed = 0
    with (
        naming(path="--out") if out else nullcontext(),
        open_sink(chosen, out, model.labels) as sink,
    ):
        busy = out is None and sys.stdout.isatty()
        results = progress(model.predict_many(images), len(images), "Predicting", busy=busy)
        for number, (source, result) in enumerate(zip(images, results, strict=True)):
            sink.write(result)
            if isinstance(result, FailedInput):
                failed += 1
                print_error(result.error)
                continue
            if isinstance(source, str) and is_animation(source):
                echo(f"emopy: {source}: its first frame. For all: emopy video {source}", err=True)
            if drawings:
                from emopy.cli.outputs import draw_result

                draw_result(source, result, drawings[number], max_pixels=options["max_pixels"])
    if failed and len(images) > 1:
        echo(f"emopy: {failed} of {len(images)} images could not be read.", err=True)
    return 1 if failed or not images else 0


def choose_format(format: str | None, out: Path | None) -> str:
    """Return the format that is asked for, or that of the suffix of the file.

    Raises:
        InputError: Another suffix, or Parquet on stdout.
    """
    refuse_parquet_on_stdout(format, out)
    suffix = out.suffix.lstrip(".").lower() if out else "txt"
    chosen = format or {"": "text", "txt": "text"}.get(suffix, suffix)
    if chosen not in FORMATS:
        raise InputError(
            f"--out must end in .txt, .{', .'.join(FORMATS[1:])}. Received {out}. "
            "Choose another suffix, or add --format."
        )
    return chosen


def open_sink(format: str, out: Path | None, labels: tuple[str, ...]) -> TextSink | Table:
    """Return a context manager that writes results to a file or stdout."""
    if format == "text":
        return TextSink(out)
    from emopy.present import open_table

    return open_table(out or sys.stdout, labels, format=format)
