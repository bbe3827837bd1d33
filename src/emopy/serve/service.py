"""`Service`: the model, its limits, and the answer to each kind of request."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from emopy.explain import DEFAULT_METHOD
from emopy.fermodel import FERModel
from emopy.labels import split_labels
from emopy.serve import deepface
from emopy.serve.metrics import Metrics
from emopy.serve.problems import ProblemDetails
from emopy.serve.query import OPTIONS, check_query, choose_model, read_boxes
from emopy.serve.requests import Bodies, Upload, find_upload, find_uploads
from emopy.serve.results import draw_upload, explain_upload, predict_uploads
from emopy.serve.settings import ServeSettings
from emopy.serve.streams import (
    VIDEO_QUERY,
    LiveSession,
    VideoRows,
    smoothing,
    video_options,
)
from emopy.serve.work_queue import IsWanted, Places, WorkQueue, answer_in_time

T = TypeVar("T")

_MAX_REASON_BYTES = 123

_WRONG_KIND, _BAD_REQUEST, _TOO_BIG, _FAILED, _TRY_LATER = 1003, 1008, 1009, 1011, 1013
"""Codes of a WebSocket that is closed. Source: RFC 6455, 7.4, and IANA's registry."""


class Service:
    """Answers requests with one model.

    Args:
        model: The model, which takes images.
        settings: Limits.
        metrics: Counts faces and failures.

    Attributes:
        ready: Whether new requests are welcome.
    """

    def __init__(self, model: FERModel, settings: ServeSettings, metrics: Metrics) -> None:
        self.ready = False
        self._model = model
        self._settings = settings
        self._metrics = metrics
        self._bodies = Bodies(settings.max_bytes, settings.timeout_s)
        self._queue = WorkQueue(settings.queue, settings.timeout_s, metrics.queue.set)
        self._streams = Places(settings.streams, metrics.streams.set)
        self._running: set[VideoRows | LiveSession] = set()
        self._ending: set[asyncio.Future[None]] = set()
        self._standard = model.with_options("standard", prior=None, min_confidence=0.0)

    def warm_up(self) -> None:
        """Run the detector and the model once, so that the first request is as fast as others."""
        image = np.full((240, 320, 3), 128, np.uint8)
        self._model.predict(image, faces=[(80, 60, 200, 180)])
        self._model.predict(image)

    async def close(self) -> None:
        """Finish the work that runs, and end the threads of videos and live sessions.

        Native code in a thread aborts a process that ends meanwhile.
        """
        self.ready = False
        running = tuple(self._running)
        for stream in running:
            stream.stop()
        for stream in running:
            await stream.ended()
        self._queue.close()
        self._metrics.close()

    async def predict(self, request: Request) -> Response:
        """Answer with results, or with the drawn image."""
        query = check_query(request.query_params.multi_items(), (*OPTIONS, "boxes", "draw"))
        if query.get("draw", "png") != "png":
            raise ProblemDetails(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"draw must be png. Received {query['draw'][:40]!r}.",
            )
        model, boxes = choose_model(self._model, query), read_boxes(query)
        self._queue.check_free()
        async with self._bodies.read(request, find_uploads) as uploads:
            if "draw" in query:
                if len(uploads) != 1:
                    raise ProblemDetails(
                        HTTPStatus.UNPROCESSABLE_ENTITY,
                        f"draw must be asked for one image. Received {len(uploads)}.",
                    )
                work = partial(draw_upload, model, uploads[0], boxes)
                drawn, faces = await self._run(request, lambda _: work())
                self._metrics.faces.inc(faces)
                return Response(drawn, media_type="image/png")
            results = await self._run(request, partial(predict_uploads, model, uploads, boxes))
        self._metrics.faces.inc(sum(len(result.faces) for result in results))
        self._metrics.failures.inc(sum(result.error is not None for result in results))
        return JSONResponse(
            {"model": self._model.card.name, "results": [result.to_dict() for result in results]}
        )

    async def explain(self, request: Request) -> Response:
        """Answer with the maps of one face."""
        query = check_query(request.query_params.multi_items(), (*OPTIONS, "emotion", "method"))
        model = choose_model(self._model, query)
        emotion = split_labels(query["emotion"]) if "emotion" in query else None
        method = query.get("method", DEFAULT_METHOD)
        self._queue.check_free()
        async with self._bodies.read(request, partial(find_upload, kind="image")) as upload:
            work = partial(explain_upload, model, upload, emotion, method)
            explanation = await self._run(request, lambda _: work())
        self._metrics.faces.inc()
        return JSONResponse({"model": self._model.card.name, **explanation})

    async def analyze(self, request: Request) -> Response:
        """Answer in deepface's shape."""
        check_query(request.query_params.multi_items(), ())
        self._queue.check_free()
        async with self._bodies.read(request, deepface.find_image) as (upload, enforce):
            work = partial(deepface.analyze, self._standard, upload, enforce=enforce)
            answer = await self._run(request, lambda _: work())
        self._metrics.faces.inc(len(answer["results"]))
        return JSONResponse(answer)

    async def video(self, request: Request) -> Response:
        """Answer with a line of JSON for each face of each frame, while the video is read."""
        query = check_query(request.query_params.multi_items(), (*OPTIONS, *VIDEO_QUERY))
        model, options = choose_model(self._model, query), video_options(query)
        self._streams.check_free()
        async with self._bodies.read(request, partial(find_upload, kind="video")) as upload:
            self._streams.take()
            rows = self._start_rows(model, upload, options)
        del upload  # the thread of the rows drops its content
        try:
            first = await answer_in_time(
                rows.first(), partial(_gone, request), self._settings.timeout_s
            )
        except BaseException as error:
            self._count_failed(error)
            self._end_stream(rows)
            raise
        return _RowsResponse(rows.following(first), partial(self._end_stream, rows))

    def _start_rows(self, model: FERModel, upload: Upload, options: dict[str, Any]) -> VideoRows:
        """Return the rows of a video for which a place is taken."""
        try:
            rows = VideoRows(model, upload, options, self._metrics)
            self._running.add(rows)
            return rows
        except BaseException:
            self._streams.give_back()
            raise

    async def live(self, socket: WebSocket) -> None:
        """Answer each image with its result; images that come meanwhile replace each other."""
        protocols = [name for name in socket.scope["subprotocols"] if name == "emopy"]
        await socket.accept(subprotocol=protocols[0] if protocols else None)
        try:
            query = check_query(socket.query_params.multi_items(), (*OPTIONS, "smoothing_s"))
            model = choose_model(self._model, query)
            smoothing_s = smoothing(query)
            self._streams.take()
        except ProblemDetails as problem:
            code = _TRY_LATER if problem.status == HTTPStatus.TOO_MANY_REQUESTS else _BAD_REQUEST
            await socket.close(code, _close_reason(problem.detail))
            return
        loop = asyncio.get_running_loop()
        answers: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(1)

        def send(answer: dict[str, Any] | None) -> None:
            """Hand an answer over, and wait until there is room for it."""
            with contextlib.suppress(RuntimeError, TimeoutError):
                asyncio.run_coroutine_threadsafe(answers.put(answer), loop).result(
                    self._settings.timeout_s
                )

        session = LiveSession(model, smoothing_s, send)
        self._running.add(session)
        sender = asyncio.ensure_future(self._send_answers(socket, answers))
        receiver = asyncio.ensure_future(self._receive_images(socket, session))
        try:
            await asyncio.wait((sender, receiver), return_when=asyncio.FIRST_COMPLETED)
        finally:
            session.stop()
            for task in (sender, receiver):
                task.cancel()
            while not answers.empty():  # the thread may wait for room
                answers.get_nowait()
            await asyncio.gather(sender, receiver, return_exceptions=True)
            self._end_stream(session)

    def models(self) -> list[dict[str, Any]]:
        """Return what there is to know about the model."""
        card = self._model.card
        return [
            {
                "name": card.name,
                "version": card.version,
                "labels": list(card.labels),
                "emotions": list(self._model.labels),
                "precision": card.precision,
                "sha256": card.files.get("model.onnx"),
                "intended_use": card.intended_use,
                "limits": card.limits,
            }
        ]

    async def _run(self, request: Request, work: Callable[[IsWanted], T]) -> T:
        try:
            return await self._queue.run(work, partial(_gone, request))
        except ProblemDetails as problem:
            self._count_failed(problem)
            raise

    def _count_failed(self, error: BaseException) -> None:
        if isinstance(error, ProblemDetails):
            self._metrics.failures.inc(error.failed_inputs)

    def _end_stream(self, stream: VideoRows | LiveSession) -> None:
        """Give the place of a video or live session back as soon as its thread has ended."""

        async def wait() -> None:
            stream.stop()
            await stream.ended()
            self._running.discard(stream)
            self._streams.give_back()

        waiting = asyncio.ensure_future(wait())
        self._ending.add(waiting)
        waiting.add_done_callback(self._ending.discard)

    async def _send_answers(
        self, socket: WebSocket, answers: asyncio.Queue[dict[str, Any] | None]
    ) -> None:
        while (answer := await answers.get()) is not None:
            self._metrics.faces.inc(len(answer["faces"]))
            self._metrics.failures.inc(answer["error"] is not None)
            async with asyncio.timeout(self._settings.timeout_s):
                await socket.send_text(json.dumps(answer, ensure_ascii=False, allow_nan=False))
        await socket.close(_FAILED, "The service failed. Its log has the reason.")

    async def _receive_images(self, socket: WebSocket, session: LiveSession) -> None:
        while True:
            try:
                async with asyncio.timeout(self._settings.timeout_s):
                    message = await socket.receive()
            except TimeoutError:
                seconds = self._settings.timeout_s
                await socket.close(_BAD_REQUEST, f"No image came within {seconds:g} s.")
                return
            if message["type"] == "websocket.disconnect":
                return
            image = message.get("bytes")
            if image is None:
                await socket.close(_WRONG_KIND, "Send images as binary messages.")
                return
            if len(image) > self._settings.max_bytes:
                await socket.close(_TOO_BIG, f"At most {self._settings.max_bytes:,} bytes.")
                return
            session.put(image)


class _RowsResponse(StreamingResponse):
    """Rows of a video; whatever becomes of the response, its place is given back."""

    def __init__(self, lines: AsyncIterator[bytes], end: Callable[[], None]) -> None:
        super().__init__(lines, media_type="application/x-ndjson")
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the rows."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._end()


async def _gone(request: Request) -> None:
    """Return when the client has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _close_reason(detail: str) -> str:
    """Return the start of a text that fits in the frame that closes a WebSocket: 123 bytes."""
    return detail.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
