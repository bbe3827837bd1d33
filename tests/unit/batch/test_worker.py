"""What a unit writes: rows of images, videos and archives, and of those that cannot be read."""

import errno
import io
import pickle
import shutil
import tarfile

import cv2
import numpy as np
import pyarrow.parquet as parquet
import pytest

from emopy.batch import predictions, worker
from emopy.batch.rows import Counts, count_rows
from emopy.batch.worker import as_picklable, count_images, run_unit, write_failure
from emopy.errors import InputError, MissingExtraError, ModelError
from emopy.fermodel import FERModel
from emopy.present import to_arrow
from tests.batch_inputs import encoded, rows_by_source, write_clip, write_images, write_tar


def table(planned, shard=0):
    return parquet.read_table(io.BytesIO(planned.storage.read(planned.plan.part(shard))))


def test_the_rows_are_those_of_predict_many(tmp_path, planned, linear_model):
    source = write_images(tmp_path / "photos", 7, damaged_every=3)
    made = planned(source, shard_size=10)
    assert run_unit(made.out, made.unit()) == Counts(images=7, rows=7, faces=5, failures=2)
    model = FERModel(model=linear_model, detector="full-image")
    expected = to_arrow(model.predict_many(str(source)), model.labels)
    assert table(made).equals(expected)
    assert count_rows(made.storage, made.plan.part(0)) == Counts(0, 7, 5, 2)


def test_an_image_without_a_face_has_a_row(tmp_path, planned):
    (tmp_path / "photos").mkdir()
    cv2.imwrite(str(tmp_path / "photos" / "wall.png"), np.full((60, 80, 3), 128, np.uint8))
    made = planned(tmp_path / "photos", detector="mtcnn", min_face_size=40)
    assert run_unit(made.out, made.unit()) == Counts(images=1, rows=1)
    [row] = table(made).to_pylist()
    assert (row["width"], row["face"], row["error"]) == (80, None, None)


