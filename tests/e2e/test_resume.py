"""Runs that are interrupted and resumed: the results are those of a run without interruption."""

import shutil
from pathlib import Path

import pytest

from emopy.cli.main import main
from emopy.faces import detectors
from emopy.faces.detectors import FullImage
from tests.fuzz.interruptions import contents, interrupt, make_images


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Twelve images, one of them damaged."""
    return make_images(tmp_path_factory.mktemp("images") / "images", 12)


@pytest.fixture
def predict(stoppable, images):
    """predict(*words, stop=5): run in a new folder with the quick model; Ctrl-C after 5 images."""

    def predict(*words, stop=None, folder=images):
        return stoppable("predict", folder, *words, stop=stop)

    return predict


@pytest.mark.parametrize("name", ["f.csv", "f.jsonl", "f.json", "f.txt", "f.parquet"])
def test_a_resumed_run_gives_the_same_bytes_errors_and_exit_code(predict, tmp_path, capsys, name):
    assert predict("--out", f"expected/{name}") == 1
    errors = capsys.readouterr().err
    assert "7.png" in errors
    assert predict("--out", name, stop=9) == 130
    (said,) = capsys.readouterr().err.splitlines()[-1:]
    assert said.startswith("emopy: stopped. To resume, rerun the same command")
    assert [path.name for path in tmp_path.glob("f.*")] == [f"{name}.partial"]
    assert predict("--out", name) == 1
    resumed, *rest = capsys.readouterr().err.splitlines()
    assert resumed.startswith("emopy: resumed: ")
    assert sorted(rest) == sorted(errors.replace("expected/", "").splitlines())
    assert contents(tmp_path) == {
        name: (tmp_path / "expected" / name).read_bytes(),
        f"expected/{name}": (tmp_path / "expected" / name).read_bytes(),
    }


def test_each_result_is_on_its_way_to_the_disk_when_the_next_ones_are_predicted(
    linear_model, images, tmp_path, monkeypatch
):
    seen = []

    class Watches(FullImage):
        def __call__(self, image):
            partial = tmp_path / "f.csv.partial"
            seen.append(partial.read_bytes().count(b"\n") - 1 if partial.exists() else 0)
            return super().__call__(image)

    monkeypatch.setitem(detectors._factories, "watches", Watches)
    words = [str(images), "--model", str(linear_model), "--detector", "watches"]
    assert main(["predict", *words, "--out", str(tmp_path / "f.csv")]) == 1
    assert len(seen) == 11
    assert all(done >= number - 4 for number, done in enumerate(seen))  # a few are read in advance


def test_annotated_images_are_kept_or_drawn_again(predict, tmp_path):
    assert predict("--out", "expected/f.csv", "--draw", "expected/drawn") == 1
    words = ["--out", "f.csv", "--draw", "drawn"]
    assert predict(*words, stop=6) == 130
    first, *rest = sorted((tmp_path / "drawn").iterdir())
    assert rest
    first.unlink()
    before = {path: path.stat().st_mtime_ns for path in rest}
    assert predict(*words) == 1
    assert {path: path.stat().st_mtime_ns for path in rest} == before
    expected = contents(tmp_path / "expected")
    shutil.rmtree(tmp_path / "expected")
    assert contents(tmp_path) == expected


def test_a_drawing_that_is_not_of_the_run_is_not_replaced(predict, tmp_path, capsys):
    words = ["--out", "f.csv", "--draw", "drawn"]
    assert predict(*words, stop=3) == 130
    mine = tmp_path / "drawn" / "11.png"
    mine.write_text("mine")
    assert predict(*words) == 2
    assert "--draw must not replace a file" in capsys.readouterr().err
    assert mine.read_text() == "mine"


def test_images_that_were_added_changed_or_removed_are_noticed(predict, images, tmp_path):
    folder = shutil.copytree(images, tmp_path / "images")
    words = ["--out", "f.csv", "--draw", "drawn"]
    assert predict(*words, stop=8, folder=folder) == 130
    shutil.copy(folder / "5.png", folder / "0b.png")
    shutil.copy(folder / "5.png", folder / "1.png")
    shutil.copy(folder / "5.png", folder / "2.jpg")  # is drawn as 2-2.png, or changes places
    (folder / "3.png").unlink()
    assert predict(*words, folder=folder) == 1
    assert predict("--out", "expected/f.csv", "--draw", "expected/drawn", folder=folder) == 1
    shutil.rmtree(folder)
    expected = contents(tmp_path / "expected")
    shutil.rmtree(tmp_path / "expected")
    found = contents(tmp_path)
    assert found.pop("drawn/3.png")  # of the image that was removed
    assert found == expected


@pytest.mark.parametrize(
    ("more", "differs"),
    [
        (["--emotions", "calm,fear"], "instead of calm,fear"),
        (["--min-confidence", "0.5"], "--min-confidence 0.0 instead of 0.5"),
        (["--draw", "drawn"], "--draw none instead of drawn"),
        (["--format", "jsonl"], "--format csv instead of jsonl"),
    ],
)
def test_other_options_are_refused_and_overwrite_begins_again(
    predict, tmp_path, capsys, more, differs
):
    assert predict("--out", "f.csv", stop=6) == 130
    before = contents(tmp_path)
    capsys.readouterr()
    assert predict("--out", "f.csv", *more) == 2
    said = capsys.readouterr().err
    assert differs in said
    assert "with the same options to resume it, or add --overwrite" in said
    assert contents(tmp_path) == before
    assert predict("--out", "f.csv", *more, "--overwrite") == 1
    assert not (tmp_path / "f.csv.partial").exists()


def test_a_run_that_replaces_a_file_is_resumed_too(predict, tmp_path, capsys):
    (tmp_path / "f.csv").write_text("old")
    assert predict("--out", "f.csv", "--overwrite", stop=9) == 130
    assert (tmp_path / "f.csv").read_text() == "old"
    assert predict("--out", "f.csv", "--overwrite") == 1
    assert "resumed" in capsys.readouterr().err
    assert (tmp_path / "f.csv").read_text().startswith("source,")


def test_killed_when_the_table_has_just_appeared_the_run_is_resumed(predict, tmp_path, capsys):
    assert predict("--out", "expected.csv") == 1
    assert predict("--out", "f.csv", stop=9) == 130
    (tmp_path / "f.csv").write_text("mine")
    assert predict("--out", "f.csv") == 2
    assert "must not replace a file" in capsys.readouterr().err
    with (tmp_path / "f.csv.partial").open("a") as partial:
        partial.write('{"complete": true}\n')
    assert predict("--out", "f.csv") == 1
    assert (tmp_path / "f.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()


def test_number_of_threads_may_change(predict):
    assert predict("--out", "f.csv", stop=9) == 130
    assert predict("--out", "f.csv", "--threads", "2") == 1


def test_a_file_that_cannot_be_begun_is_refused_before_anything_is_predicted(predict, capsys):
    Path("f.csv.partial").mkdir()
    assert predict("--out", "f.csv") == 2
    assert "--out" in capsys.readouterr().err


def test_killed_at_random_the_table_is_that_of_a_run_without_interruption(linear_model, tmp_path):
    images = make_images(tmp_path / "images", 40)
    words = ["predict", str(images), "--model", str(linear_model), "--detector", "full-image"]
    assert (
        interrupt([*words, "--out", "f.csv", "--draw", "drawn"], tmp_path / "runs", 3, seed=1) == []
    )


def test_boxes_are_part_of_how_results_are_made(predict, images, tmp_path, capsys):
    names = [str(path) for path in sorted(images.iterdir())]
    table = tmp_path / "boxes.csv"
    table.write_text("source,left,top,right,bottom\n" + "".join(f"{n},1,2,30,40\n" for n in names))
    assert predict("--out", "f.csv", stop=3) == 130
    capsys.readouterr()
    assert predict("--out", "f.csv", "--boxes", table) == 2
    assert "which was begun with other options: another table of --boxes" in capsys.readouterr().err
    assert predict("--out", "f.csv", "--boxes", table, "--overwrite") == 1
    rows = (tmp_path / "f.csv").read_text(encoding="utf-8").splitlines()
    assert sum(",1.0,2.0,30.0,40.0," in row for row in rows) == len(names) - 1
