"""A running service, and what its tests send to it."""

import contextlib
import io
import logging
import math
import re
import socket
import threading
import time

import httpx
import numpy as np
import uvicorn
from PIL import Image

from emopy import FERModel
from emopy.faces.detectors import FullImage
from emopy.serve import ServeSettings, create_app
from emopy.serve.server import _bind, configure

logging.getLogger("httpx").setLevel(
    logging.WARNING
)  # its lines would be among those of the service


class Gate:
    """A detector that takes each image as one face, and waits while it is shut."""

    def __init__(self):
        self._changed = threading.Condition()
        self._free = math.inf
        self.entered = 0

    def __call__(self, image):
        with self._changed:
            self.entered += 1
            assert self._changed.wait_for(lambda: self._free > 0, 30), "nobody opens the gate"
            self._free -= 1
        return FullImage()(image)

    @contextlib.contextmanager
    def shut(self):
        """Let no image through inside the block."""
        self._free = 0
        try:
            yield self
        finally:
            self.let(math.inf)

    def let(self, count):
        """Let so many images through."""
        with self._changed:
            self._free = count
            self._changed.notify_all()

    def until_entered(self, count):
        """Wait until so many images have come since the start."""
        until(lambda: self.entered >= count)


class Running:
    """A service in a thread.

    Attributes:
        url: Its address.
        port: Its port.
        http: A client of it.
        gate: Its detector.
    """

    def __init__(self, url, port, http, gate):
        self.url, self.port, self.http, self.gate = url, port, http, gate

    def metric(self, name):
        """The value of a metric, with its labels if it has some."""
        text = self.http.get("/metrics").text
        lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return next((float(value) for found, value in lines if found == name), 0.0)

    def connect(self, *, receive_buffer=None):
        """A raw connection; `receive_buffer`: bytes that it may hold."""
        connection = socket.socket()
        connection.settimeout(20)
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def post_head(self, path="/v1/predict", *, length=None, **headers):
        """The head of a POST request as bytes."""
        lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()


@contextlib.contextmanager
def serving(model="emopy-tiny", *, detector=None, threads=1, send_buffer=None, **settings):
    """Run a service with a quick model.

    Its detector is a `Gate` unless there is another one; `threads` are those of `emopy serve`;
    `send_buffer` are the bytes that a connection may hold.
    """
    gate = Gate()
    given = ServeSettings(port=0, **settings)
    options = {"detector": detector or gate, "threads": threads, "max_pixels": 25_000_000}
    app = create_app(lambda: FERModel(model=model, **options), given)
    with _bind(given) as listener:
        port = listener.getsockname()[1]
        if send_buffer is not None:  # connections have that of the listener
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        server = uvicorn.Server(configure(app, given))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until(lambda: server.started)
            url = f"http://127.0.0.1:{port}"
            # A connection of its own for each request: the service closes idle ones.
            limits = httpx.Limits(max_keepalive_connections=0)
            with httpx.Client(base_url=url, timeout=30, trust_env=False, limits=limits) as http:
                yield Running(url, port, http, gate)
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive(), "the service does not end"


def until(condition, seconds=20.0):
    """Wait until a condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.01)


def encoded(image=None, kind="PNG", **options):
    """An encoded image; without one, 64 × 48 pixels of noise."""
    if image is None:
        image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, kind, **options)
    return stream.getvalue()


def read_answer(connection):
    """One answer, with a Content-Length, of a connection that stays open."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += (piece := connection.recv(65_536))
        assert piece, received
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head)[1])
    while len(body) < length:
        body += (piece := connection.recv(65_536))
        assert piece, received
    return head + b"\r\n\r\n" + body


def read_all(connection):
    """What a connection still sends, until it is closed."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            received += piece
    return received


def is_problem(response, status, *words):
    """Check that a response is a problem of a status with these words; return it."""
    assert response.status_code == status, response.text[:400]
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"]
    for word in words:
        assert word in problem["detail"]
    return problem
