import csv
import json
from pathlib import Path

import numpy as np
import pytest

import emopy.samples
from emopy.data import DirectoryDataLoader, check
from emopy.errors import DataError, InputError
from emopy.labels import ALL_EMOTIONS, STANDARD_EMOTIONS
from emopy.samples import (
    CLIP_FRAMES,
    sample_clip_splits,
    sample_clips,
    sample_images,
    sample_splits,
    sample_stills,
    write_samples,
)

FOLDER = Path(emopy.samples.__file__).parent


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    return write_samples(tmp_path_factory.mktemp("samples") / "new" / "folder")


def test_there_is_one_image_per_emotion():
    assert tuple(sorted(sample_images())) == ALL_EMOTIONS


def test_stills_show_each_standard_emotion_equally_often():
    stills = sample_stills()
    assert stills.images.shape == (448, 48, 48, 1)
    assert stills.labels == STANDARD_EMOTIONS
    assert set(stills.counts().values()) == {64}


@pytest.mark.parametrize("frames", [1, 2, 4, 7, 8])
def test_clips_have_as_many_frames_as_asked_for(frames):
    clips = sample_clips(frames=frames)
    assert clips.images.shape == (224, frames, 48, 48, 1)
    assert clips.labels == STANDARD_EMOTIONS
    assert set(clips.counts().values()) == {32}


def test_shorter_clips_end_at_the_peak_and_begin_neutral():
    whole, short = sample_clips(frames=CLIP_FRAMES).images, sample_clips(frames=3).images
    np.testing.assert_array_equal(short[:, 0], whole[:, 0])
    np.testing.assert_array_equal(short[:, -1], whole[:, -1])
    np.testing.assert_array_equal(sample_clips(frames=1).images[:, 0], whole[:, -1])


@pytest.mark.parametrize("frames", [0, -1, 9])
def test_an_impossible_number_of_frames_is_refused(frames):
    with pytest.raises(DataError, match=rf"`frames` must be 1 to 8. Received {frames}"):
        sample_clips(frames=frames)


def test_clips_move_smoothly_away_from_their_first_frame():
    clips = sample_clips(frames=CLIP_FRAMES)
    moving = clips.images[clips.truth != STANDARD_EMOTIONS.index("neutral"), ..., 0].astype(float)
    away = np.abs(moving - moving[:, :1]).mean(axis=(2, 3))
    assert np.all(np.diff(away.mean(axis=0)) > 0)
    step = np.abs(np.diff(moving, axis=1)).mean(axis=(2, 3))
    assert np.all(step.max(axis=1) < away[:, -1])


@pytest.mark.parametrize("data", [sample_stills(), sample_clips()], ids=["stills", "clips"])
def test_the_source_names_split_and_emotion_of_each_sample(data):
    assert len(set(data.sources)) == len(data)
    for source, label in zip(data.sources, data.truth, strict=True):
        split, emotion, _ = str(source).split("/")
        assert split in ("train", "test")
        assert emotion == data.labels[label]


@pytest.mark.parametrize("splits", [sample_splits(), sample_clip_splits()], ids=["stills", "clips"])
def test_splits_share_no_sample_and_only_the_test_split_is_held_out(splits):
    sources = {name: set(map(str, data.sources)) for name, data in splits.items()}
    assert list(sources) == ["train", "validation", "calibration", "test"]
    assert len(set().union(*sources.values())) == sum(map(len, sources.values()))
    for name, found in sources.items():
        assert {source.split("/")[0] for source in found} == {"test" if name == "test" else "train"}
    assert all(len(set(data.counts().values())) == 1 for _, data in splits.items())


def test_no_image_is_there_twice():
    assert check(dict(sample_splits().items())).ok
    assert len(np.unique(sample_stills().images.reshape(448, -1), axis=0)) == 448


def test_each_composite_is_made_of_thirty_faces_or_more():
    made = json.loads((FOLDER / "sheets" / "sheets.json").read_text(encoding="utf-8"))
    assert made["faces_in_each"] >= 30
    assert tuple(made["labels"]) == STANDARD_EMOTIONS
    for split in ("train", "test"):
        assert min(made["source_faces"][split].values()) > made["faces_in_each"]


def test_each_composite_is_another_draw_of_faces():
    made = json.loads((FOLDER / "sheets" / "sheets.json").read_text(encoding="utf-8"))
    draws = sum(sum(made["different_draws"][split].values()) for split in ("train", "test"))
    assert draws == 2 * (len(sample_stills()) + len(sample_clips()))  # neutral, and the emotion


def test_all_sample_data_take_less_than_two_and_a_half_megabytes():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.png")) < 2_500_000


def test_written_stills_come_back_unchanged_through_the_folder_loader(written):
    stills = sample_stills()
    for split in ("train", "test"):
        loaded = DirectoryDataLoader(written / "stills" / split).load_data()
        expected = stills.take(np.char.startswith(stills.sources, f"{split}/"))
        assert loaded.skipped == ()
        assert loaded.labels == expected.labels
        np.testing.assert_array_equal(loaded.images, expected.images)
        np.testing.assert_array_equal(loaded.targets, expected.targets)


def test_written_clips_have_a_folder_each(written):
    folders = sorted(path for path in (written / "clips").glob("*/*/*") if path.is_dir())
    assert len(folders) == 224
    assert {len(list(folder.glob("*.png"))) for folder in folders} == {CLIP_FRAMES}


def test_the_written_table_holds_the_stills(written):
    with (written / "stills.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    stills = sample_stills()
    assert [row["emotion"] for row in rows] == [stills.labels[label] for label in stills.truth]
    assert {row["Usage"] for row in rows} == {"Training", "PrivateTest"}
    pixels = np.array([row["pixels"].split() for row in rows], dtype=np.uint8)
    np.testing.assert_array_equal(pixels.reshape(-1, 48, 48, 1), stills.images)


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(InputError, match="`folder` must be a new or empty folder"):
        write_samples(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_text("keep", encoding="utf-8")
    with pytest.raises(InputError, match=r"`folder` must be a new or empty folder. .* is a file"):
        write_samples(path)
