"""A real browser without a window, controlled through a pipe; commands that Ctrl-C stops."""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from contextlib import suppress

import pytest

from emopy.cli.main import main
from emopy.errors import InputError
from emopy.faces import detectors
from emopy.faces.detectors import FullImage
from emopy.web_page_files import find_web_page

SECONDS = 120
"""Seconds within which a tab must finish a command."""

OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--no-proxy-server", "--disable-background-networking", "--mute-audio"),
    *("--disable-component-update", "--disable-sync", "--remote-debugging-pipe"),
)
# The browser reads commands from descriptor 3 and answers on 4; Python cannot pass just those.
START = "import os, sys; a, b = int(sys.argv[1]), int(sys.argv[2]); " + (
    "os.dup2(a, 13); os.dup2(b, 14); os.dup2(13, 3); os.dup2(14, 4); "
    "os.close(13); os.close(14); os.execv(sys.argv[3], sys.argv[3:])"
)


class PageReplacedError(Exception):
    """The page went to another address before it answered."""


class Tab:
    """One open page.

    Source: Chrome DevTools Protocol, https://chromedevtools.github.io/devtools-protocol/
    """

    def __init__(self, out, back):
        self._out, self._back = out, back
        self._deadline = time.monotonic() + SECONDS
        self._number, self._read, self._session = 0, b"", None
        self.heard = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for part in ("Page", "Runtime", "Log"):
            self.send(f"{part}.enable")

    @property
    def complaints(self):
        """What the browser found wrong with the page so far."""
        kinds = ("Log.entryAdded", "Runtime.exceptionThrown")
        return [event["params"] for event in self.heard if event["method"] in kinds]

    def send(self, method, **parameters):
        """Give a command and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if "method" in answer:
                self.heard.append(answer)
            elif answer["id"] == self._number:
                if "navigated" in answer.get("error", {}).get("message", ""):
                    raise PageReplacedError(answer)
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, address):
        """Go to an address."""
        self.send("Page.navigate", url=address)

    def ask(self, expression):
        """The value of an expression in the page; a promise is waited for."""
        answer = self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression):
        """Wait until an expression is true, and return its value; the page may change."""
        look = (
            "new Promise(resolve => { const end = performance.now() + 1000; const look = () => "
            f"{{ const value = ({expression}); if (value || performance.now() > end) "
            "resolve(value); else setTimeout(look, 20); }; look(); })"
        )
        while True:
            with suppress(PageReplacedError):
                if value := self.ask(look):
                    return value
            assert time.monotonic() < self._deadline, f"never true: {expression}"

    def _next(self):
        while b"\0" not in self._read:
            left_s = self._deadline - time.monotonic()
            assert left_s > 0, "the browser took too long"
            assert select.select([self._back], [], [], left_s)[0], "the browser took too long"
            data = os.read(self._back, 1 << 16)
            assert data, "the browser is gone"
            self._read += data
        message, self._read = self._read.split(b"\0", 1)
        return json.loads(message)


@pytest.fixture(scope="session")
def built_page():
    """The folder of the page that predicts in the browser."""
    try:
        return find_web_page()
    except InputError:
        pytest.skip("the page is not built: type make web")


@pytest.fixture
def tab(browser_program):
    """An empty tab of a browser with a new profile; what was started is ended."""
    commands, out = os.pipe()
    back, answers = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        started = subprocess.Popen(
            [
                *(sys.executable, "-c", START, str(commands), str(answers)),
                *(browser_program, *OPTIONS, f"--user-data-dir={profile}"),
            ],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": profile},
        )
        os.close(commands)
        os.close(answers)
        try:
            yield Tab(out, back)
        finally:
            os.close(out)  # the browser ends when its pipe does
            os.close(back)
            try:
                started.wait(10)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


@pytest.fixture
def stoppable(linear_model, tmp_path, monkeypatch):
    """stoppable("video", source, *words, stop=5): run in a new folder; Ctrl-C after 5 images."""
    left = {"images": None}  # None for never

    class Stops(FullImage):
        """Presses Ctrl-C."""

        def __call__(self, image):
            if left["images"] is not None:
                left["images"] -= 1
                if left["images"] < 0:
                    raise KeyboardInterrupt
            return super().__call__(image)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(detectors._factories, "stops", Stops)

    def run(verb, source, *words, stop=None):
        left["images"] = stop
        words = map(str, (source, "--model", linear_model, "--detector", "stops", *words))
        try:
            return main([verb, *words])
        finally:
            left["images"] = None

    return run
