"""`emopy webcam`: the expressions of the faces before a camera, live."""

from __future__ import annotations

import math
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import click

from emopy.cli.options import FILE, smoothing_option
from emopy.cli.reading import reading_options

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
@click.option("--overwrite", is_flag=True, help="Record anew what is there already.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=math.inf,
    help="Stop after so long.  [default: never]",
)
@reading_options
@smoothing_option
def webcam(
    file: Path | None,
    camera: int | None,
    loop: bool,
    view: str,
    port: int,
    open_browser: bool,
    out: Path | None,
    overwrite: bool,
    seconds: float,
    smoothing_s: float,
    **model_options: Any,
) -> int:
    """Show live what the faces before a camera express.

    FILE, a video, plays the part of the camera. Ctrl-C ends it; so do Stop on the page, and Esc or
    q in the window. What was recorded until then is kept. Exit code 1 means that FILE was cut off.
    """
    from emopy.cli.inputs import load, say_missing
    from emopy.cli.showing import check_wishes, play
    from emopy.live import Page, open_live, open_view, watch
    from emopy.present import open_table

    check_wishes(file, camera, loop=loop, out=out, overwrite=overwrite, seconds=seconds)
    name = f"camera {camera or 0}" if file is None else str(file)
    model = load(**model_options)
    recording = open_table(out, model.labels) if out else None
    with ExitStack() as stack:
        shown = stack.enter_context(open_view(view, port=port))
        times = "forever" if loop else "once"
        frames = stack.enter_context(open_live(file or camera or 0, times=times))
        if isinstance(shown, Page):
            click.echo(f"emopy: look at {shown.address} (Ctrl-C ends it)", err=True)
            if open_browser:
                click.launch(shown.address)
        watched = partial(watch, model, view=shown, source=name, smoothing_s=smoothing_s)
        count, is_over = play(watched, frames, recording, seconds=seconds)
    recorded = f" recorded in {out}" if out else ""
    gone = f" {name} gives no more." if is_over and not shown.stopped else ""
    click.echo(f"emopy: {count} frames{recorded}.{gone}", err=True)
    return say_missing(frames.video)
