"""One video through the model, into all the files that were asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal, TypeAlias

import click

from emopy.cli.outputs import Outputs
from emopy.cli.progress import track
from emopy.cli.sinks import text_width
from emopy.fermodel import FERModel
from emopy.media import Video
from emopy.present import Film, Summary, TimelinePlot, encodable, open_timeline, summary_text
from emopy.types import Frame, ImageResult, RGBImage

Taker: TypeAlias = Callable[[Frame, ImageResult], object]
Thumbnails: TypeAlias = Literal["shown", "hidden"]


def read_video(
    model: FERModel,
    opened: Video,
    outputs: Outputs,
    *,
    table: str | None,
    smoothing_s: float,
    thumbnails: Thumbnails = "hidden",
) -> str:
    """Read a video and write what was asked for; the files appear when all is done.

    Args:
        model: What reads the faces.
        opened: The video; it is closed at the end.
        outputs: Files to write.
        table: Format of the table; with it and without a file for it, the table goes to stdout
            and the summary to stderr.
        smoothing_s: As for `FERModel.predict_frames`.
        thumbnails: Whether the plot shows the faces.

    Returns:
        What is missing, as a sentence; empty where nothing is.

    Raises:
        InputError: A frame cannot be read, or a file cannot be written.
    """
    summary = Summary(model.labels)
    to_stdout = table is not None and outputs.table is None
    with opened as video, ExitStack() as stack:
        takers = list(_takers(stack, model.labels, video, outputs, table, thumbnails))
        results = model.predict_frames(video, source=video.source, smoothing_s=smoothing_s)
        for frame, result in track(results, video.frames, video.source, busy=False):
            summary.add(result)
            for take in takers:
                take(frame, result)
    text = summary_text(summary, width=text_width())
    stream = sys.stderr if to_stdout else sys.stdout
    click.echo(encodable(text, stream.encoding), file=stream)
    return video.shortfall


def _takers(
    stack: ExitStack,
    labels: tuple[str, ...],
    video: Video,
    outputs: Outputs,
    table: str | None,
    thumbnails: Thumbnails,
) -> Iterator[Taker]:
    """What takes each result; all of it is written when the stack closes."""
    if outputs.table or table:
        rows = stack.enter_context(open_timeline(outputs.table or sys.stdout, labels, format=table))
        yield lambda _, result: rows.write(result)
    if outputs.film:
        film = stack.enter_context(Film(outputs.film, size=video.size))
        yield lambda frame, result: film.write(frame.image, result)
    if outputs.plot:
        yield stack.enter_context(_plotted(labels, outputs.plot, thumbnails))


@contextmanager
def _plotted(labels: tuple[str, ...], path: Path, thumbnails: Thumbnails) -> Generator[Taker]:
    plot = TimelinePlot(labels)
    seen: dict[int, tuple[float, RGBImage]] = {}

    def take(frame: Frame, result: ImageResult) -> None:
        plot.add(result)
        if thumbnails == "shown":
            _keep_best(seen, frame.image, result)

    yield take
    # Not after an exception: nothing is written then.
    plot.save(path, thumbnails={track: face for track, (_, face) in seen.items()})


def _keep_best(
    seen: dict[int, tuple[float, RGBImage]], image: RGBImage, result: ImageResult
) -> None:
    """Keep of each track the face of which the detector was most certain."""
    for face in result.faces:
        box, track = face.box, face.track
        rows = slice(max(0, round(box.top)), max(0, round(box.bottom)))
        columns = slice(max(0, round(box.left)), max(0, round(box.right)))
        cut = image[rows, columns]
        if track is not None and cut.size and face.face.score > seen.get(track, (0.0,))[0]:
            seen[track] = (face.face.score, cut.copy())
