"""The clients, against a real service."""

import asyncio
import inspect
import io
import itertools
import socket
import threading
import time

import numpy as np
import pytest

from emopy import FERModel
from emopy.client import AsyncClient, Client, ServiceError
from emopy.errors import InputError, MissingExtraError
from emopy.result_table import to_rows
from emopy.serve import ServeSettings
from emopy.serve.settings import digests
from emopy.types import Box, FailedInput
from tests.serving import encoded, serving, until

KEY = "0123456789abcdef"
KINDS = ["sync", "async"]


@pytest.fixture(scope="module")
def running():
    with serving(queue=1, streams=1) as running:
        yield running


@pytest.fixture
def service(running):
    yield running
    until(lambda: running.metric("emopy_queue_length") == running.metric("emopy_streams") == 0)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "a b.png"
    path.write_bytes(encoded())
    return path


class Blocking:
    """An `AsyncClient` with the methods of a `Client`."""

    def __init__(self, *words, **options):
        self._client = AsyncClient(*words, **options)
        self._runner = asyncio.Runner()
        self._run = self._runner.run

    def __enter__(self):
        self._run(self._client.__aenter__())
        return self

    def __exit__(self, *error):
        with self._runner:
            self._run(self._client.__aexit__(*error))

    def predict(self, *words, **options):
        return self._run(self._client.predict(*words, **options))

    def models(self):
        return self._run(self._client.models())

    def predict_many(self, *words, **options):
        return self._each(self._client.predict_many(*words, **options))

    def predict_video(self, *words, **options):
        return self._each(self._client.predict_video(*words, **options))

    def _each(self, items):
        async def next_one():
            return await anext(items, None)

        try:
            while (item := self._run(next_one())) is not None:
                yield item
        finally:
            self._run(items.aclose())


@pytest.fixture(params=KINDS)
def create(request):
    """The class of a client."""
    return {"sync": Client, "async": Blocking}[request.param]


@pytest.fixture
def client(create, service):
    with create(service.url) as client:
        yield client


def python_model(target_emotions="standard", **options):
    return FERModel(target_emotions, model="emopy-tiny", detector="full-image", **options)


def test_a_result_is_that_of_python(client, image):
    expected = python_model().predict(image).to_dict()
    assert client.predict(image).to_dict() == expected
    assert client.predict(str(image)).to_dict() == expected
    with image.open("rb") as file:
        assert client.predict(file).to_dict() == expected
    stream = io.BytesIO(image.read_bytes())
    assert client.predict(stream).to_dict() == {**expected, "source": "<bytes>"}
    assert client.predict(image.read_bytes()).to_dict() == {**expected, "source": "<bytes>"}


def test_own_faces_are_predicted(client, image):
    faces = [Box(1, 2, 30.5, 40), (0, 0, 20, 20)]
    expected = python_model().predict(image, faces=faces).to_dict()
    assert client.predict(image, faces=faces).to_dict() == expected
    assert client.predict(image, faces=[]).faces == ()


@pytest.mark.parametrize(
    "options",
    [
        {"emotions": ["calm", "anger"]},
        {"emotions": "all", "prior": "uniform"},
        {"emotions": ("anger", "fear"), "prior": {"anger": 0.25, "fear": 0.75}},
        {"min_confidence": 1.0},
        {"views": 2},
    ],
)
def test_options_are_those_of_the_model(create, service, image, options):
    model = python_model(
        options.get("emotions", "standard"),
        **{name: value for name, value in options.items() if name != "emotions"},
    )
    with create(service.url, **options) as client:
        found = client.predict(image)
    assert found.to_dict() == model.predict(image).to_dict()
    assert found[0].emotion == model.predict(image)[0].emotion


