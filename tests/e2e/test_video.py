"""`emopy video` and `predict_video` on real files: table, annotated video, plot, summary."""

import csv
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import av
import click
import numpy as np
import pyarrow.parquet
import pytest

from emopy import FERModel, InputError
from emopy.cli.main import main
from emopy.cli.options import smoothing_option
from emopy.cli.outputs import RECORD_FILE
from emopy.fermodel import SMOOTHING_S
from emopy.media import read_image
from emopy.present import VideoSink
from emopy.samples import scene
from emopy.types import ImageResult


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """Two faces for three seconds, ten frames a second."""
    path = tmp_path_factory.mktemp("clips") / "talk.mp4"
    with VideoSink(path, size=(640, 480)) as sink:
        for frame, _ in scene(seconds=3, fps=10):
            sink.write(frame.image, ImageResult("", (640, 480), (), frame.time_s))
    return path


@pytest.fixture(scope="module")
def broken(clip) -> Path:
    """The same with its second half cut off, in a container that survives that."""
    whole = clip.with_name("whole.mkv")
    with av.open(str(clip)) as source, av.open(str(whole), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    path = clip.with_name("broken.mkv")
    content = whole.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.6)])
    return path


def rows_of(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_python_gives_each_frame_with_time_number_and_tracks(clip):
    results = list(FERModel().predict_video(clip))
    assert [result.frame for result in results] == list(range(30))
    assert all(one < two for one, two in pairwise([result.time_s or 0.0 for result in results]))
    assert {face.track for result in results for face in result.faces} == {1, 2}
    assert results[5].faces[0].emotion == "neutral"


def test_python_samples_frames_from_a_part_of_the_video(clip):
    results = list(FERModel().predict_video(clip, start_s=1.0, end_s=2.0, every=2))
    assert [result.frame for result in results] == [10, 12, 14, 16, 18]
    assert results[0].time_s == pytest.approx(1.0)


def test_python_refuses_what_is_no_video_at_the_call(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        FERModel().predict_video(tmp_path / "none.mp4")


def test_python_logs_that_a_file_ended_too_early(broken, caplog):
    with caplog.at_level(logging.WARNING, "emopy"):
        results = list(FERModel().predict_video(broken))
    assert 0 < len(results) < 30
    assert "ends too early" in caplog.text


def test_the_command_writes_table_annotated_video_plot_and_summary(clip, tmp_path, capsys):
    out, drawn, plot = (tmp_path / name for name in ("t.csv", "marked.mp4", "time.png"))
    words = ["video", clip, "--out", out, "--draw", drawn, "--plot", plot]
    assert main([str(word) for word in words]) == 0
    rows = rows_of(out)
    assert {row["frame"] for row in rows} == {str(number) for number in range(30)}
    model = FERModel()
    expected = [
        (result.frame, face.track, face.emotion)
        for result in model.predict_video(clip)
        for face in result.faces
    ]
    found = [(int(row["frame"]), int(row["track"]), row["emotion"]) for row in rows]
    assert found == expected
    with av.open(str(drawn)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 30
    assert plot.read_bytes().startswith(b"\x89PNG")
    summary = capsys.readouterr().out
    assert "track 1 · seen for" in summary
    assert "track 2 · seen for" in summary
    assert sorted(path.name for path in tmp_path.iterdir()) == ["marked.mp4", "t.csv", "time.png"]


def test_the_table_goes_to_stdout_on_request_and_the_summary_beside_it(clip, capsys):
    assert main(["video", str(clip), "--format", "csv", "--fps", "2"]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("source,width,height,time_s,frame,face,track,")
    assert "seen for" in output.err


def test_several_videos_go_into_folders_and_bad_ones_are_listed(clip, tmp_path, capsys):
    wrong, other = tmp_path / "wrong.mp4", tmp_path / "other.mp4"
    wrong.write_text("not a video")
    shutil.copy(clip, other)
    out = tmp_path / "tables"
    words = ["video", clip, wrong, other, "--out", out, "--format", "parquet", "--every", "10"]
    assert main([str(word) for word in words]) == 1
    names = [RECORD_FILE, "other.parquet", "talk.parquet"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert pyarrow.parquet.read_table(out / "talk.parquet")["frame"].to_pylist()[0] == 0
    errors = capsys.readouterr().err
    assert "wrong.mp4" in errors
    assert "1 of 3 videos could not be read completely" in errors
    # Finished files are kept; what is asked for in addition is written, for both.
    before = (out / "talk.parquet").stat().st_mtime_ns
    assert main([str(word) for word in [*words, "--summary", tmp_path / "summaries"]]) == 1
    names = [RECORD_FILE, "other.json", "talk.json"]
    assert sorted(path.name for path in (tmp_path / "summaries").iterdir()) == names
    assert (out / "talk.parquet").stat().st_mtime_ns == before


def test_one_table_of_all_videos_goes_to_stdout(clip, capsys):
    assert main(["video", str(clip), str(clip), "--format", "json", "--fps", "2"]) == 0
    frames = json.loads(capsys.readouterr().out)
    assert len(frames) == 12
    assert sum(len(frame["faces"]) for frame in frames) > 12


def test_the_summary_is_written_with_proportions_means_and_episodes(clip, tmp_path):
    path = tmp_path / "summary.json"
    assert main(["video", str(clip), "--summary", str(path)]) == 0
    summary = json.loads(path.read_text(encoding="utf-8"))
    assert summary["frames"] == 30
    first = summary["tracks"][0]
    assert sum(first["proportions"].values()) == pytest.approx(1, abs=1e-4)
    assert sum(first["mean_probabilities"].values()) == pytest.approx(1, abs=1e-4)
    # The truth: neutral, and from 1.5 s on happiness, which takes 0.4 s to come.
    assert [each["emotion"] for each in first["episodes"]] == ["neutral", "happiness"]
    assert 1.5 <= first["episodes"][1]["start_s"] <= 2.2
    assert first["episodes"][1]["end_s"] == pytest.approx(3.0, abs=0.15)


def test_short_tracks_are_left_out_of_the_summary_and_not_of_the_table(clip, tmp_path):
    out, path = tmp_path / "t.csv", tmp_path / "s.json"
    words = ["video", clip, "--fps", "5", "--out", out, "--summary", path, "--min-duration"]
    assert main([*map(str, words), "2.5"]) == 0
    assert len(json.loads(path.read_text(encoding="utf-8"))["tracks"]) == 1
    assert {row["track"] for row in rows_of(out)} == {"1", "2"}


@pytest.mark.parametrize(
    "words", [["--draw", "drawn.mp4", "--format", "jsonl"], ["--out", "t.csv"]]
)
def test_files_are_written_even_when_the_reader_of_stdout_has_gone(clip, tmp_path, words):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "emopy", "video", str(clip), "--fps", "5", *words],
        cwd=tmp_path,
        stdout=writer,
        stderr=subprocess.PIPE,
    )
    os.close(writer)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [words[1]]


def test_a_finished_table_is_kept_only_if_it_would_be_the_same(
    clip, linear_model, tmp_path, capsys
):
    video, out = tmp_path / "a.mp4", tmp_path / "tables"
    shutil.copy(clip, video)
    model = shutil.copytree(linear_model, tmp_path / "model")
    words = ["video", str(video), "--out", str(out), "--model", str(model)]
    words += ["--detector", "full-image", "--start", "0:00:01.5", "--fps", "4"]
    assert main(words) == 0
    rows = rows_of(out / "a.csv")
    assert float(rows[0]["time_s"]) == pytest.approx(1.5)
    (out / "a.csv").write_text("kept")
    assert main([*words, "--threads", "2"]) == 0
    assert "a.csv is finished already" in capsys.readouterr().err
    assert (out / "a.csv").read_text() == "kept"

    def assert_refused(difference, *more):
        assert main([*words, *more]) == 2
        error = capsys.readouterr().err
        assert difference in error
        assert "--overwrite" in error
        assert (out / "a.csv").read_text() == "kept"

    assert_refused("--fps 4.0 instead of 2.0", "--fps", "2")
    assert_refused("instead of happiness,calm", "--emotions", "happiness,calm")
    assert_refused("--smoothing 0.3 instead of 0.0", "--smoothing", "0")
    assert_refused("--min-confidence 0.0 instead of 0.5", "--min-confidence", "0.5")
    (model / "card.json").write_text(
        (model / "card.json").read_text().replace('"temperature": 1.0', '"temperature": 2.0')
    )
    assert_refused("another version of the model")
    os.utime(video, (time.time() + 10, time.time() + 10))
    assert_refused("another version of the video")
    assert main([*words, "--overwrite"]) == 0
    assert {row["frame"] for row in rows_of(out / "a.csv")} == {row["frame"] for row in rows}


def test_a_named_table_is_not_passed_over_as_done(clip, tmp_path, capsys):
    out = tmp_path / "t.csv"
    out.write_text("mine")
    words = ["video", str(clip), "--fps", "5", "--emotions", "happy,calm", "--out", str(out)]
    assert main(words) == 2
    assert "--out must not replace a file" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert main([*words, "--overwrite"]) == 0
    assert "calm" in out.read_text().splitlines()[0]


def test_a_truncated_video_is_reported_again_when_its_table_is_kept(broken, tmp_path, capsys):
    words = ["video", str(broken), "--out", str(tmp_path / "tables"), "--every", "10"]
    for _ in range(2):
        assert main(words) == 1
        assert "ends too early" in capsys.readouterr().err


def test_a_part_without_frames_is_an_error_and_leaves_nothing(clip, tmp_path, capsys):
    words = ["--start", "0.51", "--end", "0.55", "--out", str(tmp_path / "t.csv")]
    assert main(["video", str(clip), *words]) == 1
    assert "must have frames between `--start` and `--end`" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_video_gives_what_it_has_and_exit_code_1(broken, tmp_path, capsys):
    out = tmp_path / "t.csv"
    assert main(["video", str(broken), "--out", str(out)]) == 1
    assert 0 < len({row["frame"] for row in rows_of(out)}) < 30
    assert "ends too early" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, reason",
    [
        (["{clip}", "b.mp4", "--draw", "d.mp4"], "must be a folder for several videos"),
        (["{clip}", "b/talk.mp4", "--out", "tables"], "would be written twice"),
        (["{clip}", "--format", "parquet"], "Type for example: --out faces.parquet"),
        (["{clip}", "--thumbnails"], "--plot timeline.png"),
        (["{clip}", "--start", "1:x"], "Type for example: 90, or 1:30"),
        (["{clip}", "--start", "2", "--end", "1"], "`--end` must be later than `--start`"),
        (["{clip}", "--draw", "{clip}", "--overwrite"], "must not be replaced"),
        (["{clip}", "--out", "t.xlsx"], "csv"),
        (["{clip}", "--draw", "drawn.wmv"], "must end in"),
        (["{clip}", "--plot", "plot.bmp"], "must end in"),
        (["{clip}", "--every", "2", "--fps", "5"], "must not both be given"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(
    clip, tmp_path, monkeypatch, capsys, words, reason
):
    monkeypatch.chdir(tmp_path)
    before = clip.read_bytes()
    assert main(["video", *(word.format(clip=clip) for word in words)]) == 2
    assert reason in capsys.readouterr().err
    assert clip.read_bytes() == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_at_random_nothing_half_written_remains(clip, tmp_path, number):
    words = ["--out", "t.csv", "--draw", "d.mp4", "--plot", "p.png", "--overwrite"]
    (tmp_path / "t.csv").write_text("the earlier table")
    process = subprocess.Popen(
        [sys.executable, "-m", "emopy", "video", str(clip), *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not list(tmp_path.glob(".emopy-*")):
        time.sleep(0.01)  # until it writes
    time.sleep(random.uniform(0, 0.5))
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    files = {path.name: path for path in tmp_path.iterdir()}
    assert process.returncode in (0, 130)  # 0: it was faster
    assert (process.returncode == 130) == (b"stopped" in errors)
    assert set(files) <= {"d.mp4", "p.png", "t.csv"}
    if process.returncode == 0:
        assert len(files) == 3
    if files["t.csv"].read_text() != "the earlier table":
        assert {row["frame"] for row in rows_of(files["t.csv"])} == set(map(str, range(30)))
    if "d.mp4" in files:
        with av.open(str(files["d.mp4"])) as container:
            assert sum(1 for _ in container.decode(video=0)) == 30
    if "p.png" in files:
        assert read_image(files["p.png"]).size


def test_nohup_is_respected(clip, tmp_path):
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "emopy", "video", str(clip), "--out", "t.csv"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not list(tmp_path.glob(".emopy-*")):
        time.sleep(0.01)
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=60) == 0
    assert (tmp_path / "t.csv").exists()


def test_the_option_has_the_default_of_the_model():
    @smoothing_option
    def verb(): ...

    (option,) = click.command(verb).params
    assert option.default == SMOOTHING_S


def test_faces_stand_beside_the_plot_on_request(clip, tmp_path):
    plain, faces = tmp_path / "plain.png", tmp_path / "faces.png"
    assert main(["video", str(clip), "--fps", "2", "--plot", str(plain)]) == 0
    assert main(["video", str(clip), "--fps", "2", "--plot", str(faces), "--thumbnails"]) == 0
    left = [read_image(image)[:, :200] for image in (plain, faces)]
    assert np.std(left[1]) > 1.5 * np.std(left[0])
