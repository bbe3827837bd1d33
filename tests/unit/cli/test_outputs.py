import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest

from emopy.cli import outputs
from emopy.cli.main import main
from emopy.cli.outputs import (
    RECORD_FILE,
    VideoOutputs,
    drawing_files,
    plan_video_outputs,
    record_outputs,
    refuse_existing,
    unfinished,
)
from emopy.errors import InputError
from emopy.files import file_name


def names(files):
    return [file.name for file in files]


def test_drawings_of_one_name_are_numbered_also_if_only_the_case_differs():
    sources = ["a/x.png", "b/x.jpg", "c/X.png", BytesIO(b"bytes"), BytesIO(b"more")]
    expected = ["x.png", "x-2.png", "X-3.png", "stdin.png", "stdin-2.png"]
    assert names(drawing_files(Path("drawn"), sources)) == expected


def test_many_images_of_one_name_do_not_try_all_numbers(monkeypatch):
    tried = []

    def counted(stem, suffix):
        tried.append(suffix)
        return file_name(stem, suffix)

    monkeypatch.setattr(outputs, "file_name", counted)
    sources = [f"{number}/face.jpg" for number in range(30_000)]
    found = names(drawing_files(Path("drawn"), sources))
    assert (found[0], found[-1]) == ("face.png", "face-30000.png")
    assert len(tried) <= 2 * len(sources)


def test_a_number_that_is_the_name_of_an_image_is_left_out():
    sources = ["a/x.png", "x-2.png", "b/x.png", "c/x.png"]
    assert names(drawing_files(Path(), sources)) == ["x.png", "x-2.png", "x-3.png", "x-4.png"]


@pytest.mark.parametrize("letter", ["a", "写", "é", "\udcff"])
def test_long_names_give_different_names_that_can_be_written(letter, tmp_path):
    room = 255 // len(os.fsencode(letter))
    stems = [letter * (room - 1) + end for end in "xyX"] + [letter * room, letter * (room - 2)]
    files = drawing_files(tmp_path, [*stems, *stems, "short.jpg"])
    for file in files:
        file.touch()
    assert len({file.name.casefold() for file in files}) == len(files) == 11
    assert len(list(tmp_path.iterdir())) == 11
    assert all(file.suffix == ".png" for file in files)
    assert files[-1].name == "short.png"
    assert [f.name for f in drawing_files(tmp_path, stems)] == [f.name for f in files[:5]]


@pytest.mark.parametrize("table", ["csv", "parquet"])
def test_outputs_of_videos_with_long_names_can_be_written(table, tmp_path):
    videos = ["a" * 251 + ".mp4", "a" * 250 + "b.mp4", "a" * 255]
    wanted = dict.fromkeys(("out", "draw", "plot", "summary"), tmp_path)
    planned = plan_video_outputs(videos, wanted, table=table)
    files = [file for outputs in planned for file in outputs.files.values()]
    for file in files:
        file.touch()
    assert len(list(tmp_path.iterdir())) == len(files) == 12


def test_an_existing_file_is_refused_unless_overwriting(tmp_path):
    (tmp_path / "a.csv").touch()
    files = {"--out": [tmp_path / "b.csv", tmp_path / "a.csv"]}
    with pytest.raises(InputError, match=r"--out .* Received .*a\.csv.* --overwrite"):
        refuse_existing(files, overwrite=False)
    refuse_existing(files, overwrite=True)


def test_outputs_are_files_for_one_video_and_in_folders_for_several():
    (one,) = plan_video_outputs(["a.mp4"], {"out": Path("t.csv"), "plot": Path("p")}, table=None)
    assert (one.out, one.plot, one.in_folder) == (Path("t.csv"), Path("p/a.png"), {"plot"})
    two = plan_video_outputs(["a.mp4", "b.mp4"], {"out": Path("t"), "draw": None}, table="jsonl")
    assert [outputs.out for outputs in two] == [Path("t/a.jsonl"), Path("t/b.jsonl")]
    assert two[0].draw is None


@pytest.fixture
def finished(tmp_path):
    """A table in a folder, made with --fps 5, and its record."""
    (outputs,) = plan_video_outputs(["a.mp4"], {"out": tmp_path / "tables"}, table=None)
    settings = {"out": {"--fps": 5, "--end": None, "version of the model": "1"}}
    outputs.out.parent.mkdir()
    outputs.out.touch()
    record_outputs(outputs, settings, None)
    return outputs, settings


