import re

import numpy as np
import pytest
from PIL import Image

from emopy.data import Dataset, DirectoryDataLoader, check, open_data, save_folders, split
from emopy.errors import DataError, InputError, LabelError
from emopy.testing import check_loader


def write(path, value, size=(48, 48)):
    """An image of one gray value, or one color."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "L" if isinstance(value, int) else "RGB"
    Image.new(mode, (size[1], size[0]), value).save(path)


@pytest.fixture
def folder(tmp_path):
    for number in (1, 2, 10):
        write(tmp_path / "anger" / f"S{number:02}" / f"img{number}.png", number)
    write(tmp_path / "happy" / "one.png", 100)
    write(tmp_path / "Happiness" / "two.png", 200)
    (tmp_path / "fear").mkdir()
    return tmp_path


def test_folders_are_labels_and_spellings_of_one_emotion_merge(folder):
    data = DirectoryDataLoader(folder).load_data()
    assert data.labels == ("anger", "fear", "happiness")
    assert data.counts() == {"anger": 3, "fear": 0, "happiness": 2}
    assert data.images.shape == (5, 48, 48, 1)
    assert (data.targets.max(axis=1) == 1).all()


def test_images_come_in_natural_order(folder):
    for number in (9, 11):
        write(folder / "fear" / f"{number}.png", 5)
    data = DirectoryDataLoader(folder).load_data()
    assert data.sources.tolist() == [
        "anger/S01/img1.png",
        "anger/S02/img2.png",
        "anger/S10/img10.png",
        "fear/9.png",
        "fear/11.png",
        "Happiness/two.png",
        "happy/one.png",
    ]
    assert data.images[:3, 0, 0, 0].tolist() == [1, 2, 10]


def test_mixed_sizes_are_resized(folder):
    write(folder / "fear" / "large.png", 77, size=(130, 90))
    write(folder / "fear" / "small.png", 77, size=(7, 20))
    data = DirectoryDataLoader(folder, size=(40, 32)).load_data()
    assert data.images.shape == (7, 40, 32, 1)
    assert (data.images[data.truth == 1] == 77).all()


def test_color_is_kept_or_turned_gray_as_asked(folder):
    write(folder / "fear" / "red.png", (255, 0, 0))
    gray = DirectoryDataLoader(folder, target_emotions=["fear", "anger"]).load_data()
    color = DirectoryDataLoader(folder, target_emotions=["fear", "anger"], channels=3).load_data()
    assert gray.images[0, 0, 0].tolist() == [76]  # 0.299 × 255
    assert color.images[0, 0, 0].tolist() == [255, 0, 0]


def test_only_the_requested_labels_are_loaded_in_their_order(folder):
    data = DirectoryDataLoader(folder, target_emotions=["joy", "angry"]).load_data()
    assert data.labels == ("happiness", "anger")
    assert data.counts() == {"happiness": 2, "anger": 3}


def test_bad_files_are_listed_with_their_path_and_the_rest_is_loaded(folder):
    (folder / "fear" / "broken.png").write_bytes(b"not an image")
    (folder / "fear" / "notes.txt").write_text("hello")
    (folder / "fear" / ".hidden").write_text("hello")
    loaded = DirectoryDataLoader(folder).load_data()
    assert len(loaded) == 5
    assert sorted(skipped_sample.source for skipped_sample in loaded.skipped) == [
        str(folder / "fear" / "broken.png"),
        str(folder / "fear" / "notes.txt"),
    ]
    with pytest.raises(DataError, match=r"no bad files. Received 2"):
        DirectoryDataLoader(folder, strict=True).load_data()


def test_skipped_samples_of_an_earlier_call_are_forgotten(folder):
    bad = folder / "fear" / "broken.png"
    bad.write_bytes(b"not an image")
    loader = DirectoryDataLoader(folder)
    assert len(loader.load_data().skipped) == 1
    bad.unlink()
    assert loader.load_data().skipped == ()


@pytest.mark.parametrize(
    "subject_regex",
    [r"(S\d+)/", r"S\d\d", re.compile(r"/(S\d+)"), lambda file: file.parent.name],
)
def test_subjects_are_read_from_the_path(folder, subject_regex):
    data = DirectoryDataLoader(folder, subject_regex=subject_regex).load_data()
    assert data.subject_ids[data.truth == 0].tolist() == ["S01", "S02", "S10"]


def test_subjects_are_unknown_unless_the_path_says(folder):
    assert set(DirectoryDataLoader(folder).load_data().subject_ids) == {""}
    data = DirectoryDataLoader(folder, subject_regex=r"(S\d+)").load_data()
    assert data.subject_ids[data.truth == 2].tolist() == ["", ""]


def test_a_subject_rule_that_matches_no_path_is_refused(folder):
    with pytest.raises(DataError, match=r"Received X\\d, which matched none of \d+ paths"):
        DirectoryDataLoader(folder, subject_regex=r"X\d").load_data()


def test_a_folder_of_labels_of_your_own_is_fine(tmp_path):
    write(tmp_path / "Yawning" / "a.png", 1)
    write(tmp_path / "awake" / "b.png", 2)
    assert DirectoryDataLoader(tmp_path).load_data().labels == ("awake", "yawning")


def test_unusable_folders_are_refused(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        DirectoryDataLoader(tmp_path / "absent").load_data()
    with pytest.raises(DataError, match=r"at least two folders .*with none"):
        DirectoryDataLoader(tmp_path).load_data()
    (tmp_path / "joy").mkdir()
    (tmp_path / "happy").mkdir()
    with pytest.raises(DataError, match="with happiness"):
        DirectoryDataLoader(tmp_path).load_data()
    (tmp_path / "fear").mkdir()
    with pytest.raises(DataError, match="none could be read"):
        DirectoryDataLoader(tmp_path).load_data()


def test_bad_arguments_are_refused(folder):
    with pytest.raises(DataError, match="`size`"):
        DirectoryDataLoader(folder, size=(48, 4))
    with pytest.raises(DataError, match="`channels`"):
        DirectoryDataLoader(folder, channels=4)
    with pytest.raises(DataError, match="`subject_regex` must be a regular expression"):
        DirectoryDataLoader(folder, subject_regex="(")
    with pytest.raises(LabelError, match="Did you mean 'anger'"):
        DirectoryDataLoader(folder, target_emotions=["angerr", "fear"]).load_data()


def test_open_data_opens_folders_and_files_alike(folder, tmp_path):
    data = open_data(folder)
    saved = data.save(tmp_path / "faces.npz")
    np.testing.assert_array_equal(open_data(saved).images, data.images)
    assert open_data(str(saved)).labels == data.labels


def test_open_data_says_what_it_wants(tmp_path, make_dataset):
    with pytest.raises(DataError, match="absent: no such file"):
        open_data(tmp_path / "absent")
    (tmp_path / "faces.txt").write_text("x")
    with pytest.raises(DataError, match="not such a file"):
        open_data(tmp_path / "faces.txt")
    make_dataset([0, 1]).save(tmp_path / "train.npz")
    with pytest.raises(DataError, match=r"which holds train.npz. Type for example"):
        open_data(tmp_path)


def frame(path, value, size=(48, 48)):
    """An image of one gray value, or one color."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "L" if isinstance(value, int) else "RGB"
    Image.new(mode, (size[1], size[0]), value).save(path)


