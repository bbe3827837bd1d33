"""Every command and every example of the README and of the guide runs as it stands there.

They run in the order of the page, in a folder that holds what the page speaks of: the sample
faces, clips and table, and a real photograph. Only the epochs and filters are fewer.
"""

import os
import re
import shlex
import shutil
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from emopy.cli.main import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "your-own-model.md").read_text(encoding="utf-8")
VIDEO = (ROOT / "docs" / "video.md").read_text(encoding="utf-8")
RESULTS = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
EXPLANATIONS = (ROOT / "docs" / "explanations.md").read_text(encoding="utf-8")
CALIBRATION = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")
SCHEMA = (ROOT / "docs" / "schema.md").read_text(encoding="utf-8")
START = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
MOVING = ROOT / "docs" / "moving"
TRAINING = "## Train your own model"
FEWER_EPOCHS = ["--set", "fit.epochs=1", "--set", "fit.patience=0"]


def section(page: str, heading: str) -> str:
    """The text under a heading, as far as the next."""
    return re.split(r"^## ", page.split(f"{heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and content of each marked block, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(block: str) -> list[list[str]]:
    lines = block.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("emopy ")]


def run(text: str, names: dict | None = None) -> dict:
    """Run all blocks of a text, with common Python names."""
    names = {} if names is None else names
    for language, block in blocks(text):
        if language == "python":
            quick = re.sub(r"epochs=\d+", "epochs=1", block)
            exec(compile(quick, "page", "exec"), names)
        for words in commands(block) if language == "sh" else ():
            extra = FEWER_EPOCHS if words[0] == "train" else []
            if words[:2] in (["train", "time-delay"], ["train", "convolutional-dropout"]):
                extra = [*extra, "--set", "net.settings.filters=8"]
            assert main([*words, *extra]) == 0, words
    return names


@pytest.fixture
def visited(sample_files, tmp_path, monkeypatch, astronaut):
    """A folder with the files that the pages speak of."""
    for name in ("group.jpg", "photos/happiness/one.jpg", "photos/happiness/more/two.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), astronaut[:, :, ::-1])
    shutil.copytree(sample_files / "stills" / "train", tmp_path / "faces")
    shutil.copytree(sample_files / "clips" / "train", tmp_path / "clips", copy_function=os.link)
    shutil.copy(sample_files / "stills.csv", tmp_path / "faces.csv")
    images = "src/emopy/samples/images"  # the README uses an image of the clone
    shutil.copytree(ROOT / images, tmp_path / images)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_pages_have_commands_and_examples():
    for page in (README, GUIDE, VIDEO):
        found = blocks(page)
        assert sum(len(commands(block)) for language, block in found if language == "sh") >= 5
        assert sum(language == "python" for language, _ in found) >= 2
        assert {language for language, _ in found} == {"sh", "python"}


def test_the_readme_predicts(visited, capsys):
    names = run(README.split(TRAINING)[0])
    output = capsys.readouterr().out
    assert "happiness" in output
    assert "missing.jpg" in output
    assert (visited / "annotated" / "one.png").is_file()
    table = (visited / "results.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 3
    assert [face.emotion for face in names["result"].faces] == ["happiness"]
    assert names["table"]["error"].isna().tolist() == [True, False]
    for made in ("timeline.csv", "annotated.mp4", "timeline.png"):
        assert (visited / made).is_file(), made


def test_the_video_page_gives_what_it_shows(visited, capsys):
    names = run(VIDEO)
    assert "happiness" in capsys.readouterr().out
    for made in ("excerpt.jsonl", "tables/scene.parquet", "plots/annotated.png", "mine.mp4"):
        assert (visited / made).is_file(), made
    assert names["seconds"].loc[1, "happiness"] == pytest.approx(2.6, abs=0.5)


def test_the_results_page_lists_the_columns_in_order(visited, sample_files):
    shutil.copytree(sample_files, visited / "samples", copy_function=os.link)
    shutil.copy(visited / "group.jpg", visited / "photos")
    names = run(RESULTS)
    first = re.findall(r"^\| ([^|]+) \|", section(SCHEMA, "## Columns"), re.MULTILINE)[1:]
    listed = ", ".join(first).replace("*one column per emotion*", ", ".join(names["model"].labels))
    assert listed.split(", ") == list(names["photos"].columns) == list(names["video"].columns)


def test_the_start_page_predicts(visited, capsys):
    run(START)
    assert capsys.readouterr().out.count("happiness") >= 2


def test_the_webcam_page_runs_without_a_camera(visited, sample_files, capsys):
    shutil.copytree(sample_files, visited / "samples", copy_function=os.link)
    run((ROOT / "docs" / "webcam.md").read_text(encoding="utf-8").split("## In Python")[1])
    assert "neutral" in capsys.readouterr().out


def test_the_page_of_limits_evaluates(visited, capsys):
    run((ROOT / "docs" / "limits.md").read_text(encoding="utf-8"))
    assert "accuracy" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["emopy-base", "emopy-tiny"])
def test_the_page_of_a_model_predicts(visited, capsys, name):
    run((ROOT / "docs" / "models" / f"{name}.md").read_text(encoding="utf-8"))
    assert capsys.readouterr().out == "['happiness']\n"


@pytest.mark.parametrize("name", ["deepface", "emopy", "fer", "py-feat"])
def test_a_page_for_users_of_another_package_predicts(visited, sample_files, name):
    """Blocks marked `py` are code of the other package."""
    shutil.copytree(sample_files, visited / "samples", copy_function=os.link)
    page = (MOVING / f"{name}.md").read_text(encoding="utf-8")
    names = run(page.split("## Train")[0])
    assert "FERModel" in names


def test_the_page_for_users_of_fer_gives_what_fer_gives(visited, sample_files):
    shutil.copytree(sample_files, visited / "samples", copy_function=os.link)
    names = run((MOVING / "fer.md").read_text(encoding="utf-8"))
    assert names["emotion"] == "happiness"
    assert {"track", "time_s", "anger"} <= set(names["table"].columns)


def test_the_calibration_page_runs(visited, capsys):
    run(CALIBRATION)
    assert "happiness" in capsys.readouterr().out


def test_the_explanations_page_gives_what_it_shows(visited):
    names = run(EXPLANATIONS.split("## What the numbers mean")[0])
    assert np.shape(names["explanation"].map) == (48, 48)
    for made in ("explained/happiness.png", "maps.json", "explained.png"):
        assert (visited / made).is_file(), made


if find_spec("keras"):

    def test_the_page_for_users_of_the_original_trains(visited, capsys):
        run((MOVING / "emopy.md").read_text(encoding="utf-8").split("## Train")[1])
        assert "accuracy" in capsys.readouterr().out

    def test_the_readme_trains_a_model_that_predicts(visited, capsys):
        run(section(README, TRAINING))
        assert "accuracy" in capsys.readouterr().out
        assert (visited / "report.html").is_file()
        for model in ("mine", "runs/mine/model"):
            assert main(["predict", "group.jpg", "--model", model]) == 0

    def test_the_guide_leads_from_a_folder_to_a_model(visited, capsys):
        run(GUIDE)
        output = capsys.readouterr()
        assert (visited / "faces" / "happiness" / "one-0.png").is_file()
        for made in ("sheet.png", "runs/mine/curves.png", "report.html", "my-model/card.json"):
            assert (visited / made).is_file(), made
        assert "the temperature is imprecise" in output.err
        assert "Dataset(448 faces 48 × 48 × 1, 7 labels)" in output.out
        accuracies = [float(value) for value in re.findall(r"accuracy +(\d+\.\d+)%", output.out)]
        assert len(accuracies) >= 4
        assert accuracies[-1] > 40  # HOG and LBP need no epochs
