"""What clients do to harm the HTTP service; other clients must not notice."""

import contextlib
import hmac
import io
import json
import logging
import re
import socket
import struct
import time
import zlib
from pathlib import Path

import pytest
import websockets
from websockets.sync.client import connect

from emopy.serve import protocol
from emopy.serve.settings import digests
from tests.serving import encoded, is_problem, read_all, read_answer, serving, until

IMAGE = encoded()
MAX_BYTES = 2_000_000
KEYS = ("first-key-0123456789", "second-key-0123456789")


@pytest.fixture(scope="module")
def running():
    with serving(max_bytes=MAX_BYTES, timeout_s=5.0, queue=64, send_buffer=65_536) as running:
        yield running


@pytest.fixture
def service(running):
    """A service, which works as before after the attack."""
    yield running
    until(lambda: running.metric("emopy_queue_length") == running.metric("emopy_streams") == 0)
    began_s = time.monotonic()
    assert running.http.post("/v1/predict", content=IMAGE).status_code == 200
    assert time.monotonic() - began_s < 2


@pytest.fixture(scope="module")
def guarded():
    """A service with keys, one foreign origin and the name of a proxy."""
    with serving(
        key_digests=digests(KEYS), origins=("https://a.example",), names=("Emopy.example.org",)
    ) as running:
        yield running


@pytest.fixture
def impatient(service):
    """Short limits for new connections; the usual ones are back when `service` is tried again."""
    del service
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "HEAD_S", 0.4)
        patch.setattr(protocol, "CLOSING_S", 0.4)
        patch.setattr(protocol, "_TICK_S", 0.05)
        yield


def talk(service, *pieces):
    """Everything that is answered to these bytes, until the connection is closed."""
    with service.connect() as connection:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                connection.sendall(piece)
        return read_all(connection)


def seconds_until_closed(connection, feed=b""):
    """How long a connection stays open, sending a byte now and then."""
    began_s = time.monotonic()
    connection.settimeout(0.05)
    while time.monotonic() - began_s < 20:
        try:
            if feed:
                connection.sendall(feed)
            if not connection.recv(65_536):
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    return time.monotonic() - began_s


def raw_problem(received, status):
    """Check an answer in bytes."""
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), head[:200]
    assert re.search(rb"^x-request-id: [0-9a-f]{32}\r?$", head, re.MULTILINE)
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["status"] == status
    return json.loads(body)


# Slow clients


