import http.client
import json
import re
import socket
import threading
import time
from contextlib import suppress
from email.parser import BytesParser
from io import BytesIO
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from emopy.errors import InputError
from emopy.live import Page
from emopy.present import COLORS
from emopy.types import Box, Face, FacePrediction, ImageResult, Prediction

LABELS = ("anger", "happiness", "mañana")


def result(*probabilities, size=(64, 48)):
    prediction = Prediction(LABELS, np.array(probabilities, dtype=np.float32))
    face = Face(Box(8, 8, 40, 40), track=7)
    return ImageResult("camera 0", size, (FacePrediction(face, prediction),), 1.5, 3)


def gray(level, size=(64, 48)):
    return np.full((size[1], size[0], 3), level, dtype=np.uint8)


@pytest.fixture
def page():
    with Page() as opened:
        yield opened


@pytest.fixture
def ask(page):
    """Send one request and return (status, headers, body)."""

    def send(path="", *, method="GET", key=None, **headers):
        place = urlsplit(page.address)
        line = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
        try:
            root = place.path if key is None else f"/{key}/"
            words = {name.replace("_", "-"): value for name, value in headers.items()}
            line.request(method, root + path, headers=words)
            answer = line.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            line.close()

    return send


def opened(headers, body):
    """The record and the image of a frame, parsed as MIME parts."""
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    parts = BytesParser().parsebytes(head + body).get_payload()
    named = {part.get_param("name", header="content-disposition"): part for part in parts}
    image = Image.open(BytesIO(named["image"].get_payload(decode=True)))
    return json.loads(named["record"].get_payload(decode=True)), image


def show(page, level=100, faces=None):
    found = result(0.1, 0.7, 0.2) if faces is None else faces
    page.show(gray(level, found.size), found, latency_s=0.0421, fps=24.96)


def test_a_frame_is_its_image_and_its_record_together(page, ask):
    show(page, 100)
    status, headers, body = ask("frame?after=0")
    record, image = opened(headers, body)
    assert status == 200
    assert (record["number"], record["latency_s"], record["fps"]) == (1, 0.0421, 24.96)
    (face,) = record["result"]["faces"]
    assert (face["track"], face["emotion"]) == (7, "happiness")
    assert face["probabilities"]["mañana"] == pytest.approx(0.2)
    assert record["colors"]["anger"] == "#{:02x}{:02x}{:02x}".format(*COLORS["anger"])
    assert image.size == (64, 48)
    assert np.abs(np.asarray(image).astype(int) - 100).max() <= 2


def test_a_slow_browser_gets_the_newest_frame_and_no_older_one(page, ask):
    for level in (10, 20, 200):
        show(page, level)
    record, image = opened(*ask("frame?after=1")[1:])
    assert record["number"] == 3
    assert np.asarray(image).mean() == pytest.approx(200, abs=2)


def test_a_request_waits_for_the_next_frame(page, ask):
    show(page)
    later = threading.Timer(0.2, show, (page, 50))
    later.start()
    started_s = time.monotonic()
    record, _ = opened(*ask("frame?after=1")[1:])
    later.join()
    assert record["number"] == 2
    assert time.monotonic() - started_s < 1.5


def test_a_request_that_waited_too_long_gets_204(page, ask, monkeypatch):
    monkeypatch.setattr("emopy.live.page._WAIT_S", 0.05)
    assert ask("frame?after=0")[0] == 204


def test_no_face_is_an_empty_list(page, ask):
    show(page, faces=ImageResult("camera 0", (64, 48)))
    record, _ = opened(*ask("frame")[1:])
    assert record["result"]["faces"] == []
    assert record["colors"] == {}


def test_a_large_image_is_reduced_and_its_record_keeps_the_original_size(page, ask):
    show(page, faces=result(0.2, 0.3, 0.5, size=(2600, 1300)))
    record, image = opened(*ask("frame")[1:])
    assert image.size == (867, 434)
    assert (record["result"]["width"], record["result"]["height"]) == (2600, 1300)


def test_a_frame_that_is_not_requested_is_not_encoded(page):
    show(page)
    assert "image" not in vars(page.after(0, wait_s=0))


def test_the_page_loads_nothing_from_other_hosts(ask):
    status, headers, body = ask()
    html = body.decode()
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    parts = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', html)
    assert {"page.css", "page.js", "present/tokens.css"} <= set(parts)
    for name in parts:  # grows by what a module imports
        status, headers, body = ask(name)
        assert status == 200
        assert headers["Content-Type"].startswith("text/css" if ".css" in name else "text/java")
        code = re.sub(rb"(?s)/\*.*?\*/", b"", body)
        assert not re.search(rb"https?://|@import|url\(", code)
        imported = re.findall(r'from "\./([^"]+)"', body.decode())
        folder = name.rpartition("/")[0]
        found = [f"{folder}/{each}".removeprefix("/") for each in imported]
        parts += [each for each in found if each not in parts]
    assert "present/placement.js" in parts
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:8123", "[::1]:9", "LOCALHOST"])
def test_loopback_host_names_are_served(ask, host):
    assert ask(Host=host)[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[::", "0.0.0.0", "@"])
def test_other_host_names_are_refused(page, ask, host):
    show(page)
    for path in ("", "frame"):
        assert ask(path, Host=host)[0] == 421
    assert ask("stop", method="POST", Host=host, Origin=f"http://{host}")[0] == 421
    assert not page.stopped


@pytest.fixture
def send(page):
    """Send bytes and return what the page sends until it closes the connection."""

    def send_bytes(*pieces, pause_s=0.0):
        place = urlsplit(page.address)
        with socket.create_connection((place.hostname, place.port), timeout=10) as line:
            for piece in pieces:
                line.sendall(piece)
                time.sleep(pause_s)
            line.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: line.recv(65536), b""))

    return send_bytes


