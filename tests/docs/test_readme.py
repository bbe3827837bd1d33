"""Every command and every example of the README and of the guide runs as it stands there.

They run in the order of the page, in a folder that holds what the page speaks of: the sample
faces, clips and table, and a real photograph. Only the epochs and filters are fewer.
"""

import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from emopy.cli.main import main
from emopy.labels import FER2013_LABELS
from emopy.samples import sample_stills
from tests.docs import pages
from tests.docs.pages import ROOT, blocks, commands, run, section, text_of

README = text_of("README.md")
GUIDE = text_of("docs/your-own-model.md")
VIDEO = text_of("docs/video.md")
RESULTS = text_of("docs/results.md")
EXPLANATIONS = text_of("docs/explanations.md")
CALIBRATION = text_of("docs/calibration.md")
SCHEMA = text_of("docs/schema.md")
START = text_of("docs/README.md")
TRAINING = "## Train your own model"


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
    run(text_of("docs/webcam.md"))
    assert "neutral" in capsys.readouterr().out


def test_the_page_of_limits_evaluates(visited, capsys):
    run(text_of("docs/limits.md"))
    assert "accuracy" in capsys.readouterr().out


def test_the_page_of_images_predicts(visited, capsys):
    names = run(text_of("docs/images.md"))
    assert capsys.readouterr().out.count("happiness 100") == 2
    assert [len(each.faces) for each in (names["result"], *names["results"])] == [2, 1, 0]


def test_the_page_of_long_runs_writes_its_tables(visited, sample_files):
    (visited / "faces.csv").unlink()  # the page writes one of its own
    (visited / "recordings").mkdir()
    shutil.copy(sample_files / "scene.avi", visited / "recordings")
    run(text_of("docs/long-runs.md"))
    assert len((visited / "faces.csv").read_text(encoding="utf-8").splitlines()) == 3
    assert (visited / "episodes.csv").is_file()


def test_the_page_of_platforms_runs_on_the_cpu(visited, capsys):
    assert run(text_of("docs/platforms.md"))["model"]
    assert "happiness" in capsys.readouterr().out


def test_the_page_of_batches_gives_one_row_per_face(visited):
    local, in_python, rest = re.split(
        r"^(?=In Python:|## Buckets)", text_of("docs/batch.md"), flags=re.MULTILINE
    )
    names = run(local)
    assert len(names["faces"]) == 2
    (visited / "faces.parquet").unlink()
    shutil.rmtree(visited / "results")  # other options would be refused there
    assert run(in_python)["status"].faces == 2
    assert run(rest)["faces"]["emotion"].tolist()[0] == "happiness"


@pytest.mark.parametrize("name", ["emopy-base", "emopy-tiny"])
def test_the_page_of_a_model_predicts(visited, capsys, name):
    run(text_of(f"docs/models/{name}.md"))
    assert capsys.readouterr().out == "['happiness']\n"


@pytest.mark.parametrize("name", ["deepface", "emopy", "fer", "py-feat"])
def test_a_page_for_users_of_another_package_predicts(visited, sample_files, name):
    """Blocks marked `py` are code of the other package."""
    shutil.copytree(sample_files, visited / "samples", copy_function=os.link)
    page = text_of(f"docs/moving/{name}.md")
    names = run(page.split("## Train")[0])
    assert "FERModel" in names


def test_the_page_for_users_of_fer_gives_what_fer_gives(visited, sample_files):
    shutil.copytree(sample_files, visited / "samples", copy_function=os.link)
    names = run(text_of("docs/moving/fer.md"))
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
        run(text_of("docs/moving/emopy.md").split("## Train")[1])
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

    def test_the_page_of_data_trains_on_a_table_of_fer2013(visited, capsys):
        faces, codes = sample_stills(), list(FER2013_LABELS.values())
        rows = ["emotion,pixels,Usage"]
        for i in range(0, len(faces), 8):
            code = codes.index(faces.labels[faces.targets[i].argmax()])
            pixels = " ".join(map(str, faces.images[i].ravel()))
            rows.append(f"{code},{pixels},{'PublicTest' if i % 32 == 0 else 'Training'}")
        (visited / "fer2013.csv").write_text("\n".join(rows), encoding="utf-8")
        names = run(text_of("docs/data.md"))
        assert len(names["splits"].train) == 224
        assert "Training" in capsys.readouterr().out


def test_every_block_is_run_or_listed_with_the_reason(request):
    """Must be the last of this file."""
    everything = [(page, unit) for page in pages.PAGES for unit in pages.units(text_of(page))]
    listed = {unit for _, unit in everything if pages.reason(unit)}
    for start in pages.NOT_RUN:
        assert any(f"{unit}\n".startswith(start) for unit in listed), f"{start} is on no page"
    words = {
        words[0]
        for page in pages.PAGES
        for language, block in blocks(text_of(page))
        if language == "sh" and page not in pages.ELSEWHERE
        for words in pages.lines(block)
    }
    assert words - {"emopy"} <= set(pages.OTHER_PROGRAMS)
    for page, test in pages.ELSEWHERE.items():
        assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")
    tests = {item.originalname for item in request.session.items if item.path == Path(__file__)}
    if not find_spec("keras") or tests < {name for name in globals() if name.startswith("test_")}:
        pytest.skip("only some pages were run")
    missing = [
        (page, unit)
        for page, unit in everything
        if page not in pages.ELSEWHERE and unit not in pages.EXECUTED | listed
    ]
    assert not missing
