"""Items computed in advance, in a thread that always ends."""

import threading
import time

import pytest

from emopy.errors import InputError
from emopy.media import prefetch


def threads():
    return [t.name for t in threading.enumerate() if t.name.startswith("emopy-prefetch")]


class Counted:
    """Counts up; knows how far it came and whether it was closed."""

    def __init__(self, stop=None, error=None):
        self.made, self.closed, self.stop, self.error = 0, False, stop, error

    def __call__(self):
        try:
            while self.made != self.stop:
                self.made += 1
                yield self.made
            if self.error:
                raise self.error
        finally:
            self.closed = True


def test_items_come_in_order_and_none_is_lost():
    assert list(prefetch(range(1000), max_items=3)) == list(range(1000))
    assert list(prefetch([])) == []
    assert list(prefetch([None, None])) == [None, None]
    assert not threads()


def settle(count):
    """Wait until the thread computes no more items."""
    while True:
        made = count()
        time.sleep(0.05)
        if count() == made:
            return made


@pytest.mark.parametrize("max_items", [1, 4])
def test_no_more_than_max_items_are_computed_in_advance(max_items):
    source = Counted()
    items = prefetch(source(), max_items=max_items)
    assert source.made == 0, "nothing is made before it is asked for"
    for taken in range(1, 20):
        assert next(items) == taken
        assert settle(lambda: source.made) == taken + max_items
        if taken == 3:
            break
    items.close()


def test_items_are_computed_while_others_are_used():
    def slow():
        for item in range(10):
            time.sleep(0.03)
            yield item

    start = time.perf_counter()
    for _ in prefetch(slow()):
        time.sleep(0.03)
    assert time.perf_counter() - start < 0.55, "one after the other takes 0.6 s"


def test_an_error_comes_after_the_items_before_it():
    source = Counted(stop=3, error=ZeroDivisionError("here"))
    items, got = prefetch(source()), []
    with pytest.raises(ZeroDivisionError, match="here"):
        got.extend(items)
    assert list(items) == []
    assert not threads()


def test_items_before_an_error_are_given():
    items = prefetch(Counted(stop=3, error=ZeroDivisionError())())
    assert [next(items) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ZeroDivisionError):
        next(items)


def leave(items):
    for _ in items:
        break
    items.close()


def drop(items):
    next(items)


def fail(items):
    def consume():
        for _ in items:
            raise KeyError

    with pytest.raises(KeyError):
        consume()
    items.close()


@pytest.mark.parametrize("stop", [leave, drop, fail])
def test_a_consumer_that_stops_early_ends_the_thread_and_closes_the_source(stop):
    source = Counted()
    stop(prefetch(source()))
    assert not threads()
    assert source.closed
    made = source.made
    time.sleep(0.05)
    assert source.made == made


def test_max_items_below_1_is_refused():
    with pytest.raises(InputError, match=r"`max_items` must be 1 or more. Received 0."):
        prefetch([], max_items=0)


def test_closing_does_not_wait_for_an_item_that_never_comes():
    gate = threading.Event()

    def stalled():
        yield 1
        gate.wait(20)
        yield 2

    items = prefetch(stalled())
    assert next(items) == 1
    began_s = time.monotonic()
    items.close()
    assert time.monotonic() - began_s < 5
    assert list(items) == []
    (left,) = [thread for thread in threading.enumerate() if thread.name == "emopy-prefetch"]
    assert left.daemon, "it does not keep the process alive"
    gate.set()
    left.join(10)
    assert not left.is_alive(), "it ends when the item comes after all"


def test_closing_in_another_thread_ends_a_waiting_consumer():
    gate = threading.Event()

    def stalled():
        yield 1
        gate.wait(20)

    items = prefetch(stalled())
    timer = threading.Timer(0.1, items.close)
    timer.start()
    began_s = time.monotonic()
    assert list(items) == [1]
    assert time.monotonic() - began_s < 5
    gate.set()
    timer.join()
    items.close()
