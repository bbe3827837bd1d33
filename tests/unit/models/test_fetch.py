import contextlib
import errno
import hashlib
import http.client
import io
import socket
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from emopy.errors import InputError, ModelError, ModelNotFoundError
from emopy.files import sha256_of
from emopy.models import fetch, fetched_path, list_models, load_model
from emopy.models.fetch import KNOWN, Download, user_folder

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def offer(server, monkeypatch):
    """Puts a file on the server and into the table."""

    def put(content=CONTENT, *, sha256=None, status=200, announced=None, file="net.onnx"):
        length = len(content) if announced is None else announced
        server.pages["/net"] = (status, content, length)
        sha256 = sha256 or hashlib.sha256(content).hexdigest()
        monkeypatch.setitem(KNOWN, "net", Download(f"{server.address}/net", sha256, file, "MIT"))
        return user_folder() / file

    return put


def leftovers(path):
    return [item.name for item in path.parent.glob("*")] if path.parent.exists() else []


def test_a_file_is_fetched_whole_and_found_again(offer):
    path = offer()
    assert fetch("net") == path
    assert path.read_bytes() == CONTENT
    assert leftovers(path) == ["net.onnx"]
    assert fetched_path("net") == path


def test_an_existing_file_is_not_fetched_again(offer, server):
    offer()
    fetch("net")
    fetch("net")
    assert server.visits == ["/net"]


def test_a_damaged_file_is_reported_and_fetched_again(offer):
    path = offer()
    fetch("net")
    path.write_bytes(b"damaged")
    with pytest.raises(ModelError, match=r"damaged\. Type: emopy models fetch net"):
        fetched_path("net")
    fetch("net")
    assert fetched_path("net").read_bytes() == CONTENT


def test_a_mirror_and_a_folder_can_be_given(offer, server, tmp_path):
    offer()
    server.pages["/mirror"] = (200, CONTENT, len(CONTENT))
    path = fetch("net", url=f"{server.address}/mirror", folder=tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "net.onnx"
    assert server.visits == ["/mirror"]


def test_a_file_with_a_wrong_checksum_is_removed(offer):
    path = offer(sha256="0" * 64)
    with pytest.raises(ModelError, match=f"SHA-256 {'0' * 64}. Received {SHA256}"):
        fetch("net")
    assert leftovers(path) == []


def test_a_failed_download_leaves_the_older_file(offer):
    path = offer()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"older")
    offer(b"other", sha256=SHA256)
    with pytest.raises(ModelError, match="SHA-256"):
        fetch("net")
    assert path.read_bytes() == b"older"


def test_a_truncated_download_is_refused(offer):
    path = offer(CONTENT, announced=len(CONTENT) + 1000)
    with pytest.raises(ModelError, match=r"must be complete\. Received"):
        fetch("net")
    assert leftovers(path) == []


def test_a_missing_page_is_reported_with_its_status(offer):
    path = offer(b"gone", status=404)
    with pytest.raises(ModelError, match="HTTP 404 Not Found from http://127"):
        fetch("net")
    assert leftovers(path) == []


@pytest.mark.parametrize(
    "length", ["many", "-5", "1e3", "+9", "9" * 30, "9" * 5000, "", "\x1b[31m"]
)
def test_a_length_that_is_no_number_is_refused(offer, length):
    path = offer(announced=length)
    with pytest.raises(ModelError, match=r"must be complete\. Received the length") as caught:
        fetch("net")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
    assert leftovers(path) == []


@pytest.mark.parametrize(
    "target", ["ftp://127.0.0.1/net", "file:///etc/hostname", "FILE:/x", "data:,x", "gopher://x/y"]
)
def test_a_redirect_to_anything_but_http_is_refused(offer, server, target):
    offer(b"", status=302)
    server.location = target
    with pytest.raises(ModelError, match="a redirect to '" + target.split(":")[0]):
        fetch("net")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_http_is_followed(offer, server, status):
    offer()
    server.pages["/moved"] = (status, b"", 0)
    server.location = "/net"
    assert fetch("net", url=f"{server.address}/moved").read_bytes() == CONTENT
    assert server.visits == ["/moved", "/net"]


def test_redirects_in_a_circle_and_to_a_bad_address_are_reported(offer, server):
    offer(b"", status=302)
    server.location = "/net"
    with pytest.raises(ModelError, match="HTTP 302"):
        fetch("net")
    server.location = "http://[::1/net"
    with pytest.raises(ModelError, match="broken connection"):
        fetch("net")


