"""`emopy video`: expressions over time as a table, an annotated video, a plot and a summary."""

from __future__ import annotations

import math
import os
import shutil
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emopy.cli.inputs import (
    create_model,
    find_video_sources,
    is_incomplete,
    mention_frames,
    report_shortfall,
)
from emopy.cli.interruption import START_AGAIN, on_stop
from emopy.cli.options import (
    ANY_PATH,
    end_option,
    every_option,
    max_pixels_option,
    none_for_stdout,
    overwrite_option,
    reading_model_options,
    refuse_parquet_on_stdout,
    smoothing_option,
    start_option,
)
from emopy.cli.outputs import (
    RESULTS,
    SUFFIXES,
    VideoOutputs,
    abandon_outputs,
    begin_outputs,
    joined_files,
    plan_video_outputs,
    record_outputs,
    typed,
    unfinished,
)
from emopy.cli.partial import partial_folder, two_runs_at_once
from emopy.cli.records import Settings, made_with
from emopy.cli.terminal import (
    echo,
    print_error,
    print_text,
    progress,
    text_width,
    tolerate_closed_stdout,
    write_utf8,
)
from emopy.cores import usable_cores
from emopy.errors import EmoPyError, InputError, MissingExtraError, naming
from emopy.locks import lock
from emopy.tables import TABLE_FORMATS

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.media import Video
    from emopy.present import Table
    from emopy.video import Summary


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@reading_model_options
@smoothing_option
@max_pixels_option
@every_option
@click.option("--fps", type=float, metavar="FPS",
              help="Process this number of frames per second; for a folder of frames, their "
              "rate.  [default: all; 25]")  # fmt: skip
@start_option
@end_option
@click.option("--format", type=click.Choice(TABLE_FORMATS),
              help="Format of the table; without --out the table is printed.  [default: by the "
              "suffix of --out]")  # fmt: skip
@click.option("--out", type=ANY_PATH, callback=none_for_stdout,
              help="File for the table: a row per face and frame.")  # fmt: skip
@click.option("--draw", type=ANY_PATH, help="File for the annotated video.")
@click.option(
    "--plot",
    type=ANY_PATH,
    help="File for a plot over time: .png, .svg or .pdf; for several videos one file shows the "
    "episodes of all; a folder gets a timeline for each.",
)
@click.option("--summary", type=ANY_PATH, help="File for the summary: .json.")
@click.option("--min-duration", "min_duration_s", type=click.FloatRange(min=0), default=0.0,
              metavar="SECONDS", help="Shortest time that a face must be visible to be in "
              "summary, episodes and plot.")  # fmt: skip
@click.option("--episodes", type=ANY_PATH,
              help="File for the episodes: .csv, which face shows which emotion from when to "
              "when.")  # fmt: skip
@click.option("--thumbnails", is_flag=True, help="Show face thumbnails in the plot.")
@click.option("--workers", type=click.IntRange(min=1), default=1, metavar="N",
              help="Videos to process at the same time.")  # fmt: skip
@overwrite_option
def video(
    sources: tuple[str, ...],
    format: str | None,
    out: Path | None,
    draw: Path | None,
    plot: Path | None,
    summary: Path | None,
    episodes: Path | None,
    overwrite: bool,
    **options: Any,
) -> int:
    """Predict facial expressions in videos, over time.

    SOURCE is a video, a folder of videos, a folder of frames, or an address such as http:// or
    rtsp://. Prints a summary: how long each face is visible and what it expresses. For several
    videos, --out, --plot, --summary and --episodes each name a file for all of them, or a folder
    with a file per video; --draw names a folder. After an interruption, rerun the same command:
    videos that were finished with the same options are kept. Exit code 1 means that a video could
    not be read, or not to its end, or that images of another size were skipped; what there is of it
    is written.
    """
    refuse_parquet_on_stdout(format, out)
    if options["thumbnails"] and not plot:
        raise click.UsageError("--thumbnails needs a plot. Type: --plot timeline.png --thumbnails")
    wanted = {"out": out, "draw": draw, "plot": plot, "summary": summary, "episodes": episodes}
    videos = find_video_sources(sources)
    is_several = len(videos) > 1 or videos != list(sources)  # also a folder of one video
    joined = joined_files(videos, wanted, overwrite=overwrite) if is_several else {}
    if "plot" in joined and options["thumbnails"]:
        raise click.UsageError(
            "--thumbnails needs a plot per video. Type: --plot plots --thumbnails"
        )
    folder = partial_folder(joined.values()) if joined else None
    separate = {option: None if option in joined else path for option, path in wanted.items()}
    planned = plan_video_outputs(videos, {**separate, RESULTS: folder}, table=format)
    for outputs in [*planned, VideoOutputs(in_folder=frozenset(), **joined)]:
        _check_outputs(outputs, format)
    _check_places(joined)
    to_stdout = format is not None and out is None
    run = _Run(format, to_stdout=to_stdout, overwrite=overwrite, options=options)
    with (
        on_stop(_how_to_resume(planned, overwrite=overwrite, joined=bool(joined))),
        _only_run(folder, joined),
    ):
        failed = run.process(videos, planned, joined)
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
    if failed and len(videos) > 1:
        echo(f"emopy: {failed} of {len(videos)} videos could not be read completely.", err=True)
    return 1 if failed else 0


