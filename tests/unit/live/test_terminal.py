import errno
import fcntl
import io
import os
import pty
import re
import struct
import termios

import numpy as np
import pytest

from emopy.live import Terminal
from emopy.types import Box, Face, FacePrediction, ImageResult, Prediction

LABELS = ("anger", "fear", "happiness")
IMAGE = np.zeros((48, 64, 3), dtype=np.uint8)


def result(count=1, time_s=2.04, track=None, min_confidence=0.0):
    probabilities = np.array([0.25, 0.05, 0.7], dtype=np.float32)
    prediction = Prediction(LABELS, probabilities, min_confidence)
    faces = tuple(
        FacePrediction(Face(Box(8, 8, 40, 40), track=track and track + i), prediction)
        for i in range(count)
    )
    return ImageResult("camera 0", (64, 48), faces, time_s, 51)


def show(view, found, latency_s=0.0384):
    view.show(IMAGE, found, latency_s=latency_s, fps=25.2)


class Screen:
    """A terminal of a given size, and its visible lines."""

    def __init__(self, columns, rows):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.stream = os.fdopen(theirs, "w", encoding="utf-8")
        self.columns, self.rows = columns, rows
        os.set_blocking(self._ours, False)

    def close(self):
        self.stream.close()
        os.close(self._ours)

    def written(self):
        data = b""
        try:
            while part := os.read(self._ours, 1 << 16):
                data += part
        except BlockingIOError:
            pass
        return data.decode().replace("\r\n", "\n")

    def visible(self, written):
        """The visible lines after the control sequences that the view uses."""
        lines, row, column = [""] * self.rows, 0, 0
        for word in re.findall(r"\x1b\[[?0-9]*[A-Za-z]|.|\n", written):
            if word.startswith("\x1b"):
                kind, count = word[-1], re.sub(r"\D", "", word)
                if kind == "F":
                    row, column = max(0, row - int(count)), 0
                elif kind == "K":
                    lines[row] = lines[row][:column]
                elif kind == "J":
                    lines[row:] = [lines[row][:column], *[""] * (self.rows - row - 1)]
                else:
                    assert word in ("\x1b[?25l", "\x1b[?7l", "\x1b[?7h", "\x1b[?25h")
            elif word == "\n":
                row, column = row + 1, 0
                assert row < self.rows, "it scrolled"
            elif column < self.columns:
                lines[row] = lines[row][:column].ljust(column) + word + lines[row][column + 1 :]
                column += 1
        return lines


@pytest.fixture
def screen(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    opened = []

    def make(columns=72, rows=24):
        opened.append(Screen(columns, rows))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def at_once(view):
    """Let the next result be written immediately."""
    view._due_s = -float("inf")


def test_a_terminal_shows_bars_frame_rate_and_latency(screen):
    terminal = screen()
    with Terminal(terminal.stream) as view:
        show(view, result())
    lines = terminal.visible(terminal.written())
    assert lines[0] == "camera 0 · 2.04 s · 64 × 48 · 1 face"
    assert lines[1] == "25 FPS · 38 ms latency"
    assert any(re.match(r"  ▶ happiness +70\.0 %  █+", line) for line in lines)


def test_a_new_result_overwrites_the_last_one(screen):
    terminal = screen()
    with Terminal(terminal.stream) as view:
        for found in (result(2), result(1, 3.0), result(0, 4.0)):
            show(view, found)
            at_once(view)
    lines = terminal.visible(terminal.written())
    assert lines[0] == "camera 0 · 4.00 s · 64 × 48 · no face found"
    assert [line for line in lines if line] == [lines[0], "25 FPS · 38 ms latency"]


def test_a_low_or_narrow_terminal_never_scrolls(screen):
    terminal = screen(columns=20, rows=8)
    with Terminal(terminal.stream) as view:
        for _ in range(5):
            show(view, result(9))
            at_once(view)
    lines = terminal.visible(terminal.written())
    assert lines[0].startswith("camera 0")
    assert lines[6] == "…"


def test_the_terminal_is_restored(screen):
    terminal = screen()
    view = Terminal(terminal.stream).__enter__()
    show(view, result())
    view.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert terminal.written().endswith("\x1b[?7h\x1b[?25h")


def test_results_in_quick_succession_are_skipped(screen):
    terminal = screen()
    with Terminal(terminal.stream) as view:
        for _ in range(50):
            show(view, result())
    assert terminal.written().count("FPS") < 10


def test_a_pipe_gets_plain_lines_one_per_second():
    pipe = io.StringIO()
    with Terminal(pipe) as view:
        for _ in range(20):
            show(view, result(2, track=4))
        at_once(view)
        show(view, result(0, 3.04))
        at_once(view)
        show(view, result(1, 4.0, min_confidence=0.9))
        assert not view.stopped
    assert pipe.getvalue().splitlines() == [
        "2.0 s · 4 happiness 70 %, 5 happiness 70 % · 25 FPS · 38 ms latency",
        "3.0 s · no face · 25 FPS · 38 ms latency",
        "4.0 s · 1 not sure 70 % · 25 FPS · 38 ms latency",
    ]


def test_a_terminal_without_cursor_commands_gets_plain_lines(screen, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    terminal = screen()
    with Terminal(terminal.stream) as view:
        show(view, result())
    assert terminal.written() == "2.0 s · 1 happiness 70 % · 25 FPS · 38 ms latency\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "shift_jis"])
def test_an_old_encoding_gets_the_characters_it_has(encoding):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    with Terminal(stream) as view:
        show(view, result())
    assert "1 happiness 70 %" in raw.getvalue().decode(encoding)


def test_standard_output_is_the_default(capsys):
    with Terminal() as view:
        show(view, result())
    assert "happiness" in capsys.readouterr().out


def test_a_closed_pipe_stops_the_view():
    ours, theirs = os.pipe()
    stream = os.fdopen(theirs, "w", encoding="utf-8")
    with Terminal(stream) as view:
        show(view, result())
        assert not view.stopped
        os.close(ours)
        for _ in range(2):
            at_once(view)
            show(view, result())
            assert view.stopped
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_a_closed_terminal_stops_the_view(screen):
    terminal = screen()
    with Terminal(terminal.stream) as view:
        show(view, result())
        os.close(terminal._ours)
        at_once(view)
        show(view, result())
        assert view.stopped
    with pytest.raises(OSError, match="Input/output error"):
        terminal.stream.close()
    terminal._ours = os.open(os.devnull, os.O_RDONLY)


class Full(io.StringIO):
    """A file on a full disk."""

    def write(self, text):
        raise OSError(errno.ENOSPC, "No space left")


def test_other_write_errors_are_raised():
    view = Terminal(Full())
    with pytest.raises(OSError, match="No space left"):
        show(view, result())
    assert not view.stopped


def test_a_full_disk_names_the_stream_and_not_a_recording():
    class Full(io.StringIO):
        name = "<stdout>"

        def flush(self):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space") as caught, Terminal(Full()) as terminal:
        terminal.show(None, ImageResult("a", (9, 9)), latency_s=0, fps=1)
    assert caught.value.filename == "<stdout>"
