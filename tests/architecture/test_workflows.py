"""Workflows run only targets of the Makefile, which run on any machine."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
INSTALLS = "sudo apt-get "


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_each_step_is_an_action_or_a_target(path):
    lines = re.findall(r"^ +(?:- )?run: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    steps = [line for line in lines if not line.startswith(INSTALLS)]
    assert steps
    for step in steps:
        target = re.fullmatch(r"(?:sudo )?make ([a-z-]+)(?: PYTHON=python)?", step)
        assert target, step
        assert target[1] in TARGETS


def test_there_are_workflows():
    assert {path.stem for path in WORKFLOWS} >= {"release", "site", "test", "weekly"}
