"""`run`: the service as processes that listen, and end when they are asked to."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from types import FrameType

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from emopy.errors import EmoPyError, InputError
from emopy.fermodel import FERModel
from emopy.serve.app import STOP_SIGNALS, create_app
from emopy.serve.memory import configure_malloc
from emopy.serve.metrics import FOLDER_VARIABLE, forget_process
from emopy.serve.protocol import HTTPProtocol, WebSocketProtocol
from emopy.serve.settings import ServeSettings

_KEEP_ALIVE_S = 10
_BACKLOG = 512

_START_S = 120.0
"""Longest time until one of several processes has imported what it needs, seconds. One that takes
longer is replaced, as is one that does not answer within five seconds later."""

_START_FAILED = 3
"""Exit status of a process that cannot start; Uvicorn then ends the others instead of retrying."""

_log = logging.getLogger("emopy.serve")


def run(
    load_model: Callable[[], FERModel],
    settings: ServeSettings,
    *,
    announce: Callable[[str], None],
    prepare: Callable[[], None] | None = None,
) -> None:
    """Serve until SIGTERM, which ends it when the requests in flight are answered.

    Args:
        load_model: Returns the model; with several processes it must be picklable.
        settings: How to listen, and what to accept.
        announce: Takes the address as soon as connections are accepted.
        prepare: Called in each process before it serves, to set logging up; with several processes
            it must be picklable.

    Raises:
        EmoPyError: What `load_model` raises, an address that cannot be listened on, or a process
            that cannot start.
        KeyboardInterrupt: Ctrl-C.
    """
    if prepare is not None:
        prepare()
    if settings.workers == 1:
        configure_malloc()
        app = create_app(load_model, settings)
        with _listening(settings, announce) as listener:
            uvicorn.Server(configure(app, settings)).run(sockets=[listener])
        return
    load_model()  # what is wrong with it is said once, not by each process
    with tempfile.TemporaryDirectory(
        prefix="emopy-metrics-",
        ignore_cleanup_errors=True,  # Windows keeps files that are still open
    ) as folder:
        before = os.environ.get(FOLDER_VARIABLE)
        os.environ[FOLDER_VARIABLE] = folder
        create = partial(_create_or_exit, load_model, settings, prepare)
        try:
            with _listening(settings, announce) as listener:
                _run_workers(configure(create, settings, is_factory=True), listener)
        finally:
            if before is None:
                del os.environ[FOLDER_VARIABLE]
            else:
                os.environ[FOLDER_VARIABLE] = before


def configure(
    app: FastAPI | Callable[[], FastAPI], settings: ServeSettings, *, is_factory: bool = False
) -> uvicorn.Config:
    """Return how Uvicorn serves an application.

    Its own log is off: the service has one, and the rest is what clients do wrong.

    Args:
        app: The application, or a function that returns it.
        settings: How to listen.
        is_factory: Whether it is a function.
    """
    return uvicorn.Config(
        app,
        factory=is_factory,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http=HTTPProtocol,
        ws=WebSocketProtocol,
        ws_max_size=settings.max_bytes + 1,
        ws_per_message_deflate=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(settings.timeout_s) + 1,
        backlog=_BACKLOG,
        access_log=False,
        server_header=False,
        log_config=None,
        log_level="critical",
    )


def _create_or_exit(
    load_model: Callable[[], FERModel],
    settings: ServeSettings,
    prepare: Callable[[], None] | None,
) -> FastAPI:
    """Return the application of one of several processes, or end the process."""
    if prepare is not None:
        prepare()
    configure_malloc()
    try:
        return create_app(load_model, settings)
    except EmoPyError as error:
        _log.error("A process cannot start: %s", error)
    except Exception:  # noqa: BLE001  it is logged
        _log.exception("A process cannot start.")
    sys.exit(_START_FAILED)


class _Workers(Multiprocess):
    """Processes with one socket."""

    interrupted = False

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self._asked_s: dict[int | None, float] = {}
        self._started: set[int | None] = set()

    def _is_starting(self, worker: Process) -> bool:
        """Whether a process lives that has not answered yet: it imports what it needs."""
        if worker.pid in self._started or not worker.process.is_alive():
            return False
        if worker.pid not in self._asked_s:
            self._asked_s[worker.pid] = time.monotonic()
            worker.parent_conn.send(b"ping")
        if worker.parent_conn.poll():
            worker.parent_conn.recv()
            self._started.add(worker.pid)
            return False
        return time.monotonic() - self._asked_s[worker.pid] < _START_S

    def keep_subprocess_alive(self) -> None:
        """Replace processes that have ended, and take them out of the counts of what there is."""
        if any(self._is_starting(worker) for worker in self.processes):
            return  # Uvicorn would kill one that does not answer within five seconds
        before = {worker.pid: worker.process for worker in self.processes}
        super().keep_subprocess_alive()
        for pid in before.keys() - {worker.pid for worker in self.processes}:
            _log.error("The process %s has ended with %s.", pid, before[pid].exitcode)
            forget_process(pid)

    def handle_int(self) -> None:
        """Remember Ctrl-C."""
        self.interrupted = True
        super().handle_int()


def _run_workers(config: uvicorn.Config, listener: socket.socket) -> None:
    workers = _Workers(config, [listener])
    workers.run()
    if workers.interrupted:
        raise KeyboardInterrupt
    if any(worker.process.exitcode == _START_FAILED for worker in workers.processes):
        raise EmoPyError(
            "The service must start all its processes. One ended; its reason is above."
        )


class _Stopped(Exception):  # noqa: N818  an event rather than an error
    """SIGTERM has come."""


@contextmanager
def _listening(
    settings: ServeSettings, announce: Callable[[str], None]
) -> Generator[socket.socket]:
    """Give the socket to listen on; SIGTERM ends the block."""

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise _Stopped

    listener = _bind(settings)
    # Uvicorn ends the requests in flight and raises the signal again, which would make the exit
    # status 143.
    usual = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    try:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        announce(f"http://{host}:{listener.getsockname()[1]}")
        yield listener
    except _Stopped:
        pass
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        listener.close()


def _bind(settings: ServeSettings) -> socket.socket:
    """Return the socket to listen on.

    Raises:
        InputError: The address is none of this machine, or in use.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is named: asyncio sends small parts without delay only where it is.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name != "nt":  # there, another process could take the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        number = getattr(error, "errno", None)
        if isinstance(error, socket.gaierror) or number == errno.EADDRNOTAVAIL:
            raise InputError(
                f"`host` must be an address of this machine. Received {settings.host}: {error}. "
                "Type for example: `host=127.0.0.1`"
            ) from error
        raise InputError(
            f"`port` must be free to listen on. Received {settings.port} at {settings.host}: "
            f"{error}. Choose another `port`, or `port=0` for any."
        ) from error
    listener.set_inheritable(True)
    return listener
