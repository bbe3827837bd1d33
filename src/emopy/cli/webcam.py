"""`emopy webcam`: the expressions of the faces in front of a camera, live."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emopy.cli.inputs import create_model, mention_frames, report_shortfall
from emopy.cli.interruption import stop_on_ctrl_c
from emopy.cli.options import FILE, model_options, overwrite_option, smoothing_option
from emopy.cli.outputs import refuse_existing
from emopy.cli.terminal import echo
from emopy.errors import InputError, naming

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.present import Table
    from emopy.types import Frame, ImageResult

VIEWS = ("auto", "window", "page", "terminal")


@click.command()
@click.argument("file", required=False)
@click.option("--camera", type=click.IntRange(min=0), metavar="N",
              help="Number of the camera.  [default: 0]")  # fmt: skip
@click.option("--loop", is_flag=True, help="Restart FILE at its end.")
@click.option("--view", type=click.Choice(VIEWS), default="auto",
              help="Where to show the result; auto: a window if OpenCV has windows, else a page "
              "for the browser.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=False,
              metavar="N", help="Port of the page.  [default: any free one]")  # fmt: skip
@click.option("--open", "open_browser", is_flag=True, help="Open the page in the browser.")
@click.option("--out", type=FILE,
              help="File to record a table to: .csv, .json, .jsonl or .parquet.")  # fmt: skip
@overwrite_option
@click.option("--seconds", type=click.FloatRange(0, min_open=True), default=math.inf,
              show_default=False, metavar="SECONDS",
              help="Stop after this time.  [default: never]")  # fmt: skip
@model_options
@smoothing_option
def webcam(
    file: str | None,
    camera: int | None,
    loop: bool,
    view: str,
    port: int,
    open_browser: bool,
    out: Path | None,
    overwrite: bool,
    seconds: float,
    smoothing_s: float,
    **options: Any,
) -> int:
    """Predict facial expressions from a camera, live.

    FILE is a video to show in place of a camera, or an address, such as rtsp://user:password@host
    of a network camera. Stop with Ctrl-C, with Stop on the page, or with Esc or q in the window;
    the recording is kept. Exit code 1 means that FILE is truncated.
    """
    from emopy.live import Page, open_live, open_view, show_live
    from emopy.present import open_table

    _check_options(file, camera, loop=loop, out=out, seconds=seconds)
    refuse_existing({"--out": [out] if out else []}, overwrite=overwrite)
    model = create_model(**options)
    if file is not None:
        mention_frames(file, None)
    with ExitStack() as stack:
        stack.enter_context(naming(source="--camera" if file is None else "FILE"))
        stack.enter_context(naming(path="--out", target="--out"))
        recording = open_table(out, model.labels) if out else None
        shown = stack.enter_context(open_view(view, port=port))
        frames = stack.enter_context(open_live(camera or 0 if file is None else file, loop=loop))
        source = frames.video.source
        if isinstance(shown, Page):
            echo(f"emopy: open {shown.address} in a browser (stop with Ctrl-C)", err=True)
            if open_browser:
                click.launch(shown.address)
        show = partial(show_live, model, view=shown, source=source, smoothing_s=smoothing_s)
        count, is_over = _show(show, frames, recording, seconds=seconds)
    recorded = f" recorded in {out}" if out else ""
    ended = f" {source} has ended." if is_over and not shown.stopped else ""
    frame_count = "1 frame" if count == 1 else f"{count:,} frames"
    echo(f"emopy: {frame_count}{recorded}.{ended}", err=True)
    return report_shortfall(frames.video)


def _check_options(
    file: str | None, camera: int | None, *, loop: bool, out: Path | None, seconds: float
) -> None:
    """Refuse options that do not go together."""
    if file is not None and camera is not None:
        raise InputError("FILE must not be given with --camera. Received both. Leave one out.")
    if loop and file is None:
        raise InputError(
            "--loop must be given with FILE. Received a camera, which has no end. "
            "Leave --loop out, or name a video."
        )
    if not seconds > 0:
        raise InputError(
            f"--seconds must be a number above 0. Received {seconds}. Leave it out for no limit."
        )
    if out is not None and file is not None and out.resolve() == Path(file).resolve():
        raise InputError(f"--out must not be FILE. Received {out} for both. Name a new file.")


def _show(
    show: Callable[[Iterable[Frame]], Generator[ImageResult]],
    frames: Iterable[Frame],
    recording: AbstractContextManager[Table] | None,
    *,
    seconds: float,
) -> tuple[int, bool]:
    """Show frames until they end, `seconds` are over, or the user asks to stop.

    Returns:
        How many frames were shown, and whether the source has ended.
    """
    count = 0
    with (
        stop_on_ctrl_c() as stop,
        recording or nullcontext() as table,
        closing(show(stop.items_until(frames))) as results,
    ):
        for result in results:
            count += 1
            if table is not None:
                table.write(result)
            if (result.time_s or 0.0) >= seconds:
                return count, False
    return count, not stop.was_made
