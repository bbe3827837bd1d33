"""`emopy video`: who shows what when, as a table, a marked film and a plot."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from emopy.cli.options import (
    ANY_PATH,
    detector_option,
    emotions_option,
    min_confidence_option,
    model_option,
    smallest_face_option,
    smoothing_option,
    threads_option,
)
from emopy.cli.outputs import TABLES, plan_outputs
from emopy.cli.prior import prior_option


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@emotions_option()
@model_option
@detector_option
@smallest_face_option
@prior_option()
@min_confidence_option
@threads_option
@smoothing_option
@click.option("--every", type=click.IntRange(min=1), default=1, help="Read every n-th frame only.")
@click.option("--fps", type=float, help="Or so many frames per second.")
@click.option("--start", "start_s", type=float, default=0.0, metavar="S", help="Begin here.")
@click.option("--end", "end_s", type=float, metavar="S", help="End here, in seconds.")
@click.option(
    "--format",
    "table",
    type=click.Choice(TABLES),
    help="Shape of the table; without --out it goes to stdout.  [default: by the suffix of --out]",
)
@click.option("--out", type=ANY_PATH, help="Write the table here: a row for each face and frame.")
@click.option("--draw", type=ANY_PATH, help="Write the film here, with the faces marked.")
@click.option("--plot", type=ANY_PATH, help="Write a plot over time here: .png, .svg or .pdf.")
@click.option("--thumbnails", is_flag=True, help="Show the faces in the plot.")
@click.option("--overwrite", is_flag=True, help="Write files anew that are there already.")
def video(
    files: tuple[str, ...],
    smoothing_s: float,
    every: int,
    fps: float | None,
    start_s: float,
    end_s: float | None,
    table: str | None,
    out: Path | None,
    draw: Path | None,
    plot: Path | None,
    thumbnails: bool,
    overwrite: bool,
    **model_options: Any,
) -> int:
    """Say what every face in a video shows, over time.

    Prints a summary: who was seen for how long, showing what. For several videos --out, --draw
    and --plot are folders. Exit code 1 means that a video could not be read, or not to its end.
    """
    from emopy.cli.inputs import load
    from emopy.cli.watching import read_video
    from emopy.errors import EmoPyError
    from emopy.media import open_video

    planned = plan_outputs(files, out=out, draw=draw, plot=plot, table=table or "csv")
    opened = partial(open_video, every=every, fps=fps, start_s=start_s, end_s=end_s)
    read = partial(
        read_video,
        table=table,
        smoothing_s=smoothing_s,
        thumbnails="shown" if thumbnails else "hidden",
    )
    model = load(**model_options)
    failed = 0
    for file, outputs in zip(files, planned, strict=True):
        todo = outputs if overwrite else outputs.missing()
        if outputs.files and not todo.files:
            continue
        try:
            complaint = read(model, opened(file), todo)
        except EmoPyError as error:
            complaint = str(error)
        if complaint:
            failed += 1
            click.echo(f"emopy: {complaint}", err=True)
    if failed and len(files) > 1:
        click.echo(f"emopy: {failed} of {len(files)} videos could not be read whole.", err=True)
    return 1 if failed else 0