@pytest.mark.parametrize(
    "start, feed",
    [
        (b"", b""),
        (b"G", b""),
        (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ", b"a"),
        (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /", b"a"),  # the second request
        (b"POST /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999\r\n\r\n", b"a"),
        (b"POST /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n",
         b"1\r\na\r\n"),
    ],
    ids=["nothing", "byte", "head", "second", "answered", "answered-chunks"],
)  # fmt: skip
def test_a_client_that_is_slow_is_cut_off(service, impatient, start, feed):
    with service.connect() as connection:
        connection.sendall(start)
        assert 0.3 < seconds_until_closed(connection, feed) < 5


def test_a_slow_body_is_cut_off():
    with serving(timeout_s=0.4) as running, running.connect() as connection:
        connection.sendall(running.post_head(length=99_999))
        assert 0.3 < seconds_until_closed(connection, b"a") < 5


def test_a_busy_connection_is_not_cut_off(service, impatient):
    with service.connect() as connection:
        for _ in range(12):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert read_answer(connection).startswith(b"HTTP/1.1 200 ")
            time.sleep(0.1)


def test_a_client_that_takes_no_answer_is_dropped(service, impatient):
    with service.connect(receive_buffer=4096) as connection:
        path = "/docs/swagger-ui-bundle.js"
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        time.sleep(1.5)
        assert len(read_all(connection)) < 1_000_000 < len(service.http.get(path).content)


def test_600_idle_connections_do_not_block_others(service, impatient):
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(service.connect()) for _ in range(600)]
        began_s = time.monotonic()
        assert service.http.post("/v1/predict", content=IMAGE).status_code == 200
        assert time.monotonic() - began_s < 2
        for connection in idle:
            assert connection.recv(1) == b""  # closed by the service


def test_many_requests_at_once_on_a_connection_that_reads_nothing_are_bounded(service, impatient):
    request = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    answered = 'emopy_requests_total{path="/openapi.json",status="200"}'
    before = service.metric(answered)
    with service.connect(receive_buffer=4096) as connection:
        connection.settimeout(1)
        with contextlib.suppress(TimeoutError, ConnectionError):
            connection.sendall(request * 100_000)
        assert 0 < service.metric(answered) - before < 1000


# Large bodies


def test_a_body_over_the_limit_is_refused_before_it_is_read(service):
    for more in ({}, {"Expect": "100-continue"}):
        with service.connect() as connection:
            connection.sendall(service.post_head(length=10**12, **more))
            problem = raw_problem(read_answer(connection), 413)
        assert problem["detail"].startswith("The body must have at most 2,000,000 bytes.")
    # Clients that send the whole body first get the answer too.
    is_problem(service.http.post("/v1/predict", content=bytes(MAX_BYTES + 1)), 413)
    is_problem(service.http.post("/v1/video", content=bytes(3 * MAX_BYTES)), 413)
    is_problem(service.http.post("/v1/predict", content=iter([bytes(MAX_BYTES)] * 3)), 413)
    is_problem(service.http.post("/nothing", content=bytes(3 * MAX_BYTES)), 404)


@pytest.mark.parametrize("path, status", [("/v1/predict", 413), ("/nothing", 404)])
def test_a_body_without_end_is_cut_off(service, path, status):
    head = service.post_head(path, Transfer_Encoding="chunked")
    chunk = b"10000\r\n" + bytes(65_536) + b"\r\n"
    sent = 0
    with service.connect() as connection:
        connection.sendall(head)
        with contextlib.suppress(ConnectionError):
            while sent < 100 * MAX_BYTES:
                connection.sendall(chunk)
                sent += len(chunk)
        received = read_all(connection)
    # What lies in the buffers of both sides is sent too.
    assert sent < MAX_BYTES + 20_000_000
    assert not received or received.startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize(
    "body",
    [
        b'{"image":[' + b"[]," * 600_000 + b"[]]}",
        b"[" * 1_900_000,
        b'{"a":' * 300_000,
        b'{"image":' + b"1" * 1_900_000 + b"}",
        b'{"image":1e' + b"9" * 1_900_000 + b"}",
        b"{" + b",".join(b'"%d":0' % i for i in range(100_000)) + b"}",
        b'{"image":"' + b"\\u0041" * 300_000 + b'"}',
        '{"image":"a"}'.encode("utf-32"),
    ],
    ids=["lists", "deep", "nested", "digits", "exponent", "keys", "escapes", "utf-32"],
)
def test_a_json_bomb_is_refused_at_once(service, body):
    began_s = time.process_time()
    answer = service.http.post(
        "/v1/predict", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert time.process_time() - began_s < 1


BOUNDARY = b"--b\r\n"
PART = b'Content-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'


@pytest.mark.parametrize(
    "body, status",
    [
        ((BOUNDARY + PART + b"x\r\n") * 20_000, 422),
        (BOUNDARY + b'Content-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 1_900_000
         + b"\r\n--b--\r\n", 422),
        ((BOUNDARY + b'Content-Disposition: form-data; name="a"\r\n\r\nx\r\n') * 20_000, 422),
        (BOUNDARY + b"a: b\r\n" * 300_000, 400),
        (BOUNDARY + b"a: " + b"b" * 1_900_000, 400),
        (BOUNDARY + PART + b"\r\n--" * 475_000 + b"\r\n--b--\r\n", 422),
        (BOUNDARY + PART + b"\r" * 1_900_000 + b"\r\n--b--\r\n", 422),
        (b"\r\n" * 900_000 + BOUNDARY + PART + b"x\r\n--b--\r\n", 422),
        (BOUNDARY + PART + b"x\r\n--b--\r\n" + b"\r\n" * 900_000, 422),
        (BOUNDARY + PART.replace(b"a.png", b"\\" * 1_000_000) + b"x\r\n--b--\r\n", 400),
        (BOUNDARY + PART.replace(b"a.png", b"\\" * 7000) + b"x\r\n--b--\r\n", 422),
        (BOUNDARY + b"Content-Disposition: form-data" + b"; a=b" * 1500 + b"\r\n\r\nx", 400),
        (BOUNDARY + b"Content-Disposition: form-data" + b"; a=b" * 300_000 + b"\r\n\r\nx", 400),
        (BOUNDARY + PART + b"x", 400),
        (BOUNDARY + b"\r\n\r\nx\r\n--b--\r\n", 400),
        (b"--b--\r\n", 422),
        (b"", 400),
        (b"--c\r\n" + PART + b"x", 400),
    ],
)  # fmt: skip
def test_a_damaged_or_huge_form_is_refused_at_once(service, body, status):
    began_s = time.process_time()
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = service.http.post("/v1/predict", content=body, headers=headers)
    is_problem(answer, status)
    assert time.process_time() - began_s < 1


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "punycode", "idna", "rot13", "x"])
def test_a_charset_of_the_client_is_not_used(service, charset):
    name = b'filename="\\\\ud800+AGEAYg-.png"'
    body = BOUNDARY + PART.replace(b'filename="a.png"', name) + IMAGE + b"\r\n--b--\r\n"
    headers = {"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"}
    answer = service.http.post("/v1/predict", content=body, headers=headers)
    assert answer.json()["results"][0]["source"] == "ud800+AGEAYg-.png"