@pytest.mark.parametrize("status", [404, 700])
def test_the_words_of_the_server_are_not_repeated(offer, server, status):
    offer(b"", status=status)
    server.phrase = "\x1b]0;renamed\x07" + "x" * 5000
    with pytest.raises(ModelError, match=f"HTTP {status}") as caught:
        fetch("net")
    assert str(caught.value).isprintable()
    assert "renamed" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [b"\x1b[31m" + b"x" * 500 + b"\r\n\r\n", b"HTTP/1.1 two hundred\r\n\r\n", b"\r\n", b""],
)
def test_an_answer_that_is_no_http_is_reported(offer, answer):
    offer()
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def respond():
            connection, _ = odd.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=respond)
        thread.start()
        with pytest.raises(ModelError, match="connection") as caught:
            fetch("net", url=f"http://127.0.0.1:{odd.getsockname()[1]}/net")
        thread.join()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_download_that_drips_is_ended(offer, monkeypatch):
    path = offer()
    module = sys.modules["emopy.models.fetch"]
    monkeypatch.setattr(module, "TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as slow:

        def drip():
            connection, _ = slow.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(1000):
                    connection.sendall(b"x")
                    time.sleep(0.02)

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises(ModelError, match="less than 1,000 bytes per second"):
            fetch("net", url=f"http://127.0.0.1:{slow.getsockname()[1]}/net")
        thread.join()
    assert leftovers(path) == []


def test_a_refused_connection_is_reported(offer):
    offer()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/net"
    with pytest.raises(ModelError, match=r"no connection .* Check the network"):
        fetch("net", url=closed)


def test_a_silent_server_times_out(offer, monkeypatch):
    offer()
    monkeypatch.setattr(sys.modules["emopy.models.fetch"], "TIMEOUT_S", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/net"
        with pytest.raises(ModelError, match="connection"):
            fetch("net", url=address)


def test_a_network_that_fails_during_the_download_is_not_taken_for_the_folder(offer, monkeypatch):
    def fails(_self, _size):
        raise OSError(errno.EHOSTUNREACH, "No route to host")

    path = offer()
    monkeypatch.setattr(http.client.HTTPResponse, "read1", fails)
    with pytest.raises(ModelError, match=r"a broken connection \(No route to host\)"):
        fetch("net")
    assert leftovers(path) == []


def test_without_a_home_directory_the_variable_is_named(monkeypatch):
    def fails(_self):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("EMOPY_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", fails)
    with pytest.raises(ModelError, match="Set EMOPY_HOME"):
        fetched_path("yunet")
    assert "emopy-base" in list_models()


def test_a_download_stops_at_the_largest_size(offer, monkeypatch):
    path = offer()
    monkeypatch.setattr(sys.modules["emopy.models.fetch"], "MAX_BYTES", 1000)
    with pytest.raises(ModelError, match="more than 1,000 bytes"):
        fetch("net")
    assert leftovers(path) == []


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://x/y", "net.onnx", "http:/x"])
def test_only_http_urls_are_accepted(offer, url):
    offer()
    with pytest.raises(InputError, match="must start with http:// or https://"):
        fetch("net", url=url)


def test_an_invalid_url_is_an_input_error(offer):
    offer()
    with pytest.raises(InputError, match="`url` must be an address"):
        fetch("net", url="http://[nowhere/net")


def test_a_folder_in_the_way_is_reported(offer):
    path = offer()
    path.mkdir(parents=True)
    with pytest.raises(ModelError, match="must be free for the download"):
        fetch("net")


def test_a_place_that_cannot_be_written_is_reported(offer, tmp_path):
    offer()
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="`folder` must be writable"):
        fetch("net", folder=tmp_path / "file" / "below")


def test_an_unknown_name_suggests_the_nearest_one():
    with pytest.raises(ModelNotFoundError, match="Did you mean 'yunet'"):
        fetch("yuent")
    with pytest.raises(ModelNotFoundError, match="Did you mean 'yunet'"):
        fetched_path("yuent")


def test_what_is_not_fetched_yet_says_what_to_type():
    with pytest.raises(ModelNotFoundError, match="Type: emopy models fetch yunet"):
        fetched_path("yunet")


def packed(folder, *names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.write(folder / name, name)
        archive.writestr("../outside.txt", "escaped")
    return stream.getvalue()


def test_a_packed_model_is_unpacked_and_found_by_its_name(offer, linear_model):
    offer(packed(linear_model, "card.json", "model.onnx", "golden.npz"), file="net.zip")
    folder = fetch("net")
    assert folder == user_folder() / "models" / "net"
    assert load_model("net").card.name == "linear"
    assert fetched_path("net") == fetch("net") == folder
    assert leftovers(folder) == ["net"]
    assert not (user_folder() / "outside.txt").exists()


@pytest.mark.parametrize("content", [b"no archive", None], ids=["not zip", "no card"])
def test_what_is_no_packed_model_is_refused(offer, linear_model, content):
    offer(content or packed(linear_model, "model.onnx"), file="net.zip")
    with pytest.raises(ModelError, match="packed model must"):
        fetch("net")
    assert leftovers(user_folder() / "models" / "net") == []


@pytest.mark.parametrize(
    "platform, variables, expected",
    [
        ("linux", {"EMOPY_HOME": "/here"}, "/here"),
        ("linux", {"XDG_CACHE_HOME": "/caches"}, "/caches/emopy"),
        ("linux", {}, "~/.cache/emopy"),
        ("darwin", {}, "~/Library/Caches/emopy"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/emopy"),
    ],
)
def test_files_go_where_the_platform_keeps_them(monkeypatch, platform, variables, expected):
    for name in ("EMOPY_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert user_folder() == Path(expected).expanduser()


def test_checksums_are_sha256_in_hexadecimal(tmp_path):
    (tmp_path / "file").write_bytes(CONTENT)
    assert sha256_of(tmp_path / "file") == SHA256
    assert all(len(known.sha256) == 64 for known in KNOWN.values())
