"""Clients of the mixed load: usual ones, bad ones, slow ones, and those that vanish."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from benchmarks.soak_inputs import JPEG, Inputs, Request, form, image_json

BUSY = "429"
_PATIENCE_S = 60
_CHUNK = 4096
_SMALL_BUFFER = 16_384
_DECLARED = 10**9

Client = Callable[[], Awaitable[str]]


class UnexpectedError(RuntimeError):
    """An answer that a client should not get."""


class Clients:
    """Sends requests to a service on this machine.

    Each client returns its outcome, such as the status; 429 is one of all of them.

    Args:
        port: Port of the service.
        inputs: What to send.
    """

    def __init__(self, port: int, inputs: Inputs) -> None:
        self._port = port
        self._inputs = inputs
        self._rng = random.Random(0)
        self._answers: dict[str, bytes] = {}
        predict = "/v1/predict"
        kind, body = form({"a.jpg": inputs.image, "b.jpg": inputs.image})
        self._usual = {
            "image": Request(predict, inputs.image),
            "form of two": Request(predict, body, kind),
            "JSON": Request(predict, image_json(inputs.image), "application/json"),
            "other emotions": Request(f"{predict}?emotions=calm,happiness", inputs.image),
            "drawn image": Request(f"{predict}?draw=png", inputs.image),
            "deepface's shape": Request("/analyze", inputs.image),
            "explanation": Request("/v1/explain", inputs.image),
            "video": Request("/v1/video", inputs.clip, "video/mp4"),
            "model": Request("/v1/models", None),
            "readiness": Request("/readyz", None),
        }

    def kinds(self) -> Mapping[str, tuple[int, Client]]:
        """Return how often of 1000 each client comes, and the client."""
        often = {"image": 540, "form of two": 60, "JSON": 60, "other emotions": 60}
        seldom = {"drawn image": 40, "deepface's shape": 40, "model": 10, "readiness": 10}
        heavy = {"explanation": 5, "video": 15}
        usual = {
            name: (weight, self._usual_client(name))
            for name, weight in {**often, **seldom, **heavy}.items()
        }
        return {
            **usual,
            "live session": (20, self.live),
            "bad input": (50, self.bad),
            "body over the limit": (5, self.too_large),
            "vanishes while it sends": (15, self.vanish_sending),
            "vanishes before the answer": (15, self.vanish_waiting),
            "vanishes in a video": (10, self.vanish_in_video),
            "vanishes in a live session": (5, self.vanish_in_live),
            "slow writer": (20, self.write_slowly),
            "writer that stalls": (2, self.stall),
            "slow reader": (18, self.read_slowly),
        }

    async def image(self) -> str:
        """Post one image."""
        return await self._usual_client("image")()

    async def bad(self) -> str:
        """Send one of the requests that must be refused."""
        return await self._ask(self._rng.choice([*self._inputs.bad.values()]))

    async def too_large(self) -> str:
        """Declare a body over the limit; the answer comes before it is sent."""
        async with self._connect() as (reader, writer):
            writer.write(self._head(Request("/v1/predict", b""), _DECLARED))
            return _checked(await _read_status(reader), (413,))

    async def vanish_sending(self) -> str:
        """Close the connection in the middle of the body."""
        request = self._usual["image"]
        assert request.body is not None
        async with self._connect() as (_, writer):
            writer.write(self._head(request) + request.body[: len(request.body) // 2])
            await writer.drain()
        return "gone"

    async def vanish_waiting(self) -> str:
        """Close the connection before the answer."""
        async with self._connect() as (_, writer):
            await self._send(writer, self._usual["image"])
        return "gone"

    async def vanish_in_video(self) -> str:
        """Close the connection after the first rows."""
        async with self._connect() as (reader, writer):
            await self._send(writer, self._usual["video"])
            outcome = _checked(await _read_status(reader))
            if outcome != BUSY:
                await reader.readuntil(b"}")
                return "gone"
            return outcome

    async def write_slowly(self) -> str:
        """Send an image in twenty pieces, over two seconds."""
        request = self._usual["image"]
        assert request.body is not None
        size = len(request.body) // 20 + 1
        async with self._connect() as (reader, writer):
            writer.write(self._head(request))
            status = asyncio.ensure_future(_read_status(reader))
            for start in range(0, len(request.body), size):
                await asyncio.wait([status], timeout=0.1)
                if status.done():  # refused before the body has gone: no place is free
                    break
                writer.write(request.body[start : start + size])
            return _checked(await status)

    async def stall(self) -> str:
        """Send half an image and wait for the service to give up."""
        request = self._usual["image"]
        assert request.body is not None
        async with self._connect() as (reader, writer):
            writer.write(self._head(request) + request.body[: len(request.body) // 2])
            return _checked(await _read_status(reader), (408,))

    async def read_slowly(self) -> str:
        """Take the rows of a video, or a drawn image, in small pieces with pauses."""
        request = self._usual[self._rng.choice(["drawn image", "video"])]
        async with self._connect(buffer=_SMALL_BUFFER) as (reader, writer):
            await self._send(writer, request)
            outcome = _checked(await _read_status(reader))
            while await reader.read(_CHUNK):
                await asyncio.sleep(0.05)
            return outcome

    async def live(self) -> str:
        """Send ten images in a live session, each after the result of the last."""
        return await self._run_live(images=10)

    async def vanish_in_live(self) -> str:
        """Drop the connection of a live session while it predicts."""
        return await self._run_live(images=2, drop=True)

    def _usual_client(self, name: str) -> Client:
        async def client() -> str:
            return await self._ask(self._usual[name], name)

        return client

    async def _ask(self, request: Request, name: str | None = None) -> str:
        """Send a request and read the whole answer; the same request has the same answer."""
        async with self._connect() as (reader, writer):
            await self._send(writer, request)
            outcome = _checked(await _read_status(reader), request.expected)
            body = await reader.read()
            is_fixed = name in ("image", "JSON", "drawn image", "video") and outcome != BUSY
            if is_fixed and self._answers.setdefault(name or "", body) != body:
                raise UnexpectedError(f"{name}: another answer than the first time")
            return outcome

    async def _run_live(self, *, images: int, drop: bool = False) -> str:
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosedError

        try:
            async with connect(
                f"ws://127.0.0.1:{self._port}/v1/live", proxy=None, open_timeout=_PATIENCE_S
            ) as session:
                for _ in range(images):
                    await session.send(self._inputs.image)
                    if drop:
                        continue
                    found = json.loads(await asyncio.wait_for(session.recv(), _PATIENCE_S))
                    if len(found["faces"]) != 1:
                        raise UnexpectedError(f"live session: {len(found['faces'])} faces")
                if drop:
                    session.transport.abort()
                    return "gone"
        except ConnectionClosedError as error:
            if error.rcvd is not None and error.rcvd.code == 1013:
                return BUSY
            if drop:
                return "gone"
            raise UnexpectedError(f"live session: {error}") from error
        return "closed"

    @asynccontextmanager
    async def _connect(
        self, buffer: int | None = None
    ) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection, which is closed at the end whatever has been sent and read."""
        plain = socket.socket()
        plain.settimeout(0)
        if buffer is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", self._port))
                reader, writer = await asyncio.open_connection(sock=plain, limit=2**20)
                yield reader, writer
        except TimeoutError as error:
            raise UnexpectedError(f"no answer within {_PATIENCE_S} s") from error
        finally:
            if writer is None:
                plain.close()
            else:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    async def _send(self, writer: asyncio.StreamWriter, request: Request) -> None:
        writer.write(self._head(request) + (request.body or b""))
        with contextlib.suppress(ConnectionError):  # an answer may come before the whole body went
            await writer.drain()

    def _head(self, request: Request, length: int | None = None) -> bytes:
        method = "GET" if request.body is None else "POST"
        headers = {"Host": f"127.0.0.1:{self._port}", "Connection": "close"}
        if request.body is not None:
            size = len(request.body) if length is None else length
            headers |= {"Content-Type": request.kind or JPEG, "Content-Length": str(size)}
        lines = [f"{method} {request.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in {**headers, **request.headers}.items()]
        return "\r\n".join([*lines, "", ""]).encode()


def _checked(status: int, expected: Sequence[int] = (200,)) -> str:
    if status not in (*expected, 429):
        raise UnexpectedError(f"status {status} instead of {expected}")
    return str(status)


async def _read_status(reader: asyncio.StreamReader) -> int:
    """Read the first line and the headers of an answer."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        raise UnexpectedError(f"no answer: {error.partial[:80]!r}") from error
    return int(head.split(b" ", 2)[1])