KEY = b"KEY"
MALFORMED = [
    b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET //[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /KEY/frame?after=%ff&after=\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /KEY/frame?" + b"after=x&" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1.1\r\n\r\n",
    b"GET / HTTP/" + b"1" * 5000 + b".1\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /\r\n",
    b"GET / x y HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) + b"\r\n\r\n",
    b"\r\n\r\n",
    b"\x00" * 100 + b"\r\n\r\n",
    b"G" * 70_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: [::\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n: \r\n\xff: 1\r\n\r\n",
    b"POST /KEY/stop HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
    b"POST http://[/KEY/stop HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"__init__ / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nExpect: 100-continue\r\nHost: localhost\r\n\r\n",
]


@pytest.mark.parametrize("request_", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_request_prints_nothing_and_stops_nothing(page, send, ask, capfd, request_):
    show(page)
    answer = send(request_.replace(KEY, page.address.split("/")[3].encode()))
    assert b"200 OK" not in answer
    assert capfd.readouterr() == ("", "")
    assert not page.stopped
    assert ask()[0] == 200


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_a_client_that_drips_its_request_is_cut_after_a_total_time(page, monkeypatch, start):
    monkeypatch.setattr("emopy.live.loopback._REQUEST_S", 0.3)
    place = urlsplit(page.address)
    began_s = time.monotonic()
    with socket.create_connection((place.hostname, place.port), timeout=10) as line:
        line.sendall(start)
        with suppress(OSError):  # the connection is closed, or reset
            while time.monotonic() - began_s < 5:
                line.sendall(b"x")
                time.sleep(0.05)
    assert time.monotonic() - began_s < 2


def test_a_connection_serves_many_requests_however_long_it_lives(page, monkeypatch):
    monkeypatch.setattr("emopy.live.loopback._REQUEST_S", 0.3)
    place = urlsplit(page.address)
    line = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
    for _ in range(5):
        line.request("GET", place.path)
        answer = line.getresponse()
        answer.read()
        assert answer.status == 200
        time.sleep(0.1)
    line.close()


@pytest.mark.parametrize("path", ["", "frame", "page.js"])
def test_requests_without_the_key_get_404(page, ask, path):
    show(page)
    assert ask(path, key="")[0] == 404
    assert ask(path, key="wrong")[0] == 404
    assert ask("stop", method="POST", key="wrong", Origin=page.address)[0] != 204
    assert not page.stopped


def test_each_page_has_its_own_key():
    assert len({Page(8123).address for _ in range(50)}) == 50


def test_the_page_listens_on_the_loopback_address_only(page):
    place = urlsplit(page.address)
    assert place.hostname == "127.0.0.1"
    with socket.socket() as other:  # another address of the loopback interface
        assert other.connect_ex(("127.0.0.2", place.port)) != 0


def test_stop_is_accepted_from_the_page_itself_only(page, ask):
    parts = page.address.split("/", 3)
    own = "/".join(parts[:3])
    assert ask("stop")[0] == 404  # a link or an image of another site uses GET
    for other in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        assert ask("stop", method="POST", **other)[0] == 403
    assert not page.stopped
    assert ask("stop", method="POST", Origin=own)[0] == 204
    assert page.stopped


@pytest.mark.parametrize(
    "path", ["../page.py", "page.py", "..%2fpage.py", "frame/x", "%00", "present/", "present/x.js"]
)
def test_no_other_file_is_served(ask, path):
    assert ask(path)[0] == 404


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 5000])
def test_a_bad_number_is_a_bad_request(ask, after):
    assert ask(f"frame?after={after}")[0] == 400


def test_other_methods_are_refused(ask):
    assert ask(method="PUT")[0] == 501


def test_a_waiting_request_gets_410_at_the_end_and_no_thread_remains():
    before = set(threading.enumerate())
    answers = []
    with Page() as page:
        place = urlsplit(page.address)
        line = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
        idle = socket.create_connection((place.hostname, place.port))  # never asks anything

        def wait():
            line.request("GET", f"{place.path}frame?after=0")
            answers.append(line.getresponse().status)

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.1)
        started_s = time.monotonic()
    assert time.monotonic() - started_s < 2
    waiting.join()
    line.close()
    idle.close()
    assert answers == [410]
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((place.hostname, place.port))


def test_a_browser_that_disconnects_prints_nothing_to_stderr(capfd):
    with Page() as page:
        place = urlsplit(page.address)
        big = np.random.default_rng(0).integers(0, 256, (900, 1200, 3), dtype=np.uint8)
        for _ in range(3):
            show_big = ImageResult("camera 0", (1200, 900))
            page.show(big, show_big, latency_s=0, fps=0)
            with socket.create_connection((place.hostname, place.port)) as line:
                line.send(f"GET {place.path}frame HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert capfd.readouterr() == ("", "")


def test_a_port_in_use_is_named():
    with Page() as first:
        port = urlsplit(first.address).port
        with pytest.raises(InputError, match=rf"`port` must be free.*Received {port}"):
            Page(port).__enter__()
    with Page(port) as again:  # free once more
        assert f":{port}/" in again.address
