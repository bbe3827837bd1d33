import importlib
import importlib.util
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEED_KERAS = {"emopy.nets", "emopy.train"}
ROOMS = [
    "emopy",
    *(f"emopy.{room}" for room in ("media", "faces", "models", "pipeline", "video", "present")),
    *(f"emopy.{room}" for room in ("explain", "live", "data", "samples", "nets", "train")),
    *(f"emopy.{room}" for room in ("evaluate", "testing")),
]
HERE = [name for name in ROOMS if name not in NEED_KERAS or find_spec("keras")]


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_commands_is_current():
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == script("write_cli_help").page(), "run: make docs"


def test_the_page_of_names_is_current():
    written = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert written == script("write_api").page(), "run: make docs"


def test_the_page_of_names_has_every_public_name_with_a_word_about_it():
    page = script("write_api").page()
    rooms = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE))
    assert (
        "| [`read_image(source, *, max_pixels, color)`](../src/emopy/media/images.py) | Read a"
        in page
    )
    for name in HERE:
        room = importlib.import_module(name)
        rows = dict(re.findall(r"^\| \[`(\w+).*?\) \| (.*) \|$", rooms[name], re.MULTILINE))
        assert set(rows) == {entry for entry in room.__all__ if entry != "__version__"}
        assert all(rows.values())


def test_the_tables_of_accuracy_are_those_of_the_cards():
    for path, text in script("write_accuracy").pages().items():
        assert path.read_text(encoding="utf-8") == text, "run: make docs"


PAGES = ["README.md", "CONTRIBUTING.md", "examples/README.md"]
PAGES += sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    missing = [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()]
    assert not missing
