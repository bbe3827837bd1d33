"""Videos and live sessions of the HTTP service."""

import asyncio
import io
import json
import struct
import threading
import time
from contextlib import ExitStack

import httpx
import numpy as np
import pytest
import websockets
from PIL import Image
from websockets.sync.client import connect

from emopy import FERModel
from emopy.faces.detectors import FullImage
from emopy.media.decoding import Decoder
from emopy.result_table import to_rows
from emopy.serve import protocol
from emopy.types import Box, Face
from tests.serving import encoded, is_problem, read_all, serving, until

STREAMS = 2
IMAGE = encoded()


@pytest.fixture(scope="module")
def running():
    with serving(streams=STREAMS, timeout_s=5.0) as running:
        yield running


@pytest.fixture
def service(running):
    yield running
    until(lambda: all_places_are_free(running))


@pytest.fixture(scope="module")
def model():
    return FERModel(model="emopy-tiny", detector="full-image")


@pytest.fixture
def live(service):
    """live(query="") -> an open session."""
    with ExitStack() as opened:

        def live(query="", **options):
            address = service.url.replace("http", "ws") + "/v1/live" + query
            return opened.enter_context(connect(address, proxy=None, **options))

        yield live


def ask(session, image=IMAGE):
    session.send(image)
    return json.loads(session.recv(timeout=20))


def threads(name):
    return [thread for thread in threading.enumerate() if thread.name == name]


def all_places_are_free(service):
    """Whether no video and no session is open, and their threads have ended."""
    return not (threads("emopy-video") or threads("emopy-live") or service.metric("emopy_streams"))


@pytest.mark.parametrize(
    "query, options",
    [
        ("", {}),
        ("every=5", {"every": 5}),
        ("fps=5&smoothing_s=0", {"fps": 5, "smoothing_s": 0}),
        ("start_s=0.4&end_s=0.7", {"start_s": 0.4, "end_s": 0.7}),
    ],
)
def test_the_rows_of_a_video_are_those_of_python(service, model, clip_file, query, options):
    expected = [
        {**row, "source": "clip.avi"}
        for result in model.predict_video(clip_file, **options)
        for row in to_rows(result, model.labels)
    ]
    faces = service.metric("emopy_faces_total")
    answer = service.http.post(
        f"/v1/video?{query}", files={"file": ("clip.avi", clip_file.read_bytes())}
    )
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in answer.text.splitlines()] == expected
    assert service.metric("emopy_faces_total") == faces + len(expected)


@pytest.mark.parametrize("count, thread", [(1, "emopy-video"), (2, "emopy-prefetch")])
def test_with_two_threads_faces_are_detected_ahead_and_the_rows_are_the_same(
    model, clip_file, monkeypatch, count, thread
):
    content = clip_file.read_bytes()
    usual, used = FullImage.__call__, set()

    def noted(detector, image):
        used.add(threading.current_thread().name)
        return usual(detector, image)

    with serving(threads=count, streams=1) as running:
        expected = [row for result in model.predict_video(clip_file)
                    for row in to_rows(result, model.labels)]  # fmt: skip
        monkeypatch.setattr(FullImage, "__call__", noted)
        answer = running.http.post("/v1/video", content=content)
        assert used == {thread}
        found = map(json.loads, answer.text.splitlines())
        assert [{**row, "source": str(clip_file)} for row in found] == expected
        until(lambda: all_places_are_free(running))
        entered = running.gate.entered
        with running.gate.shut() as gate, running.connect() as connection:
            connection.sendall(running.post_head("/v1/video", length=len(content)) + content)
            gate.until_entered(entered + 1)
        until(lambda: all_places_are_free(running) and not threads("emopy-prefetch"))
        assert running.gate.entered <= entered + 4  # of 25: three are detected ahead


def test_emotions_of_the_query_are_columns_of_a_video(service, clip_file):
    query = "emotions=calm,anger&every=20"
    answer = service.http.post(f"/v1/video?{query}", content=clip_file.read_bytes())
    first = json.loads(answer.text.splitlines()[0])
    assert first["source"] == "<bytes>"
    assert [*first][-3:] == ["calm", "anger", "error"]


def test_a_time_behind_the_end_of_a_video_is_422(service, clip_file):
    answer = service.http.post("/v1/video?start_s=60", content=clip_file.read_bytes())
    is_problem(answer, 422, "Give an earlier one.")


