import importlib.util
import json
import re
from email.message import Message
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")


def script():
    spec = importlib.util.spec_from_file_location(
        "write_licenses", ROOT / "scripts/write_licenses.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(title):
    """Cells of the first column and of the second, under a heading."""
    table = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| ([\w.@/-]+) \| ([^|]*) \|", table, re.MULTILINE)[2:])


def test_every_dependency_has_a_reason_and_a_row():
    module = script()
    groups = module.direct()
    assert {name for names in groups.values() for name in names} == set(module.WHY)
    for group, names in groups.items():
        if names:
            title = "Core" if group == "core" else f"Extra `{group}`"
            assert rows(title) == {name: module.WHY[name] for name in names}, "run the script"


def test_what_they_need_is_listed_with_licenses():
    needed = rows("What these need")
    assert {"flatbuffers", "protobuf", "starlette"} <= set(needed)
    assert not re.search(
        r"\| *(?:UNKNOWN|–) *\|$", PAGE.split("## What these need")[1], re.MULTILINE
    )


def test_the_npm_packages_that_are_asked_for_have_a_row():
    package = json.loads((ROOT / "web" / "package.json").read_text(encoding="utf-8"))
    listed = rows("npm packages")
    asked = {name for name, mark in listed.items() if mark == "yes"}
    assert asked == set(package["devDependencies"]), "run: python scripts/write_licenses.py"


def test_a_package_without_a_stated_license_is_not_passed_over():
    package = SimpleNamespace(metadata=Message())
    package.metadata["Name"] = "strange"
    with pytest.raises(SystemExit, match="strange states no license"):
        script().license_of(package)
    package.metadata["License"] = "MIT"
    assert script().license_of(package) == "MIT"
