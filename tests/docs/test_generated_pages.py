import importlib
import importlib.util
import re
import sys
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path

import pytest

from emopy.models import InputSpec, ModelCard
from emopy.models.card import _Metrics, card_from_json

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
    sys.path.insert(0, str(ROOT / "scripts"))  # as where the script is run
    spec.loader.exec_module(module)
    sys.path.remove(str(ROOT / "scripts"))
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


def test_the_page_of_paths_is_current():
    written = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    assert written == script("write_http").page(), "run: make docs"


def test_the_page_of_paths_has_every_path_parameter_status_and_field():
    module = script("write_http")
    page, paths = module.page(), module.description()["paths"]
    parts = dict(re.findall(r"^## (\S+ /\S+)\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE))
    assert set(parts) == {
        *(f"{m.upper()} {p}" for p, ms in paths.items() for m in ms),
        "WS /v1/live",
    }
    for path, operations in paths.items():
        for method, operation in operations.items():
            text = parts[f"{method.upper()} {path}"]
            names = [each["name"] for each in operation.get("parameters", [])]
            kinds = operation.get("requestBody", {"content": {}})["content"]
            answers = operation["responses"]["200"]["content"]
            statuses = [status for status in operation["responses"] if status != "200"]
            for word in (*names, *kinds, *answers):
                assert f"`{word}`" in text, (path, word)
            for word in statuses:
                assert word in text, (path, word)
                assert f"| {word} | " in page
    assert "| in each of `faces` | type | meaning |" in parts["POST /v1/predict"]
    assert "| `emotion` | string or null | " in parts["POST /v1/predict"]


def test_the_tables_of_accuracy_are_those_of_the_cards():
    for path, text in script("write_accuracy").pages().items():
        assert path.read_text(encoding="utf-8") == text, "run: make docs"


def test_the_pages_of_models_are_those_of_the_cards():
    for path, text in script("write_models").pages().items():
        assert path.read_text(encoding="utf-8") == text, "run: make docs"


def test_the_list_of_decisions_is_complete():
    written = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert written == script("write_decisions").page(), "run: make docs"


def test_the_page_of_the_card_names_every_key():
    text = (ROOT / "docs" / "model-card.md").read_text(encoding="utf-8")
    keys = [field.name for kind in (ModelCard, InputSpec) for field in fields(kind)]
    assert [key for key in [*keys, *_Metrics.__annotations__] if f"`{key}`" not in text] == []
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert card_from_json(example, "the example").labels == ("calm", "anger")


PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md", "web/README.md"]
PAGES += sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    missing = [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()]
    assert not missing
