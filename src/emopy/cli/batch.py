"""`emopy batch`: many images and videos, on one machine or a cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emopy.cli.interruption import on_stop
from emopy.cli.options import (
    end_option,
    every_option,
    max_pixels_option,
    one_thread_model_options,
    overwrite_option,
    smoothing_option,
    start_option,
    text_or_json_option,
)
from emopy.cli.outputs import refuse_existing
from emopy.cli.terminal import CommandGroup, echo
from emopy.errors import InputError, naming

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.batch import Progress, Status

ENGINES = ("local", "ray")

_REPORT_EVERY_S = 2.0
"""Seconds between lines of progress."""


@click.group(cls=CommandGroup)
def batch() -> None:
    """Predict many images and videos, on one machine or a cluster.

    The results are shards: Parquet files that appear when they are whole, so that a run can be
    stopped, killed and rerun at any time.
    """


@batch.command("run")
@click.argument("source", metavar="SOURCE")
@click.argument("out", metavar="OUT")
@click.option("--engine", type=click.Choice(ENGINES), default="local",
              help="local: processes of this machine; ray: a Ray cluster.")  # fmt: skip
@click.option("--address", metavar="ADDRESS",
              help="Address of the Ray cluster.  [default: a Ray of this machine]")  # fmt: skip
@click.option("--workers", type=click.IntRange(min=1), metavar="N",
              help="Processes.  [default: one per core]")  # fmt: skip
@click.option("--shard-size", type=click.IntRange(min=1), default=2000, metavar="N",
              help="Images of a shard; a video counts for 100.")  # fmt: skip
@click.option("--shard", metavar="I/N",
              help="Only every N-th shard, from the I-th: for arrays of jobs.")  # fmt: skip
@max_pixels_option
@one_thread_model_options
@smoothing_option
@every_option
@click.option("--fps", type=float, metavar="FPS",
              help="Process this number of frames per second of videos.  [default: "
              "all]")  # fmt: skip
@start_option
@end_option
def run_batch(source: str, out: str, shard: str | None, **options: Any) -> int:
    """Predict everything in SOURCE into OUT.

    SOURCE is a folder or an address such as s3://bucket/photos, searched with its subfolders; a
    Parquet or CSV file with a column of paths; or a tar file of images. OUT is a folder or an
    address. To resume a run, rerun the same command. Exit code 1 means that some inputs of this
    process could not be read: they are rows with an error.
    """
    from emopy.batch import run

    names = dict(source="SOURCE", out="OUT", model="--model")  # noqa: C408
    with (
        naming(**names),
        on_stop("To resume, rerun the same command: the shards that are written are kept."),
    ):
        found = run(source, out, shard=_place(shard), on_progress=_Report(), **_given(options))
    _print_status(out, found)
    return 1 if found.failures else 0


@batch.command("status")
@click.argument("out", metavar="OUT")
@text_or_json_option
def show_status(out: str, format: str) -> int:
    """Show how far a run is, from any machine that reaches OUT."""
    from emopy.batch import status

    with naming(out="OUT"):
        found = status(out)
    if format == "json":
        echo(json.dumps({**found.to_dict(), "complete": found.is_complete}))
    else:
        _print_status(out, found, err=False)
    return 0


@batch.command("merge")
@click.argument("out", metavar="OUT")
@click.argument("table", metavar="TABLE.parquet")
@overwrite_option
def merge_batch(out: str, table: str, overwrite: bool) -> int:
    """Join the shards of a complete run into one Parquet file.

    OUT and TABLE.parquet may be addresses.
    """
    from emopy.batch import merge
    from emopy.batch.storage import Storage, is_address

    with naming(out="OUT", target="TABLE"):
        if not is_address(table):
            refuse_existing({"TABLE": [Path(table)]}, overwrite=overwrite)
        elif not overwrite and Storage(table).is_file():
            raise InputError(f"TABLE must be a new object. {table} exists. Type --overwrite")
        rows = merge(out, table)
    echo(f"emopy: {table}: {rows:,} rows", err=True)
    return 0


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, and those with a default here."""
    options["providers"] = options["providers"] or None
    return {
        name: value
        for name, value in options.items()
        if value is not None or name in ("fps", "end_s", "address", "workers")
    }


def _place(shard: str | None) -> tuple[int, int] | None:
    """Turn ``3/10`` into numbers."""
    if shard is None:
        return None
    place, slash, places = shard.partition("/")
    if not (slash and place.isdecimal() and places.isdecimal()):
        raise InputError(f"--shard must be I/N. Received {shard!r}. Type for example: 3/10")
    return int(place), int(places)


class _Report:
    """Prints how far a run is, how fast, and how long it still takes; once in two seconds."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def __call__(self, progress: Progress) -> None:
        """Print a line, unless one was just printed."""
        if progress.seconds < self._next_s and progress.done < progress.shards:
            return
        self._next_s = progress.seconds + _REPORT_EVERY_S
        rate = progress.images / progress.seconds if progress.seconds > 0 else 0.0
        echo(
            f"emopy: {progress.done:,} of {progress.shards:,} shards, {rate:,.1f} images/s, "
            f"{progress.faces:,} faces, {progress.failures:,} failed, "
            f"{_duration(progress.left_s)} left",
            err=True,
        )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _print_status(out: str, found: Status, *, err: bool = True) -> None:
    echo(
        f"{out}: shards {found.done:,} of {found.shards:,}, inputs {found.done_inputs:,} of "
        f"{found.inputs:,}, faces {found.faces:,}, failed {found.failures:,}",
        err=err,
    )
    if found.failures:
        echo("emopy: the rows of failed inputs have the reason in the column error", err=True)
