"""A store like S3 (moto) in a process of its own, and a proxy before it that fails at random."""

import http.client
import itertools
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

BUCKET = "photos-of-tests"

_PROGRAM = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""

FAULTS = ("before", "after", "busy", "drop", "stall")
"""An error of the server before or after it did what was asked; one that says that it is busy; a
connection that is closed; an answer that does not come."""

_STALL_S = 6.0
"""Longer than the client waits, seconds."""


@contextmanager
def s3_server() -> Generator[str]:
    """Give the address of a store with one bucket. It ends with the process that started it."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = f"127.0.0.1:{int(process.stdout.readline())}"
        connection = http.client.HTTPConnection(address, timeout=30)
        connection.request("PUT", f"/{BUCKET}")
        assert connection.getresponse().status == 200
        connection.close()
        yield f"http://{address}"
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class FlakyProxy:
    """Passes requests on to a store, some of them with a fault.

    Args:
        address: Address of the store.
        fault: From the method and path of a request to one of `FAULTS`, or None.

    Attributes:
        faults: How often each fault was made.
        requests: Method and path of each request.
    """

    def __init__(self, address: str, fault: Callable[[str, str], str | None]) -> None:
        self._store = address.removeprefix("http://")
        self.fault = fault
        self.faults: Counter[str] = Counter()
        self.requests: list[tuple[str, str]] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                proxy.answer(self)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = _body(request)
        self.requests.append((request.command, request.path))
        fault = self.fault(request.command, request.path)
        if fault:
            self.faults[fault] += 1
        if fault in (None, "after"):
            status, headers, content = self._forward(request, body)
        if fault == "stall":
            time.sleep(_STALL_S)
        if fault in ("stall", "drop"):
            request.close_connection = True
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        if fault:
            status, headers, content = (503 if fault == "busy" else 500), [], b""
        request.send_response(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "date", "server"):
                request.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(content)

    def _forward(
        self, request: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self._store, timeout=60)
        try:
            chunked = _is_chunked(request)
            content = iter([body]) if chunked else body
            headers = dict(request.headers)
            connection.request(
                request.command, request.path, content, headers, encode_chunked=chunked
            )
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


def _is_chunked(request: BaseHTTPRequestHandler) -> bool:
    return request.headers.get("Transfer-Encoding", "").lower() == "chunked"


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if not _is_chunked(request):
        return request.rfile.read(int(request.headers.get("Content-Length", 0)))
    body = b""
    while size := int(request.rfile.readline().partition(b";")[0], 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    while request.rfile.readline().strip():  # trailers
        pass
    return body


def at_random(seed: int, weights: dict[str, float]) -> Callable[[str, str], str | None]:
    """Return a function that makes faults with some probabilities, and each of them at least once.

    Every fifth request has one that was not made yet, while there is one.
    """
    rng = random.Random(seed)
    lock = threading.Lock()
    numbers = itertools.count(1)
    kinds = [None, *weights]
    probabilities = [1 - sum(weights.values()), *weights.values()]
    missing = list(weights)

    def fault(method: str, path: str) -> str | None:
        with lock:
            is_fifth = next(numbers) % 5 == 0
            kind = missing[0] if missing and is_fifth else rng.choices(kinds, probabilities)[0]
            if kind in missing:
                missing.remove(kind)
            return kind

    return fault
