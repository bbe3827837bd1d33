"""`VideoWriters`: what is written of one video; `JoinedFiles`: of all videos of a command."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from emopy.cli.outputs import VideoOutputs, note_complete
from emopy.cli.partial import pack_result, unpack_result
from emopy.cli.terminal import progress, tolerate_closed_stdout
from emopy.errors import InputError, naming
from emopy.files import atomic_file, sync
from emopy.present import TimelinePlot, VideoSink, episodes_csv, open_table, plot_overview
from emopy.types import FailedInput, ImageResult

if TYPE_CHECKING:
    from emopy.fermodel import FERModel
    from emopy.media import Video
    from emopy.present import Table
    from emopy.types import RGBImage
    from emopy.video import Summary

_plot_lock = threading.Lock()  # the settings of Matplotlib are those of the process


class StoppedError(Exception):
    """The command was stopped while a thread processed this video."""


class VideoWriters:
    """Writes the outputs of one video, and its rows to `rows`, a table that is open already.

    Each file appears when all are complete.

    Attributes:
        summary: Summary of the frames so far.
    """

    def __init__(
        self,
        outputs: VideoOutputs,
        summary: Summary,
        video: Video,
        format: str | None,
        rows: Table | None,
    ) -> None:
        labels = summary.labels
        self.summary = summary
        self._outputs = outputs
        self._rows = rows
        self._plot = TimelinePlot(labels, min_duration_s=summary.min_duration_s)
        self._table = open_table(outputs.out, labels, format=format) if outputs.out else None
        self._drawn = VideoSink(outputs.draw, size=video.size) if outputs.draw else None
        self._results: TextIO | None = None

    def run(
        self,
        model: FERModel,
        video: Video,
        smoothing_s: float,
        *,
        thumbnails: bool,
        stop: threading.Event,
        quiet: bool,
    ) -> None:
        """Process the video to its end.

        Args:
            model: The model.
            video: The video.
            smoothing_s: As for `FERModel.predict_frames`.
            thumbnails: Whether the plot shows faces.
            stop: Is set where the command is stopped.
            quiet: Whether no progress is shown.

        Raises:
            StoppedError: `stop` was set.
        """
        with ExitStack() as stack:
            if self._table:
                stack.enter_context(naming(path="--out"))
                stack.enter_context(self._table)
            if self._outputs.results:
                stack.enter_context(naming(path="--out"))
                temporary = stack.enter_context(atomic_file(self._outputs.results))
                self._results = stack.enter_context(
                    temporary.open("w", encoding="utf-8", newline="\n")
                )
            if self._drawn:
                stack.enter_context(naming(path="--draw"))
                stack.enter_context(self._drawn)
            results = model.predict_frames(video, source=video.source, smoothing_s=smoothing_s)
            busy = quiet or (self._rows is not None and sys.stdout.isatty())
            for frame, result in progress(results, video.frames, video.source, busy=busy):
                if stop.is_set():
                    raise StoppedError
                self._write(result, frame.image, thumbnails=thumbnails)
            if not self.summary.frames:
                raise InputError(
                    f"{video.source} must have frames between `start_s` and `end_s`. Received "
                    "none. Choose other times."
                )
            self._write_complete()

    def _write(self, result: ImageResult, image: RGBImage, *, thumbnails: bool) -> None:
        self.summary.add(result)
        if self._rows:
            with tolerate_closed_stdout(also_writing=bool(self._outputs.files)):
                self._rows.write(result)
        if self._table:
            self._table.write(result)
        if self._results:
            self._results.write(json.dumps(pack_result(result)) + "\n")
        if self._drawn:
            self._drawn.write(image, result)
        if self._outputs.plot:
            self._plot.add(result, image if thumbnails else None)

    def _write_complete(self) -> None:
        """Write what needs all frames."""
        if self._outputs.plot:
            with naming(path="--plot"), _plot_lock:
                self._plot.save(self._outputs.plot)
        if path := self._outputs.summary:
            with naming(path="--summary"), atomic_file(path) as temporary:
                temporary.write_text(
                    _as_json(self.summary.to_dict()), encoding="utf-8", newline="\n"
                )
        if path := self._outputs.episodes:
            text = episodes_csv([self.summary])
            with naming(path="--episodes"), atomic_file(path) as temporary:
                temporary.write_text(text, encoding="utf-8", newline="")


class JoinedFiles:
    """The files that hold what is found in all videos of a command; each appears complete.

    Args:
        files: For each option, as in `VideoOutputs`, its file.
        folder: Where the results of the videos are.
        new_summary: Returns an empty summary, with the labels of the predictions.
        format: Format of the table; None for that of its suffix.
        min_confidence: As for `Prediction`.
    """

    def __init__(
        self,
        files: Mapping[str, Path],
        folder: Path,
        new_summary: Callable[[], Summary],
        *,
        format: str | None,
        min_confidence: float,
    ) -> None:
        self._files = files
        self._folder = folder
        self._new_summary = new_summary
        self._format = format
        self._min_confidence = min_confidence
        self._labels = new_summary().labels

    def write(self, videos: Iterable[Path | FailedInput]) -> list[Summary]:
        """Write the files.

        Args:
            videos: For each video the file of its results, or why there is none.

        Returns:
            The summary of each video that could be read.
        """
        with ExitStack() as stack:  # they appear together, at its end
            table = None
            if out := self._files.get("out"):
                stack.enter_context(naming(path="--out"))
                table = stack.enter_context(open_table(out, self._labels, format=self._format))
            others: dict[str, Path] = {}
            for option in ("summary", "episodes"):
                if path := self._files.get(option):
                    stack.enter_context(naming(path=f"--{option}"))
                    others[option] = stack.enter_context(atomic_file(path))
            found = [self._add(video, table) for video in videos]
            summaries = [each for each in found if not isinstance(each, FailedInput)]
            entries = [_entry(each) for each in found]
            if path := others.get("summary"):
                path.write_text(_as_json({"videos": entries}), encoding="utf-8", newline="\n")
            if path := others.get("episodes"):
                path.write_text(episodes_csv(summaries), encoding="utf-8", newline="")
            note_complete(self._files, self._folder)
            if (path := self._files.get("plot")) and summaries:
                with naming(path="--plot"):
                    plot_overview(summaries, path)
        for path in self._files.values():
            sync(path)
        return summaries

    def _add(self, video: Path | FailedInput, table: Table | None) -> Summary | FailedInput:
        """Write the rows of a video, and return its summary, or why there is none."""
        summary = self._new_summary()
        for result in [video] if isinstance(video, FailedInput) else self._read(video):
            if isinstance(result, ImageResult):
                summary.add(result)
            if table:
                table.write(result)
        return video if isinstance(video, FailedInput) else summary

    def _read(self, path: Path) -> Iterator[ImageResult]:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                result = unpack_result(json.loads(line), self._labels, self._min_confidence)
                if isinstance(result, ImageResult):
                    yield result


def _entry(found: Summary | FailedInput) -> dict[str, Any]:
    record = found.to_dict()
    if isinstance(found, FailedInput):
        return {name: record[name] for name in ("source", "error")}
    return record


def _as_json(record: Any) -> str:
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"