def test_a_finished_file_is_kept_if_its_settings_are_the_same(finished, capsys):
    outputs, settings = finished
    assert unfinished(outputs, settings, overwrite=False)[0].files == {}
    assert "is finished already" in capsys.readouterr().err
    assert unfinished(outputs, settings, overwrite=True)[0] == outputs


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"--fps": 2}, "--fps 5 instead of 2"),
        ({"--end": 9.0}, "--end none instead of 9.0"),
        ({"version of the model": "2"}, "another version of the model"),
    ],
)
def test_a_file_made_in_another_way_is_refused_with_the_difference(finished, changes, said):
    outputs, settings = finished
    other = {"out": settings["out"] | changes}
    with pytest.raises(InputError, match=said) as refused:
        unfinished(outputs, other, overwrite=False)
    assert "--overwrite" in str(refused.value)
    assert unfinished(outputs, other, overwrite=True)[0] == outputs


@pytest.mark.parametrize("content", [None, "", "[]", "{}"])
def test_a_file_without_a_record_is_refused(finished, content):
    outputs, settings = finished
    record = outputs.out.parent / RECORD_FILE
    record.unlink() if content is None else record.write_text(content)
    with pytest.raises(InputError, match="no record"):
        unfinished(outputs, settings, overwrite=False)


def test_a_file_that_is_gone_is_written_again(finished):
    outputs, settings = finished
    outputs.out.unlink()
    assert unfinished(outputs, settings, overwrite=False)[0] == outputs


def test_a_shortfall_is_remembered(finished):
    outputs, settings = finished
    record_outputs(outputs, settings, "the end is missing")
    assert unfinished(outputs, settings, overwrite=False)[1] == ["the end is missing"]


def test_only_files_in_folders_are_recorded(tmp_path):
    record_outputs(VideoOutputs(out=tmp_path / "t.csv"), {"out": {}}, None)
    assert list(tmp_path.iterdir()) == []


def test_the_record_keeps_what_other_runs_wrote(finished):
    outputs, settings = finished
    other = VideoOutputs(out=outputs.out.with_name("b.csv"), in_folder=frozenset({"out"}))
    record_outputs(other, settings, None)
    entries = json.loads((outputs.out.parent / RECORD_FILE).read_text(encoding="utf-8"))
    assert set(entries) == {"a.csv", "b.csv"}


WRITE_MANY = """
import sys
from pathlib import Path
from emopy.cli.outputs import VideoOutputs, record_outputs
for number in range(40):
    file = Path(sys.argv[1], f"{sys.argv[2]}-{number}.csv")
    file.parent.mkdir(exist_ok=True)
    file.touch()
    record_outputs(VideoOutputs(out=file, in_folder=frozenset({"out"})), {"out": {}}, None)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no locks there")
def test_the_record_keeps_what_another_process_writes_at_the_same_time(tmp_path):
    command = [sys.executable, "-c", WRITE_MANY, str(tmp_path / "made")]
    running = [subprocess.Popen([*command, name]) for name in "ab"]
    assert [process.wait(60) for process in running] == [0, 0]
    entries = json.loads((tmp_path / "made" / RECORD_FILE).read_text(encoding="utf-8"))
    assert len(entries) == 80


def test_a_record_that_cannot_be_read_is_not_replaced(finished):
    outputs, settings = finished
    record = outputs.out.parent / RECORD_FILE
    record.unlink()
    record.mkdir()
    with pytest.raises(OSError, match=RECORD_FILE.lstrip(".")):
        unfinished(outputs, settings, overwrite=False)


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode there")
def test_a_video_whose_name_is_no_unicode_is_recorded(tmp_path):
    outputs = VideoOutputs(out=tmp_path / os.fsdecode(b"\xff.csv"), in_folder=frozenset({"out"}))
    outputs.out.touch()
    record_outputs(outputs, {"out": {"--fps": 5}}, None)
    assert unfinished(outputs, {"out": {"--fps": 5}}, overwrite=False)[0].files == {}


@pytest.mark.parametrize("name", ["s.csv", "s.txt", "s.JSONL"])
def test_a_summary_is_not_written_under_the_suffix_of_another_format(name, tmp_path, capsys):
    assert main(["video", "no.mp4", "--summary", str(tmp_path / name)]) == 2
    assert "`--summary` must end in .json" in capsys.readouterr().err


def test_a_file_or_device_without_a_suffix_is_no_folder(tmp_path):
    path = tmp_path / "table"
    path.touch()
    (planned,) = plan_video_outputs(["a.mp4"], {"out": path}, table="csv")
    assert planned.out == path
    with pytest.raises(InputError, match="must be a folder for several videos"):
        plan_video_outputs(["a.mp4", "b.mp4"], {"out": path}, table="csv")