def clip(clip_folder, values):
    for number, value in enumerate(values, start=1):
        frame(clip_folder / f"{number}.png", value)


@pytest.fixture
def clip_folder(tmp_path):
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


def test_each_clip_gives_its_last_frames_in_natural_order(clip_folder):
    data = DirectoryDataLoader(clip_folder, num_frames=3).load_data()
    assert data.images.shape == (4, 3, 48, 48, 1)
    assert data.sources.tolist() == ["anger/S2_1", "anger/S10_1", "Happiness/S3_1", "happy/S2_2"]
    assert values(data) == [[21, 22, 23], [109, 110, 111], [62, 63, 64], [43, 44, 45]]


def test_the_label_is_that_of_the_folder(clip_folder):
    data = DirectoryDataLoader(clip_folder, num_frames=4).load_data()
    assert data.counts() == {"anger": 2, "fear": 0, "happiness": 2}
    wanted = DirectoryDataLoader(
        clip_folder, num_frames=4, target_emotions=["joy", "angry"]
    ).load_data()
    assert wanted.labels == ("happiness", "anger")
    with pytest.raises(LabelError, match="Did you mean 'anger'"):
        DirectoryDataLoader(
            clip_folder, num_frames=4, target_emotions=["angerr", "fear"]
        ).load_data()


def test_the_loader_keeps_the_promises_of_loaders(clip_folder):
    check_loader(DirectoryDataLoader(clip_folder, num_frames=4))


