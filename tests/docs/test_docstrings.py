import doctest
import importlib
from importlib.util import find_spec
from pathlib import Path

import pytest

import emopy

ROOT = Path(emopy.__file__).parent
OLD_NAMES = ROOT / "legacy"  # importing them warns; their own tests expect that
FILES = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if path.name != "__main__.py" and OLD_NAMES not in path.parents
]
NEED_KERAS = {"nets", "train"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = [
    module_name(path)
    for path in FILES
    if find_spec("keras") or not NEED_KERAS & set(path.relative_to(ROOT).parts)
]


@pytest.mark.parametrize("name", NAMES)
def test_examples_in_docstrings_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0


def test_some_docstrings_hold_examples():
    finder = doctest.DocTestFinder()
    found = [test for name in NAMES for test in finder.find(importlib.import_module(name))]
    assert sum(bool(test.examples) for test in found) >= 5
