"""`emopy webcam`: the expressions of the faces before a camera, live."""

from __future__ import annotations

import math
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from emopy.cli.options import (
    FILE,
    detector_option,
    emotions_option,
    min_confidence_option,
    model_option,
    smallest_face_option,
    smoothing_option,
    threads_option,
)
from emopy.cli.prior import prior_option
from emopy.errors import InputError

VIEWS = ("auto", "window", "page", "terminal")


@click.command()
@click.argument("file", required=False, type=FILE)
@click.option("--camera", type=click.IntRange(min=0), metavar="N", help="Which one.  [default: 0]")
@click.option("--loop", is_flag=True, help="Start FILE again at its end.")
@click.option(
    "--view",
    type=click.Choice(VIEWS),
    default="auto",
    show_default=True,
    help="Where to look at it; auto: a window where OpenCV has one, else a page.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Of the page.  [default: any]"
)
@click.option("--open", "open_browser", is_flag=True, help="Open the page in the browser.")
@click.option("--out", type=FILE, help="Record to this table: .csv, .json, .jsonl or .parquet.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=math.inf,
    help="Stop after so long.  [default: never]",
)
@emotions_option()
@model_option
@detector_option
@smallest_face_option
@prior_option()
@min_confidence_option
@smoothing_option
@threads_option
def webcam(
    file: Path | None,
    camera: int | None,
    loop: bool,
    view: str,
    port: int,
    open_browser: bool,
    out: Path | None,
    seconds: float,
    smoothing_s: float,
    **model_options: Any,
) -> None:
    """Show live what the faces before a camera express.

    FILE, a video, plays the part of the camera. Ctrl-C ends it; so do Stop on the page, and Esc or
    q in the window. What was recorded until then is kept.
    """
    from emopy.cli.inputs import load
    from emopy.cli.showing import play
    from emopy.live import Page, open_live, open_view, watch
    from emopy.present import open_timeline

    if file is not None and camera is not None:
        raise InputError("FILE must not be given with --camera. Received both. Leave one out.")
    if out is not None and file is not None and out.resolve() == file.resolve():
        raise InputError(f"--out must not be FILE. Received {out} for both. Name a new file.")
    name = f"camera {camera or 0}" if file is None else str(file)
    model = load(**model_options)
    with ExitStack() as stack:
        shown = stack.enter_context(open_view(view, port=port))
        times = "forever" if loop else "once"
        frames = stack.enter_context(open_live(file or camera or 0, times=times))
        table = stack.enter_context(open_timeline(out, model.labels)) if out else None
        if isinstance(shown, Page):
            click.echo(f"emopy: look at {shown.address} (Ctrl-C ends it)", err=True)
            if open_browser:
                click.launch(shown.address)
        results = watch(model, frames, shown, source=name, smoothing_s=smoothing_s)
        count, is_over = play(results, table, seconds=seconds)
    recorded = f" recorded in {out}" if out else ""
    gone = f" {name} gives no more." if is_over and not shown.stopped else ""
    click.echo(f"emopy: {count} frames{recorded}.{gone}", err=True)