def test_short_and_empty_clips_are_listed_and_the_rest_is_loaded(clip_folder):
    (clip_folder / "fear" / "S9_9").mkdir()
    loaded = DirectoryDataLoader(clip_folder, num_frames=6).load_data()
    assert loaded.sources.tolist() == ["anger/S10_1", "happy/S2_2"]
    assert [
        (skipped_sample.source, skipped_sample.reason) for skipped_sample in loaded.skipped
    ] == [
        (str(clip_folder / "anger" / "S2_1"), "has 4 frames, fewer than num_frames=6"),
        (str(clip_folder / "fear" / "S9_9"), "a clip without frames"),
        (str(clip_folder / "Happiness" / "S3_1"), "has 5 frames, fewer than num_frames=6"),
    ]
    with pytest.raises(DataError, match=r"no bad clips or files. Received 3"):
        DirectoryDataLoader(clip_folder, num_frames=6, strict=True).load_data()


def test_a_clip_with_an_unreadable_frame_is_listed(clip_folder):
    (clip_folder / "anger" / "S10_1" / "11.png").write_bytes(b"not an image")
    loaded = DirectoryDataLoader(clip_folder, num_frames=4).load_data()
    assert "anger/S10_1" not in loaded.sources
    (skipped_sample,) = loaded.skipped
    assert skipped_sample.source == str(clip_folder / "anger" / "S10_1")
    assert "11.png" in skipped_sample.reason


def test_an_unreadable_frame_that_is_not_needed_does_no_harm(clip_folder):
    (clip_folder / "anger" / "S10_1" / "1.png").write_bytes(b"not an image")
    loaded = DirectoryDataLoader(clip_folder, num_frames=4).load_data()
    assert len(loaded) == 4
    assert loaded.skipped == ()


def test_files_in_odd_places_are_listed(clip_folder):
    frame(clip_folder / "anger" / "loose.png", 5)
    frame(clip_folder / "root.png", 5)
    (clip_folder / "fear" / "notes.txt").write_text("hello")
    (clip_folder / "fear" / "Thumbs.db").write_text("litter")
    loaded = DirectoryDataLoader(clip_folder, num_frames=4).load_data()
    assert len(loaded) == 4
    assert [skipped_sample.source for skipped_sample in loaded.skipped] == [
        str(clip_folder / "root.png"),
        str(clip_folder / "anger" / "loose.png"),
        str(clip_folder / "fear" / "notes.txt"),
    ]


def test_frames_of_mixed_sizes_and_colors_are_made_alike(clip_folder):
    frame(clip_folder / "anger" / "S2_1" / "4.png", (255, 0, 0), size=(90, 70))
    gray = DirectoryDataLoader(clip_folder, num_frames=4, size=(32, 40)).load_data()
    assert gray.images.shape == (4, 4, 32, 40, 1)
    assert values(gray)[0] == [20, 21, 22, 76]
    color = DirectoryDataLoader(clip_folder, num_frames=4, channels=3).load_data()
    assert color.images[0, :, 0, 0].tolist()[2:] == [[22, 22, 22], [255, 0, 0]]


def test_clips_may_lie_in_a_folder_per_subject(tmp_path):
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
def test_no_subject_is_in_two_splits(tmp_path, subject_regex):
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
    assert "subject" not in {finding.kind for finding in check(splits).findings}


def test_open_data_loads_clips_on_request(clip_folder):
    assert open_data(clip_folder, num_frames=2).images.shape == (4, 2, 48, 48, 1)
    assert open_data(clip_folder).images.shape == (27, 48, 48, 1)


def test_bad_arguments_for_clips_are_refused(clip_folder):
    for wrong in (0, 1, -1, 2.0, True):
        with pytest.raises(DataError, match="`num_frames` must be a whole number"):
            DirectoryDataLoader(clip_folder, num_frames=wrong)
    with pytest.raises(DataError, match="`size`"):
        DirectoryDataLoader(clip_folder, num_frames=4, size=(48, 4))
    with pytest.raises(DataError, match="`subject_regex` must be a regular expression"):
        DirectoryDataLoader(clip_folder, num_frames=4, subject_regex="(")
    with pytest.raises(DataError, match=r"none could be read \(\d skipped, the first: .*fewer"):
        DirectoryDataLoader(clip_folder, num_frames=99).load_data()


def make_clips(stills):
    return Dataset(
        np.stack([stills.images, 255 - stills.images], axis=1),
        stills.targets,
        stills.labels,
        stills.subject_ids,
        stills.sources,
    )


