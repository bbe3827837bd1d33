import asyncio
import base64
import json
import tracemalloc

import pytest
from starlette.requests import Request

from emopy.serve import requests
from emopy.serve.problems import ProblemDetails
from emopy.serve.requests import Bodies, decode_base64, find_uploads, read_json
from emopy.serve.work_queue import ClientGone


def request(*pieces, headers=None, end=True):
    """A request whose body comes in pieces; the last one never comes unless there is an `end`."""
    messages = [
        {"type": "http.request", "body": piece, "more_body": not end or piece is not pieces[-1]}
        for piece in pieces
    ]

    async def receive():
        if not messages and not end:
            await asyncio.Event().wait()
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    lines = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
    return Request({"type": "http", "method": "POST", "headers": lines}, receive)


def whole(asked, body):
    """The body itself."""
    return body


async def body_of(bodies, asked):
    async with bodies.read(asked, whole) as body:
        return body


def test_a_body_is_read_and_its_memory_given_back():
    bodies = Bodies(10, 5.0)

    async def run():
        async with bodies.read(request(b"abc", b"defg"), whole) as body:
            assert body == b"abcdefg"
            assert bodies._memory.taken == 7
        assert bodies._memory.taken == 0
        with pytest.raises(ZeroDivisionError):
            async with bodies.read(request(b"abc"), whole):
                raise ZeroDivisionError
        assert bodies._memory.taken == 0
        with pytest.raises(ZeroDivisionError):
            async with bodies.read(request(b"abc"), lambda asked, body: 1 / 0):
                pass
        assert bodies._memory.taken == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    "asked, status",
    [
        (request(b"a" * 11), 413),
        (request(b"a" * 6, b"b" * 6), 413),
        (request(headers={"Content-Length": "11"}), 413),
        (request(headers={"Content-Length": "9" * 18}), 413),
        (request(headers={"Content-Length": "9" * 19}), 400),
        (request(headers={"Content-Length": "-1"}), 400),
        (request(headers={"Content-Length": "a"}), 400),
        (request(b"a", end=False), 408),
    ],
)
def test_bodies_that_are_too_large_or_late_are_refused(asked, status):
    bodies = Bodies(10, 0.1)
    with pytest.raises(ProblemDetails) as problem:
        asyncio.run(body_of(bodies, asked))
    assert problem.value.status == status
    assert bodies._memory.taken == 0


def test_large_bodies_that_stop_do_not_keep_small_ones_out():
    bodies = Bodies(160, 5.0)

    async def run():
        stopped = [
            asyncio.create_task(body_of(bodies, request(b"a" * 159, end=False))) for _ in range(4)
        ]
        await asyncio.sleep(0.05)
        large = [request(b"b" * 11), request(b"b" * 11, headers={"Content-Length": "11"})]
        for asked in large:
            with pytest.raises(ProblemDetails) as problem:
                await body_of(bodies, asked)
            assert problem.value.status == 429
        for _ in range(40):
            small = request(b"b" * 4, b"c" * 6, headers={"Content-Length": "10"})
            assert await body_of(bodies, small) == b"bbbbcccccc"
        for task in stopped:
            task.cancel()
        await asyncio.wait(stopped)
        assert bodies._memory.taken == bodies._reserve.taken == 0

    asyncio.run(run())


def test_small_bodies_beyond_the_reserve_use_the_other_memory():
    bodies = Bodies(16, 5.0)

    async def run():
        def small():
            return request(b"a", headers={"Content-Length": "1"}, end=False)

        sent = [asyncio.create_task(body_of(bodies, small())) for _ in range(20)]
        await asyncio.sleep(0.05)
        assert (bodies._reserve.taken, bodies._memory.taken) == (16, 4)
        for task in sent:
            task.cancel()
        await asyncio.wait(sent)
        assert bodies._memory.taken == bodies._reserve.taken == 0

    asyncio.run(run())


