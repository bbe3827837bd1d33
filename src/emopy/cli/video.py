"""`emopy video`: expressions over time as a table, an annotated video, a plot and a summary."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emopy.cli.inputs import create_model, report_shortfall
from emopy.cli.options import (
    ANY_PATH,
    Time,
    model_options,
    overwrite_option,
    refuse_parquet_on_stdout,
    smoothing_option,
)
from emopy.cli.outputs import (
    VideoOutputs,
    plan_video_outputs,
    record_outputs,
    unfinished,
)
from emopy.cli.records import Settings, made_with
from emopy.cli.streams import echo, print_text, tolerate_closed_stdout
from emopy.cli.terminal import print_error, progress, text_width
from emopy.errors import EmoPyError, InputError, MissingExtraError, naming
from emopy.tables import TABLE_FORMATS

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.fermodel import FERModel
    from emopy.media import Video
    from emopy.present import Table
    from emopy.types import ImageResult, RGBImage


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@model_options
@smoothing_option
@click.option("--max-pixels", type=click.IntRange(min=1), metavar="N",
              help="Largest image of a folder of frames, width times height in pixels.  [default: "
              "100000000]")  # fmt: skip
@click.option("--every", type=click.IntRange(min=1), default=1, metavar="N",
              help="Process every N-th frame.")  # fmt: skip
@click.option("--fps", type=float, metavar="FPS",
              help="Process this number of frames per second; for a folder of frames, their "
              "rate.  [default: all; 25]")  # fmt: skip
@click.option("--start", "start_s", type=Time(), default="0",
              help="Where to start: seconds, or 1:02:03.")  # fmt: skip
@click.option("--end", "end_s", type=Time(),
              help="Where to stop: seconds, or 1:02:03.  [default: the end]")  # fmt: skip
@click.option("--format", type=click.Choice(TABLE_FORMATS),
              help="Format of the table; without --out the table is printed.  [default: by the "
              "suffix of --out]")  # fmt: skip
@click.option("--out", type=ANY_PATH, help="File for the table: a row per face and frame.")
@click.option("--draw", type=ANY_PATH, help="File for the annotated video.")
@click.option("--plot", type=ANY_PATH, help="File for a plot over time: .png, .svg or .pdf.")
@click.option("--summary", type=ANY_PATH, help="File for the summary: .json.")
@click.option("--min-duration", "min_duration_s", type=click.FloatRange(min=0), default=0.0,
              metavar="SECONDS", help="Leave faces that are visible for less out of summary and "
              "plot.")  # fmt: skip
@click.option("--thumbnails", is_flag=True, help="Show face thumbnails in the plot.")
@overwrite_option
def video(
    sources: tuple[str, ...],
    format: str | None,
    out: Path | None,
    draw: Path | None,
    plot: Path | None,
    summary: Path | None,
    **options: Any,
) -> int:
    """Predict facial expressions in videos, over time.

    SOURCE is a video, a folder of frames, or an address such as http:// or rtsp://.
    Prints a summary: how long each face is visible and what it expresses. For several videos
    --out, --draw, --plot and --summary are folders; rerun the same command to resume: files that
    were finished with the same options are kept. Exit code 1 means that a video could not be
    read, or not to its end; what there is of it is written.
    """
    refuse_parquet_on_stdout(format, out)
    if options["thumbnails"] and not plot:
        raise click.UsageError("--thumbnails needs a plot. Type: --plot timeline.png --thumbnails")
    wanted = {"out": out, "draw": draw, "plot": plot, "summary": summary}
    planned = plan_video_outputs(sources, wanted, table=format)
    for outputs in planned:
        _check_outputs(outputs, format)
    run = _Run(format, to_stdout=format is not None and out is None, options=options)
    failed = run.process(sources, planned)
    if failed and len(sources) > 1:
        echo(f"emopy: {failed} of {len(sources)} videos could not be read whole.", err=True)
    return 1 if failed else 0


def _check_outputs(outputs: VideoOutputs, format: str | None) -> None:
    """Refuse what cannot be written, before any video is read."""
    from emopy.files import check_suffix
    from emopy.present import check_plot_path, check_video_path, table_format

    if outputs.out:
        with naming(target="--out"):
            table_format(outputs.out, format)
    if outputs.draw:
        with naming(path="--draw"):
            check_video_path(outputs.draw)
    if outputs.plot:
        with naming(path="--plot"):
            check_plot_path(outputs.plot)
    if outputs.summary and not (outputs.summary.exists() and not outputs.summary.is_file()):
        with naming(path="--summary"):
            check_suffix(outputs.summary, [".json"])


class _Run:
    """One command: videos through the model, one after the other; a bad one stops no other."""

    def __init__(self, format: str | None, *, to_stdout: bool, options: dict[str, Any]) -> None:
        from emopy.media.sampling import Sampling

        self._format = format
        self._to_stdout = to_stdout
        self._overwrite = options.pop("overwrite")
        self._thumbnails = options.pop("thumbnails")
        self._min_duration_s = options.pop("min_duration_s")
        self._smoothing_s = options.pop("smoothing_s")
        self._sampling = {name: options.pop(name) for name in ("every", "fps", "start_s", "end_s")}
        Sampling(**self._sampling)  # refuses once what would be refused for every video
        self._model = create_model(**options)
        self._options = options

    def process(self, sources: tuple[str, ...], planned: list[VideoOutputs]) -> int:
        """Process videos; return how many could not be read, or not to their end."""
        from emopy.present import open_table

        jobs: list[tuple[str, VideoOutputs, Mapping[str, Settings]]] = []
        failed = 0
        for source, outputs in zip(sources, planned, strict=True):
            settings = {name: self._settings(source, name) for name in outputs.files}
            to_do, shortfalls = unfinished(outputs, settings, overwrite=self._overwrite)
            if to_do.files or not outputs.files or self._to_stdout:
                jobs.append((source, to_do, settings))
            elif shortfalls:
                echo("\n".join(f"emopy: {each}" for each in shortfalls), err=True)
                failed += 1
        with ExitStack() as stack:
            rows = None
            if self._to_stdout:
                rows = open_table(sys.stdout, self._model.labels, format=self._format)
                stack.enter_context(rows)
            for source, outputs, settings in jobs:
                try:
                    failed += self._process_one(source, outputs, settings, rows)
                except MissingExtraError:
                    raise
                except EmoPyError as error:
                    print_error(error)
                    failed += 1
        return failed

    def _process_one(
        self,
        source: str,
        outputs: VideoOutputs,
        settings: Mapping[str, Settings],
        rows: Table | None,
    ) -> int:
        from emopy.media import DEFAULT_MAX_PIXELS, open_video
        from emopy.present import summary_text

        max_pixels = self._options["max_pixels"] or DEFAULT_MAX_PIXELS
        with open_video(source, **self._sampling, max_pixels=max_pixels) as video:
            labels, least_s = self._model.labels, self._min_duration_s
            writers = _Writers(outputs, labels, video, self._format, rows, min_duration_s=least_s)
            writers.run(self._model, video, self._smoothing_s, thumbnails=self._thumbnails)
        record_outputs(outputs, settings, video.shortfall if video.truncated else None)
        with tolerate_closed_stdout(also_writing=bool(outputs.files)):
            print_text(summary_text(writers.summary, width=text_width()), err=self._to_stdout)
        return report_shortfall(video)

    def _settings(self, source: str, name: str) -> Settings:
        """Return everything that decides what is in an output, under the names of the options."""
        options = {**self._sampling, **self._options, "smoothing_s": self._smoothing_s}
        least = {"--min-duration": self._min_duration_s}
        special = {
            "out": {"--format": self._format},
            "plot": {"--thumbnails": self._thumbnails, **least},
            "summary": least,
        }
        conditions = {"version of the video": _version(source), **special.get(name, {})}
        return made_with(self._model, options, conditions)


def _version(source: str) -> list[int] | None:
    """Return sizes and dates that change with a file or folder; None for other sources."""
    from emopy.media import find_images

    path = Path(source)
    if not path.exists() or "://" in source:
        return None
    found = find_images(path)
    states = [each.stat() for each in found if each.is_file()]
    return [
        *([len(states)] if path.is_dir() else []),
        sum(state.st_size for state in states),
        max((state.st_mtime_ns for state in states), default=0),
    ]


class _Writers:
    """Writes the outputs of one video, and its rows to `rows`, a table that is open already.

    Each file appears when all are complete.
    """

    def __init__(
        self,
        outputs: VideoOutputs,
        labels: tuple[str, ...],
        video: Video,
        format: str | None,
        rows: Table | None,
        *,
        min_duration_s: float,
    ) -> None:
        from emopy.present import TimelinePlot, VideoSink, open_table
        from emopy.video import Summary

        self.summary = Summary(labels, min_duration_s=min_duration_s)
        self._outputs = outputs
        self._rows = rows
        self._plot = TimelinePlot(labels, min_duration_s=min_duration_s)
        self._table = open_table(outputs.out, labels, format=format) if outputs.out else None
        self._drawn = VideoSink(outputs.draw, size=video.size) if outputs.draw else None

    def run(self, model: FERModel, video: Video, smoothing_s: float, *, thumbnails: bool) -> None:
        """Process the video to its end."""
        with ExitStack() as stack:
            if self._table:
                stack.enter_context(naming(path="--out"))
                stack.enter_context(self._table)
            if self._drawn:
                stack.enter_context(naming(path="--draw"))
                stack.enter_context(self._drawn)
            results = model.predict_frames(video, source=video.source, smoothing_s=smoothing_s)
            busy = self._rows is not None and sys.stdout.isatty()
            for frame, result in progress(results, video.frames, video.source, busy=busy):
                self._write(result, frame.image, thumbnails=thumbnails)
            if not self.summary.frames:
                raise InputError(
                    f"{video.source} must have frames between `start_s` and `end_s`. Received "
                    "none. Choose other times."
                )
            self._write_whole()

    def _write(self, result: ImageResult, image: RGBImage, *, thumbnails: bool) -> None:
        self.summary.add(result)
        if self._rows:
            with tolerate_closed_stdout(also_writing=bool(self._outputs.files)):
                self._rows.write(result)
        if self._table:
            self._table.write(result)
        if self._drawn:
            self._drawn.write(image, result)
        if self._outputs.plot:
            self._plot.add(result, image if thumbnails else None)

    def _write_whole(self) -> None:
        """Write what needs all frames."""
        from emopy.files import atomic_file

        if self._outputs.plot:
            with naming(path="--plot"):
                self._plot.save(self._outputs.plot)
        if self._outputs.summary:
            text = json.dumps(self.summary.to_dict(), ensure_ascii=False, indent=2)
            with naming(path="--summary"), atomic_file(self._outputs.summary) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")