def test_stills_come_back_unchanged(make_dataset, tmp_path):
    data = make_dataset([0, 0, 2, 2, 2], labels=("anger", "fear", "yawning"), side=16)
    read = DirectoryDataLoader(save_folders(data, tmp_path / "out"), size=(16, 16)).load_data()
    assert read.counts() == {"anger": 2, "fear": 0, "yawning": 3}
    np.testing.assert_array_equal(read.images, data.images)
    assert read.sources[0] == "anger/row 0_000000.png"


def test_images_in_color_stay_in_color(make_dataset, tmp_path):
    gray = make_dataset([0, 1], labels=("anger", "fear"), side=16)
    color = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    data = Dataset(color, gray.targets, gray.labels, gray.subject_ids, gray.sources)
    out = save_folders(data, tmp_path / "out")
    read = DirectoryDataLoader(out, size=(16, 16), channels=3).load_data()
    np.testing.assert_array_equal(read.images, color)


def test_clips_come_back_unchanged(make_dataset, tmp_path):
    data = make_clips(make_dataset([0, 0, 1], labels=("anger", "fear"), side=16))
    out = save_folders(data, tmp_path / "out")
    read = DirectoryDataLoader(out, num_frames=2, size=(16, 16)).load_data()
    np.testing.assert_array_equal(read.images, data.images)
    assert read.skipped == ()


def test_subjects_are_found_again_in_the_names(make_dataset, tmp_path):
    data = make_dataset([0, 0, 1, 1], subject_ids=["S1", "S2", "S1", ""], labels=("anger", "fear"))
    data.sources[1] = "a/S2"  # the subject id is not repeated if the source has it
    out = save_folders(data, tmp_path / "out")
    read = DirectoryDataLoader(out, size=(8, 8), subject_regex=r"S\d").load_data()
    assert read.subject_ids.tolist() == ["S2", "S1", "", "S1"]  # in the order of the names
    assert (tmp_path / "out" / "anger" / "a-S2_000001.png").is_file()


def test_sources_that_are_no_file_names_and_equal_ones_do_no_harm(make_dataset, tmp_path):
    data = make_dataset([0, 0, 0, 1], labels=("anger", "fear"))
    data.sources[:3] = "../*?<", "../*?<", ""
    out = save_folders(data, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert len(list((out / "anger").iterdir())) == 3


def test_a_folder_that_holds_something_is_left_alone(make_dataset, tmp_path):
    data = make_dataset([0, 1], labels=("anger", "fear"))
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(InputError, match="new or empty folder"):
        save_folders(data, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
    with pytest.raises(InputError, match="folder that can be created"):
        save_folders(data, tmp_path / "note.txt" / "out")
    (tmp_path / "empty").mkdir()
    assert (save_folders(data, tmp_path / "empty") / "fear").is_dir()


@pytest.mark.parametrize("label", ["a/b", "..", "Happy", "", "joy"])
def test_labels_that_would_read_back_otherwise_are_refused(make_dataset, tmp_path, label):
    data = make_dataset([0, 1], labels=("anger", label))
    with pytest.raises(DataError, match="`labels` must have their standard spelling"):
        save_folders(data, tmp_path / "out")
    assert not any(tmp_path.iterdir())


@pytest.fixture
def clips_with_a_bad_frame(tmp_path):
    """Two clips of three frames, 60 × 50 pixels, and a file that is no image."""
    for place in ("fear/a", "joy/b"):
        (tmp_path / place).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (60, 50), (10 * number, 80, 90)).save(
                tmp_path / place / f"{number}.png"
            )
    (tmp_path / "joy" / "b" / "bad.png").write_bytes(b"no image")
    return tmp_path


def test_a_loader_of_stills_notes_what_it_read_each_time_anew(clips_with_a_bad_frame):
    loader = DirectoryDataLoader(clips_with_a_bad_frame)
    for _ in range(2):
        loaded = loader.load_data()
        assert str(loaded.image_stats) == "60 × 50 pixels; all in color"
        assert len(loaded.image_stats) == 6


def test_a_loader_of_clips_notes_its_frames(clips_with_a_bad_frame):
    (clips_with_a_bad_frame / "joy" / "b" / "bad.png").unlink()
    loaded = DirectoryDataLoader(clips_with_a_bad_frame, num_frames=2).load_data()
    assert len(loaded.image_stats) == 4