def test_an_image_of_98_megapixels_in_300_kb_is_not_decoded(service):
    def chunk(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    width = height = 9899
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packer, rows = zlib.compressobj(9), io.BytesIO()
    row = bytes(1 + 3 * width)
    for _ in range(height):
        rows.write(packer.compress(row))
    rows.write(packer.flush())
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", rows.getvalue())
    bomb += chunk(b"IEND", b"")
    assert 250_000 < len(bomb) < 350_000
    before = reset_peak_bytes()
    for path in ("/v1/predict", "/v1/predict?draw=png", "/v1/explain", "/analyze"):
        words = "raise the limit: emopy serve --max-pixels 97990201"
        is_problem(service.http.post(path, content=bomb), 422, "9899 × 9899", words)
    if before is not None:
        assert peak_bytes() - before < 50_000_000


def peak_bytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def reset_peak_bytes():
    """Forget the peak of the memory, and return it; None where that is not possible."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return peak_bytes()
    except OSError:
        return None


def test_compressed_bodies_are_not_unpacked(service):
    packed = zlib.compress(bytes(1_000_000))
    for encoding in ("gzip", "deflate", "br"):
        answer = service.http.post(
            "/v1/predict", content=packed, headers={"Content-Encoding": encoding}
        )
        is_problem(answer, 422, "not an image")


# Files and addresses


def test_a_list_of_files_opens_no_descriptor_of_the_service(service, clip_file):
    with clip_file.open("rb") as file:
        for text in (
            f"ffconcat version 1.0\nfile {file.fileno()}\n",
            f"ffconcat version 1.0\nfile {clip_file}\n",
            f"ffconcat version 1.0\nfile file:{clip_file}\n",
            f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://{clip_file}\n#EXT-X-ENDLIST\n",
        ):
            answer = service.http.post("/v1/video", content=text.encode())
            is_problem(answer, 422, "'<bytes>'")


def test_no_address_is_fetched(service):
    with socket.create_server(("127.0.0.1", 0)) as bait:
        address = f"http://127.0.0.1:{bait.getsockname()[1]}/a.png"
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{address}\n#EXT-X-ENDLIST\n"
        svg = f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{address}"/></svg>'
        requests = [
            ("/v1/predict", {"json": {"image": address}}),
            ("/analyze", {"json": {"img": address}}),
            ("/v1/predict", {"content": svg.encode()}),
            ("/v1/video", {"content": playlist.encode()}),
            ("/v1/video", {"content": f"ffconcat version 1.0\nfile {address}\n".encode()}),
        ]
        for path, body in requests:
            is_problem(service.http.post(path, **body), 422)
        bait.settimeout(0.2)
        with pytest.raises(TimeoutError):
            bait.accept()


@pytest.mark.parametrize(
    "target",
    [
        "/../../../../etc/passwd",
        "/docs/../../../etc/passwd",
        "/docs/%2e%2e/%2e%2e/etc/passwd",
        "/docs/..%2f..%2fapp.py",
        "/docs/swagger-ui.css/../__init__.py",
        "//etc/passwd",
        "/docs//etc/passwd",
        "/docs/\\..\\..\\windows\\win.ini",
        "/%00/etc/passwd",
        "/proc/self/environ",
        "http://127.0.0.1/../etc/passwd",
        "/" + "a" * 60_000,
        "/" + "%2e%2e%2f" * 5000,
    ],
)
def test_a_path_leads_to_no_file(service, target):
    request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    problem = raw_problem(talk(service, request.encode()), 404)
    assert problem["detail"] == "There is no such path. /docs lists those there are."


# Damaged requests


@pytest.mark.parametrize(
    "request_bytes, status",
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(99), 400),  # TLS
        (b"hello\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400),  # without Host
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: " + b"a" * 70_000, 431),
        (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X-A: b\r\n" * 9000, 431),
        (b"GET /healthz?" + b"a" * 70_000, 431),
        (b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1e3\r\n\r\n", 400),
        (b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n"
         b"Content-Length: 5\r\n\r\nabcde", 400),
        (b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"zz\r\n", 400),
    ],
)  # fmt: skip
def test_what_is_no_request_is_a_problem(service, request_bytes, status, caplog):
    caplog.set_level(logging.INFO, "emopy.serve")
    label = f'emopy_requests_total{{path="other",status="{status}"}}'
    before = service.metric(label)
    received = talk(service, request_bytes)
    raw_problem(received, status)
    assert "Traceback" not in caplog.text
    request_id = re.search(rb"x-request-id: (\w+)", received)[1].decode()
    assert f"other {status} " in next(line for line in caplog.messages if request_id in line)
    assert service.metric(label) == before + 1


def test_many_headers_within_the_limit_are_a_request(service):
    flood = "".join(f"X-{i}: a\r\n" for i in range(4000))
    request = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n{flood}Connection: close\r\n\r\n"
    assert talk(service, request.encode()).startswith(b"HTTP/1.1 200 ")


def test_a_request_is_not_hidden_in_another(service):
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    head = b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n"
    both = head + b"Content-Length: %d\r\n\r\n0\r\n\r\n" % (5 + len(smuggled)) + smuggled
    raw_problem(talk(service, both), 400)  # and the connection is closed


def test_damage_behind_an_answer_closes_the_connection(service, caplog):
    head = service.post_head("/nothing", Transfer_Encoding="chunked")
    with service.connect() as connection:
        connection.sendall(head)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 404 ")
        connection.sendall(b"not a chunk\r\n")
        read_all(connection)
    assert not caplog.text


def test_a_line_of_the_log_cannot_be_forged(service, caplog):
    caplog.set_level(logging.INFO, "emopy.serve")
    for path in ("/a%0aPOST /v1/predict 200", "/v1/live%0d%0aforged", "/%1b[2J"):
        service.http.get(path)
        address = service.url.replace("http", "ws") + path.replace(" ", "%20")
        with pytest.raises(websockets.InvalidStatus):
            connect(address, proxy=None).__enter__()
    service.http.request("X" * 5000, "/healthz")
    until(lambda: len(caplog.records) == 7)
    for record in caplog.records:
        text = record.getMessage()
        assert text.isprintable()
        assert len(text) < 100
        assert "forged" not in text


# Pages of others, names of others, keys


FOREIGN = ["https://evil.example", "null", "http://127.0.0.1.evil.example", "file://",
           "http://localhost:1", "http://127.0.0.1"]  # fmt: skip


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_from_elsewhere_is_refused(service, origin):
    headers = {"Origin": origin}
    for method, path in (("POST", "/v1/predict"), ("GET", "/v1/models"), ("OPTIONS", "/v1/video")):
        asked = {**headers, "Access-Control-Request-Method": "POST"}
        answer = service.http.request(method, path, headers=asked, content=IMAGE)
        is_problem(answer, 403, "Pages of other origins")
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert status_of_socket(service, headers) == 403


def test_the_own_page_and_allowed_ones_may_send(service, guarded):
    own = {"Origin": service.url}
    assert service.http.post("/v1/predict", content=IMAGE, headers=own).status_code == 200
    assert status_of_socket(service, own) == 101
    allowed = {"Origin": "https://a.example"}
    preflight = {"Access-Control-Request-Method": "POST", **allowed}
    answer = guarded.http.options("/v1/predict", headers=preflight)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-methods"] == "GET, POST"
    assert "authorization" in answer.headers["access-control-allow-headers"]
    key = {"Authorization": f"Bearer {KEYS[0]}"}
    for headers, status in (({**allowed, **key}, 200), (allowed, 401)):
        answer = guarded.http.post("/v1/predict", content=IMAGE, headers=headers)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        assert "Origin" in answer.headers["vary"]
        assert "access-control-allow-credentials" not in answer.headers
    is_problem(guarded.http.get("/v1/models", headers={"Origin": "https://b.example"}), 403)


@pytest.mark.parametrize(
    "host, status",
    [
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:8000", 421),
        ("127.0.0.1@evil.example", 421),
        ("[::1", 421),
        ("", 421),
        ("10.0.0.1", 421),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("127.0.0.1:99999", 200),
        ("[::1]:80", 200),
    ],
)
def test_a_name_that_is_not_this_machine_is_refused(service, host, status):
    request = f"GET /v1/models HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    received = talk(service, request.encode())
    assert received.startswith(b"HTTP/1.1 %d " % status)
    if status == 421:
        raw_problem(received, 421)
    assert status_of_socket(service, {"Host": host}) == (101 if status == 200 else 421)


def test_names_that_are_allowed_may_be_called(guarded):
    key = {"Authorization": f"Bearer {KEYS[0]}"}
    for host, status in (("emopy.example.org", 200), ("EMOPY.example.org:8443", 200),
                         ("a.emopy.example.org", 421), ("example.org", 421)):  # fmt: skip
        asked = {"Host": host, "Origin": f"https://{host}", **key}
        assert guarded.http.get("/v1/models", headers=asked).status_code == status
        assert status_of_socket(guarded, asked) == (101 if status == 200 else 421)


def status_of_socket(service, headers):
    """Status of the handshake of a WebSocket."""
    with service.connect() as connection:
        return shake_hands(service, connection, **headers)


def shake_hands(service, connection, **headers):
    """Ask for a WebSocket on a raw connection; return the status."""
    lines = {
        "Host": f"127.0.0.1:{service.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    connection.sendall(f"GET /v1/live HTTP/1.1\r\n{head}\r\n".encode())
    answer = connection.recv(65_536)
    assert re.search(rb"^x-request-id: [0-9a-f]{32}\r$", answer, re.MULTILINE)
    return int(answer.split()[1])


def test_a_handshake_without_a_key_is_refused_with_a_problem(service):
    with service.connect() as connection:
        connection.sendall(
            b"GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert re.search(rb"^x-request-id: [0-9a-f]{32}\r$", head + b"\r", re.MULTILINE)
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["detail"].startswith("The handshake of the WebSocket must be")


def test_without_a_right_key_nothing_is_answered(guarded):
    tries = [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {KEYS[0]}"},
        {"Authorization": f"Bearer {KEYS[0][:-1]}"},
        {"Authorization": f"Bearer {KEYS[0]}0"},
        {"Authorization": f"Bearer {KEYS[0]} {KEYS[1]}"},
        {"X-API-Key": "é" * 20},
        {"X-API-Key": ""},
    ]
    for headers in tries:
        sent = {name: value.encode("latin-1") for name, value in headers.items()}
        for path in ("/v1/predict", "/v1/video", "/metrics", "/v1/models", "/analyze", "/none"):
            answer = guarded.http.request("POST", path, headers=sent)
            is_problem(answer, 401, "Authorization: Bearer KEY")
            assert answer.headers["www-authenticate"] == "Bearer"
        if "é" not in str(headers):
            assert status_of_socket(guarded, headers) == 401


def test_refused_requests_are_counted_by_their_path(guarded):
    cases = [
        ("/v1/predict", {}, 401),
        ("/v1/models", {"Origin": "https://evil.example"}, 403),
        ("/metrics", {"Host": "evil.example"}, 421),
    ]
    labels = [f'emopy_requests_total{{path="{path}",status="{status}"}}'
              for path, _, status in cases]  # fmt: skip
    key = {"Authorization": f"Bearer {KEYS[0]}"}

    def counts():
        lines = guarded.http.get("/metrics", headers=key).text.splitlines()
        found = dict(line.rsplit(" ", 1) for line in lines)
        return [float(found.get(label, 0)) for label in labels]

    before = counts()
    for path, headers, status in cases:
        assert guarded.http.get(path, headers=headers).status_code == status
    assert counts() == [count + 1 for count in before]


def test_a_right_key_is_taken_from_a_header_or_a_subprotocol(guarded):
    for key in KEYS:
        for headers in ({"Authorization": f"Bearer {key}"}, {"authorization": f"bearer  {key}"},
                        {"X-API-Key": key}):  # fmt: skip
            answer = guarded.http.post("/v1/predict", content=IMAGE, headers=headers)
            assert answer.status_code == 200
            assert status_of_socket(guarded, headers) == 101
        offered = {"Sec-WebSocket-Protocol": f"emopy, emopy-key.{key}"}
        assert status_of_socket(guarded, offered) == 101
    assert status_of_socket(guarded, {"Sec-WebSocket-Protocol": "emopy, emopy-key.x"}) == 401


def test_probes_and_docs_need_no_key_and_the_docs_ask_for_it(guarded):
    for path in ("/healthz", "/readyz", "/docs", "/docs/swagger-ui.css", "/openapi.json"):
        assert guarded.http.get(path).status_code == 200
    description = guarded.http.get("/openapi.json").json()
    assert description["security"] == [{"key": []}]
    assert description["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert description["paths"]["/healthz"]["get"]["security"] == []


def test_the_time_of_a_refusal_does_not_depend_on_the_keys(guarded, monkeypatch):
    compared = []
    right = hmac.compare_digest

    def compare(first, second):
        compared.append((len(first), len(second)))
        return right(first, second)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for key in ("x", KEYS[0][:-1] + "x", KEYS[0], KEYS[1], "y" * 5000):
        compared.clear()
        guarded.http.get("/v1/models", headers={"Authorization": f"Bearer {key}"})
        # Digests of the same length are compared, each of them whichever is right.
        assert compared == [(32, 32)] * len(KEYS)


# WebSockets


def live_address(service):
    return service.url.replace("http", "ws") + "/v1/live"


def test_a_frame_over_the_limit_closes_the_session(service):
    with connect(live_address(service), proxy=None) as session:
        with contextlib.suppress(websockets.ConnectionClosed):
            session.send(bytes(MAX_BYTES + 2))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            session.recv(timeout=20)
        assert closed.value.rcvd.code == 1009
    with connect(live_address(service), proxy=None) as session:  # in pieces
        with contextlib.suppress(websockets.ConnectionClosed):
            session.send(bytes(65_536) for _ in range(1 + MAX_BYTES // 65_536))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            session.recv(timeout=20)
        assert closed.value.rcvd.code == 1009


def test_a_frame_that_declares_more_than_the_limit_is_not_waited_for(service):
    with service.connect() as connection:
        shake_hands(service, connection)
        connection.sendall(b"\x82\xff" + struct.pack(">Q", 1 << 40) + b"mask")
        assert read_all(connection)[:1] == b"\x88"  # a frame that closes


def test_a_flood_of_frames_keeps_only_the_newest(service):
    entered = service.gate.entered
    frame = encoded(kind="BMP") + bytes(500_000)
    before = reset_peak_bytes()
    with connect(live_address(service), proxy=None) as session, service.gate.shut() as gate:
        session.send(frame)
        gate.until_entered(entered + 1)
        for _ in range(200):
            session.send(frame)
    if before is not None:
        assert peak_bytes() - before < 50_000_000
    until(lambda: service.metric("emopy_streams") == 0)
    assert service.gate.entered <= entered + 10  # of 200


def test_pings_of_a_client_that_reads_nothing_are_not_kept(service, monkeypatch):
    monkeypatch.setattr(protocol, "CLOSING_S", 0.2)
    ping = b"\x89\xfdmask" + bytes(125)
    sent = 0
    with service.connect(receive_buffer=4096) as connection:
        assert shake_hands(service, connection) == 101
        connection.settimeout(0.5)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while sent < 64_000_000:
                sent += connection.send(ping * 1000)
    assert sent < 32_000_000


def test_sessions_beyond_the_places_are_closed_and_others_served(service):
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(connect(live_address(service), proxy=None))
        until(lambda: service.metric("emopy_streams") == 4)
        for _ in range(50):
            with (
                connect(live_address(service), proxy=None) as session,
                pytest.raises(websockets.ConnectionClosed) as closed,
            ):
                session.recv(timeout=20)
            assert closed.value.rcvd.code == 1013
        assert service.http.post("/v1/predict", content=IMAGE).status_code == 200


# Values


@pytest.mark.parametrize(
    "value",
    [
        "nan", "NaN", "inf", "-inf", "1e999", "-1e999", "1e-999", "9" * 1999, "1" * 40 + "abc",
        "0x10", "１", "1_000", " 1", "1 ", "", "-", "1e", "٣", "\x00", "true", "[]", "😀",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "path, name",
    [
        ("/v1/predict", "min_confidence"),
        ("/v1/predict", "boxes"),
        ("/v1/predict", "emotions"),
        ("/v1/predict", "prior"),
        ("/v1/predict", "views"),
        ("/v1/explain", "method"),
        ("/v1/video", "every"),
        ("/v1/video", "fps"),
        ("/v1/video", "end_s"),
        ("/v1/video", "smoothing_s"),
    ],
)
def test_odd_values_are_never_a_failure(running, path, name, value):
    if name == "boxes":
        value = f"{value},0,{value},9"
    if name == "prior":
        value = f"anger={value},fear={value}"
    answer = running.http.post(path, params={name: value}, content=b"none")
    is_problem(answer, 422)
    assert len(answer.content) < 9000


def test_endless_queries_are_refused(service):
    for query in ("a=b&" * 10_000, "boxes=" + "1,2,3,4;" * 5000, "emotions=" + "anger," * 9000):
        assert service.http.post(f"/v1/predict?{query}", content=IMAGE).status_code == 422