def test_a_body_that_pauses_is_refused_before_its_time_is_over(monkeypatch):
    monkeypatch.setattr(requests, "PAUSE_S", 0.1)
    bodies = Bodies(10, 5.0)
    with pytest.raises(ProblemDetails, match=r"within 5 s, without a pause of 0.1 s") as problem:
        asyncio.run(asyncio.wait_for(body_of(bodies, request(b"a", end=False)), 2))
    assert problem.value.status == 408
    assert bodies._memory.taken == 0


def test_a_client_that_goes_away_while_it_sends_is_noticed():
    bodies = Bodies(10, 5.0)
    with pytest.raises(ClientGone):
        asyncio.run(body_of(bodies, request()))
    assert bodies._memory.taken == 0


def test_an_error_inside_the_block_stays_that_error():
    async def run():
        async with Bodies(10, 5.0).read(request(b"abc"), whole):
            raise TimeoutError("another one")

    with pytest.raises(TimeoutError, match="another one"):
        asyncio.run(run())


def test_a_body_is_not_kept_beside_what_it_holds():
    bodies, kept = Bodies(3_000_000, 5.0), []
    asked = request(*[bytes([place]) * 1_000_000 for place in range(3)])

    async def run():
        async with bodies.read(asked, lambda asked, body: len(body)) as length:
            kept.append(tracemalloc.get_traced_memory()[0])
            assert length == bodies._memory.taken == 3_000_000

    tracemalloc.start()
    try:
        asyncio.run(run())
    finally:
        tracemalloc.stop()
    assert kept[0] < 1_000_000


def test_all_bodies_together_are_bounded():
    bodies = Bodies(10, 5.0)

    async def run():
        contexts = [bodies.read(request(b"a" * 10), whole) for _ in range(4)]
        for context in contexts:
            await context.__aenter__()
        with pytest.raises(ProblemDetails) as problem:
            await body_of(bodies, request(b"a"))
        assert problem.value.status == 429
        for context in contexts:
            await context.__aexit__(None, None, None)
        assert await body_of(bodies, request(b"a")) == b"a"

    asyncio.run(run())


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(b"abc").decode(),
        "data:image/png;base64,YWJj",
        "data:image/svg+xml;charset=utf-8;base64,YWJj",
    ],
)
def test_base64_and_data_urls_are_decoded(text):
    assert decode_base64(text) == b"abc"


@pytest.mark.parametrize(
    "text", ["http://a/b.png", "/etc/passwd", "a.png", "YWJ", "YW\nJj", "data:image/png,abc", "é"]
)
def test_what_is_no_base64_is_422(text):
    with pytest.raises(ProblemDetails, match="Addresses are not fetched") as problem:
        decode_base64(text)
    assert problem.value.status == 422


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"1", b"null", b"{", b"[" * 100_000, b'{"a": NaN}', b'{"a": -Infinity}', b"\xff",
     b'{"a":[' + b"1," * 1000 + b"1]}", b'{"a":' + b"1" * 5000 + b"}"],
)  # fmt: skip
def test_what_is_no_small_json_object_is_400(body):
    with pytest.raises(ProblemDetails) as problem:
        read_json(body)
    assert problem.value.status == 400


def test_json_as_other_languages_write_it_is_read():
    for body in ('{"image": "a\\/b=="}', '\ufeff{"image": "a"}', '{"image": "\\u0061"}'):
        assert read_json(body.encode())["image"].startswith("a")
    assert read_json(json.dumps({"image": "é"}).encode("utf-16"))["image"] == "é"


def test_names_of_files_have_no_folders():
    body = b'--b\r\nContent-Disposition: form-data; name="f"; filename="%s"\r\n\r\nx\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    for sent, kept in (
        (b"../../etc/passwd", "passwd"),
        (b"C:\\faces\\a.png", "a.png"),
        (b"", "<bytes>"),
        (b"/", "<bytes>"),
        (b"x" * 300, "x" * 200),
    ):
        (upload,) = find_uploads(request(headers=headers), body % sent)
        assert upload.name == kept
