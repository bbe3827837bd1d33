import http.client
import threading
from urllib.parse import urlsplit

import pytest

from emopy import web_page_files
from emopy.errors import InputError
from emopy.live import WebPage, find_web_page, web_page

FILES = {
    "index.html": b"<!doctype html>",
    "main.js": b"export {};",
    "models/tiny/model.onnx": b"\x08\x07",
    "ort.wasm": b"\0asm",
    "private.txt": b"no part of the page",
}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
def ask(folder):
    """Send one request and return (status, headers, body)."""
    with WebPage(0, folder=folder) as page:

        def send(path="/emopy/", *, method="GET", **headers):
            place = urlsplit(page.address)
            line = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
            try:
                line.request(method, path, headers=headers)
                answer = line.getresponse()
                return answer.status, answer.headers, answer.read()
            finally:
                line.close()

        yield send


@pytest.mark.parametrize(
    "path, name, content_type",
    [
        ("/emopy/", "index.html", "text/html; charset=utf-8"),
        ("/emopy/index.html", "index.html", "text/html; charset=utf-8"),
        ("/emopy/main.js", "main.js", "text/javascript; charset=utf-8"),
        ("/emopy/main.js?version=2", "main.js", "text/javascript; charset=utf-8"),
        ("/emopy/models/tiny/model.onnx", "models/tiny/model.onnx", "application/octet-stream"),
        ("/emopy/ort.wasm", "ort.wasm", "application/wasm"),
    ],
)
def test_the_files_of_the_page_are_served_with_their_types(ask, path, name, content_type):
    status, headers, body = ask(path)
    assert (status, headers["Content-Type"], body) == (200, content_type, FILES[name])
    status, headers, body = ask(path, method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(len(FILES[name])), b"")


def test_every_response_forbids_connections_to_other_places(ask):
    for path in ("/emopy/", "/emopy/main.js", "/emopy/missing"):
        _, headers, _ = ask(path)
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "connect-src 'self';" in policy
        assert "http" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "microphone=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        *("/main.js", "/other/main.js", "/emopy/private.txt", "/emopy/models/", "/emopy/models"),
        *("/emopy/../main.js", "/emopy/..%2fmain.js", "/emopy//main.js", "/emopy/%00"),
    ],
)
def test_nothing_else_is_served(ask, path):
    assert ask(path)[0] == 404


@pytest.mark.parametrize("path", ["/", "/emopy"])
def test_the_address_without_the_folder_leads_to_the_page(ask, path):
    status, headers, _ = ask(path)
    assert (status, headers["Location"]) == (302, "/emopy/")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0"])
def test_other_host_names_are_refused(ask, host):
    assert ask(Host=host)[0] == 421


def test_other_methods_are_refused(ask):
    assert ask(method="POST")[0] == 501


def test_a_port_that_was_asked_for_must_be_free(folder):
    with WebPage(0, folder=folder) as first:
        port = urlsplit(first.address).port
        with pytest.raises(InputError, match=rf"`port` must be free.*Received {port}"):
            WebPage(port, folder=folder).__enter__()


def test_where_the_usual_port_is_in_use_another_one_is_taken(folder, monkeypatch):
    with WebPage(0, folder=folder) as first:
        port = urlsplit(first.address).port
        monkeypatch.setattr(web_page, "WEB_PORT", port)
        with WebPage(folder=folder) as second:
            assert urlsplit(second.address).port != port
    with WebPage(folder=folder) as usual:
        assert urlsplit(usual.address).port == port


def test_no_thread_remains(folder):
    before = set(threading.enumerate())
    with WebPage(0, folder=folder):
        assert set(threading.enumerate()) != before
    assert set(threading.enumerate()) == before


def test_the_page_is_found_in_the_package_before_the_clone(tmp_path, monkeypatch):
    folders = tmp_path / "package", tmp_path / "clone"
    monkeypatch.setattr(web_page_files, "_FOLDERS", folders)
    with pytest.raises(InputError, match=r"must be built.*make web && pip install \.$"):
        find_web_page()
    for folder in reversed(folders):
        folder.mkdir()
        (folder / "index.html").touch()
        assert find_web_page() == folder
