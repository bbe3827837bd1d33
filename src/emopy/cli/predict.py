"""`emopy predict`: the expression of every face in images, folders, or an image on stdin."""

from __future__ import annotations

import shlex
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emopy.cli.inputs import Source, create_model, find_sources, open_boxes, report_failed
from emopy.cli.interruption import on_stop
from emopy.cli.options import (
    FILE,
    FOLDER,
    max_pixels_option,
    overwrite_option,
    reading_model_options,
    refuse_parquet_on_stdout,
    results_option,
)
from emopy.cli.outputs import draw_result, drawing_files, protect_inputs, refuse_existing
from emopy.cli.partial import (
    Key,
    PartialResults,
    State,
    image_keys,
    image_state,
    is_complete,
    partial_path,
)
from emopy.cli.records import checksum, made_with
from emopy.cli.terminal import (
    TextSink,
    echo,
    print_error,
    progress,
    tolerate_closed_stdout,
    write_utf8,
)
from emopy.errors import InputError, alternatives, naming
from emopy.tables import TABLE_FORMATS, other_format

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.faces import BoxTable
    from emopy.fermodel import FERModel
    from emopy.pipeline.images import GivenImage
    from emopy.present import Table
    from emopy.types import FailedInput, ImageResult

FORMATS = ("text", *TABLE_FORMATS)


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="PATH...")
@click.option("--recursive", is_flag=True, help="Search subfolders as well.")
@click.option("--boxes", "faces", type=FILE, metavar="FILE.csv",
              help="Boxes to predict instead of detected faces: columns source, left, top, right "
              "and bottom in pixels, as in a table of --out.")  # fmt: skip
@max_pixels_option
@reading_model_options
@click.option("--format", type=click.Choice(FORMATS),
              help="Format of the results.  [default: by the suffix of --out, else "
              "text]")  # fmt: skip
@results_option
@click.option("--draw", type=FOLDER, help="Folder for annotated images.")
@overwrite_option
def predict(
    sources: tuple[str, ...],
    recursive: bool,
    faces: Path | None,
    format: str | None,
    out: Path | None,
    draw: Path | None,
    overwrite: bool,
    **options: Any,
) -> int:
    """Predict facial expressions in images.

    PATH is an image, a folder of images, a pattern such as 'photos/**/*.jpg', or - for one image on
    stdin. Of an animation the first frame is predicted; emopy video predicts all. With --out, rerun
    the same command to resume a run that was interrupted. Exit code 1 means that some images could
    not be read, or that there are none; those that could not be read are listed, and the others are
    done.
    """
    images = list(find_sources(sources, recursive=recursive))
    chosen = choose_format(format, out)
    is_resumable = out is not None and (out.is_file() or not out.exists())  # no device, no pipe
    drawings = _plan(images, out, draw, overwrite=overwrite)
    boxes = None if faces is None else open_boxes(faces, images)
    model = create_model(**options)
    run = _Run(images, drawings, model, boxes=boxes, max_pixels=options["max_pixels"])
    with naming(path="--out") if out else nullcontext():
        sink = open_sink(chosen, out, model.labels)
        if out and is_resumable:
            conditions = {"--draw": draw and str(draw), "--format": chosen}
            conditions["table of --boxes"] = boxes and checksum(boxes.to_dict())
            partial = PartialResults(
                out,
                made_with(model, options, conditions),
                labels=model.labels,
                min_confidence=options["min_confidence"],
                overwrite=overwrite,
            )
            hint = "To resume, rerun the same command: the images that are done are kept."
            with on_stop(hint), partial:
                run.to_file(partial, sink, overwrite=overwrite)
        else:
            with on_stop("With --out a run can be resumed." if len(images) > 1 else ""):
                run.to_stream(sink, busy=out is None)
    return report_failed(run.failed, len(images))


def _plan(
    images: list[Source], out: Path | None, draw: Path | None, *, overwrite: bool
) -> list[Path]:
    """Return the file for each annotated image, after a check that no file would be replaced."""
    if not (out or draw):
        return []
    protect_inputs(images, out=out, draw=draw)
    drawings = drawing_files(draw, images) if draw else []
    may_be_drawn = out is not None and partial_path(out).exists()  # `_Run.to_file` checks them
    is_own = out is not None and is_complete(out)
    files = {
        "--out": [out] if out and not is_own else [],
        "--draw": [] if may_be_drawn else drawings,
    }
    refuse_existing(files, overwrite=overwrite)
    return drawings


