import io
import sys

import click
import pytest

from emopy.cli.main import emopy, main
from emopy.cli.terminal import MIN_PROGRESS_STEPS, in_shell_words, progress
from emopy.errors import InputError

# Wording of errors


@pytest.mark.parametrize(
    ("verb", "said", "heard"),
    [
        (
            ["predict"],
            "`target_emotions` must be two: `target_emotions=['anger', 'fear']`",
            "`--emotions` must be two: `--emotions anger,fear`",
        ),
        (
            ["predict"],
            "`prior` must fit. Type for example: `prior={'anger': 0.5, 'fear': 0.5}`",
            "`--prior` must fit. Type for example: `--prior anger=0.5,fear=0.5`",
        ),
        (["predict"], "`source` must be an image", "`PATH` must be an image"),
        (["video"], "`end_s` must be later than `start_s`", "`--end` must be later than `--start`"),
        (["video"], "Type `every=1`, or `overwrite=True`", "Type `--every 1`, or `--overwrite`"),
        (["evaluate"], "`model` must be a model", "`MODEL` must be a model"),
        (["calibrate"], "`model_folder` is mine", "`MODEL` is mine"),
        (["models", "ensemble"], "`model` must be a model", "`MODEL` must be a model"),
        (["train"], "`fit.epochs` must be int", "`fit.epochs` must be int"),
        (["predict"], "`other` stays: `other=[1]`", "`other` stays: `other=[1]`"),
        (["predict"], "an odd ` with threads", "an odd ` with threads"),
    ],
)
def test_an_error_names_the_options_of_the_command(verb, said, heard):
    command = emopy
    for word in verb:
        command = command.get_command(click.Context(command), word)
    with click.Context(command):
        assert in_shell_words(InputError(said)) == heard


def test_an_error_of_another_library_and_one_outside_a_command_keep_their_text():
    assert in_shell_words(InputError("`threads` must be 1")) == "`threads` must be 1"
    with click.Context(emopy.get_command(click.Context(emopy), "predict")):
        assert in_shell_words(ValueError("`threads` must be 1")) == "`threads` must be 1"


def test_a_wrong_option_is_reported_in_the_words_of_the_shell(capsys):
    assert main(["predict", "x.png", "--emotions", "anger"]) == 2
    assert "`--emotions` must hold two or more labels" in capsys.readouterr().err


# Progress


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
    assert list(
        progress(range(MIN_PROGRESS_STEPS), MIN_PROGRESS_STEPS, "Predicting", busy=False)
    ) == list(range(MIN_PROGRESS_STEPS))
    assert "Predicting" in terminal.getvalue()


def test_a_pipe_gets_none(capsys):
    assert list(
        progress(range(MIN_PROGRESS_STEPS), MIN_PROGRESS_STEPS, "Predicting", busy=False)
    ) == list(range(MIN_PROGRESS_STEPS))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "total, busy", [(MIN_PROGRESS_STEPS - 1, False), (MIN_PROGRESS_STEPS, True)]
)
def test_few_steps_or_a_busy_terminal_get_none(on_terminal, total, busy):
    terminal = on_terminal()
    assert list(progress(range(total), total, "Predicting", busy=busy)) == list(range(total))
    assert terminal.getvalue() == ""


def test_the_bar_shows_the_number_done_and_the_time_left(on_terminal, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    terminal = on_terminal()
    for _ in progress(range(100), 100, "Predicting", busy=False):
        now[0] += 2.0  # seconds for each
    lines = [line.strip() for line in terminal.getvalue().split("\r")]
    half = next(line for line in lines if " 50/100" in line)
    assert half.endswith("00:01:40 left")
    assert "left" not in lines[-1]
