"""`run`: the service as processes that listen, and end when they are asked to."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from collections.abc import Callable
from functools import partial

import uvicorn
from uvicorn.supervisors import Multiprocess

from emopy.errors import InputError
from emopy.fermodel import FERModel
from emopy.serve.app import create_app
from emopy.serve.metrics import FOLDER_VARIABLE
from emopy.serve.protocol import TimedProtocol
from emopy.serve.settings import ServeSettings

_KEEP_ALIVE_S = 10
_BACKLOG = 512


def run(
    load_model: Callable[[], FERModel],
    settings: ServeSettings,
    *,
    announce: Callable[[str], None],
) -> None:
    """Serve until SIGTERM, which ends it when the requests in flight are answered.

    Args:
        load_model: Returns the model; with several processes it must be picklable.
        settings: How to listen, and what to accept.
        announce: Takes the address as soon as it is known.

    Raises:
        EmoPyError: What `load_model` raises, or an address that cannot be listened on.
        KeyboardInterrupt: Ctrl-C.
    """
    config = uvicorn.Config(
        partial(create_app, load_model, settings),
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http=TimedProtocol,
        ws_max_size=settings.max_bytes + 1,
        ws_max_queue=2,
        ws_per_message_deflate=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(settings.timeout_s) + 1,
        backlog=_BACKLOG,
        access_log=False,
        server_header=False,
        log_config=None,
        log_level="warning",
    )
    if settings.workers == 1:
        config.app = create_app(load_model, settings)
        config.factory = False
        _listen(config, settings, announce)
        return
    load_model()  # what is wrong with it is said once, not by each process
    with tempfile.TemporaryDirectory(prefix="emopy-metrics-") as folder:
        os.environ[FOLDER_VARIABLE] = folder
        try:
            _listen(config, settings, announce)
        finally:
            del os.environ[FOLDER_VARIABLE]


def _listen(
    config: uvicorn.Config, settings: ServeSettings, announce: Callable[[str], None]
) -> None:
    listener = _bind(settings)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    announce(f"http://{host}:{listener.getsockname()[1]}")
    # Uvicorn raises the signal again at the end, which would make the exit status 143.
    usual = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        if settings.workers == 1:
            uvicorn.Server(config).run(sockets=[listener])
        else:
            Multiprocess(config, [listener]).run()
    finally:
        signal.signal(signal.SIGTERM, usual)
        listener.close()


def _bind(settings: ServeSettings) -> socket.socket:
    """Return the socket to listen on.

    Raises:
        InputError: The address is none of this machine, or in use.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    try:
        if os.name != "nt":  # there, another process could take the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise InputError(
            f"`port` must be free to listen on. Received {settings.port} at {settings.host}: "
            f"{error}. Choose another `port`, or `port=0` for any."
        ) from error
    listener.set_inheritable(True)
    return listener
