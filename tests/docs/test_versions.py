"""`emopy.__version__` is the one place of the version; other files repeat it."""

import importlib.util
import json
import re
from pathlib import Path

import emopy

ROOT = Path(__file__).parents[2]


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def npm_version(version):
    """As npm writes it: 1.0.0-rc.1 for 1.0.0rc1."""
    return re.sub(r"(\d)(a|b|rc)(\d+)$", r"\1-\2.\3", version)


def test_the_newest_entry_of_the_changelog_is_this_version():
    first = re.search(r"^## \[([^]]+)\]", text_of("CHANGELOG.md"), re.MULTILINE)
    assert first[1] == emopy.__version__


def test_the_citation_is_of_this_version():
    assert f"\nversion: {emopy.__version__}\n" in text_of("CITATION.cff")


def test_the_browser_package_has_this_version():
    assert npm_version("1.0.0rc1") == "1.0.0-rc.1"
    assert npm_version("1.2.0") == "1.2.0"
    lock = json.loads(text_of("web/package-lock.json"))
    expected = npm_version(emopy.__version__)
    assert json.loads(text_of("web/package.json"))["version"] == expected
    assert lock["version"] == lock["packages"][""]["version"] == expected


def test_the_kubernetes_manifest_runs_this_version():
    text = text_of("examples/serve/kubernetes.yaml")
    assert re.findall(r"image: \S+:(\S+)", text) == [emopy.__version__]


def test_the_package_takes_its_version_from_there():
    project = text_of("pyproject.toml")
    assert 'dynamic = ["version"]' in project
    assert '[tool.hatch.version]\npath = "src/emopy/__init__.py"' in project


def test_a_tag_that_is_not_the_version_stops_the_release():
    path = ROOT / "scripts" / "check_tag.py"
    spec = importlib.util.spec_from_file_location("check_tag", path)
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    assert check.fault(["older", "v1.0.0"], "1.0.0") is None
    assert check.fault(["v1.0.0rc1"], "1.0.0") == "The tag must be v1.0.0. Found: v1.0.0rc1."
    assert "none" in check.fault([], "1.0.0")
