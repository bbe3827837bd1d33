"""`emopy video`: who shows what when, as a table, a marked film, a plot and a summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emopy.cli.options import ANY_PATH, smoothing_option
from emopy.cli.outputs import TABLES, plan_outputs
from emopy.cli.reading import reading_options
from emopy.cli.times import TIME


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@reading_options
@smoothing_option
@click.option("--every", type=click.IntRange(min=1), default=1, help="Read every n-th frame only.")
@click.option("--fps", type=float, help="Or so many frames per second.")
@click.option("--start", "start_s", type=TIME, default="0", help="Begin here: seconds, or 1:02:03.")
@click.option("--end", "end_s", type=TIME, help="End here.")
@click.option(
    "--format",
    "table",
    type=click.Choice(TABLES),
    help="Shape of the table; without --out it goes to stdout.  [default: by the suffix of --out]",
)
@click.option("--out", type=ANY_PATH, help="Write the table here: a row for each face and frame.")
@click.option("--draw", type=ANY_PATH, help="Write the film here, with the faces marked.")
@click.option("--plot", type=ANY_PATH, help="Write a plot over time here: .png, .svg or .pdf.")
@click.option("--summary", type=ANY_PATH, help="Write the summary here, as JSON.")
@click.option("--thumbnails", is_flag=True, help="Show the faces in the plot.")
@click.option("--overwrite", is_flag=True, help="Write files anew that are there already.")
def video(
    files: tuple[str, ...],
    table: str | None,
    out: Path | None,
    draw: Path | None,
    plot: Path | None,
    summary: Path | None,
    overwrite: bool,
    **options: Any,
) -> int:
    """Say what every face in a video shows, over time.

    Prints a summary: who was seen for how long, showing what. For several videos --out, --draw,
    --plot and --summary are folders. Files that are there already are kept. Exit code 1 means that
    a video could not be read, or not to its end; what there is of it is written.
    """
    from emopy.cli.watching import check_outputs, watch_all

    wanted = {"out": out, "draw": draw, "plot": plot, "summary": summary}
    planned = plan_outputs(files, wanted, table=table)
    for outputs in planned:
        check_outputs(outputs, table)
    to_stdout = table is not None and out is None
    if to_stdout and table == "parquet":
        raise click.UsageError("--format parquet needs a file. Type: --out timeline.parquet")
    if options["thumbnails"] and not plot:
        raise click.UsageError("--thumbnails needs a plot. Type: --plot timeline.png --thumbnails")
    to_do = [
        (file, outputs if overwrite else outputs.missing(file), bool(outputs.files))
        for file, outputs in zip(files, planned, strict=True)
    ]
    failed = watch_all(
        [(file, outputs) for file, outputs, wished in to_do if outputs.files or not wished],
        {name: options.pop(name) for name in ("every", "fps", "start_s", "end_s")},
        table=table,
        to_stdout=to_stdout,
        **options,
    )
    if failed and len(files) > 1:
        click.echo(f"emopy: {failed} of {len(files)} videos could not be read whole.", err=True)
    return 1 if failed else 0
