import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

from emopy.cli import doctor
from emopy.cli.doctor import CORE, EXTRAS, OTHER_NAMES, print_extras

PROJECT = Path(__file__).parents[3] / "pyproject.toml"


@pytest.mark.parametrize("extra", ["video", "tables", "serve", "client", "ray", "train"])
def test_every_package_of_an_extra_is_looked_for(extra):
    declared = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    extras = declared["optional-dependencies"]
    wanted = {line.split(">=")[0] for line in extras[extra]}
    if "emopy[tables]" in wanted:
        wanted = (wanted - {"emopy[tables]"}) | {line.split(">=")[0] for line in extras["tables"]}
    wanted -= set(chain(*OTHER_NAMES.values()))  # which one depends on the machine
    assert set(EXTRAS[extra]) == wanted


def test_every_package_of_the_core_is_looked_for():
    declared = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    needed = {re.split("[=>]", line)[0] for line in declared["dependencies"]}
    assert {"emopy", *needed} == {*CORE, "onnxruntime"}  # which has other names, too


@pytest.fixture
def install(monkeypatch):
    """install(other, prefix): of the packages with a prefix only one is installed, or none."""

    def install(other, prefix):
        def version(package):
            if package.startswith(prefix) and package != other:
                raise doctor.PackageNotFoundError
            return "1"

        monkeypatch.setattr(doctor, "version", version)

    return install


@pytest.mark.parametrize("other", ["tensorflow-cpu", None])
def test_training_needs_one_of_two_packages_with_tensorflow(other, install, capsys):
    install(other, "tensorflow")
    print_extras()
    said = capsys.readouterr().out
    expected = "installed" if other else "without tensorflow; to install: pip install"
    assert f"extra train  {expected}" in said


@pytest.mark.parametrize("other", ["opencv-python", "opencv-contrib-python"])
def test_opencv_with_windows_is_no_fault(other, install, capsys):
    install(other, "opencv")
    doctor.check_packages()
    assert "missing" not in capsys.readouterr().out


def test_an_extra_that_is_not_there_comes_with_what_to_type(monkeypatch, capsys):
    monkeypatch.setitem(EXTRAS, "video", ("av", "no-such-package"))
    print_extras()
    said = capsys.readouterr().out
    assert "extra video  without no-such-package; to install: pip install 'emopy[video]'" in said
