"""`emopy web` from end to end, without a browser."""

import os
import re
import select
import signal
import subprocess
import sys
import urllib.request

import click
import pytest

from emopy import web_page_files
from emopy.cli.main import main
from emopy.live import web_page


@pytest.fixture
def built(tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("the page", encoding="utf-8")
    monkeypatch.setattr(web_page_files, "_FOLDERS", (tmp_path,))
    return tmp_path


def test_the_page_is_opened_and_served_until_ctrl_c(built, monkeypatch, capsys):
    opened = []

    def browse(address):
        with urllib.request.urlopen(address, timeout=10) as answer:
            opened.append(answer.read())
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(click, "launch", browse)
    assert main(["web", "--port", "0"]) == 0
    assert opened == [b"the page"]
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"emopy: open http://127\.0\.0\.1:\d+/emopy/ in a browser .*\n", err)


def test_no_browser_is_opened_where_none_is_wanted(built):
    code = (
        "import sys; from pathlib import Path; from emopy import web_page_files; "
        f"web_page_files._FOLDERS = (Path({str(built)!r}),); "
        "import click; click.launch = None; from emopy.cli.main import main; "
        "sys.exit(main(['web', '--port', '0', '--no-browser']))"
    )
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as started:
        try:
            assert select.select([started.stderr], [], [], 30)[0]
            address = re.search(r"http://\S+/", started.stderr.readline()).group()
            with urllib.request.urlopen(address, timeout=10) as answer:
                assert answer.read() == b"the page"
            started.terminate()
            assert started.wait(30) == 0
        finally:
            started.kill()


def test_without_a_build_it_says_what_to_type(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(web_page_files, "_FOLDERS", (tmp_path,))
    assert main(["web"]) == 2
    advice = "Type in the folder of a clone: make web && pip install .\n"
    assert capsys.readouterr().err.endswith(advice)


def test_a_port_in_use_is_named_as_the_option(built, capsys):
    with web_page.WebPage(0) as page:
        port = page.address.split(":")[2].split("/")[0]
        assert main(["web", "--port", port]) == 2
    assert f"emopy: `--port` must be free to listen on. Received {port}" in capsys.readouterr().err
