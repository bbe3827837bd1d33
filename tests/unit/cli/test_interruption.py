import os
import signal
import threading

import pytest

from emopy.cli.interruption import interruption


def send(number):
    os.kill(os.getpid(), number)
    threading.Event().wait(0.05)  # Python hears of it between two steps


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_request_only_asks_and_ctrl_c_after_it_stops(number):
    with interruption() as asked:
        assert not asked.is_set()
        send(number)
        assert asked.is_set()
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)


def test_all_is_as_it_was_afterwards():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with interruption():
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_another_thread_may_use_it_too():
    seen = []

    def work():
        with interruption() as asked:
            seen.append(asked.is_set())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
