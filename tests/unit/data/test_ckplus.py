import shutil

import numpy as np
import pytest
from PIL import Image

from emopy.data import DirectoryDataLoader, convert_ckplus
from emopy.errors import DataError


def write_clip(root, person, clip, values, emotion, *, labels="Emotion"):
    """Frames of one gray value each, and the emotion's number as CK+ writes it."""
    stem = f"{person}_{clip}"
    images = root / "cohn-kanade-images" / person / clip
    images.mkdir(parents=True)
    for number, value in enumerate(values, start=1):
        Image.new("L", (64, 49), value).save(images / f"{stem}_{number:08}.png")
    numbers = root / labels / person / clip
    numbers.mkdir(parents=True)
    if emotion is not None:
        name = f"{stem}_{len(values):08}_emotion.txt"
        (numbers / name).write_text(f"   {emotion:.7e}\n" if emotion != "x" else "x")


@pytest.fixture
def ckplus(tmp_path):
    root = tmp_path / "ckplus"
    write_clip(root, "S005", "001", range(10, 22), 3)
    write_clip(root, "S010", "001", range(30, 34), 7)
    write_clip(root, "S010", "002", range(50, 55), 5)
    write_clip(root, "S011", "001", range(70, 75), None)
    (root / "cohn-kanade-images" / ".DS_Store").write_text("litter")
    return root


def test_peaks_carry_the_emotion_and_first_frames_are_neutral(ckplus, tmp_path):
    report = convert_ckplus(ckplus, tmp_path / "out", detector="full-image", size=(48, 48))
    loader = DirectoryDataLoader(report.path, subject_regex=r"S\d+", strict=True)
    data = loader.load_data()
    assert data.counts() == {"disgust": 3, "happiness": 3, "neutral": 3, "surprise": 3}
    assert data.images[:, 24, 24, 0].tolist() == [19, 20, 21, 52, 53, 54, 10, 30, 50, 31, 32, 33]
    assert data.sources[0] == "disgust/S005_001_00000010.png"
    assert set(data.subject_ids) == {"S005", "S010"}
    assert report.samples["disgust"] == 3
    assert report.samples["anger"] == 0
    assert (report.unlabeled, report.skipped) == (1, ())
    assert "Skipped: 1 clips without an emotion, 0 bad clips" in str(report)


def test_what_systems_leave_behind_is_passed_over(ckplus, tmp_path):
    before = convert_ckplus(ckplus, tmp_path / "before", detector="full-image")
    copy = tmp_path / "copy"
    for name in ("cohn-kanade-images", "Emotion"):
        shutil.copytree(ckplus / name, copy / "CK+" / name)
        shutil.copytree(ckplus / name, copy / "__MACOSX" / name)
    for folder in [path for path in (copy / "CK+").rglob("*") if path.is_dir()]:
        (folder / "@eaDir").mkdir()
        for file in [path for path in folder.iterdir() if path.is_file()]:
            file.with_name(f"._{file.name}").write_bytes(b"\0\5\x16\7")
            (folder / "@eaDir" / file.name).write_bytes(file.read_bytes())
    after = convert_ckplus(copy, tmp_path / "after", detector="full-image")
    assert (after.samples, after.unlabeled, after.skipped) == (before.samples, 1, ())


def test_neutral_faces_can_be_left_out(ckplus, tmp_path):
    report = convert_ckplus(ckplus, tmp_path / "out", detector="full-image", first="skip", peaks=1)
    assert sum(report.samples.values()) == 3
    assert not (tmp_path / "out" / "neutral").exists()


def test_a_clip_of_peaks_alone_has_no_neutral_face(ckplus, tmp_path):
    report = convert_ckplus(ckplus, tmp_path / "out", detector="full-image", peaks=4)
    assert report.samples["neutral"] == 2
    assert report.samples["surprise"] == 4


def test_clips_are_written_whole(ckplus, tmp_path):
    report = convert_ckplus(ckplus, tmp_path / "out", kind="clips", detector="full-image")
    loader = DirectoryDataLoader(report.path, num_frames=4, subject_regex=r"S\d+", strict=True)
    data = loader.load_data()
    assert data.sources.tolist() == ["disgust/S005_001", "happiness/S010_002", "surprise/S010_001"]
    assert data.images[0, :, 24, 24, 0].tolist() == [18, 19, 20, 21]
    assert len(list((tmp_path / "out" / "disgust" / "S005_001").iterdir())) == 12


def test_the_folders_of_the_archives_are_found(tmp_path):
    root = tmp_path / "ckplus"
    for person, emotion in (("S1", 1), ("S2", 4)):
        write_clip(root, person, "001", range(5), emotion, labels="Emotion_labels/Emotion")
    report = convert_ckplus(root, tmp_path / "out", detector="full-image", first="skip", peaks=2)
    assert {label: n for label, n in report.samples.items() if n} == {"anger": 2, "fear": 2}


def test_what_cannot_be_used_is_listed_and_the_rest_is_written(ckplus, tmp_path):
    broken = ckplus / "cohn-kanade-images" / "S010" / "002" / "S010_002_00000005.png"
    broken.write_bytes(b"not an image")
    write_clip(ckplus, "S020", "001", range(5), 9)
    write_clip(ckplus, "S021", "001", range(5), float("nan"))
    write_clip(ckplus, "S022", "001", range(5), "x")
    report = convert_ckplus(ckplus, tmp_path / "out", detector="full-image")
    assert [skipped_sample.source[-8:].replace("\\", "/") for skipped_sample in report.skipped] == [
        "S010/002",
        "S020/001",
        "S021/001",
        "S022/001",
    ]
    assert report.skipped[1].reason.endswith("must hold a number 0 to 7. Received '9.0000000e+00'")
    assert report.samples["surprise"] == 3
    assert not (tmp_path / "out" / "happiness").exists()


def test_faces_are_cut_out_as_prediction_cuts_them(tmp_path, astronaut):
    root = tmp_path / "ckplus"
    write_clip(root, "S1", "001", range(4), 5)
    write_clip(root, "S2", "001", range(4), 1)
    for file in (root / "cohn-kanade-images" / "S1").rglob("*.png"):
        Image.fromarray(astronaut).save(file)
    report = convert_ckplus(root, tmp_path / "out", peaks=1, size=(64, 64))
    assert report.samples["happiness"] == report.samples["neutral"] == 1
    (face,) = (tmp_path / "out" / "happiness").iterdir()
    with Image.open(face) as image:
        assert image.size == (64, 64)
        assert np.asarray(image.convert("L"))[20:44].std() > 20
    (skipped_sample,) = report.skipped
    assert "found no face" in skipped_sample.reason


def test_nothing_is_left_behind_where_nothing_can_be_written(ckplus, tmp_path):
    for file in ckplus.rglob("*_emotion.txt"):
        file.unlink()
    with pytest.raises(DataError, match="4 without one, 0 bad ones"):
        convert_ckplus(ckplus, tmp_path / "out", detector="full-image")
    assert [path.name for path in tmp_path.iterdir()] == ["ckplus"]


def test_other_folders_and_arguments_are_refused(ckplus, tmp_path):
    with pytest.raises(DataError, match=r"without cohn-kanade-images\. Unpack"):
        convert_ckplus(tmp_path / "absent", tmp_path / "out")
    with pytest.raises(DataError, match=r"Received kind='movies'"):
        convert_ckplus(ckplus, tmp_path / "out", kind="movies")
    with pytest.raises(DataError, match="peaks=0"):
        convert_ckplus(ckplus, tmp_path / "out", peaks=0)
