"""Which folders are labels: splits and persons above them, system folders, odd names."""

import os
import unicodedata
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emopy.data import DirectoryDataLoader, check, describe
from emopy.data.label_folders import split_folders
from emopy.errors import DataError

SYSTEM_FOLDERS = (
    ".hidden", "__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information",
    "#recycle", ".ipynb_checkpoints",
)  # fmt: skip
SYSTEM_FILES = ("._0.png", ".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r")


def put(root, *places):
    """An image of its own at each place below a folder."""
    for place in places:
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(zlib.crc32(place.encode())).integers(
            0, 256, (16, 16), np.uint8
        )
        Image.fromarray(noise).save(path)
    return root


@pytest.fixture
def faces(tmp_path):
    return put(tmp_path / "faces", "anger/1.png", "anger/22.png", "happy/333.png", "happy/4444.png")


SPLIT_NAMES = (
    ("train", "test"), ("training", "validation", "test"), ("Train", "Val"),
    ("train_images", "test_images"),
    ("PublicTest", "PrivateTest", "Training"), ("train",),
)  # fmt: skip


@pytest.mark.parametrize("names", SPLIT_NAMES)
@pytest.mark.parametrize("person", ["", "S01/"])
def test_splits_above_the_labels_are_never_labels_and_the_paths_to_type_are_named(
    tmp_path, names, person
):
    root = tmp_path / "fer2013"
    for name in names:
        put(root / name, f"{person}anger/1.png", f"{person}joy/2.png", ".hidden/3.png")
    with pytest.raises(DataError, match="which is split already") as raised:
        DirectoryDataLoader(root).load_data()
    for name in names:
        assert str(root / name) in str(raised.value)
    assert {path.name for path in split_folders(root)} == set(names)
    if not person:
        data = DirectoryDataLoader(root / names[0]).load_data()
        assert data.labels == ("anger", "happiness")


def test_splits_without_labels_are_refused(tmp_path):
    put(tmp_path, "train/1.png", "test/2.png")
    with pytest.raises(DataError, match="splits without labels"):
        DirectoryDataLoader(tmp_path).load_data()


def test_a_split_beside_labels_is_refused(faces):
    put(faces, "test/anger/1.png")
    with pytest.raises(DataError, match=r"test/ is beside folders of emotions\. Move it out"):
        DirectoryDataLoader(faces).load_data()


def test_a_folder_of_persons_gives_labels_and_subject_ids(tmp_path):
    put(tmp_path, "Zoë/anger/1.png", "Zoë/joy/22.png", "S2/happy/333.png", "loose.png")
    data = DirectoryDataLoader(tmp_path).load_data()
    assert data.counts() == {"anger": 1, "happiness": 2}
    assert dict(zip(data.sources.tolist(), data.subject_ids.tolist(), strict=True)) == {
        "Zoë/anger/1.png": "Zoë",
        "Zoë/joy/22.png": "Zoë",
        "S2/happy/333.png": "S2",
    }
    assert [sample.source for sample in data.skipped] == [str(tmp_path / "loose.png")]
    by_rule = DirectoryDataLoader(tmp_path, subject_regex=r"\d+\.png").load_data()
    assert set(by_rule.subject_ids.tolist()) == {"1.png", "22.png", "333.png"}


def test_clips_of_persons_above_the_emotions_are_loaded(tmp_path):
    places = [f"{s}/{e}/c/{n}.png" for s in ("S1", "S2") for e in ("anger", "joy") for n in "123"]
    data = DirectoryDataLoader(put(tmp_path, *places), num_frames=2).load_data()
    assert data.counts() == {"anger": 2, "happiness": 2}
    assert sorted(set(data.subject_ids.tolist())) == ["S1", "S2"]


@pytest.mark.parametrize(
    ("places", "path_to_type"),
    [
        (("S1/anger/1.png", "S1/joy/2.png", "S2/3.png"), "S1"),
        (("images/anger/1.png", "images/joy/2.png"), "images"),
        (("b/images/train/anger/1.png", "b/images/train/joy/2.png"), "b/images/train"),
        (("a/train/anger/1.png", "a/train/joy/2.png", "b/train/joy/3.png"), "a/train"),
        (("anger/1.png", "joy/2.png", "more/anger/3.png"), "more"),
    ],
)  # fmt: skip
def test_labels_further_down_are_refused_with_the_path_to_type(tmp_path, places, path_to_type):
    with pytest.raises(DataError, match="`path` must hold at least two folders") as raised:
        DirectoryDataLoader(put(tmp_path, *places)).load_data()
    assert str(tmp_path / path_to_type) in str(raised.value)


