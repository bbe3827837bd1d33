"""`emopy serve`: an HTTP service that predicts the images and videos it is sent."""

from __future__ import annotations

import logging
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from emopy.cli.inputs import create_model
from emopy.cli.options import one_thread_model_options, pixels_type, threads_type
from emopy.cli.terminal import echo
from emopy.errors import InputError, import_extra, naming

_OPTIONS = {
    "path": "--api-key-file",
    "host": "--host",
    "port": "--port",
    "origins": "--allow-origin",
    "names": "--allow-host",
    "timeout_s": "--timeout",
    "drain_s": "--drain",
}
"""Option of each argument that an error may name."""


@click.command()
@click.option("--host", default="127.0.0.1", metavar="ADDRESS",
              help="Address to listen on; another than this machine's own needs --api-key-file or "
              "--no-auth.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=8000, metavar="N",
              help="Port to listen on; 0: any free one.")  # fmt: skip
@click.option("--workers", type=click.IntRange(min=1), default=1, metavar="N",
              help="Processes, each with a model of its own.")  # fmt: skip
@click.option("--queue", type=click.IntRange(min=1), default=32, metavar="N",
              help="Requests of a process that may wait; more get status 429.")  # fmt: skip
@click.option("--streams", type=click.IntRange(min=1), default=4, metavar="N",
              help="Videos and live sessions of a process at once; more get status "
              "429.")  # fmt: skip
@click.option("--max-bytes", type=click.IntRange(min=1), default=20_000_000, metavar="N",
              help="Largest body of a request.")  # fmt: skip
@click.option("--timeout", "timeout_s", type=click.FloatRange(0, min_open=True), default=30.0,
              metavar="SECONDS", help="Longest time for a request to arrive, and for its "
              "answer.")  # fmt: skip
@click.option("--drain", "drain_s", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS",
              help="Time between SIGTERM and the end of new connections, in which /readyz says "
              "no.")  # fmt: skip
@click.option("--api-key-file", "keys", type=click.Path(dir_okay=False, path_type=Path),
              metavar="FILE", help="API keys, one on each line.")  # fmt: skip
@click.option("--no-auth", is_flag=True, help="Serve other machines without keys.")
@click.option("--allow-origin", "origins", multiple=True, metavar="ORIGIN",
              help="Origin of web pages that may send requests, such as https://example.org; give "
              "it once for each.")  # fmt: skip
@click.option("--allow-host", "names", multiple=True, metavar="NAME",
              help="Host name that a proxy on this machine passes on, such as emopy.example.org; "
              "give it once for each.")  # fmt: skip
@click.option("--max-pixels", type=pixels_type, default=25_000_000, metavar="N",
              help="Largest image or frame, width times height in pixels.")  # fmt: skip
@one_thread_model_options
@click.option("--threads", type=threads_type, default=1, metavar="N",
              help="CPU threads of each prediction; with 2 or more, the faces of the next frames "
              "of a video are detected in another thread.")  # fmt: skip
def serve(
    host: str,
    port: int,
    workers: int,
    queue: int,
    streams: int,
    max_bytes: int,
    timeout_s: float,
    drain_s: float,
    keys: Path | None,
    no_auth: bool,
    origins: tuple[str, ...],
    names: tuple[str, ...],
    max_pixels: int,
    **options: Any,
) -> int:
    """Serve predictions over HTTP.

    POST an image to /v1/predict, or a video to /v1/video; /docs lists all paths; / is a page that
    predicts in the browser. The access log is written on stderr, without anything of the
    images or of the queries. Stop with Ctrl-C or SIGTERM: requests in flight are answered first.
    """
    for package in ("fastapi", "fastapi_swagger", "prometheus_client", "uvicorn", "websockets"):
        import_extra(package, feature="Serving", extra="serve")
    from emopy.serve import ServeSettings, run
    from emopy.serve.settings import read_keys

    with naming(**_OPTIONS):
        settings = ServeSettings(
            host=host,
            port=port,
            workers=workers,
            queue=queue,
            streams=streams,
            max_bytes=max_bytes,
            timeout_s=timeout_s,
            drain_s=drain_s,
            key_digests=read_keys(keys) if keys else (),
            origins=origins,
            names=names,
        )
        if not (settings.is_loopback or keys or no_auth):
            raise InputError(
                "--host must be 127.0.0.1 where no API key is asked for. "
                f"Received {host}. Add --api-key-file FILE, or --no-auth to serve anyone."
            )
        load_model = partial(create_model, **options, max_pixels=max_pixels)
        run(load_model, settings, announce=_announce, prepare=_log_to_stderr)
    return 0


def _announce(address: str) -> None:
    echo(f"emopy: serving at {address} (docs: {address}/docs; stop with Ctrl-C)", err=True)


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log = logging.getLogger("emopy.serve")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