class _Run:
    """One command: images through the model, and their results to a table and drawings.

    Attributes:
        failed: Images that could not be read.
    """

    def __init__(
        self,
        images: Sequence[Source],
        drawings: Sequence[Path],
        model: FERModel,
        *,
        boxes: BoxTable | None,
        max_pixels: int | None,
    ) -> None:
        self.failed = 0
        self._images = images
        self._boxes = boxes
        self._drawings = drawings
        self._model = model
        self._max_pixels = max_pixels

    def to_stream(self, sink: TextSink | Table, *, busy: bool) -> None:
        """Predict all images and write each result to a sink that is not resumed."""
        with sink:
            given = map(self._given, range(len(self._images)))
            results = self._model.predict_many(given, batch_size=1)
            busy = busy and sys.stdout.isatty()
            shown = progress(results, len(self._images), "Predicting", busy=busy)
            for number, result in enumerate(shown):
                with tolerate_closed_stdout(also_writing=bool(self._drawings)):
                    sink.write(result)
                self._report(number, result)
                self._draw(number, result)

    def to_file(self, partial: PartialResults, sink: TextSink | Table, *, overwrite: bool) -> None:
        """Predict the images that are not done yet, then write all results to a file.

        Args:
            partial: The results of those that are done.
            sink: Writes the file, which appears when it is complete; not if no image can be read.
            overwrite: Whether drawings may be replaced.
        """
        from emopy.types import ImageResult

        keys = image_keys(self._images)
        to_do = self._resume(partial, keys, overwrite=overwrite)
        states: deque[State] = deque()

        def sources() -> Iterator[GivenImage]:
            for number in to_do:
                states.append(image_state(self._images[number]))  # as it is when it is read
                yield self._given(number)

        # One by one: what a model of floats predicts may depend on the batch in the last digits.
        results = self._model.predict_many(sources(), batch_size=1)
        for number, result in zip(
            to_do, progress(results, len(to_do), "Predicting", busy=False), strict=True
        ):
            drawn = self._drawings[number].name if self._drawings else None
            partial.add(keys[number], states.popleft(), result, drawn=drawn)
            self._report(number, result)
            self._draw(number, result)
        if self.failed == len(keys):  # a mistyped name must not leave a file in the way
            partial.discard()
            return
        faces = 0
        with sink:
            for key in progress(keys, len(keys), "Writing", busy=False):
                result = partial.result(key)
                faces += len(result.faces) if isinstance(result, ImageResult) else 0
                sink.write(result)
            partial.mark_complete()
        partial.complete()
        echo(f"emopy: {partial.target}: images {len(keys):,}, faces {faces:,}", err=True)

    def _given(self, number: int) -> GivenImage:
        """Return an image, with its faces if there is a table of them."""
        from emopy.media import describe_source

        image = self._images[number]
        return (image, self._boxes.faces_of(describe_source(image))) if self._boxes else image

    def _resume(
        self, partial: PartialResults, keys: Sequence[Key], *, overwrite: bool
    ) -> list[int]:
        """Report and draw what an interrupted run left, and return the images still to do."""
        numbers = range(len(keys))
        to_do = [n for n in numbers if not partial.is_done(keys[n], self._images[n])]
        if self._drawings:
            own = partial.drawings
            files = [self._drawings[number] for number in to_do]
            refuse_existing(
                {"--draw": [f for f in files if f.name not in own]}, overwrite=overwrite
            )
        if len(to_do) < len(keys):
            done = len(keys) - len(to_do)
            echo(f"emopy: resumed: {done} of {len(keys)} images are done already.", err=True)
        for number in sorted(set(numbers) - set(to_do)):
            key = keys[number]
            if partial.has_failed(key):
                self._report(number, partial.result(key))
            elif self._drawings:
                file = self._drawings[number]
                if partial.drawn(key) != file.name or not file.exists():
                    self._draw(number, partial.result(key))
        return to_do

    def _report(self, number: int, result: ImageResult | FailedInput) -> None:
        from emopy.media.pillow import is_animation
        from emopy.types import FailedInput

        source = self._images[number]
        if isinstance(result, FailedInput):
            self.failed += 1
            print_error(result.error)
        elif isinstance(source, str) and is_animation(source):
            command = shlex.join(["emopy", "video", source])
            echo(f"emopy: {source}: its first frame. For all: {command}", err=True)

    def _draw(self, number: int, result: ImageResult | FailedInput) -> None:
        from emopy.types import ImageResult

        if self._drawings and isinstance(result, ImageResult):
            file = self._drawings[number]
            draw_result(self._images[number], result, file, max_pixels=self._max_pixels)


def choose_format(format: str | None, out: Path | None) -> str:
    """Return the format that is asked for, or that of the suffix of the file.

    Raises:
        InputError: Another suffix, or Parquet on stdout.
    """
    refuse_parquet_on_stdout(format, out)
    suffix = out.suffix.lstrip(".").lower() if out else "txt"
    chosen = format or {"": "text", "txt": "text"}.get(suffix, suffix)
    if chosen not in FORMATS:
        example = "Choose another suffix, or add --format."
        suffixes = alternatives(f".{name}" for name in ("txt", *FORMATS[1:]))
        raise InputError(
            f"--out must end in {suffixes}. Received {out}. {other_format(suffix, example)}"
        )
    return chosen


def open_sink(format: str, out: Path | None, labels: tuple[str, ...]) -> TextSink | Table:
    """Return a context manager that writes results to a file or stdout."""
    if format == "text":
        return TextSink(out)
    from emopy.present import open_table

    if out is None:
        write_utf8()
    return open_table(out or sys.stdout, labels, format=format)