@pytest.mark.parametrize("place", ["anger", "happy"])
@pytest.mark.parametrize("inner", ["1.png", "S1/1.png", "001/1.png"])
def test_the_folder_of_one_emotion_names_its_parent(tmp_path, monkeypatch, place, inner):
    put(tmp_path / "faces", f"anger/{inner}", f"happy/{inner}")
    path = tmp_path / "faces" / place
    with pytest.raises(DataError, match=rf"the folder of one label\. Type {path.parent}$"):
        DirectoryDataLoader(path).load_data()
    monkeypatch.chdir(path)
    with pytest.raises(DataError, match=rf"Type {path.parent}$"):
        DirectoryDataLoader(".").load_data()
    monkeypatch.chdir(path.parent)
    with pytest.raises(DataError, match=r"Type \.$"):
        DirectoryDataLoader(place).load_data()


def test_the_folder_of_one_label_of_your_own_names_its_parent(tmp_path):
    put(tmp_path, "yawning/1.png", "awake/2.png")
    with pytest.raises(DataError, match=rf"Type the folder above it: {tmp_path}$"):
        DirectoryDataLoader(tmp_path / "yawning").load_data()


@pytest.mark.parametrize("num_frames", [None, 2])
def test_what_systems_leave_behind_is_passed_over_on_every_level(tmp_path, num_frames):
    root = tmp_path / "faces"
    clip = "" if num_frames is None else "clip/"
    places = [f"{label}/{clip}{n}.png" for label in ("anger", "joy") for n in "123"]
    before = DirectoryDataLoader(put(root, *places), num_frames=num_frames).load_data()
    for folder in ("", "anger/", f"joy/{clip}"):
        for name in SYSTEM_FOLDERS:
            put(root, f"{folder}{name}/anger/1.png", f"{folder}{name}/2.png")
        for name in SYSTEM_FILES:
            (root / folder / name).write_bytes(b"\0\5\x16\7")
    after = DirectoryDataLoader(root, num_frames=num_frames, strict=True).load_data()
    assert after.labels == before.labels == ("anger", "happiness")
    assert after.sources.tolist() == before.sources.tolist()
    assert after.skipped == ()


@pytest.mark.parametrize("names", [map(str, range(7)), ("0.0", "1.0"), ("anger", "-1"), ("1", "x")])
def test_numbers_are_never_labels(tmp_path, names):
    put(tmp_path, *(f"{name}/1.png" for name in names))
    with pytest.raises(DataError, match=r"must be named after labels\. Received .*0 is anger"):
        DirectoryDataLoader(tmp_path).load_data()


def test_persons_with_numbers_for_names_are_no_labels(tmp_path):
    data = DirectoryDataLoader(put(tmp_path, "1/anger/1.png", "2/joy/2.png")).load_data()
    assert data.labels == ("anger", "happiness")
    assert sorted(data.subject_ids.tolist()) == ["1", "2"]


def test_names_in_composed_and_decomposed_letters_are_one_label(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "colère") for form in ("NFC", "NFD"))
    put(tmp_path, f"{decomposed}/1.png", f"{composed}/22.png", "joie/333.png")
    assert len(list(tmp_path.iterdir())) == 3
    for typed in (composed, decomposed):
        data = DirectoryDataLoader(tmp_path, target_emotions=[typed, "joie"]).load_data()
        assert data.labels == (composed, "joie")
        assert data.counts() == {composed: 2, "joie": 1}


@pytest.mark.parametrize(
    ("name", "shown"), [(b"col\xe8re", r"'col\\udce8re'"), (b"a\x1b[31m", r"'a\\x1b\[31m'")]
)
def test_a_label_that_cannot_be_printed_is_refused(tmp_path, name, shown):
    put(tmp_path, "anger/1.png", "joy/2.png")
    (tmp_path / os.fsdecode(name)).mkdir()
    with pytest.raises(DataError, match=rf"characters in UTF-8\. Received {shown}"):
        DirectoryDataLoader(tmp_path).load_data()


def test_misspelt_and_numbered_labels_are_pointed_out(tmp_path):
    names = ("suprise", "angry_2", "1_happy", "sad", "yawning")
    data = DirectoryDataLoader(
        put(tmp_path, *(f"{name}/1{name}.png" for name in names))
    ).load_data()
    report = check(data)
    (finding,) = [finding for finding in report.findings if finding.kind == "misspelt"]
    assert finding.examples == ("1_happy: happiness?", "angry_2: anger?", "suprise: surprise?")
    assert not finding.serious
    assert str(report).endswith("Look at what is marked ?")
    text = describe(data)
    assert "1_happy (happiness?), angry_2 (anger?), suprise (surprise?)" in text
    assert "yawning (" not in text


def test_a_folder_that_may_not_be_listed_holds_nothing(tmp_path):
    assert split_folders(tmp_path / "absent") == ()
    assert split_folders(Path("/dev/null")) == ()
