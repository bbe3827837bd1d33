import json
from pathlib import Path

import numpy as np
import pytest

import emopy.samples
from emopy.data import check
from emopy.errors import DataError
from emopy.labels import ALL_EMOTIONS, STANDARD_EMOTIONS
from emopy.samples import (
    CLIP_FRAMES,
    sample_clip_splits,
    sample_clips,
    sample_images,
    sample_splits,
    sample_stills,
)

FOLDER = Path(emopy.samples.__file__).parent


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
def test_no_sample_is_in_two_splits_and_only_the_test_split_is_held_out(splits):
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
