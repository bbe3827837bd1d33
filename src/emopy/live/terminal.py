"""`Terminal`: a live view as text, wherever there is a terminal, and in a pipe."""

from __future__ import annotations

import errno
import os
import sys
import time
from typing import Self, TextIO

from emopy.present import as_text, encodable
from emopy.types import FacePrediction, ImageResult, RGBImage

_REDRAWN_EVERY_S = 0.1
_LINE_EVERY_S = 1.0

_GONE = {errno.EPIPE, errno.EINVAL, errno.EIO}
"""What writing ends in when nobody reads any more: a pipe, one on Windows, a closed terminal."""

# Source: ECMA-48, https://ecma-international.org/publications-and-standards/standards/ecma-48/
_UP = "\x1b[{}F"  # to the start of the line, so many above
_CLEAR_LINE = "\x1b[K"
_CLEAR_BELOW = "\x1b[J"
_QUIET = "\x1b[?25l\x1b[?7l"  # no cursor; long lines are cut, not wrapped
_NORMAL = "\x1b[?7h\x1b[?25h"


class Terminal:
    """Shows results as text: bars that are redrawn in place, or a line per second in a pipe.

    A reader that goes away, such as `head`, asks for the end by that.

    Args:
        stream: Where to write; standard output if None.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._redraws = _can_redraw(self._stream)
        self._lines = 0
        self._is_gone = False
        self._due_s = -float("inf")

    def __enter__(self) -> Self:
        if self._redraws:
            self._write(_QUIET)
        return self

    def __exit__(self, *error: object) -> None:
        if self._redraws:
            self._write(_NORMAL)

    @property
    def stopped(self) -> bool:
        """Whether nobody reads any more. Ctrl-C stops a terminal too, but it need not know."""
        return self._is_gone

    def show(
        self, image: RGBImage, result: ImageResult, *, delay_s: float, frames_per_s: float
    ) -> None:
        """Write a result, unless the last one is too young to have been read.

        Args:
            image: Not shown.
            result: What was found in the frame.
            delay_s: Seconds since it was taken.
            frames_per_s: Frames shown per second, lately.
        """
        del image
        now = time.monotonic()
        if now < self._due_s:
            return
        self._due_s = now + (_REDRAWN_EVERY_S if self._redraws else _LINE_EVERY_S)
        speed = f"{frames_per_s:.0f} frames/s · {delay_s * 1000:.0f} ms behind"
        if self._redraws:
            self._redraw(result, speed)
        else:
            moment = "" if result.time_s is None else f"{result.time_s:.1f} s · "
            self._write(f"{moment}{_in_words(result)} · {speed}\n")

    def _redraw(self, result: ImageResult, speed: str) -> None:
        columns, rows = _size(self._stream)
        lines = as_text(result, width=columns).split("\n")
        lines[1:1] = [speed]
        if len(lines) >= rows:
            lines[rows - 2 :] = ["…"]
        up = _UP.format(self._lines) if self._lines else ""
        text = "".join(f"{line}{_CLEAR_LINE}\n" for line in lines)
        self._lines = len(lines)
        self._write(f"{up}{text}{_CLEAR_BELOW}")

    def _write(self, text: str) -> None:
        if self._is_gone:
            return
        try:
            self._stream.write(encodable(text, self._stream.encoding))
            self._stream.flush()
        except OSError as error:
            if error.errno not in _GONE:
                raise
            self._is_gone = True


def _in_words(result: ImageResult) -> str:
    """A result on one line."""
    faces = [_face(place, face) for place, face in enumerate(result.faces, start=1)]
    return ", ".join(faces) or "no face"


def _face(place: int, face: FacePrediction) -> str:
    number = place if face.face.track is None else face.face.track
    return f"{number} {face.emotion or 'not sure'} {face.confidence * 100:.0f} %"


def _can_redraw(stream: TextIO) -> bool:
    """Whether a stream is a terminal that moves its cursor when told to."""
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        return False
    # The old console of Windows shows the commands instead of obeying; newer ones say who they are.
    return sys.platform != "win32" or bool({"WT_SESSION", "TERM", "ANSICON"} & os.environ.keys())


def _size(stream: TextIO) -> tuple[int, int]:
    """Columns and rows."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return 72, 24
    return max(size.columns, 20), max(size.lines, 4)
