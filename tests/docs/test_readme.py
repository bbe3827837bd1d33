"""The examples of the README run as they stand, on a real photograph."""

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from emopy.cli.main import main
from emopy.labels import STANDARD_EMOTIONS

README = Path(__file__).parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def shell_lines() -> list[str]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("emopy ")]


@pytest.fixture
def visited(tmp_path, monkeypatch, astronaut):
    """A folder with the files that the README speaks of."""
    (tmp_path / "photos" / "more").mkdir(parents=True)
    for name in ("group.jpg", "photos/one.jpg", "photos/more/two.jpg"):
        cv2.imwrite(str(tmp_path / name), astronaut[:, :, ::-1])
    rng = np.random.default_rng(0)
    for label in STANDARD_EMOTIONS:
        (tmp_path / "faces" / label).mkdir(parents=True)
        for number in range(12):
            face = rng.integers(0, 256, (48, 48), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / "faces" / label / f"{number}.png"), face)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_readme_has_commands():
    assert len(shell_lines()) >= 3


def test_the_commands_of_the_readme_run(visited, capsys):
    for line in shell_lines():
        assert main(shlex.split(line)[1:]) == 0, line
    assert "happiness" in capsys.readouterr().out
    assert (visited / "drawn" / "group.png").is_file()
    assert len((visited / "faces.csv").read_text(encoding="utf-8").splitlines()) == 3


def test_the_prediction_example_of_the_readme_runs(visited, capsys):
    names = {}
    exec(compile(blocks("python")[0], "README.md", "exec"), names)
    talk = capsys.readouterr().out
    assert "happiness" in talk
    assert "missing.jpg" in talk
    assert [face.emotion for face in names["model"].predict("group.jpg").faces] == ["happiness"]


if find_spec("keras"):

    def test_the_training_example_of_the_readme_runs(visited, capsys):
        example = blocks("python")[1]
        assert "epochs=20" in example
        exec(compile(example.replace("epochs=20", "epochs=1"), "README.md", "exec"), {})
        assert "accuracy" in capsys.readouterr().out
        assert main(["predict", "group.jpg", "--model", "my-model"]) == 0
