"""`Page`: a live view in the browser, served on this machine to nobody else.

    browser                                  this process
    GET  /KEY/                 page.html, page.css, page.js
    GET  /KEY/frame?after=7    the newest frame with its result, as soon as it is newer than 7
    POST /KEY/stop             the person who watches asked for the end

A browser asks for the next frame when it has drawn the last one. So each gets the newest, a slow
one skips frames, no frame waits in a queue, and image and bars always belong together.
"""

from __future__ import annotations

import io
import json
import secrets
import threading
from functools import cached_property
from typing import Self

from PIL import Image

from emopy.live.server import PageServer
from emopy.present.face_labels import color_of
from emopy.types import ImageResult, RGBImage

_WIDEST_PX = 1280
"""A wider image is made smaller by a whole number on its way to the browser."""


class Page:
    """Shows frames and results on a page of this machine.

    Only a browser on this machine reaches the page, and only by its address: a part of it is
    chosen by chance, so that other people and programs on the machine cannot guess it. It needs
    nothing from the network. A frame that no browser asks for costs nothing.

    Args:
        port: Port to listen on; 0 for any that is free.

    Raises:
        InputError: The port is taken, when the page is opened.

    Example:
        >>> with Page() as page:
        ...     page.stopped
        False
    """

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._key = secrets.token_urlsafe(9)
        self._newer = threading.Condition()
        self._shown: Shown | None = None
        self._ended = False
        self._stop = threading.Event()
        self._server: PageServer | None = None

    def __enter__(self) -> Self:
        self._server = PageServer(self, self._port, self._key)
        return self

    def __exit__(self, *error: object) -> None:
        with self._newer:
            self._ended = True
            self._newer.notify_all()
        if self._server is not None:
            self._server.stop()

    @property
    def address(self) -> str:
        """What to open in a browser; once the page is open."""
        port = self._port if self._server is None else self._server.server_port
        return f"http://127.0.0.1:{port}/{self._key}/"

    @property
    def stopped(self) -> bool:
        """Whether somebody pressed Stop."""
        return self._stop.is_set()

    @property
    def ended(self) -> bool:
        """Whether no more frames will come."""
        return self._ended

    def stop(self) -> None:
        """Ask for the end, as the button does."""
        self._stop.set()

    def show(
        self, image: RGBImage, result: ImageResult, *, delay_s: float, frames_per_s: float
    ) -> None:
        """Make a frame the newest one.

        Args:
            image: (H, W, 3) uint8 RGB; it must not be changed afterwards.
            result: What was found in it.
            delay_s: Seconds since it was taken.
            frames_per_s: Frames shown per second, lately.
        """
        with self._newer:
            number = 1 if self._shown is None else self._shown.number + 1
            self._shown = Shown(number, image, result, delay_s, frames_per_s)
            self._newer.notify_all()

    def after(self, number: int, *, wait_s: float) -> Shown | None:
        """The newest frame if it is newer than `number`, as soon as there is one.

        Args:
            number: The last one that the asker has; 0 for none.
            wait_s: Seconds to wait at most.

        Returns:
            The frame; None if none came, or none will.
        """

        def is_worth_waking() -> bool:
            return self._ended or (self._shown is not None and self._shown.number > number)

        with self._newer:
            self._newer.wait_for(is_worth_waking, wait_s)
            is_newer = self._shown is not None and self._shown.number > number
            return self._shown if is_newer and not self._ended else None


class Shown:
    """A frame on the page: encoded once, when the first browser asks for it."""

    def __init__(
        self,
        number: int,
        image: RGBImage,
        result: ImageResult,
        delay_s: float,
        frames_per_s: float,
    ) -> None:
        self.number = number
        self._image = image
        self._result = result
        self._delay_s = delay_s
        self._frames_per_s = frames_per_s

    @cached_property
    def image(self) -> bytes:
        """The frame as JPEG."""
        image = Image.fromarray(self._image)
        if (factor := -(-image.width // _WIDEST_PX)) > 1:
            image = image.reduce(factor)
        file = io.BytesIO()
        image.save(file, "JPEG", quality=85)
        return file.getvalue()

    @cached_property
    def record(self) -> bytes:
        """The result as JSON: `ImageResult.to_dict`, colours, rate and delay."""
        labels = self._result.faces[0].prediction.labels if self._result.faces else ()
        colors = {label: color_of(label, labels) for label in labels}
        record = {
            "number": self.number,
            "delay_s": round(self._delay_s, 4),
            "frames_per_s": round(self._frames_per_s, 2),
            "colors": {label: f"#{r:02x}{g:02x}{b:02x}" for label, (r, g, b) in colors.items()},
            "result": self._result.to_dict(),
        }
        return json.dumps(record, allow_nan=False).encode("ascii")
