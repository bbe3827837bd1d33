"""`/v1/video` and `/v1/live`: frames in, results out, while they are read."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from emopy.errors import EmoPyError, InputError
from emopy.fermodel import SMOOTHING_S, FERModel
from emopy.media import open_video, read_image
from emopy.result_table import to_rows
from emopy.serve.metrics import Metrics
from emopy.serve.problems import ProblemDetails
from emopy.serve.query import number, whole_number
from emopy.serve.requests import Upload
from emopy.serve.wording import in_http_words, refusal
from emopy.serve.work_queue import ClientGone
from emopy.types import FailedInput, Frame, ImageResult, round_time

_log = logging.getLogger("emopy.serve")

_READING = ("every", "fps", "start_s", "end_s")

VIDEO_QUERY = (*_READING, "smoothing_s")
"""Names in the query of ``/v1/video``, as `FERModel.predict_video` has them."""

_ROWS_AHEAD = 64
"""Rows that wait for a slow reader before the video waits too."""


def video_options(query: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of `FERModel.predict_video` in a query.

    Raises:
        ProblemDetails: 422 if one is no number.
    """
    given = {name: query[name] for name in _READING if name in query}
    try:
        options: dict[str, Any] = {name: number(given, name) for name in given}
        if "every" in options:
            options["every"] = whole_number(given, "every")
    except InputError as error:
        raise refusal(error) from error
    return {**options, "smoothing_s": smoothing(query)}


def smoothing(query: Mapping[str, str]) -> float:
    """Return the time constant of the smoothing in a query, seconds.

    Raises:
        ProblemDetails: 422 if it is not 0 or more.
    """
    try:
        seconds = number(query, "smoothing_s") if "smoothing_s" in query else SMOOTHING_S
        if seconds < 0:
            raise InputError(f"`smoothing_s` must be 0 or more. Received {seconds}.")
    except InputError as error:
        raise refusal(error) from error
    return seconds


class VideoRows:
    """The table rows of a video, as lines of JSON, from a thread of their own.

    Args:
        model: The model.
        upload: The video; its content is dropped as soon as the thread has it in a file.
        options: Arguments of `FERModel.predict_video`.
        metrics: Counts faces and failures.
    """

    def __init__(
        self, model: FERModel, upload: Upload, options: Mapping[str, Any], metrics: Metrics
    ) -> None:
        self._model = model
        self._name = upload.name
        self._content: bytes | None = upload.content
        self._options = options
        self._metrics = metrics
        self._stopped = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[bytes | ProblemDetails | None] = asyncio.Queue(_ROWS_AHEAD)
        self._thread = threading.Thread(target=self._read, name="emopy-video", daemon=True)
        self._thread.start()

    async def first(self) -> bytes | None:
        """Return the first line, or None if the video has no frame.

        Raises:
            ProblemDetails: 422 if the video cannot be read.
        """
        line = await self._lines.get()
        if isinstance(line, ProblemDetails):
            raise line
        return line

    async def following(self, first: bytes | None) -> AsyncIterator[bytes]:
        """Yield the first line and all others; the last one has an error if frames are missing."""
        line: bytes | ProblemDetails | None = first
        while line is not None:
            if isinstance(line, ProblemDetails):
                self._metrics.failures.inc(line.failed_inputs)
                failed = FailedInput(self._name, InputError(line.detail))
                line = _lines(failed, self._model.labels)
            yield line
            line = await self._lines.get()

    def stop(self) -> None:
        """End the thread after the frame that it reads or passes over."""
        self._stopped.set()

    async def ended(self) -> None:
        """Wait until the thread has ended."""
        while self._thread.is_alive():
            await asyncio.sleep(0.02)

    def _read(self) -> None:
        try:
            with self._as_path() as path:
                self._read_file(path)
        except ClientGone:
            return
        except Exception:  # noqa: BLE001  it is logged
            _log.exception("A video could not be predicted.")
            detail = "The service failed. Its log has the reason."
            self._put(ProblemDetails(HTTPStatus.INTERNAL_SERVER_ERROR, detail))
        self._put(None)

    def _read_file(self, path: str) -> None:
        name, reading = self._name, dict(self._options)
        smoothing_s = reading.pop("smoothing_s")
        try:
            with open_video(
                path, max_pixels=self._model.max_pixels, check=self._check_wanted, **reading
            ) as video:
                found = self._model.predict_frames(video, source=name, smoothing_s=smoothing_s)
                with closing(found):
                    for _, result in found:
                        if not self._put(_lines(result, self._model.labels)):
                            return
                        self._metrics.faces.inc(len(result.faces))
                if video.shortfall:
                    raise InputError(video.shortfall)
        except EmoPyError as error:
            problem = refusal(error, name)
            problem.detail = problem.detail.replace(path, name)
            self._put(problem)

    def _check_wanted(self) -> None:
        """Raise ClientGone if nobody wants the rows any more."""
        if self._stopped.is_set():
            raise ClientGone

    @contextmanager
    def _as_path(self) -> Iterator[str]:
        """Give the video a path, in memory on Linux, a temporary file of this user elsewhere.

        The file is then the only copy of the video.
        """
        content, self._content = self._content or b"", None
        if hasattr(os, "memfd_create"):
            with os.fdopen(os.memfd_create("emopy-video"), "wb") as file:
                file.write(content)
                file.flush()
                del content
                yield f"/proc/{os.getpid()}/fd/{file.fileno()}"
            return
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = Path(folder, "video")
            path.write_bytes(content)
            del content
            yield str(path)

    def _put(self, line: bytes | ProblemDetails | None) -> bool:
        """Hand a line over; False if nobody wants it any more."""
        if self._stopped.is_set():
            return False
        with contextlib.suppress(RuntimeError):  # the loop is closed: the service has stopped
            future = asyncio.run_coroutine_threadsafe(self._lines.put(line), self._loop)
            while not self._stopped.is_set():
                with contextlib.suppress(TimeoutError):
                    future.result(timeout=0.2)
                    return True
            future.cancel()
        return False


