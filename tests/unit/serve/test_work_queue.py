import asyncio
import gc
import threading
import weakref

import pytest

from emopy.serve.problems import ProblemDetails
from emopy.serve.work_queue import ClientGone, Places, WorkQueue


async def stays():
    await asyncio.Event().wait()


class Work:
    """Work that waits until it may end, and notes whether its result is wanted then."""

    def __init__(self):
        self.began, self.may_end = threading.Event(), threading.Event()
        self.was_wanted = None

    def __call__(self, is_wanted):
        self.began.set()
        assert self.may_end.wait(20)
        self.was_wanted = is_wanted()
        return self


@pytest.fixture
def lengths():
    return []


@pytest.fixture
def queue(lengths):
    queue = WorkQueue(2, 20.0, lengths.append)
    yield queue
    queue.close()


async def begun(work):
    await asyncio.to_thread(work.began.wait, 20)


def test_results_come_in_order_and_places_are_counted(queue, lengths):
    async def run():
        return await asyncio.gather(*(queue.run(lambda _, n=n: n, stays) for n in range(3)))

    assert asyncio.run(run()) == [0, 1, 2]
    assert sorted(lengths) == [0, 1, 1, 2, 2, 3]
    assert lengths[-1] == 0


def test_beyond_the_places_work_is_refused(queue, lengths):
    first = Work()

    async def run():
        tasks = [asyncio.create_task(queue.run(first, stays))]
        await begun(first)
        tasks += [asyncio.create_task(queue.run(lambda _: 1, stays)) for _ in range(2)]
        await asyncio.sleep(0)
        for refused in (queue.check_free, lambda: asyncio.wait_for(queue.run(first, stays), 1)):
            with pytest.raises(ProblemDetails) as problem:
                await refused()
            assert problem.value.status == 429
            assert problem.value.headers == {"Retry-After": "1"}
        first.may_end.set()
        await asyncio.gather(*tasks)
        assert first.was_wanted
        queue.check_free()

    asyncio.run(run())
    assert max(lengths) == 3


def test_the_time_to_wait_is_that_of_the_requests_before(queue):
    async def run():
        queue._mean_s = 4.2
        queue._places.take(3)
        with pytest.raises(ProblemDetails) as problem:
            queue.check_free()
        assert problem.value.headers == {"Retry-After": "13"}

    asyncio.run(run())


def test_a_client_that_goes_away_frees_its_place_before_its_turn(queue, lengths):
    first, second = Work(), Work()

    async def run():
        leaves = asyncio.Event()
        running = asyncio.create_task(queue.run(first, stays))
        await begun(first)
        waiting = asyncio.create_task(queue.run(second, leaves.wait))
        await asyncio.sleep(0.01)
        assert lengths[-1] == 2
        leaves.set()
        with pytest.raises(ClientGone):
            await waiting
        await asyncio.sleep(0.01)
        assert lengths[-1] == 1
        first.may_end.set()
        assert await running is first

    asyncio.run(run())
    assert not second.began.is_set()


@pytest.mark.parametrize("is_late", [True, False])
def test_work_that_is_given_up_before_its_turn_is_dropped_at_once(lengths, is_late):
    queue, first, second = WorkQueue(2, 0.2 if is_late else 20.0, lengths.append), Work(), Work()
    dropped = weakref.ref(second)

    async def run(given):
        leaves = asyncio.Event()
        running = asyncio.create_task(queue.run(first, stays))
        await begun(first)
        waiting = asyncio.create_task(queue.run(given.pop(), leaves.wait))
        await asyncio.sleep(0.01)
        assert dropped() is not None
        if not is_late:
            leaves.set()
        await asyncio.wait([waiting])
        assert isinstance(waiting.exception(), ProblemDetails if is_late else ClientGone)
        del waiting
        gc.collect()
        assert dropped() is None  # while the first one still runs
        first.may_end.set()
        await asyncio.wait([running])
        running.exception()

    given = [second]
    del second
    asyncio.run(run(given))
    queue.close()


@pytest.mark.parametrize("is_late", [True, False])
def test_work_that_nobody_waits_for_learns_it_and_keeps_its_place_until_it_ends(lengths, is_late):
    queue, work = WorkQueue(2, 0.2 if is_late else 20.0, lengths.append), Work()

    async def run():
        leaves = asyncio.Event()
        task = asyncio.create_task(queue.run(work, leaves.wait))
        await begun(work)
        if not is_late:
            leaves.set()
        with pytest.raises(ProblemDetails if is_late else ClientGone) as ended:
            await task
        assert not is_late or ended.value.status == 504
        assert lengths[-1] == 1
        work.may_end.set()
        while lengths[-1]:
            await asyncio.sleep(0.01)

    asyncio.run(run())
    queue.close()
    assert work.was_wanted is False


def test_errors_of_the_work_are_raised_and_free_the_place(queue, lengths):
    async def run():
        with pytest.raises(ZeroDivisionError):
            await queue.run(lambda _: 1 / 0, stays)
        await asyncio.sleep(0.01)
        assert lengths[-1] == 0

    asyncio.run(run())


def test_a_refused_request_leaves_nothing_behind(queue):
    async def run():
        queue._places.take(3)
        with pytest.raises(ProblemDetails):
            await queue.run(lambda _: 1, stays)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())  # a coroutine that is not awaited would be a warning


def test_closing_waits_for_the_work_that_runs(queue):
    work = Work()

    async def run():
        task = asyncio.create_task(queue.run(work, stays))
        await begun(work)
        threading.Timer(0.1, work.may_end.set).start()
        queue.close()
        assert await task is work

    asyncio.run(run())


def test_places_are_taken_together_or_not_at_all():
    taken = []
    places = Places(10, taken.append)
    places.take(6)
    with pytest.raises(ProblemDetails) as problem:
        places.take(5)
    assert problem.value.status == 429
    places.take(4)
    places.give_back(10)
    assert taken == [6, 10, 0]
