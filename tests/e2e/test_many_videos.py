"""`emopy video` on folders of videos: one table of all, workers, interrupted runs."""

import csv
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from emopy.cli.main import main
from emopy.cli.outputs import RECORD_FILE
from emopy.errors import InputError
from emopy.locks import lock
from emopy.media import find_images, read_image
from emopy.present import VideoSink, save_image
from emopy.samples import scene
from emopy.types import ImageResult
from tests.fuzz.interruptions import contents, interrupt


def write_video(path, *, size=(160, 120), start=0):
    with VideoSink(path, size=size) as sink:
        for frame, _ in scene(seconds=1, fps=10):
            image = frame.image[: size[1], start : start + size[0]].copy()
            sink.write(image, ImageResult("", size, (), frame.time_s))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four videos of a second, in natural order, and one that is none."""
    folder = tmp_path_factory.mktemp("videos") / "videos"
    folder.mkdir()
    for start, name in enumerate(["p1.mp4", "p2.mp4", "p10.mov", "p11.mkv"]):
        write_video(folder / name, start=20 * start)
    (folder / "p3.mp4").write_text("not a video")
    (folder / "notes.txt").write_text("notes")
    (folder / ".hidden.mp4").write_text("hidden")
    return folder


@pytest.fixture
def video(stoppable, folder):
    """video(*words, stop=5): run in a new folder with the quick model; Ctrl-C after 5 frames."""

    def video(*words, stop=None, source=folder):
        return stoppable("video", source, *words, stop=stop)

    return video


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_folder_of_videos_gives_one_table_in_natural_order(video, folder, tmp_path, capsys):
    names = ("all.csv", "all.json", "episodes.csv", "plot.png")
    assert video(*itertools.chain(*zip(OPTIONS, names, strict=True))) == 1
    assert tuple(sorted(path.name for path in tmp_path.iterdir())) == names
    assert read_image(tmp_path / "plot.png").size
    rows = rows_of(tmp_path / "all.csv")
    names = ["p1.mp4", "p2.mp4", "p3.mp4", "p10.mov", "p11.mkv"]
    assert list(dict.fromkeys(row["source"] for row in rows)) == [str(folder / n) for n in names]
    assert sum(row["source"].endswith("p10.mov") for row in rows) == 10
    (bad,) = [row for row in rows if row["error"]]
    assert bad["source"].endswith("p3.mp4")
    summaries = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["videos"]
    assert [each.get("frames") for each in summaries] == [10, 10, None, 10, 10]
    assert "not a video" in summaries[2]["error"]
    episodes = rows_of(tmp_path / "episodes.csv")
    assert len({row["source"] for row in episodes}) == 4
    assert {float(row["end_s"]) - float(row["start_s"]) for row in episodes} != {0.0}
    output = capsys.readouterr()
    lines = output.out.splitlines()
    header = next(n for n, line in enumerate(lines) if line.split() == OVERVIEW)
    assert [line.split()[0] for line in lines[header + 1 :]] == [
        str(folder / name) for name in names if name != "p3.mp4"
    ]
    assert "1 of 5 videos could not be read completely" in output.err


OPTIONS = ("--out", "--summary", "--episodes", "--plot")
OVERVIEW = ["video", "length", "faces", "mostly"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json", "parquet"])
def test_the_table_of_all_videos_has_the_rows_of_each(video, folder, tmp_path, suffix):
    assert video("--out", f"all.{suffix}") == 1
    for name in ("p1.mp4", "p2.mp4"):
        assert video("--out", f"{name}.jsonl", source=folder / name) == 0
    if suffix == "jsonl":
        lines = (tmp_path / "all.jsonl").read_text(encoding="utf-8")
        for name in ("p1.mp4", "p2.mp4"):
            assert (tmp_path / f"{name}.jsonl").read_text(encoding="utf-8") in lines
    assert (tmp_path / f"all.{suffix}").stat().st_size > 1000


def test_workers_change_neither_results_nor_messages_nor_the_exit_code(video, tmp_path, capsys):
    outcomes = []
    for workers in ("1", "3"):
        place = tmp_path / workers
        words = ["--out", place / "all.csv", "--summary", place / "all.json", "--draw"]
        words += [place / "drawn", "--plot", place / "plots", "--workers", workers]
        code = video(*words)
        output = capsys.readouterr()
        outcomes.append((code, output.out, output.err, contents(place)))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "words, cores, expected",
    [
        ([], 2, None),
        (["--workers", "2"], 2, 1),
        (["--workers", "2"], 4, None),
        (["--workers", "2", "--threads", "2"], 2, 2),
    ],
)
def test_videos_at_the_same_time_use_no_more_threads_than_cores(
    monkeypatch, folder, words, cores, expected
):
    asked = []

    def create(*args, threads, **options):
        asked.append(threads)
        raise InputError("seen")

    monkeypatch.setattr("emopy.cli.video.usable_cores", lambda: cores)
    monkeypatch.setattr("emopy.cli.video.create_model", create)
    assert main(["video", str(folder), *words]) == 2
    assert asked == [expected]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_keeps_the_finished_videos_and_says_how_to_resume(video, tmp_path, capsys, workers):
    assert video("--out", "expected/all.csv", "--summary", "expected/all.json") == 1
    errors = capsys.readouterr().err.splitlines()
    words = ["--out", "all.csv", "--summary", "all.json", "--workers", workers]
    assert video(*words, stop=25) == 130
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("emopy: stopped. To resume, rerun the same command")
    assert [path.name for path in tmp_path.glob("all*")] == ["all.csv.partial"]
    assert list((tmp_path / "all.csv.partial").glob(".emopy-*-*")) == []
    finished = list((tmp_path / "all.csv.partial").glob("*.jsonl"))
    assert finished
    assert video(*words) == 1
    resumed = capsys.readouterr().err.splitlines()
    assert sum(line.endswith("is finished already.") for line in resumed) == len(finished)
    assert set(errors) <= set(resumed)
    for name in ("all.csv", "all.json"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "expected" / name).read_bytes()
    assert not (tmp_path / "all.csv.partial").exists()


def test_two_runs_with_the_same_file_do_not_disturb_each_other(video, folder, tmp_path, capsys):
    partial = tmp_path / "all.csv.partial"
    partial.mkdir()
    with (partial / ".lock").open("ab") as held:
        assert lock(held)
        assert video("--out", tmp_path / "all.csv") == 2
    assert "--out must not be written by two runs at once" in capsys.readouterr().err
    assert video("--out", tmp_path / "all.csv") == 1  # one is no video
    assert sorted(each.name for each in tmp_path.glob("all*")) == ["all.csv"]


def test_a_run_is_resumed_with_one_more_file_that_comes_first(video, tmp_path, capsys):
    assert video("--episodes", tmp_path / "all.csv", stop=25) == 130
    capsys.readouterr()
    words = ("--episodes", tmp_path / "all.csv", "--summary", tmp_path / "all.json")
    assert video(*words) == 1  # one is no video
    assert "is finished already." in capsys.readouterr().err
    assert sorted(each.name for each in tmp_path.glob("all*")) == ["all.csv", "all.json"]


def test_names_that_differ_in_case_only_are_refused(video, tmp_path, capsys):
    words = ("--summary", tmp_path / "ALL.csv", "--episodes", tmp_path / "all.csv")
    assert video(*words) == 2
    assert "would be written twice" in capsys.readouterr().err


def test_what_holds_for_no_video_is_refused_once(video, capsys):
    for words in (("--smoothing", "nan"), ("--min-duration", "inf")):
        assert video(*words) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_dash_is_stdout(video, folder, capsys):
    assert video("--format", "csv", "--out", "-", source=folder / "p1.mp4") == 0
    assert capsys.readouterr().out.startswith("source,")


def test_an_interrupted_run_is_resumed_with_the_same_options_only(video, tmp_path, capsys):
    assert video("--out", "all.csv", stop=25) == 130
    before = contents(tmp_path)
    assert video("--out", "all.csv", "--smoothing", "0") == 2
    said = capsys.readouterr().err
    assert "--smoothing 0.3 instead of 0.0" in said
    assert "with the same options to resume it" in said
    assert contents(tmp_path) == before
    assert video("--out", "all.csv", "--episodes", "who.csv") == 1  # more files, the same results
    assert (tmp_path / "who.csv").exists()


def test_a_run_that_replaces_files_is_resumed_too(video, tmp_path, capsys):
    (tmp_path / "all.csv").write_text("old")
    assert video("--out", "all.csv") == 2
    assert "--out must not replace a file" in capsys.readouterr().err
    assert video("--out", "all.csv", "--overwrite", stop=25) == 130
    assert (tmp_path / "all.csv").read_text() == "old"
    assert video("--out", "all.csv", "--overwrite") == 1
    assert "is finished already" in capsys.readouterr().err
    assert rows_of(tmp_path / "all.csv")


def test_killed_when_the_files_have_just_appeared_the_run_is_resumed(video, tmp_path):
    assert video("--out", "all.csv", stop=25) == 130
    assert video("--out", "expected.csv") == 1
    complete = tmp_path / "all.csv.partial" / ".complete.json"
    complete.write_text(json.dumps([str(tmp_path / "all.csv")]))
    (tmp_path / "all.csv").write_text("of the killed run")
    assert video("--out", "all.csv") == 1
    assert (tmp_path / "all.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()
    assert not complete.parent.exists()


def test_a_file_without_the_mark_that_it_is_finished_is_made_again(video, tmp_path):
    """As after `kill -9` between the appearance of a file and that of its record."""
    assert video("--out", "tables", "--plot", "plots") == 1
    expected = contents(tmp_path)
    record = tmp_path / "tables" / RECORD_FILE
    entries = json.loads(record.read_text(encoding="utf-8"))
    entries["p2.csv"] = {"settings": entries["p2.csv"]["settings"], "finished": False}
    record.write_text(json.dumps(entries), encoding="utf-8")
    (tmp_path / "tables" / "p2.csv").write_text("of the killed run")
    assert video("--out", "tables", "--plot", "plots") == 1
    assert contents(tmp_path) == expected


def test_a_folder_of_both_is_refused_and_one_of_images_is_a_video(video, folder, tmp_path, capsys):
    both = shutil.copytree(folder, tmp_path / "both")
    for frame, _ in scene(seconds=0.3, fps=10):
        save_image(frame.image, tmp_path / "frames" / f"{frame.number}.png")
        save_image(frame.image, both / f"{frame.number}.png")
    assert len(find_images(both)) == 3
    assert video(source=both) == 2
    said = capsys.readouterr().err
    assert "either of videos or of frames" in said
    assert "5 of videos (p1.mp4" in said
    assert "3 of images (0.png" in said
    assert video("--out", "frames.jsonl", source=tmp_path / "frames") == 0
    lines = (tmp_path / "frames.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["frame"] for line in lines] == [0, 1, 2]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--draw", "all.mp4"], "must be a folder for several videos"),
        (["--out", "all.json", "--summary", "all.json"], "would be written twice"),
        (["--out", "{folder}/p1.mp4", "--overwrite"], "it is an input"),
        (["--plot", "all.png", "--thumbnails"], "needs a plot per video"),
        (["--episodes", "who.txt"], "`--episodes` must end in .csv"),
        (["--out", "all.xlsx"], "csv"),
    ],
)
def test_wrong_files_for_several_videos_are_refused(video, folder, tmp_path, capsys, words, reason):
    assert video(*(word.format(folder=folder) for word in words)) == 2
    assert reason in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_one_video_has_files_of_the_same_form(video, folder, tmp_path):
    (tmp_path / "one").mkdir()
    shutil.copy(folder / "p1.mp4", tmp_path / "one")
    assert video("--summary", "all.json", "--out", "all.csv", source="one") == 0
    (entry,) = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["videos"]
    assert entry["source"] == "one/p1.mp4"


def test_videos_of_one_name_are_rows_of_one_table(video, folder, tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        shutil.copy(folder / "p1.mp4", tmp_path / name / "p1.mp4")
    assert video("b/p1.mp4", "--out", "all.jsonl", source="a/p1.mp4") == 0
    lines = (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()
    sources = [json.loads(line)["source"] for line in lines]
    assert list(dict.fromkeys(sources)) == ["a/p1.mp4", "b/p1.mp4"]


def test_ctrl_c_ends_all_workers_at_once(linear_model, folder, tmp_path):
    words = ["video", *[folder / name for name in ("p1.mp4", "p2.mp4", "p10.mov", "p11.mkv")]]
    words += ["--model", linear_model, "--workers", "3", "--out", "all.csv", "--draw", "drawn"]
    process = subprocess.Popen(
        [sys.executable, "-m", "emopy", *map(str, words)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(list(tmp_path.glob("drawn/.emopy-*"))) < 2:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "To resume" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert list(tmp_path.rglob(".emopy-*-*")) == []


def test_killed_at_random_the_results_are_those_of_a_run_without_interruption(
    linear_model, folder, tmp_path
):
    words = ["video", str(folder), "--model", str(linear_model), "--detector", "full-image"]
    words += ["--out", "all.csv", "--summary", "all.json", "--draw", "drawn", "--workers", "2"]
    assert interrupt(words, tmp_path / "runs", 2, seed=1) == []


@pytest.mark.parametrize("out", ["all.csv", "tables"])
def test_a_folder_that_may_not_be_written_to_is_refused_before_any_video_is_read(
    video, folder, tmp_path, capsys, monkeypatch, out
):
    assert video("--out", "made") == 1
    capsys.readouterr()
    # Root may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    assert video("--out", out) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "`--out` must be a file that can be written" in said
    assert "Permission denied. Choose another folder." in said
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    assert video("--out", "made", source=folder / "p1.mp4") == 0
    assert "is finished already" in capsys.readouterr().err