def test_errors_name_the_image_as_python_does(client, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no image")
    for source in (bad, bad.read_bytes()):
        with pytest.raises(InputError) as ours:
            client.predict(source)
        with pytest.raises(InputError) as expected:
            python_model().predict(source)
        assert str(ours.value) == str(expected.value).replace("`", "")
    with pytest.raises(
        InputError, match=r"`source` must be a readable file. Received '.*none.png'"
    ):
        client.predict(tmp_path / "none.png")
    with pytest.raises(InputError, match="boxes must"):
        client.predict(encoded(), faces=[(900, 900, 990, 990)])


def test_many_images_come_in_order_and_failures_are_results(client, image, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no image")
    sources = [image, bad, encoded(), tmp_path / "none.png", image]
    results = list(client.predict_many(sources, concurrency=2))
    names = [str(image), str(bad), "<bytes>", str(tmp_path / "none.png"), str(image)]
    assert [result.source for result in results] == names
    assert [isinstance(result, FailedInput) for result in results] == [0, 1, 0, 1, 0]
    assert "'none.png'" not in str(results[3].error)
    assert str(bad) in str(results[1].error)
    assert list(client.predict_many([])) == []
    with pytest.raises(InputError, match=r"`concurrency` must be 1 or more. Received 0."):
        list(client.predict_many(sources, concurrency=0))


def test_endless_sources_are_consumed_as_the_results_are(client):
    taken = itertools.count()

    def sources():
        while True:
            next(taken)
            yield encoded()

    results = client.predict_many(sources(), concurrency=3)
    for _ in range(4):
        assert next(results).error is None
    results.close()
    assert next(taken) <= 9


def test_many_requests_at_once_are_sent_again_until_there_is_a_place(client, service):
    entered = service.gate.entered
    refused = 'emopy_requests_total{path="/v1/predict",status="429"}'
    before = service.metric(refused)
    results = []
    with service.gate.shut() as gate:
        thread = threading.Thread(
            target=lambda: results.extend(client.predict_many([encoded()] * 4, concurrency=4))
        )
        thread.start()
        gate.until_entered(entered + 1)
        until(lambda: service.metric(refused) >= before + 2)
    thread.join(60)
    assert [result.error for result in results] == [None] * 4


def test_without_retries_a_full_queue_is_an_error(create, service, clip_file):
    with service.gate.shut() as gate:
        entered = gate.entered
        waiting = [service.connect() for _ in range(2)]
        for connection in waiting:
            connection.sendall(service.post_head(length=len(encoded())) + encoded())
        gate.until_entered(entered + 1)
        until(lambda: service.metric("emopy_queue_length") == 2)
        with create(service.url, retries=0) as client:
            with pytest.raises(ServiceError, match="no free place now") as error:
                client.predict(encoded())
            assert error.value.status == 429
        for connection in waiting:
            connection.close()


def test_the_rows_of_a_video_are_those_of_python(client, clip_file, service):
    options = {"every": 5, "smoothing_s": 0.5}
    model = python_model()
    expected = [
        row
        for result in model.predict_video(clip_file, **options)
        for row in to_rows(result, model.labels)
    ]
    assert list(client.predict_video(clip_file, **options)) == expected
    rows = client.predict_video(clip_file.read_bytes())
    assert next(rows)["source"] == "<bytes>"
    rows.close()
    until(lambda: service.metric("emopy_streams") == 0)


def test_errors_name_the_video(client, clip_file, tmp_path):
    cut, bad = tmp_path / "cut.avi", tmp_path / "bad.avi"
    content = clip_file.read_bytes()
    cut.write_bytes(content[: len(content) * 6 // 10])
    bad.write_bytes(b"no video")
    *_, last = client.predict_video(cut, every=5)
    assert last["source"] == str(cut)
    assert last["error"].startswith(f"{cut}: the file ends too early")
    with pytest.raises(InputError, match=f"Received '{bad}': not a video"):
        list(client.predict_video(bad))
    with pytest.raises(InputError, match="every must be a whole number"):
        list(client.predict_video(clip_file, every=1.5))


def test_a_video_is_sent_again_until_there_is_a_place(client, service, clip_file):
    refused = 'emopy_requests_total{path="/v1/video",status="429"}'
    before = service.metric(refused)
    content = clip_file.read_bytes()
    rows = []
    with service.gate.shut() as gate, service.connect() as connection:
        entered = gate.entered
        connection.sendall(service.post_head("/v1/video", length=len(content)) + content)
        gate.until_entered(entered + 1)
        thread = threading.Thread(target=lambda: rows.extend(client.predict_video(content)))
        thread.start()
        until(lambda: service.metric(refused) > before)
    thread.join(60)
    assert len(rows) == 25


def test_the_model_is_described(client):
    (model,) = client.models()
    assert model["name"] == "emopy-tiny"


def test_a_key_is_sent(create):
    with serving(key_digests=digests([KEY])) as running:
        with create(running.url, api_key=KEY) as client:
            assert client.predict(encoded()).error is None
        with create(running.url) as client, pytest.raises(ServiceError, match="API key") as error:
            client.predict(encoded())
        assert error.value.status == 401


@pytest.fixture
def answering():
    """answering(bytes) -> URL of a server that answers each request with these bytes."""
    stop = threading.Event()
    threads = []

    def answering(content):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.05)

        def run():
            with listener:
                while not stop.is_set():
                    try:
                        connection, _ = listener.accept()
                    except TimeoutError:
                        continue
                    with connection:
                        connection.settimeout(5)
                        connection.recv(1 << 20)
                        connection.sendall(content)
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(1 << 20):  # unread bytes would reset the connection
                            pass

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield answering
    stop.set()
    for thread in threads:
        thread.join()


def answer(status, body=b"", head=""):
    head = f"Content-Length: {len(body)}\r\nConnection: close\r\n{head}"
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def test_other_servers_are_described(create, answering):
    page = answering(answer("200 OK", b"<html>"))
    failed = answering(answer("500 Internal Server Error", b'{"detail": "It failed."}'))
    late = answering(answer("503 Service Unavailable", b"{}", "Retry-After: 0\r\n"))
    cut = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = f"http://127.0.0.1:{free.getsockname()[1]}"
    for url, words, status in (
        (page, "must answer with JSON. Received status 200 from 127.0.0.1. Check the address", 200),
        (failed, r"It failed. \(status 500\)", 500),
        (late, "Service Unavailable", 503),
        (cut, f"The service at {cut} must answer. Received: .*Start one: emopy serve", None),
        (closed, f"The service at {closed} must answer. .*Start one: emopy serve", None),
    ):
        with create(url, retries=2) as client:
            with pytest.raises(ServiceError, match=words) as error:
                client.predict(encoded())
            assert error.value.status == status
            with pytest.raises(ServiceError, match=words if status != 200 else "rows as JSON"):
                list(client.predict_video(encoded()))


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "localhost", "ftp://127.0.0.1"])
def test_an_address_without_http_is_refused_with_an_example(create, url):
    words = r"`url` must be the address of a service. .* Type for example: http://127.0.0.1:8000"
    with pytest.raises(InputError, match=words), create(url) as client:
        client.predict(encoded())


@pytest.mark.parametrize(
    "body", [b'{"ok": true}', b'{"results": [], "models": 1}', b'{"results": [{"error": null}]}']
)
def test_json_of_another_server_is_described(create, answering, body):
    words = "must answer as `emopy serve` does. Received other JSON from 127.0.0.1. Check the add"
    with create(answering(answer("200 OK", body))) as client:
        for ask in (lambda: client.predict(encoded()), client.models,
                    lambda: list(client.predict_many([encoded()]))):  # fmt: skip
            with pytest.raises(ServiceError, match=words) as error:
                ask()
            assert error.value.status == 200


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_the_client_waits_longer_than_the_service(kind):
    default = inspect.signature(kind).parameters["timeout_s"].default
    assert default > ServeSettings().timeout_s + 5


def test_a_service_that_does_not_answer_is_given_up(create):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began_s = time.monotonic()
        with create(url, timeout_s=0.3) as client, pytest.raises(ServiceError, match="must answer"):
            client.predict(encoded())
        assert time.monotonic() - began_s < 10


@pytest.mark.parametrize(
    "options, words",
    [
        ({"retries": -1}, "`retries` must be 0 or more. Received -1."),
        ({"timeout_s": 0}, "`timeout_s` must be above 0. Received 0."),
        ({"timeout_s": float("nan")}, "`timeout_s` must be above 0. Received nan."),
        ({"api_key": "schlüssel-schlüssel"}, "`api_key` must be of printable ASCII characters"),
        ({"api_key": "two\nlines"}, "`api_key` must be of printable ASCII characters"),
    ],
)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_settings_out_of_range_are_refused(kind, options, words):
    with pytest.raises(InputError, match=words):
        kind(**options)


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://[::1", "http://"])
def test_an_address_that_is_none_is_an_error(create, url):
    with pytest.raises((InputError, ServiceError)) as error:  # noqa: SIM117
        with create(url) as client:
            client.predict(encoded())
    assert "must" in str(error.value)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_without_the_extra_the_error_names_what_to_install(kind, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "httpx", None)
    with pytest.raises(MissingExtraError, match=r"The client: .*pip install 'emopy\[client\]'"):
        kind()


def test_not_sure_stays_not_sure(create, service):
    black = encoded(np.zeros((48, 48, 3), np.uint8))
    for least in (0.0, 0.3, 0.9, 1.0):
        with create(service.url, min_confidence=least) as client:
            (found,) = client.predict(black)
        (expected,) = python_model(min_confidence=least).predict(black)
        assert (found.emotion, found.confidence) == (
            expected.emotion,
            pytest.approx(expected.confidence, rel=1e-5),
        )
