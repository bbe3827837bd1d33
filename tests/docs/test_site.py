"""The site is built from docs/ without a broken link, and loads nothing from elsewhere."""

import importlib
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

if find_spec("mkdocs") is None:
    pytest.skip("the site needs the extra docs", allow_module_level=True)

LOADED = re.compile(r"<(?:script|img|iframe|source|video)\b[^>]*\bsrc=[\"']?(?:https?:)?//[^>]*>")
STYLED = re.compile(r"<link\b[^>]*\bhref=[\"']?(?:https?:)?//[^>]*>")
MAIN_TASKS = 10


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture
def hooks(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("site_pages")


def text_of(path):
    return path.read_text(encoding="utf-8")


def test_pages_load_nothing_from_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 50
    for page in pages:
        assert [*LOADED.findall(text_of(page)), *STYLED.findall(text_of(page))] == [], page


def test_the_search_is_in_the_site(site):
    assert "temperature" in text_of(site / "search" / "search_index.js")


def test_the_start_page_leads_to_every_task(site):
    table = re.search(r"What do you want to do.*?</table>", text_of(site / "index.html"), re.DOTALL)
    links = set(re.findall(r'<a href="([\w/-]+\.html)"', table[0]))
    assert len(links) >= MAIN_TASKS
    assert all((site / link).is_file() for link in links)


def test_the_reference_has_every_public_name(site, hooks):
    for room in hooks.write_api.ROOMS:
        page = site / hooks.reference_place(room).replace(".md", ".html")
        anchors = set(re.findall(r'id="([\w.]+)"', text_of(page)))
        names = hooks.write_api.public_names(room)
        assert {hooks.reference_path(room, name) for name in names} <= anchors


def test_examples_of_docstrings_are_code(site):
    page = text_of(site / "reference" / "labels.html")
    assert "&gt;&gt;&gt;" in page
    assert "&lt;" not in re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL)


def test_the_page_in_the_browser_is_in_the_site_where_it_was_built(site):
    built = (ROOT / "web" / "dist" / "index.html").is_file()
    assert (site / "try" / "index.html").is_file() == built
    assert ('href="try/index.html"' in text_of(site / "index.html")) == built


@pytest.mark.parametrize(
    ("target", "source", "place", "expected"),
    [
        ("images.md", "docs/video.md", "video.md", "images.md"),
        ("../README.md", "docs/limits.md", "limits.md", "README.md"),
        ("../CHANGELOG.md", "docs/limits.md", "limits.md", "changelog.md"),
        ("docs/decisions", "CONTRIBUTING.md", "contributing.md", "decisions/README.md"),
        ("../docs/data.md", "examples/README.md", "examples/README.md", "../data.md"),
        ("../../CHANGELOG.md", "docs/models/README.md", "models/README.md", "../changelog.md"),
    ],
)
def test_links_lead_to_the_places_of_the_site(hooks, target, source, place, expected):
    assert hooks.moved(target, source, place) == expected


def test_options_in_code_are_marked_so_that_they_are_not_broken(hooks):
    html = "<p>well-known <code>emopy webcam --min-confidence 0.6</code> <code>a-b -h</code></p>"
    marked = hooks.on_page_content(html)
    assert re.findall(r'<span class="option">(.*?)</span>', marked) == ["--min-confidence", "-h"]
    assert re.sub(r"</?span[^>]*>", "", marked) == html


def test_plain_code_in_a_docstring_becomes_a_block(hooks):
    text = "Show.\n\nExample::\n\n    with page:\n        wait()\n\nArgs:\n    x: y"
    code = "Examples:\n    ```python\n    with page:\n        wait()\n    ```"
    expected = f"Show.\n\n{code}\n\nArgs:\n    x: y"
    assert hooks.site_docstrings.rewritten(text) == expected
