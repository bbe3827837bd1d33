"""`emopy web`: open the page that predicts in the browser."""

from __future__ import annotations

import time
from collections.abc import Generator

import click

from emopy.cli.interruption import stop_on_ctrl_c
from emopy.cli.terminal import echo


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=None, metavar="N",
              help="Port of the page.  [default: 8416, or any free one]")  # fmt: skip
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
def web(port: int | None, no_browser: bool) -> None:
    """Open the page that predicts in the browser.

    Camera, images and videos are predicted by the browser itself, and are not sent to this command
    or anywhere else. Only this machine can open the page. Stop with Ctrl-C.
    """
    from emopy.live import WebPage

    with WebPage(port) as page, stop_on_ctrl_c() as stop:
        echo(f"emopy: open {page.address} in a browser (stop with Ctrl-C)", err=True)
        if not no_browser:
            click.launch(page.address)
        for _ in stop.items_until(_hours()):
            pass


def _hours() -> Generator[None]:
    while True:
        time.sleep(3600)
        yield
