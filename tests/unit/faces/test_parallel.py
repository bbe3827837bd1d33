import os
import threading
import time

import pytest

from emopy.errors import InputError
from emopy.faces.parallel import Workers, work_alone

TIMEOUT_S = 30


def test_results_are_in_the_order_of_the_items():
    def work(item):
        time.sleep(0.001 * (item % 3))
        return item * item

    assert Workers(3).map(work, range(50)) == [item * item for item in range(50)]


def test_one_thread_is_that_of_the_caller():
    threads = Workers(1).map(lambda _: threading.get_ident(), range(5))
    assert set(threads) == {threading.get_ident()}


def test_items_are_in_work_at_the_same_time():
    both = threading.Barrier(2)
    Workers(2).map(lambda _: both.wait(TIMEOUT_S), range(2))  # raises where they are not


def test_a_thread_that_works_alone_gets_no_help():
    workers, found = Workers(4), []

    def call():
        work_alone()
        found.append({*workers.map(lambda _: threading.get_ident(), range(20))})

    thread = threading.Thread(target=call)
    thread.start()
    thread.join(TIMEOUT_S)
    assert found == [{thread.ident}]


def test_the_first_error_ends_the_call_and_not_the_next_one():
    workers, begun = Workers(2), []

    def work(item):
        begun.append(item)
        if item == 3:
            raise KeyError(item)
        time.sleep(0.001)

    for _ in range(20):  # in the calling thread and in the other one
        begun.clear()
        with pytest.raises(KeyError):
            workers.map(work, range(1000))
        assert len(begun) < 10
    assert workers.map(str, range(3)) == ["0", "1", "2"]


def test_several_threads_may_call():
    workers = Workers(3)
    found = {}

    def call(number):
        found[number] = workers.map(lambda item: number * item, range(100))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert found == {number: [number * item for item in range(100)] for number in range(6)}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    workers = Workers(2)
    workers.map(str, range(10))
    child = os.fork()
    if child == 0:
        os._exit(0 if workers.map(str, range(10)) == list(map(str, range(10))) else 1)
    deadline = time.monotonic() + TIMEOUT_S
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > deadline:
            os.kill(child, 9)
        time.sleep(0.01)
    assert ended[1] == 0


def test_a_bad_number_is_refused():
    with pytest.raises(InputError, match=r"`threads` must be 1 or more. Received 0"):
        Workers(0)
