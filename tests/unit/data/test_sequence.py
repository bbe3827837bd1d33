import numpy as np
import pytest
from PIL import Image

from emopy.data import DirectoryDataLoader, check, open_data, split
from emopy.errors import DataError, LabelError
from emopy.testing import check_loader


def frame(path, value, size=(48, 48)):
    """An image of one gray value, or one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "L" if isinstance(value, int) else "RGB"
    Image.new(mode, (size[1], size[0]), value).save(path)


def clip(folder, values):
    for number, value in enumerate(values, start=1):
        frame(folder / f"{number}.png", value)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "clips"
    clip(root / "anger" / "S10_1", range(100, 112))
    clip(root / "anger" / "S2_1", range(20, 24))
    clip(root / "happy" / "S2_2", range(40, 46))
    clip(root / "Happiness" / "S3_1", range(60, 65))
    (root / "fear").mkdir()
    return root


def values(data):
    """Gray value of each frame of each clip."""
    return data.images[:, :, 0, 0, 0].tolist()


def test_each_clip_gives_its_last_frames_in_natural_order(folder):
    data = DirectoryDataLoader(folder, num_frames=3).load_data()
    assert data.images.shape == (4, 3, 48, 48, 1)
    assert data.sources.tolist() == ["anger/S2_1", "anger/S10_1", "Happiness/S3_1", "happy/S2_2"]
    assert values(data) == [[21, 22, 23], [109, 110, 111], [62, 63, 64], [43, 44, 45]]


def test_the_label_is_that_of_the_folder(folder):
    data = DirectoryDataLoader(folder, num_frames=4).load_data()
    assert data.counts() == {"anger": 2, "fear": 0, "happiness": 2}
    wanted = DirectoryDataLoader(folder, num_frames=4, target_emotions=["joy", "angry"]).load_data()
    assert wanted.labels == ("happiness", "anger")
    with pytest.raises(LabelError, match="Did you mean 'anger'"):
        DirectoryDataLoader(folder, num_frames=4, target_emotions=["angerr", "fear"]).load_data()


def test_the_loader_keeps_the_promises_of_loaders(folder):
    check_loader(DirectoryDataLoader(folder, num_frames=4))


def test_short_and_empty_clips_are_listed_and_the_rest_is_loaded(folder):
    (folder / "fear" / "S9_9").mkdir()
    loaded = DirectoryDataLoader(folder, num_frames=6).load_data()
    assert loaded.sources.tolist() == ["anger/S10_1", "happy/S2_2"]
    assert [
        (skipped_sample.source, skipped_sample.reason) for skipped_sample in loaded.skipped
    ] == [
        (str(folder / "anger" / "S2_1"), "has 4 frames, fewer than num_frames=6"),
        (str(folder / "fear" / "S9_9"), "a clip without frames"),
        (str(folder / "Happiness" / "S3_1"), "has 5 frames, fewer than num_frames=6"),
    ]
    with pytest.raises(DataError, match=r"no bad clips or files. Received 3"):
        DirectoryDataLoader(folder, num_frames=6, strict=True).load_data()


def test_a_clip_with_an_unreadable_frame_is_listed(folder):
    (folder / "anger" / "S10_1" / "11.png").write_bytes(b"not an image")
    loaded = DirectoryDataLoader(folder, num_frames=4).load_data()
    assert "anger/S10_1" not in loaded.sources
    (skipped_sample,) = loaded.skipped
    assert skipped_sample.source == str(folder / "anger" / "S10_1")
    assert "11.png" in skipped_sample.reason


def test_an_unreadable_frame_that_is_not_needed_does_no_harm(folder):
    (folder / "anger" / "S10_1" / "1.png").write_bytes(b"not an image")
    loaded = DirectoryDataLoader(folder, num_frames=4).load_data()
    assert len(loaded) == 4
    assert loaded.skipped == ()


def test_files_in_odd_places_are_listed(folder):
    frame(folder / "anger" / "loose.png", 5)
    frame(folder / "root.png", 5)
    (folder / "fear" / "notes.txt").write_text("hello")
    (folder / "fear" / "Thumbs.db").write_text("litter")
    loaded = DirectoryDataLoader(folder, num_frames=4).load_data()
    assert len(loaded) == 4
    assert [skipped_sample.source for skipped_sample in loaded.skipped] == [
        str(folder / "root.png"),
        str(folder / "anger" / "loose.png"),
        str(folder / "fear" / "notes.txt"),
    ]


def test_frames_of_mixed_sizes_and_colours_are_made_alike(folder):
    frame(folder / "anger" / "S2_1" / "4.png", (255, 0, 0), size=(90, 70))
    gray = DirectoryDataLoader(folder, num_frames=4, size=(32, 40)).load_data()
    assert gray.images.shape == (4, 4, 32, 40, 1)
    assert values(gray)[0] == [20, 21, 22, 76]
    colour = DirectoryDataLoader(folder, num_frames=4, channels=3).load_data()
    assert colour.images[0, :, 0, 0].tolist()[2:] == [[22, 22, 22], [255, 0, 0]]


def test_clips_may_lie_in_a_folder_per_person(tmp_path):
    for person in ("S1", "S2"):
        clip(tmp_path / "fear" / person / "01", range(4))
        clip(tmp_path / "joy" / person / "02", range(4))
    data = DirectoryDataLoader(
        tmp_path, num_frames=4, subject_regex=lambda place: place.parts[1]
    ).load_data()
    assert data.sources.tolist() == ["fear/S1/01", "fear/S2/01", "joy/S1/02", "joy/S2/02"]
    assert data.subject_ids.tolist() == ["S1", "S2", "S1", "S2"]


@pytest.mark.parametrize(
    "subject_regex", [r"(S\d+)_", r"S\d+", lambda place: place.name.split("_")[0]]
)
def test_no_person_is_in_two_parts_of_a_split(tmp_path, subject_regex):
    rng = np.random.default_rng(0)
    for person in range(12):
        for emotion in ("anger", "fear", "joy"):
            for take in range(2):
                values = rng.integers(0, 256, 3).tolist()
                clip(tmp_path / emotion / f"S{person:02}_{take}", values)
    data = DirectoryDataLoader(tmp_path, num_frames=3, subject_regex=subject_regex).load_data()
    assert len(set(data.subject_ids)) == 12
    splits = split(data, validation=0.2, calibration=0, test=0.2)
    assert splits.test.images.shape[1:] == (3, 48, 48, 1)
    assert sum(len(part) for _, part in splits.items()) == len(data)
    assert "person" not in {finding.kind for finding in check(splits).findings}


def test_open_data_takes_clips_where_it_is_told_to(folder):
    assert open_data(folder, num_frames=2).images.shape == (4, 2, 48, 48, 1)
    assert open_data(folder).images.shape == (27, 48, 48, 1)


def test_bad_arguments_are_refused(folder):
    for wrong in (0, 1, -1, 2.0, True):
        with pytest.raises(DataError, match="`num_frames` must be a whole number"):
            DirectoryDataLoader(folder, num_frames=wrong)
    with pytest.raises(DataError, match="`size`"):
        DirectoryDataLoader(folder, num_frames=4, size=(48, 4))
    with pytest.raises(DataError, match="`subject_regex` must be a regular expression"):
        DirectoryDataLoader(folder, num_frames=4, subject_regex="(")
    with pytest.raises(DataError, match=r"none could be read \(\d skipped, the first: .*fewer"):
        DirectoryDataLoader(folder, num_frames=99).load_data()