@contextmanager
def _only_run(folder: Path | None, joined: Mapping[str, Path]) -> Generator[None]:
    """Refuse a second run with the same files, where the file system can tell."""
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".lock"
    with path.open("ab") as file:
        if not lock(file):
            option, target = next(iter(joined.items()))
            raise two_runs_at_once(typed(option), target)
        try:
            yield
        finally:
            file.close()  # Windows deletes no open file
            path.unlink(missing_ok=True)
            with suppress(OSError):  # results are in it
                folder.rmdir()


def _how_to_resume(planned: list[VideoOutputs], *, overwrite: bool, joined: bool) -> str:
    if not any(outputs.files for outputs in planned):
        return ""
    if not any(outputs.in_folder for outputs in planned):
        return START_AGAIN
    command = "same command" if joined or not overwrite else "command without --overwrite"
    return f"To resume, rerun the {command}: the videos that are finished are kept."


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
    for option in ("summary", "episodes"):
        path = outputs.files.get(option)
        if path and (path.is_file() or not path.exists()):  # no device, no pipe
            with naming(path=f"--{option}"):
                check_suffix(path, [f".{SUFFIXES[option]}"])


def _check_places(files: Mapping[str, Path]) -> None:
    """Refuse files where nothing can be written; `files` has them by option."""
    from emopy.files import check_writable

    for option, path in files.items():
        with naming(path=typed(option)):
            check_writable(path)


@dataclass(frozen=True)
class _Job:
    """A video to process: what is still to be written of it, and how that is made."""

    source: str
    outputs: VideoOutputs
    settings: Mapping[str, Settings]


