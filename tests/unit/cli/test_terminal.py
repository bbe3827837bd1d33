import io
import itertools
import os
import signal
import sys
import threading
import time

import click
import pytest

from emopy.cli.main import emopy, main
from emopy.cli.terminal import MIN_PROGRESS_STEPS, in_shell_words, progress, stop_on_ctrl_c
from emopy.errors import InputError


def send(number):
    os.kill(os.getpid(), number)
    threading.Event().wait(0.05)  # Python hears of it between two steps


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_request_only_asks_and_ctrl_c_after_it_stops(number):
    with stop_on_ctrl_c() as end:
        assert not end.was_made
        send(number)
        assert end.was_made
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)


def test_all_is_as_it_was_afterwards():
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with stop_on_ctrl_c():
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert [signal.getsignal(number) for number in numbers] == before


def test_a_terminal_that_is_closed_asks_however_often_it_says_so():
    with stop_on_ctrl_c() as end:
        send(signal.SIGHUP)
        send(signal.SIGHUP)
        assert end.was_made


def test_a_closed_terminal_that_is_to_be_ignored_is_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_ctrl_c() as end:
            send(signal.SIGHUP)
            assert not end.was_made
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_request_ends_the_wait_for_what_never_comes():
    def stalled():
        yield 1
        threading.Event().wait(20)
        yield 2

    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    began_s = time.monotonic()
    with stop_on_ctrl_c() as end:
        items = stalled()
        items = end.items_until(items)
        assert next(items) == 1
        timer.start()
        assert list(items) == []
        assert end.was_made
    assert time.monotonic() - began_s < 5


def test_the_end_of_the_items_is_no_request():
    with stop_on_ctrl_c() as end:
        assert list(end.items_until([7, None, 8])) == [7, None, 8]
        assert not end.was_made


def test_what_is_done_with_an_item_is_not_broken_off():
    with stop_on_ctrl_c() as end:
        done = []
        for item in end.items_until(itertools.count()):
            if item == 2:
                send(signal.SIGINT)
            done.append(item)
        assert done == [0, 1, 2]


def test_ctrl_c_from_elsewhere_goes_its_way():
    def stopped():
        raise KeyboardInterrupt
        yield

    with stop_on_ctrl_c() as end, pytest.raises(KeyboardInterrupt):
        list(end.items_until(stopped()))


def test_another_thread_may_use_it_too():
    seen = []

    def work():
        with stop_on_ctrl_c() as end:
            seen.append(end.was_made)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]


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
