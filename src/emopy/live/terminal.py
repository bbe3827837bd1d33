"""`Terminal`: a live view as text, in a terminal or a pipe."""

from __future__ import annotations

import errno
import os
import sys
import time
from typing import Self, TextIO

from emopy.escaping import one_line
from emopy.present import as_text, encodable
from emopy.present.text import NOT_SURE
from emopy.types import ImageResult, RGBImage

_REDRAW_INTERVAL_S = 0.1
_LINE_INTERVAL_S = 1.0

_READER_GONE = {errno.EPIPE, errno.EINVAL, errno.EIO}
"""Errors of writing to a closed pipe, one on Windows, or a closed terminal."""

# Source: ECMA-48, https://ecma-international.org/publications-and-standards/standards/ecma-48/
_LINES_UP = "\x1b[{}F"  # to the start of the line, that many above
_CLEAR_LINE = "\x1b[K"
_CLEAR_BELOW = "\x1b[J"
_HIDE_CURSOR = "\x1b[?25l\x1b[?7l"  # long lines are cut, not wrapped
_RESTORE = "\x1b[?7h\x1b[?25h"


class Terminal:
    """Shows results as text: bars that are redrawn in place, or one line per second in a pipe.

    A pipe that is closed by its reader, such as `head`, stops the view.

    Args:
        stream: Output stream; standard output if None.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._redraws = _can_redraw(self._stream)
        self._lines = 0
        self._reader_gone = False
        self._due_s = -float("inf")

    def __enter__(self) -> Self:
        if self._redraws:
            self._write(_HIDE_CURSOR)
        return self

    def __exit__(self, *error: object) -> None:
        if self._redraws:
            self._write(_RESTORE)

    @property
    def stopped(self) -> bool:
        """Whether the reader closed the stream. Ctrl-C is handled by the caller."""
        return self._reader_gone

    def show(self, image: RGBImage, result: ImageResult, *, latency_s: float, fps: float) -> None:
        """Write a result without its image, unless the last one was written too recently."""
        del image
        now = time.monotonic()
        if now < self._due_s:
            return
        self._due_s = now + (_REDRAW_INTERVAL_S if self._redraws else _LINE_INTERVAL_S)
        speed = f"{fps:.0f} FPS · {latency_s * 1000:.0f} ms latency"
        if self._redraws:
            self._redraw(result, speed)
        else:
            time_text = "" if result.time_s is None else f"{result.time_s:.1f} s · "
            self._write(f"{time_text}{_one_line(result)} · {speed}\n")

    def _redraw(self, result: ImageResult, speed: str) -> None:
        columns, rows = _size(self._stream)
        lines = as_text(result, width=columns).split("\n")
        lines[1:1] = [speed]
        if len(lines) >= rows:
            lines[rows - 2 :] = ["…"]
        up = _LINES_UP.format(self._lines) if self._lines else ""
        text = "".join(f"{line}{_CLEAR_LINE}\n" for line in lines)
        self._lines = len(lines)
        self._write(f"{up}{text}{_CLEAR_BELOW}")

    def _write(self, text: str) -> None:
        if self._reader_gone:
            return
        try:
            self._stream.write(encodable(text, self._stream.encoding))
            self._stream.flush()
        except OSError as error:
            if error.errno not in _READER_GONE:
                error.filename = getattr(self._stream, "name", None)  # not the recording's
                raise
            self._reader_gone = True


def _one_line(result: ImageResult) -> str:
    faces = [
        f"{index if face.track is None else face.track} {one_line(face.emotion or NOT_SURE)} "
        f"{face.confidence * 100:.0f} %"
        for index, face in enumerate(result.faces, start=1)
    ]
    return ", ".join(faces) or "no face"


def _can_redraw(stream: TextIO) -> bool:
    """Whether a stream is a terminal that supports cursor commands."""
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        return False
    # The old Windows console prints the commands; newer terminals set a variable.
    return sys.platform != "win32" or bool({"WT_SESSION", "TERM", "ANSICON"} & os.environ.keys())


def _size(stream: TextIO) -> tuple[int, int]:
    """Columns and rows."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return 72, 24
    return max(size.columns, 20), max(size.lines, 4)
