import itertools
import os
import signal
import threading
import time

import pytest

from emopy.cli.interruption import stop_on_ctrl_c


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