def test_bad_inputs_of_every_kind_are_rows_with_an_error(tmp_path, planned):
    good = write_images(tmp_path / "photos", 1) / "0000.png"
    (tmp_path / "photos" / "empty.jpg").touch()
    (tmp_path / "photos" / "text.jpg").write_text("no image")
    (tmp_path / "photos" / "broken.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "photos" / "text.mp4").write_text("no video")
    listed = tmp_path / "list.csv"
    paths = [*sorted(map(str, (tmp_path / "photos").iterdir())), "gone.jpg", "gone.mp4", "x\0.png"]
    paths += ["gone.tar", "https://example.org/a.mp4", "ftp://example.org/a.jpg", str(good)]
    listed.write_text("path\n" + "\n".join(paths) + "\n")
    made = planned(listed, shard_size=1000)
    counts = sum((run_unit(made.out, made.unit(n)) for n in range(made.plan.shards)), Counts())
    rows = [row for n in range(made.plan.shards) for row in table(made, n).to_pylist()]
    assert counts == Counts(images=12, rows=12, faces=2, failures=10)
    assert [row["source"].replace("\\x00", "\0") for row in rows] == [
        *paths[:5], *(f"{tmp_path}/{path}" for path in paths[5:9]), *paths[9:],
    ]  # fmt: skip
    assert [row["source"] for row in rows if row["error"] is None] == [str(good), str(good)]


@pytest.mark.usefixtures("_video")
def test_videos_have_rows_for_their_frames_and_truncated_ones_an_error(tmp_path, planned):
    source = write_images(tmp_path / "source", 2)
    whole = write_clip(source / "0000-clip.mp4", frames=6).read_bytes()
    write_clip(source / "long.mkv", frames=60)
    long = (source / "long.mkv").read_bytes()
    (source / "cut.mkv").write_bytes(long[: len(long) * 2 // 3])
    (source / "damaged.mp4").write_bytes(whole[: len(whole) // 2])
    made = planned(source, shard_size=1000)
    run_unit(made.out, made.unit())
    rows = rows_by_source(made.storage.read(made.plan.part(0)))
    assert list(rows) == [
        "0000-clip.mp4",
        "0000.png",
        "0001.png",
        "cut.mkv",
        "damaged.mp4",
        "long.mkv",
    ]
    assert [row["frame"] for row in rows["0000-clip.mp4"]] == list(range(6))
    *frames, last = rows["cut.mkv"]
    assert 20 < len(frames) < 60
    assert all(row["error"] is None for row in frames)
    assert last["error"].count(str(source / "cut.mkv")) <= 1
    assert last["frame"] is None
    assert [row["error"] is None for row in rows["damaged.mp4"]] == [False]


@pytest.fixture
def _video():
    pytest.importorskip("av")


@pytest.mark.usefixtures("_video")
def test_options_of_videos_are_followed(tmp_path, planned):
    write_clip(tmp_path / "clip.mp4", frames=8)
    made = planned(tmp_path / "clip.mp4", every=2, start_s=1.0, end_s=3.0)
    run_unit(made.out, made.unit())
    assert table(made).column("time_s").to_pylist() == [1.0, 2.0]


@pytest.mark.usefixtures("_video")
def test_a_missing_extra_is_no_bad_video(tmp_path, planned, monkeypatch):
    def missing(*_, **__):
        raise MissingExtraError("Videos", "video")

    write_clip(tmp_path / "clip.mp4")
    made = planned(tmp_path / "clip.mp4")
    monkeypatch.setattr(predictions, "open_video", missing)
    with pytest.raises(MissingExtraError):
        run_unit(made.out, made.unit())


def members(count):
    return {f"./set/{number:03}.png": encoded(number) for number in range(count)}


def test_an_archive_is_a_shard_with_a_row_for_each_image(tmp_path, planned):
    content = {
        **members(3),
        "set/000.json": b"{}",
        "set/._000.png": b"litter",
        "__MACOSX/a.png": b"",
    }
    content["set/bad.png"] = b"no image"
    path = write_tar(tmp_path / "a.tar", content)
    made = planned(path)
    assert run_unit(made.out, made.unit()) == Counts(images=4, rows=4, faces=3, failures=1)
    assert table(made).column("source").to_pylist() == [
        *(f"{path}/./set/{number:03}.png" for number in range(3)), f"{path}/set/bad.png",
    ]  # fmt: skip
    assert count_images(made.out, made.unit()) == 4


@pytest.mark.parametrize("content", [b"", b"no tar file" * 100, None])
def test_a_damaged_archive_has_its_images_and_an_error(tmp_path, planned, content):
    path = write_tar(tmp_path / "a.tar", members(5))
    path.write_bytes(path.read_bytes()[: 3 * 9000] if content is None else content)
    made = planned(path)
    run_unit(made.out, made.unit())
    *images, last = table(made).to_pylist()
    assert all(row["error"] is None for row in images)
    assert last["source"] == str(path)
    assert "whole tar file" in last["error"]
    assert len(images) == (3 if content is None else 0)
    assert count_images(made.out, made.unit()) == len(images) + 1


SPARSE = {"GNU.sparse.map": "0,x", "GNU.sparse.major": "0", "GNU.sparse.minor": "1"}


def test_an_archive_with_a_damaged_map_of_its_holes_has_its_images_and_an_error(tmp_path, planned):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, pax in (("a.png", {}), ("b.png", SPARSE)):
            member = tarfile.TarInfo(name)
            member.pax_headers, member.size = pax, len(encoded(0))
            archive.addfile(member, io.BytesIO(encoded(0)))
    made = planned(path)
    assert count_images(made.out, made.unit()) == 2
    assert run_unit(made.out, made.unit()) == Counts(images=2, rows=2, faces=1, failures=1)
    write_failure(made.out, made.unit(0, 1, 2, "piece"), "reason")


@pytest.mark.parametrize(
    "path", ["http://example.org/a.tar", "/tmp/" + "a" * 300 + ".tar", "/tmp/caf\udce9.tar", "/tmp"]
)
def test_an_archive_that_cannot_be_opened_is_a_failed_input(path):
    [failed] = predictions.predict_archive(path, None, 0, None)
    assert failed.source == path
    assert "must be a whole tar file" in str(failed.error)


def test_an_archive_whose_name_is_not_utf_8_is_read(tmp_path):
    path = write_tar(tmp_path / "caf\udce9.tar", members(2))
    assert predictions.count_archive(str(path)) == 2


def test_pieces_of_an_archive_hold_the_same_rows(tmp_path, planned):
    path = write_tar(tmp_path / "a.tar", members(5))
    path.write_bytes(path.read_bytes()[:-12000])
    made = planned(path)
    run_unit(made.out, made.unit())
    count = count_images(made.out, made.unit())
    for start, stop in ((0, 2), (2, count)):
        run_unit(made.out, made.unit(0, start, stop, f"piece-{start}"))
    pieces = [
        row for start in (0, 2)
        for row in parquet.read_table(io.BytesIO(made.storage.read(f"piece-{start}"))).to_pylist()
    ]  # fmt: skip
    assert pieces == table(made).to_pylist()


def test_a_unit_that_is_written_is_kept(tmp_path, planned):
    made = planned(write_images(tmp_path / "photos", 3))
    run_unit(made.out, made.unit())
    before = made.storage.read(made.plan.part(0))
    shutil.copy(tmp_path / "photos" / "0000.png", tmp_path / "photos" / "0001.png")
    assert run_unit(made.out, made.unit()) == Counts(0, 3, 3, 0)
    assert made.storage.read(made.plan.part(0)) == before


def test_a_probe_writes_nothing(tmp_path, planned):
    made = planned(write_images(tmp_path / "photos", 3))
    assert run_unit(made.out, made.unit(0, 0, 0, "probe")) == Counts()
    assert not made.storage.is_file("probe")


def test_an_input_that_ends_processes_is_a_row(tmp_path, planned):
    made = planned(write_images(tmp_path / "photos", 3))
    write_failure(made.out, made.unit(0, 1, 2, "piece"), "`source` must not end processes.")
    [row] = parquet.read_table(io.BytesIO(made.storage.read("piece"))).to_pylist()
    assert row["source"] == str(tmp_path / "photos" / "0001.png")
    assert row["error"] == "`source` must not end processes."


def test_an_image_of_an_archive_that_ends_processes_is_a_row(tmp_path, planned):
    made = planned(write_tar(tmp_path / "a.tar", members(3)))
    for place, name in ((1, f"{tmp_path}/a.tar/./set/001.png"), (3, f"{tmp_path}/a.tar")):
        write_failure(made.out, made.unit(0, place, place + 1, "piece"), "reason")
        [row] = parquet.read_table(io.BytesIO(made.storage.read("piece"))).to_pylist()
        assert row["source"] == name


def test_a_source_that_is_not_mounted_is_no_bad_image(tmp_path, planned):
    made = planned(write_images(tmp_path / "photos", 3))
    (tmp_path / "photos").rename(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="not there on this machine"):
        run_unit(made.out, made.unit())


@pytest.mark.parametrize("number", [errno.ESTALE, errno.ETIMEDOUT, errno.ENOMEM])
def test_a_file_server_that_fails_is_no_bad_image(tmp_path, planned, monkeypatch, number):
    def fails(*_, **__):
        raise OSError(number, "the server is gone")

    made = planned(write_images(tmp_path / "photos", 3))
    monkeypatch.setattr("emopy.media.images.is_pipe", fails)
    with pytest.raises(OSError, match="the server is gone"):
        run_unit(made.out, made.unit())
    assert not made.storage.is_file(made.plan.part(0))


def test_a_disk_that_cannot_read_one_file_is_a_bad_image(tmp_path, planned, monkeypatch):
    def fails(*_, **__):
        raise OSError(errno.EIO, "bad sector")

    made = planned(write_images(tmp_path / "photos", 1))
    monkeypatch.setattr("emopy.media.images.is_pipe", fails)
    assert run_unit(made.out, made.unit()).failures == 1


def test_another_model_plan_or_version_is_refused(tmp_path, planned, linear_model, monkeypatch):
    model = shutil.copytree(linear_model, tmp_path / "model")
    made = planned(write_images(tmp_path / "photos", 3), model=model)
    card = model / "card.json"
    card.write_text(card.read_text().replace('"tests"', '"other tests"'))
    with pytest.raises(ModelError, match="must be the one of the plan"):
        run_unit(made.out, made.unit())
    monkeypatch.setattr(worker, "__version__", "0.0.1")
    with pytest.raises(ModelError, match="on every machine"):
        run_unit(made.out, made.unit())
    replaced = planned(tmp_path / "photos", min_confidence=0.5)
    made.storage.write("_plan.json", replaced.storage.read("_plan.json"))
    with pytest.raises(InputError, match="was replaced"):
        run_unit(made.out, made.unit())


class OddError(Exception):
    def __init__(self, one, two):
        super().__init__(one)


@pytest.mark.parametrize(
    "error, text",
    [
        (InputError("`a` must"), "`a` must"),
        (OddError("x", "y"), "OddError: x"),
        (OSError(5, "bad", "file"), "[Errno 5] bad: 'file'"),
    ],
)
def test_every_error_can_be_sent_to_another_process(error, text):
    sent = pickle.loads(pickle.dumps(as_picklable(error)))
    assert str(sent) == text
    assert isinstance(sent, type(error)) == (not isinstance(error, OddError))
