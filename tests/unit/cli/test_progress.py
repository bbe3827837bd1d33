import io
import sys

import pytest

from emopy.cli.progress import FEWEST, track


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def on_terminal(monkeypatch):
    """Make stderr a terminal; called inside the test, since pytest sets stderr anew before it."""
    monkeypatch.setenv("TERM", "xterm-256color")

    def become():
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return become


def test_a_terminal_gets_a_bar(on_terminal):
    terminal = on_terminal()
    assert list(track(range(FEWEST), FEWEST, "Reading", busy=False)) == list(range(FEWEST))
    assert "Reading" in terminal.getvalue()


def test_a_pipe_gets_none(capsys):
    assert list(track(range(FEWEST), FEWEST, "Reading", busy=False)) == list(range(FEWEST))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("total, busy", [(FEWEST - 1, False), (FEWEST, True)])
def test_few_steps_or_a_busy_terminal_get_none(on_terminal, total, busy):
    terminal = on_terminal()
    assert list(track(range(total), total, "Reading", busy=busy)) == list(range(total))
    assert terminal.getvalue() == ""
