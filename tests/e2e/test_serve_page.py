"""`GET /` of the service: the page that predicts in the browser; without it, the docs."""

import contextlib
import http.client
import re
import select
import subprocess
import sys

import pytest

from emopy import web_page_files
from emopy.serve.settings import digests
from emopy.web_page_files import CONTENT_TYPES
from tests.serving import is_problem, serving

FILES = {
    "index.html": b"<!doctype html><title>the page</title>",
    "main.js": b"export {};",
    "page.css": b"body { margin: 0 }",
    "icon.svg": b"<svg/>",
    "manifest.webmanifest": b"{}",
    "service_worker.js": b"self;",
    "samples/fear.png": b"\x89PNG",
    "models/tiny/card.json": b"{}",
    "models/tiny/model.onnx": b"\x08\x07",
    "ort.wasm": bytes(200_000),
}
NOT_OF_THE_PAGE = ("licenses/LICENSE.txt", "types/main.d.mts", "main.js.map")
SECONDS = 60


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service with a key, and a page of small files."""
    folder = tmp_path_factory.mktemp("built") / "page"
    for name, content in (FILES | dict.fromkeys(NOT_OF_THE_PAGE, b"private")).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder.parent / "secret.json").write_bytes(b"{}")
    with contextlib.ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:  # only while it starts: others look for theirs
            patch.setattr(web_page_files, "_FOLDERS", (folder,))
            running = stack.enter_context(serving(key_digests=digests(["0123456789abcdef"])))
        yield running


def test_the_files_of_these_tests_have_every_content_type():
    assert {f".{name.rpartition('.')[2]}" for name in FILES} == set(CONTENT_TYPES)


@pytest.mark.parametrize("path", ["", *FILES])
def test_each_file_of_the_page_is_served_without_a_key(service, path):
    name = path or "index.html"
    answer = service.http.get(f"/{path}")
    assert (answer.status_code, answer.content) == (200, FILES[name])
    assert answer.headers["content-type"] == CONTENT_TYPES[f".{name.rpartition('.')[2]}"]
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "connect-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "microphone=()" in answer.headers["permissions-policy"]
    head = service.http.head(f"/{path}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(FILES[name]))


def test_a_file_that_the_browser_has_is_not_sent_again(service):
    known = service.http.get("/ort.wasm").headers["etag"]
    answer = service.http.get("/ort.wasm", headers={"If-None-Match": known})
    assert (answer.status_code, answer.content) == (304, b"")
    other = service.http.get("/ort.wasm", headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, FILES["ort.wasm"])


def test_the_other_paths_stay_as_they_are(service):
    docs = service.http.get("/docs")
    assert (docs.status_code, "SwaggerUI" in service.http.get("/docs/start.js").text) == (200, True)
    assert "wasm" not in docs.headers["content-security-policy"]
    paths = service.http.get("/openapi.json").json()["paths"]
    assert not {"/", "/main.js"} & set(paths)
    is_problem(service.http.get("/v1/models"), 401)
    is_problem(service.http.post("/v1/predict"), 401)
    is_problem(service.http.post("/"), 405)


@pytest.mark.parametrize(
    "target",
    [
        *(f"/{name}" for name in NOT_OF_THE_PAGE),
        *("/models", "/models/", "/samples/../samples/fear.png", "//main.js", "/main.js/"),
        *("/../secret.json", "/%2e%2e/secret.json", "/samples/..%2f..%2fsecret.json"),
        *("/..\\secret.json", "/main.js%00", "/MAIN.JS", "/docs/main.js"),
    ],
)
def test_no_path_leads_to_another_file(service, target):
    line = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    with contextlib.closing(line):
        line.request("GET", target, headers={"X-API-Key": "0123456789abcdef"})
        answer = line.getresponse()
        assert answer.status == 404
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_where_the_page_is_not_built_the_root_leads_to_the_docs(tmp_path, monkeypatch):
    monkeypatch.setattr(web_page_files, "_FOLDERS", (tmp_path,))
    with serving() as service:
        answer = service.http.get("/")
        assert (answer.status_code, answer.headers["location"]) == (307, "docs")
        assert service.http.get("/", follow_redirects=True).url.path == "/docs"
        is_problem(service.http.get("/main.js"), 404)


@contextlib.contextmanager
def command():
    """`emopy serve` in a process of its own; gives its address."""
    words = (sys.executable, "-m", "emopy", "serve", "--port", "0", "--model", "emopy-tiny")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as started:
        try:
            assert select.select([started.stderr], [], [], SECONDS)[0], "nothing was said"
            yield re.search(r"http://\S+:\d+", started.stderr.readline()).group()
        finally:
            started.terminate()
            started.communicate(timeout=SECONDS)


@pytest.mark.usefixtures("built_page")
def test_a_browser_predicts_on_the_page_of_the_service_and_sends_nothing(browser_program):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    requests, complaints = [], []
    with command() as address, playwright.sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-gpu"]
        with driver.chromium.launch(executable_path=browser_program, args=options) as browser:
            tab = browser.new_context().new_page()
            tab.set_default_timeout(1000 * SECONDS)
            tab.context.on("request", lambda made: requests.append(made))  # noqa: PLW0108
            tab.on("pageerror", lambda error: complaints.append(str(error)))
            tab.on("console", lambda said: complaints.append(said.text))
            tab.goto(f"{address}/")
            tab.wait_for_selector("body[data-model=ready]")
            tab.get_by_role("button", name="Sample: happiness", exact=True).click()
            tab.wait_for_selector("#faces .name")
            assert tab.inner_text("#faces .name") == "happiness"
            workers = tab.evaluate("navigator.serviceWorker.getRegistrations().then(r => r.length)")
    assert complaints == []
    assert workers == 0  # another program may use the port later
    assert len(requests) > 10
    for request in requests:
        assert (request.method, request.post_data) == ("GET", None)
        assert request.url.startswith((f"{address}/", f"blob:{address}/"))
        assert not request.url.startswith(f"{address}/v1/")