class _Run:
    """One command: videos through the model; a bad one stops no other."""

    def __init__(
        self, format: str | None, *, to_stdout: bool, overwrite: bool, options: dict[str, Any]
    ) -> None:
        from emopy.media.sampling import Sampling
        from emopy.pipeline import Smoother

        self._format = format
        self._to_stdout = to_stdout
        self._overwrite = overwrite
        self._workers = options.pop("workers")
        self._thumbnails = options.pop("thumbnails")
        self._min_duration_s = options.pop("min_duration_s")
        self._smoothing_s = options.pop("smoothing_s")
        self._sampling = {name: options.pop(name) for name in ("every", "fps", "start_s", "end_s")}
        Sampling(**self._sampling)  # refuses once what would be refused for every video
        Smoother(self._smoothing_s)
        if not math.isfinite(self._min_duration_s):
            raise InputError("--min-duration must be a number of seconds. Type for example: 0.5")
        if options["threads"] is None and 2 * self._workers > usable_cores():
            options["threads"] = 1  # the other videos use the other cores
        self._model = create_model(**options)
        self._options = options
        self._stop = threading.Event()

    def process(
        self, sources: Sequence[str], planned: list[VideoOutputs], joined: Mapping[str, Path]
    ) -> int:
        """Process videos; return how many could not be read, or not to their end."""
        from emopy.cli.video_writers import JoinedFiles
        from emopy.present import overview_text, summary_text
        from emopy.types import FailedInput

        jobs, failed = self._unfinished(sources, planned)
        errors: dict[str, FailedInput] = {}
        summaries: list[Summary] = []
        with closing(self._processed(jobs)) as processed:
            for job, done in zip(jobs, processed, strict=True):
                if isinstance(done, EmoPyError):
                    print_error(done)
                    errors[job.source] = FailedInput(job.source, done)
                    failed += 1
                else:
                    self._print(summary_text(done[0], width=text_width()), job.outputs)
                    failed += report_shortfall(done[1])
                    summaries.append(done[0])
        if joined:
            min_confidence = self._options["min_confidence"]
            files = JoinedFiles(
                joined,
                partial_folder(joined.values()),
                self._new_summary,
                format=self._format,
                min_confidence=min_confidence,
            )
            pairs = zip(sources, planned, strict=True)
            found = (errors.get(source) or outputs.results for source, outputs in pairs)
            summaries = files.write(each for each in found if each)
        if len(summaries) > 1:
            self._print("\n" + overview_text(summaries), planned[0])
        return failed

    def _unfinished(
        self, sources: Sequence[str], planned: list[VideoOutputs]
    ) -> tuple[list[_Job], int]:
        """Return what is to do, and how many of the finished videos have no end."""
        jobs: list[_Job] = []
        failed = 0
        for source, outputs in zip(sources, planned, strict=True):
            settings = {name: self._settings(source, name) for name in outputs.files}
            to_do, shortfalls = unfinished(outputs, settings, overwrite=self._overwrite)
            _check_places(to_do.files)
            if to_do.files or not outputs.files or self._to_stdout:
                jobs.append(_Job(source, to_do, settings))
            elif shortfalls:
                echo("\n".join(f"emopy: {each}" for each in shortfalls), err=True)
                failed += 1
        return jobs, failed

    def _print(self, text: str, outputs: VideoOutputs) -> None:
        with tolerate_closed_stdout(also_writing=bool(outputs.files)):
            print_text(text, err=self._to_stdout)

    def _processed(self, jobs: Sequence[_Job]) -> Generator[tuple[Summary, Video] | EmoPyError]:
        """Yield for each video its summary, or why it could not be read, in their order."""
        if self._to_stdout:  # the rows of a video follow those of the one before
            from emopy.present import open_table

            write_utf8()
            with open_table(sys.stdout, self._model.labels, format=self._format) as rows:
                yield from (self._process_one(job, rows) for job in jobs)
            return
        if self._workers == 1 or len(jobs) < 2:
            yield from (self._process_one(job) for job in jobs)
            return
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="emopy-video")
        try:
            futures = [pool.submit(self._process_one, job) for job in jobs]
            for future in progress(futures, len(jobs), "Videos", busy=sys.stdout.isatty()):
                while not wait([future], timeout=1).done:
                    pass  # a wait without an end could not be interrupted on Windows
                yield future.result()
        finally:
            self._stop.set()
            pool.shutdown(cancel_futures=True)

    def _process_one(
        self, job: _Job, rows: Table | None = None
    ) -> tuple[Summary, Video] | EmoPyError:
        from emopy.cli.video_writers import VideoWriters
        from emopy.media import DEFAULT_MAX_PIXELS, open_video

        max_pixels = self._options["max_pixels"] or DEFAULT_MAX_PIXELS
        mention_frames(job.source, self._sampling["fps"])
        try:
            with open_video(job.source, **self._sampling, max_pixels=max_pixels) as video:
                begin_outputs(job.outputs, job.settings)
                summary = self._new_summary()
                VideoWriters(job.outputs, summary, video, self._format, rows).run(
                    self._model,
                    video,
                    self._smoothing_s,
                    thumbnails=self._thumbnails,
                    stop=self._stop,
                    quiet=self._workers > 1,
                )
        except MissingExtraError:
            raise
        except EmoPyError as error:
            abandon_outputs(job.outputs)
            return error
        record_outputs(job.outputs, job.settings, video.shortfall if is_incomplete(video) else None)
        return summary, video

    def _new_summary(self) -> Summary:
        from emopy.video import Summary

        return Summary(self._model.labels, min_duration_s=self._min_duration_s)

    def _settings(self, source: str, name: str) -> Settings:
        """Return everything that decides what is in an output, under the names of the options."""
        options = {**self._sampling, **self._options, "smoothing_s": self._smoothing_s}
        least = {"--min-duration": self._min_duration_s}
        overwrite = {"--overwrite": True} if self._overwrite else {}
        special: dict[str, Settings] = {
            "out": {"--format": self._format},
            "plot": {"--thumbnails": self._thumbnails, **least},
            "summary": least,
            "episodes": least,
            RESULTS: {"video": source, **overwrite},
        }
        conditions = {"version of the video": _version(source), **special.get(name, {})}
        return made_with(self._model, options, conditions)


def _version(source: str) -> list[int] | None:
    """Return sizes and dates that change with a file or folder; None for other sources."""
    from emopy.media import find_images

    if "://" in source or not os.path.exists(source):  # noqa: PTH110  never raises
        return None
    found = find_images(source)
    states = [each.stat() for each in found if each.is_file()]
    return [
        *([len(states)] if os.path.isdir(source) else []),  # noqa: PTH112
        sum(state.st_size for state in states),
        max((state.st_mtime_ns for state in states), default=0),
    ]
