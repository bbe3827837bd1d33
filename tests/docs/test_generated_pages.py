import importlib.util
from pathlib import Path

import pytest

from emopy.models import DEFAULT_MODEL, load_model

ROOT = Path(__file__).parents[2]


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_commands_is_current():
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == script("write_cli_help").page(), "type: make docs"


def test_the_accuracy_in_the_readme_is_that_of_the_card():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    current = script("write_accuracy").with_table(text, load_model(DEFAULT_MODEL).card)
    assert text == current, "type: make docs"


PAGES = ["README.md", "CONTRIBUTING.md", "examples/README.md"]
PAGES += sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_somewhere(page):
    import re

    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    missing = [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()]
    assert not missing