def _lines(result: ImageResult | FailedInput, labels: tuple[str, ...]) -> bytes:
    rows = to_rows(result, labels)
    return b"".join(
        json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n" for row in rows
    )


class LiveSession:
    """Predicts the newest image that came, in a thread; images that come meanwhile are dropped.

    Args:
        model: The model.
        smoothing_s: As for `FERModel.predict_frames`.
        send: Takes each answer, from the thread; None after a failure.
    """

    def __init__(
        self, model: FERModel, smoothing_s: float, send: Callable[[dict[str, Any] | None], None]
    ) -> None:
        self._model = model
        self._smoothing_s = smoothing_s
        self._send = send
        self._changed = threading.Condition()
        self._newest: tuple[bytes, float] | None = None
        self._count = 0
        self._is_open = True
        self._started_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="emopy-live", daemon=True)
        self._thread.start()

    def put(self, image: bytes) -> None:
        """Make an encoded image the newest one."""
        with self._changed:
            self._newest = image, time.monotonic() - self._started_s
            self._count += 1
            self._changed.notify()

    def stop(self) -> None:
        """End the thread after the image that it predicts."""
        with self._changed:
            self._is_open = False
            self._changed.notify()

    async def ended(self) -> None:
        """Wait until the thread has ended."""
        while self._thread.is_alive():
            await asyncio.sleep(0.02)

    def _run(self) -> None:
        try:
            found = self._model.predict_frames(
                self._frames(), source="<live>", smoothing_s=self._smoothing_s
            )
            with closing(found):
                for _, result in found:
                    self._send(result.to_dict())
        except Exception:  # noqa: BLE001  it is logged
            _log.exception("A live session failed.")
            self._send(None)

    def _frames(self) -> Generator[Frame]:
        """Yield the newest image whenever the model is free; one that is none is answered."""
        while (taken := self._take()) is not None:
            image, time_s, number = taken
            try:
                frame = Frame(read_image(image, max_pixels=self._model.max_pixels), time_s, number)
            except InputError as error:
                text = in_http_words(error, f"frame {number}")
                failed = FailedInput("<live>", InputError(text)).to_dict()
                self._send({**failed, "time_s": round_time(time_s), "frame": number})
                continue
            yield frame

    def _take(self) -> tuple[bytes, float, int] | None:
        """Wait for an image, and return it with its time and its number; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or not self._is_open)
            if self._newest is None or not self._is_open:
                return None
            (image, time_s), self._newest = self._newest, None
            return image, time_s, self._count - 1
