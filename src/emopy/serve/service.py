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
from starlette.websockets import WebSocket

from emopy.explain import DEFAULT_METHOD
from emopy.fermodel import FERModel
from emopy.labels import split_labels
from emopy.serve import deepface
from emopy.serve.metrics import Metrics
from emopy.serve.problems import ProblemDetails
from emopy.serve.requests import (
    Bodies,
    check_query,
    choose_model,
    find_uploads,
    read_boxes,
)
from emopy.serve.results import draw_upload, explain_upload, predict_uploads
from emopy.serve.settings import ServeSettings
from emopy.serve.streams import (
    VIDEO_QUERY,
    LiveSession,
    VideoRows,
    smoothing,
    video_options,
)
from emopy.serve.work_queue import Places, WorkQueue

T = TypeVar("T")

OPTIONS = ("emotions", "prior", "min_confidence")
"""Names in a query that change how the model answers."""

_TRY_LATER, _TOO_BIG, _BAD_REQUEST = 1013, 1009, 1008
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
        self._queue = WorkQueue(settings.queue, settings.timeout_s)
        self._streams = Places(settings.streams)
        self._ending: set[asyncio.Future[None]] = set()
        self._standard = model.with_options("standard", prior=None, min_confidence=0.0)
        metrics.queue.set_function(lambda: self._queue.length)

    def warm_up(self) -> None:
        """Run the detector and the model once, so that the first request is as fast as others."""
        image = np.full((240, 320, 3), 128, np.uint8)
        self._model.predict(image, faces=[(80, 60, 200, 180)])
        self._model.predict(image)
        self.ready = True

    def close(self) -> None:
        """Finish the work that runs."""
        self.ready = False
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
        async with self._bodies.read(request) as body:
            uploads = await find_uploads(request, body)
            if "draw" in query:
                if len(uploads) != 1:
                    raise ProblemDetails(
                        HTTPStatus.UNPROCESSABLE_ENTITY,
                        f"draw must be asked for one image. Received {len(uploads)}.",
                    )
                drawn = await self._run(request, partial(draw_upload, model, uploads[0], boxes))
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
        async with self._bodies.read(request) as body:
            (upload, *others) = await find_uploads(request, body)
            if others:
                raise ProblemDetails(
                    HTTPStatus.UNPROCESSABLE_ENTITY, "The body must hold one image."
                )
            work = partial(explain_upload, model, upload, emotion, method)
            explanation = await self._run(request, work)
        return JSONResponse({"model": self._model.card.name, **explanation})

    async def analyze(self, request: Request) -> Response:
        """Answer in deepface's shape."""
        check_query(request.query_params.multi_items(), ())
        self._queue.check_free()
        async with self._bodies.read(request) as body:
            upload, enforce = await deepface.find_image(request, body)
            work = partial(deepface.analyze, self._standard, upload, enforce=enforce)
            answer = await self._run(request, work)
        self._metrics.faces.inc(len(answer["results"]))
        return JSONResponse(answer)

    async def video(self, request: Request) -> Response:
        """Answer with a line of JSON for each face of each frame, while the video is read."""
        query = check_query(request.query_params.multi_items(), (*OPTIONS, *VIDEO_QUERY))
        model, options = choose_model(self._model, query), video_options(query)
        self._streams.take()
        rows: VideoRows | None = None
        try:
            async with self._bodies.read(request) as body:
                (upload, *others) = await find_uploads(request, body)
                if others:
                    raise ProblemDetails(
                        HTTPStatus.UNPROCESSABLE_ENTITY, "The body must hold one video."
                    )
                rows = VideoRows(model, upload, options)
            first = await rows.first()
        except BaseException:
            self._end_stream(rows)
            raise

        async def lines() -> AsyncIterator[bytes]:
            try:
                async for line in rows.following(first):
                    yield line
            finally:
                self._end_stream(rows)

        return StreamingResponse(lines(), media_type="application/x-ndjson")

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
            await socket.close(code, problem.detail[:120])
            return
        loop = asyncio.get_running_loop()
        answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1)

        def send(answer: dict[str, Any]) -> None:
            """Hand an answer over, and wait until there is room for it."""
            with contextlib.suppress(RuntimeError, TimeoutError):
                asyncio.run_coroutine_threadsafe(answers.put(answer), loop).result(
                    self._settings.timeout_s
                )

        session = LiveSession(model, smoothing_s, send)
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

    async def _run(self, request: Request, work: Callable[[], T]) -> T:
        async def gone() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass

        return await self._queue.run(work, gone)

    def _end_stream(self, stream: VideoRows | LiveSession | None) -> None:
        """Give the place of a video or live session back as soon as its thread has ended."""

        async def wait() -> None:
            if stream is not None:
                stream.stop()
                await stream.ended()
            self._streams.give_back()

        waiting = asyncio.ensure_future(wait())
        self._ending.add(waiting)
        waiting.add_done_callback(self._ending.discard)

    async def _send_answers(
        self, socket: WebSocket, answers: asyncio.Queue[dict[str, Any]]
    ) -> None:
        while True:
            answer = await answers.get()
            self._metrics.faces.inc(len(answer["faces"]))
            self._metrics.failures.inc(answer["error"] is not None)
            async with asyncio.timeout(self._settings.timeout_s):
                await socket.send_text(json.dumps(answer, ensure_ascii=False, allow_nan=False))

    async def _receive_images(self, socket: WebSocket, session: LiveSession) -> None:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            image = message.get("bytes")
            if image is None:
                await socket.close(1003, "Send images as binary messages.")
                return
            if len(image) > self._settings.max_bytes:
                await socket.close(_TOO_BIG, f"At most {self._settings.max_bytes:,} bytes.")
                return
            session.put(image)
