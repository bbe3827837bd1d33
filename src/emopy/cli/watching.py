"""Videos through the model, one after the other; a bad one loses no other."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any

import click

from emopy.cli.inputs import load, say_missing
from emopy.cli.outputs import Outputs
from emopy.cli.sinks import text_width
from emopy.cli.stdout import outliving_reader
from emopy.cli.writers import Writers
from emopy.errors import EmoPyError, MissingExtraError
from emopy.media import open_video
from emopy.media.sampling import Sampling
from emopy.present import (
    check_plot_path,
    check_video_path,
    encodable,
    open_table,
    summary_text,
    table_format,
)


def check_outputs(outputs: Outputs, table: str | None) -> None:
    """Say before anything is read what cannot be written.

    Raises:
        InputError: An unknown suffix.
        MissingExtraError: Something that is needed is not installed.
    """
    if outputs.out:
        table_format(outputs.out, table)
    if outputs.draw:
        check_video_path(outputs.draw)
    if outputs.plot:
        check_plot_path(outputs.plot)


def watch_all(
    jobs: list[tuple[str, Outputs]],
    opening: dict[str, Any],
    *,
    table: str | None,
    to_stdout: bool,
    smoothing_s: float,
    thumbnails: bool,
    **model_options: Any,
) -> int:
    """Read videos and write what was asked for.

    Args:
        jobs: Each video with the files to write.
        opening: Which frames: what `open_video` takes besides the file.
        table: Format of the tables; None by their suffix.
        to_stdout: Whether one table of all videos goes to stdout, and the summaries to stderr.
        smoothing_s: As for `FERModel.predict_video`.
        thumbnails: Whether plots show the faces.
        **model_options: As for `load`.

    Returns:
        How many could not be read, or not to their end.

    Raises:
        InputError: A number out of its range.
        MissingExtraError: What reads videos is not installed.
    """
    Sampling(**opening)  # what is wrong for one video is wrong for all, and told once
    model = load(**model_options)
    failed = 0
    with ExitStack() as stack:
        rows = open_table(sys.stdout, model.labels, format=table) if to_stdout else None
        if rows:
            stack.enter_context(rows)
        for file, outputs in jobs:
            try:
                with open_video(file, **opening) as video:
                    faces = "shown" if thumbnails else "hidden"
                    writers = Writers(
                        outputs, model.labels, video, table=table, rows=rows, faces=faces
                    )
                    writers.run(model, video, smoothing_s)
            except MissingExtraError:
                raise
            except EmoPyError as error:
                click.echo(f"emopy: {error}", err=True)
                failed += 1
                continue
            stream = sys.stderr if to_stdout else sys.stdout
            text = summary_text(writers.summary, width=text_width())
            with outliving_reader(outputs.files):
                click.echo(encodable(text, stream.encoding), file=stream)
            failed += say_missing(video)
    return failed