def test_a_video_of_frames_over_the_limit_is_422(service):
    content = encoded(kind="GIF", save_all=True, append_images=[Image.new("L", (64, 48))])
    content = content[:6] + struct.pack("<HH", 6000, 5000) + content[10:]  # the size it declares
    problem = is_problem(service.http.post("/v1/video", content=content), 422)
    assert problem["detail"] == (
        "source must have at most 25 megapixels. Received '<bytes>' of 6000 × 5000 = 30. "
        "Make its frames smaller, or raise the limit: emopy serve --max-pixels 30000000"
    )


def test_a_live_frame_over_the_limit_is_answered_with_the_limit(live):
    session = live()
    file = io.BytesIO()
    Image.new("1", (6000, 5000)).save(file, "PNG")
    assert ask(session, file.getvalue())["error"].startswith(
        "source must have at most 25 megapixels. Received 'frame 0' of 6000 × 5000 = 30. "
    )
    assert ask(session)["error"] is None


def test_a_truncated_video_ends_with_an_error_row(service, clip_file):
    content = clip_file.read_bytes()
    failed = service.metric("emopy_failed_inputs_total")
    files = {"file": ("cut.avi", content[: len(content) * 6 // 10])}
    answer = service.http.post("/v1/video?every=5", files=files)
    *rows, last = map(json.loads, answer.text.splitlines())
    assert rows
    assert not any(row["error"] for row in rows)
    assert last["error"].startswith("cut.avi: the file ends too early")
    assert (last["source"], last["emotion"]) == ("cut.avi", None)
    assert service.metric("emopy_failed_inputs_total") == failed + 1


def test_rows_come_while_the_video_is_read_and_closing_ends_the_work(service, clip_file):
    entered = service.gate.entered
    with (
        service.gate.shut() as gate,
        httpx.Client(base_url=service.url, timeout=20, trust_env=False) as http,
    ):
        gate.let(1)
        content = clip_file.read_bytes()
        with http.stream("POST", "/v1/video", content=content) as answer:
            lines = answer.iter_lines()
            first = json.loads(next(lines))
            assert (first["frame"], first["face"]) == (0, 1)
            gate.until_entered(entered + 2)  # the second frame waits
            assert threads("emopy-video")
    until(lambda: all_places_are_free(service))
    assert service.gate.entered <= entered + 3  # of 25


def test_a_client_that_goes_away_before_the_first_row_gives_its_place_back(service, clip_file):
    content = clip_file.read_bytes()
    for _ in range(2):
        entered = service.gate.entered
        with service.gate.shut() as gate:
            for _ in range(STREAMS):
                with service.connect() as connection:
                    head = service.post_head("/v1/video", length=len(content))
                    connection.sendall(head + content)
                    gate.until_entered(entered + 1)
                    entered += 1
            is_problem(service.http.post("/v1/video", content=content), 429)
        until(lambda: all_places_are_free(service))
    assert service.http.post("/v1/video?end_s=0.1", content=content).status_code == 200


def test_a_client_that_goes_away_ends_a_video_whose_frames_are_passed_over(
    service, clip_file, monkeypatch
):
    decoded = slow_down(monkeypatch, "_decode_packet")
    content = clip_file.read_bytes()
    with service.connect() as connection:
        head = service.post_head("/v1/video?every=100000", length=len(content))
        connection.sendall(head + content)
        until(lambda: decoded)
    until(lambda: all_places_are_free(service) and not threads("emopy-prefetch"), 1.5)


@pytest.mark.parametrize("query", ["start_s=0.9", "every=9"])
def test_a_video_that_is_late_ends_while_frames_are_passed_over(clip_file, monkeypatch, query):
    slow_down(monkeypatch, "_packets")
    with serving(timeout_s=0.4) as running:
        answer = running.http.post(f"/v1/video?{query}", content=clip_file.read_bytes())
        is_problem(answer, 504)
        until(lambda: all_places_are_free(running), 1.5)


def slow_down(monkeypatch, name):
    """Let a method of the decoder take 0.2 s more for each of the 25 frames."""
    usual, began = getattr(Decoder, name), []

    def slow(decoder, *given):
        began.append(decoder)
        time.sleep(0.2)
        return usual(decoder, *given)

    def slow_items(decoder):
        for item in usual(decoder):
            time.sleep(0.2)
            yield item

    monkeypatch.setattr(Decoder, name, slow_items if name == "_packets" else slow)
    return began


def test_a_reader_that_stops_is_dropped_and_gives_its_place_back(clip_file, monkeypatch):
    faces = tuple(Face(Box(i, 0, i + 99, 99)) for i in range(40))
    monkeypatch.setattr("tests.serving.FullImage.__call__", lambda *_: faces)
    monkeypatch.setattr(protocol, "CLOSING_S", 0.2)
    content = clip_file.read_bytes()
    with (
        serving(streams=1, timeout_s=0.5, send_buffer=4096) as running,
        running.connect(receive_buffer=4096) as connection,
    ):
        connection.sendall(running.post_head("/v1/video", length=len(content)) + content)
        assert connection.recv(9) == b"HTTP/1.1 "
        until(lambda: all_places_are_free(running))
        received = read_all(connection)
        assert b"\n0\r\n" not in received  # the last chunk
        assert received.count(b'"face":') < len(faces) * 25


def test_a_stop_waits_for_the_threads_of_videos_and_live_sessions(linear_model, clip_file):
    """Native code in a thread would abort the process."""
    entered = []

    def slow(image):
        entered.append(threading.current_thread().name)
        if threading.current_thread() is not threading.main_thread():  # it is no warm-up
            time.sleep(4)
        return FullImage()(image)

    content = clip_file.read_bytes()
    with (
        serving(linear_model, detector=slow, timeout_s=0.3) as running,
        connect(running.url.replace("http", "ws") + "/v1/live", proxy=None) as session,
        running.connect() as connection,
    ):
        session.send(IMAGE)
        connection.sendall(running.post_head("/v1/video", length=len(content)) + content)
        until(lambda: {"emopy-video", "emopy-live"} <= set(entered))
    assert not {"emopy-video", "emopy-live"} & {each.name for each in threading.enumerate()}


def test_a_late_first_row_is_504(clip_file):
    with serving(timeout_s=0.4) as running, running.gate.shut():
        answer = running.http.post("/v1/video", content=clip_file.read_bytes())
        is_problem(answer, 504, "The answer was not ready within 0.4 s.")


def test_more_streams_than_places_are_429(service, live, clip_file):
    sessions = [live() for _ in range(STREAMS)]
    for session in sessions:
        ask(session)
    refused = service.http.post("/v1/video", content=clip_file.read_bytes())
    is_problem(refused, 429, "The service has no free place now.")
    assert refused.headers["retry-after"] == "1"
    with pytest.raises(websockets.ConnectionClosed) as closed:
        live().recv(timeout=20)
    assert closed.value.rcvd.code == 1013
    sessions[0].close()
    until(lambda: service.metric("emopy_streams") == 1)
    assert ask(live())["error"] is None


def test_a_video_has_its_place_only_when_it_has_arrived(service, clip_file):
    content = clip_file.read_bytes()
    with ExitStack() as opened:
        for _ in range(STREAMS):
            connection = opened.enter_context(service.connect())
            connection.sendall(service.post_head("/v1/video", length=len(content)) + content[:9])
        time.sleep(0.2)
        assert service.http.post("/v1/video?end_s=0.1", content=content).status_code == 200


def test_a_live_session_answers_with_tracks(live, model):
    session = live()
    first, second = ask(session), ask(session)
    face = model.predict(IMAGE).to_dict()["faces"][0]
    assert first["source"] == "<live>"
    assert first["frame"] == 0
    assert 0 <= first["time_s"] < second["time_s"] < 60
    assert round(second["time_s"], 6) == second["time_s"]
    (found,) = first["faces"]
    assert found["track"] == second["faces"][0]["track"]
    assert {**found, "track": None} == {**face, "track": None}


def test_smoothing_is_chosen_in_the_query(service, live):
    black = encoded(np.zeros((48, 64, 3), np.uint8))
    alone = ask(live("?smoothing_s=0"), black)["faces"][0]["probabilities"]
    for query, is_smoothed in (("?smoothing_s=0", False), ("?smoothing_s=100", True)):
        session = live(query)
        before = ask(session)["faces"][0]["probabilities"]
        after = ask(session, black)["faces"][0]["probabilities"]
        session.close()
        until(lambda: service.metric("emopy_streams") == 1)
        assert (after == alone) is not is_smoothed
        if is_smoothed:
            assert after == pytest.approx(before, abs=0.05)


def test_the_newest_frame_wins(service, live):
    session = live()
    ask(session)
    entered = service.gate.entered
    with service.gate.shut() as gate:
        session.send(IMAGE)
        gate.until_entered(entered + 1)
        sizes = [(8 + i, 8) for i in range(10)]
        for width, height in sizes:
            session.send(encoded(np.zeros((height, width, 3), np.uint8)))
        session.ping().wait(20)  # what was sent before has been received
        time.sleep(0.2)
    held, newest = (json.loads(session.recv(timeout=20)) for _ in range(2))
    assert (held["frame"], held["width"]) == (1, 64)
    assert (newest["frame"], newest["width"], newest["height"]) == (11, *sizes[-1])
    with pytest.raises(TimeoutError):
        session.recv(timeout=0.3)


def test_a_bad_frame_is_answered_and_the_session_stays_open(service, live):
    failed = service.metric("emopy_failed_inputs_total")
    session = live()
    answer = ask(session, b"no image")
    assert answer["faces"] == []
    assert answer["frame"] == 0
    assert round(answer["time_s"], 6) == answer["time_s"]
    assert answer["error"].startswith("source must be an image")
    assert "Received 'frame 0': not an image" in answer["error"]
    assert ask(session)["error"] is None
    assert service.metric("emopy_failed_inputs_total") == failed + 1


@pytest.mark.parametrize(
    "query, words",
    [
        ("?smoothing_s=-1", "smoothing_s must be 0 or more"),
        ("?smoothing_s=1e999", "smoothing_s must be a number"),
        ("?emotions=anger", "emotions must hold two or more labels"),
        ("?emotions=anger,%E2%82%AC" + "%E2%82%AC" * 40, "emotions must be labels"),
        ("?draw=png", "The query must have known names only"),
    ],
)
def test_a_wrong_query_closes_the_session_with_the_reason(live, query, words):
    with pytest.raises(websockets.ConnectionClosed) as closed:
        live(query).recv(timeout=20)
    assert closed.value.rcvd.code == 1008
    assert closed.value.rcvd.reason.startswith(words)


def test_a_text_closes_the_session(live):
    session = live()
    session.send("hello")
    with pytest.raises(websockets.ConnectionClosed) as closed:
        session.recv(timeout=20)
    assert closed.value.rcvd.code == 1003


def test_an_idle_session_ends(linear_model):
    with serving(linear_model, timeout_s=0.4, streams=1) as running:
        address = running.url.replace("http", "ws") + "/v1/live"
        with connect(address, proxy=None) as session:
            assert ask(session)["error"] is None
            with pytest.raises(websockets.ConnectionClosed) as closed:
                session.recv(timeout=20)
            assert closed.value.rcvd.reason == "No image came within 0.4 s."
        until(lambda: all_places_are_free(running))


def test_a_failure_in_a_session_or_video_is_said_and_logged(
    service, live, clip_file, caplog, monkeypatch
):
    def fail(*_):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("tests.serving.FullImage.__call__", fail)
    session = live()
    session.send(IMAGE)
    with pytest.raises(websockets.ConnectionClosed) as closed:
        session.recv(timeout=20)
    assert closed.value.rcvd.code == 1011
    answer = service.http.post("/v1/video", content=clip_file.read_bytes())
    assert "secret" not in is_problem(answer, 500)["detail"]
    assert caplog.text.count("ZeroDivisionError: secret") == 2
    until(lambda: all_places_are_free(service))


def test_a_session_offers_a_subprotocol_to_browsers(live):
    session = live(subprotocols=["emopy", "emopy-key.none"])
    assert session.subprotocol == "emopy"
    assert ask(session)["error"] is None


def test_other_sockets_are_refused_with_a_problem(service):
    address = service.url.replace("http", "ws") + "/v1/other"

    async def refused():
        async with websockets.connect(address, proxy=None):
            pass

    with pytest.raises(websockets.InvalidStatus) as error:
        asyncio.run(refused())
    response = error.value.response
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert json.loads(response.body)["detail"] == "The WebSocket is at /v1/live."
