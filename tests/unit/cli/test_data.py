"""`emopy data`: what it prints, where, and with which exit code."""

import os
import re

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from emopy.cli.main import emopy, main
from emopy.data import Dataset, DirectoryDataLoader, load_dataset, open_data
from emopy.data.votes import VOTE_COLUMNS
from emopy.errors import InputError


def write_image(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (48, 48), dtype=np.uint8)
    Image.fromarray(noise).save(path)


@pytest.fixture
def clips(tmp_path):
    """Two clips of three frames for each of two emotions."""
    for i, place in enumerate(("fear/a", "fear/b", "joy/a", "joy/b")):
        for number in range(3):
            write_image(tmp_path / "clips" / place / f"{number}.png", 10 * i + number)
    return tmp_path / "clips"


@pytest.fixture
def ferplus(tmp_path):
    """The two official files, with eight faces per split and one bad row."""
    images, votes = tmp_path / "fer2013.csv", tmp_path / "fer2013new.csv"
    faces, labels = ["emotion,pixels,Usage"], ["Usage,Image name," + ",".join(VOTE_COLUMNS)]
    for i in range(24):
        usage = ("Training", "PublicTest", "PrivateTest")[i % 3]
        pixels = np.random.default_rng(i).integers(0, 256, 48 * 48)
        counts = [10 if column == i // 3 % 2 else 0 for column in range(len(VOTE_COLUMNS))]
        faces.append(f"0,{' '.join(map(str, pixels))},{usage}")
        labels.append(f"{usage},face,{','.join(map(str, counts))}")
    faces.append("0,1 2 3,Training")
    labels.append(labels[1])
    images.write_text("\n".join(faces))
    votes.write_text("\n".join(labels))
    return images, votes


@pytest.fixture
def ckplus(tmp_path):
    root = tmp_path / "ckplus"
    for person, emotion in (("S1", 1), ("S2", 4)):
        for number in range(5):
            name = f"{person}_001_{number:08}.png"
            write_image(root / "cohn-kanade-images" / person / "001" / name, number)
        label = root / "Emotion" / person / "001" / f"{person}_001_00000004_emotion.txt"
        label.parent.mkdir(parents=True)
        label.write_text(f"   {emotion}.0000000e+00\n")
    return root


def test_what_could_not_be_read_is_listed_and_the_rest_is_described(clips, capsys):
    (clips / "joy" / "a" / "0.png").write_bytes(b"not an image")
    assert main(["data", "describe", str(clips)]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"emopy: {clips / 'joy' / 'a' / '0.png'}: ")
    assert "happiness" in captured.out
    assert "images      48 × 48 pixels; all gray" in captured.out
    assert "1 file or row was skipped" in captured.err


def test_clips_are_described_and_checked_on_request(clips, capsys):
    assert main(["data", "describe", str(clips), "--num-frames", "2"]) == 0
    assert "loaded as   clips of 2, 48 × 48 pixels, gray" in capsys.readouterr().out
    assert main(["data", "check", str(clips), "--num-frames", "2"]) == 0
    assert "No problem found." in capsys.readouterr().out
    assert main(["data", "check", str(clips), "--num-frames", "9"]) == 2
    assert "fewer than num_frames=9" in capsys.readouterr().err


def test_the_counts_are_drawn_on_request(clips, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    target = tmp_path / "counts.png"
    assert main(["data", "describe", str(clips), "--image", str(target)]) == 0
    assert f"chart written to {target}" in capsys.readouterr().err
    with Image.open(target) as image:
        assert image.width > 400


def test_a_first_look_says_what_the_files_are_and_what_to_type_next(tmp_path, capsys):
    for i, label in enumerate(("fear", "joy")):
        (tmp_path / "my faces" / label).mkdir(parents=True)
        color = Image.new("RGB", (64, 20 + 40 * i), (200, 10, 10))
        color.save(tmp_path / "my faces" / label / "1.png")
    folder = tmp_path / "my faces"
    assert main(["data", "describe", str(folder)]) == 0
    captured = capsys.readouterr()
    assert "64–64 pixels wide, 20–60 high" in captured.out
    assert "all in color" in captured.out
    assert "! 1 of 2 images are smaller than half of 48 × 48 pixels" in captured.out
    assert f"next: emopy data check '{folder}', then: emopy data split" in captured.err
    assert main(["data", "describe", str(folder), str(folder / "..") + "/my faces"]) == 0
    assert "split" not in capsys.readouterr().err


def test_the_parts_of_a_csv_file_are_named_behind_its_path(tmp_path, capsys):
    path = tmp_path / "faces.csv"
    rows = [f"{i % 2};{' '.join([str(i)] * 63)} 200;{'ab'[i % 3 > 1]}" for i in range(12)]
    path.write_text("\n".join(["mood;face;part", *rows]))
    assert main(["data", "describe", str(path)]) == 2
    assert f"Write into {path}.toml: labels" in capsys.readouterr().err
    path.with_name("faces.csv.toml").write_text(
        'usage_column = "part"\n[labels]\n0 = "anger"\n1 = "disgust"\n'
    )
    assert main(["data", "describe", str(path), f"{path}#a"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["label", "faces.csv", "faces.csv#a"]
    assert lines[3].split() == ["all", "12", "8"]
    assert main(["data", "check", f"{path}#a", f"{path}#b"]) == 0
    words = ["data", "split", f"{path}#a", str(tmp_path / "out"), "--calibration", "0"]
    assert main([*words, "--test", "0.3", "--validation", "0"]) == 0
    assert len(open_data(tmp_path / "out" / "train.npz")) in (5, 6)


def test_a_near_duplicate_in_another_split_is_reported(tmp_path, capsys):
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (4, 32, 32, 1), dtype=np.uint8)
    targets, names = np.eye(2, dtype=np.float32)[[0, 0, 1, 1]], np.array(list("abcd"))
    for name, images in (("train", faces), ("test", faces[:, :, ::-1] // 2)):
        data = Dataset(images, targets, ("fear", "joy"), np.full(4, ""), names)
        data.save(tmp_path / f"{name}.npz")
    assert main(["data", "check", *(str(tmp_path / f"{n}.npz") for n in ("train", "test"))]) == 0
    assert "? 4 images seem to have near-duplicates in another split" in capsys.readouterr().out


def test_a_csv_file_is_described(tmp_path, capsys):
    path = tmp_path / "faces.csv"
    rows = [f"{i},{' '.join([str(9 * i)] * 63)} 0,Training" for i in range(7)]
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]))
    assert main(["data", "describe", str(path)]) == 0
    talk = capsys.readouterr().out
    assert "disgust" in talk
    assert "8 × 8 pixels; all gray" in talk


def test_labels_in_two_spellings_are_a_serious_finding(tmp_path, capsys):
    rng = np.random.default_rng(0)
    path = Dataset(
        rng.integers(0, 256, (4, 8, 8, 1), dtype=np.uint8),
        np.eye(2, dtype=np.float32)[[0, 0, 1, 1]],
        ("happy", "happiness"),
        np.full(4, ""),
        np.array(list("abcd")),
    ).save(tmp_path / "faces.npz")
    assert main(["data", "check", str(path)]) == 1
    assert "happiness = happy" in capsys.readouterr().out


@pytest.mark.parametrize("layout, name", [("npz", "train.npz"), ("folders", "train")])
def test_ferplus_is_prepared_as_files_or_folders(ferplus, tmp_path, capsys, layout, name):
    words = ["data", "prepare", "ferplus", *map(str, ferplus), str(tmp_path / "out")]
    assert main([*words, "--calibration", "2", "--as", layout]) == 1
    captured = capsys.readouterr()
    assert "line 26: pixels must be 2304 numbers" in captured.err
    assert "train" in captured.out
    assert len(open_data(tmp_path / "out" / name)) == 6


def test_ckplus_is_prepared_as_a_folder_per_emotion(ckplus, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["data", "prepare", "ckplus", str(ckplus), str(out), "--detector", "full-image"]
    assert main([*words, "--peaks", "2"]) == 0
    assert "0 bad clips" in capsys.readouterr().out
    assert DirectoryDataLoader(out).load_data().counts() == {"anger": 2, "fear": 2, "neutral": 2}
    assert main(words) == 2
    assert "must be a new or empty folder" in capsys.readouterr().err
    (ckplus / "Emotion" / "S2" / "001" / "S2_001_00000004_emotion.txt").write_text("x")
    words[4] = str(tmp_path / "clips")
    assert main([*words, "--as", "clips"]) == 1
    captured = capsys.readouterr()
    assert "must hold a number 0 to 7" in captured.err
    assert "anger             1" in captured.out


def test_a_mistyped_collection_is_answered_with_the_nearest(capsys):
    assert main(["data", "prepare", "ferpluss"]) == 2
    assert "Did you mean 'ferplus'" in capsys.readouterr().err


# show


@pytest.fixture
def faces_file(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (6, 48, 48, 1), dtype=np.uint8)
    empty = np.full(6, "")
    targets = np.eye(2, dtype=np.float32)[[0, 1] * 3]
    return Dataset(images, targets, ("fear", "joy"), empty, empty).save(tmp_path / "faces.npz")


def test_faces_are_drawn_as_they_are_without_a_recipe(faces_file, tmp_path):
    out = tmp_path / "sheet.png"
    done = CliRunner().invoke(
        emopy, ["data", "show", str(faces_file), "--out", str(out), "--rows", "4"]
    )
    assert (done.exit_code, done.stdout) == (0, "")
    with Image.open(out) as image:
        assert image.size == (204, 426)


def test_a_recipe_changes_the_faces_and_can_be_changed(faces_file, tmp_path):
    pytest.importorskip("keras")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("[augment]\nbrightness = 0.3\n")
    sheets = []
    for extra in ([], ["--set", "augment.brightness=0"]):
        out = tmp_path / "sheet.png"
        words = [str(faces_file), "--recipe", str(recipe), "--out", str(out), "--epochs", "2"]
        words.append("--overwrite")
        assert CliRunner().invoke(emopy, ["data", "show", *words, *extra]).exit_code == 0
        with Image.open(out) as image:
            sheets.append(np.asarray(image)[26:122, 104:404])
    assert not np.array_equal(sheets[0][:, :96], sheets[0][:, 200:296])
    np.testing.assert_array_equal(sheets[1][:, :96], sheets[1][:, 200:296])


def test_faces_are_drawn_in_the_size_and_color_of_the_recipe(tmp_path):
    pytest.importorskip("keras")
    for label in ("fear", "happiness"):
        path = tmp_path / "faces" / label / "one.png"
        path.parent.mkdir(parents=True)
        Image.new("RGB", (96, 96), "red").save(path)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("[data]\nsize_px = 96\nchannels = 3\n")
    colors = []
    for extra in ([], ["--set", "data.channels=1"]):
        out = tmp_path / "sheet.png"
        words = [str(tmp_path / "faces"), "--recipe", str(recipe), "--out", str(out), "--overwrite"]
        assert CliRunner().invoke(emopy, ["data", "show", *words, *extra]).exit_code == 0
        with Image.open(out) as image:
            colors.append(np.ptp(np.asarray(image.convert("RGB")), axis=2).max())
    assert colors[0] > 200
    assert colors[1] < 20  # the text


def test_another_split_leaves_no_file_of_the_earlier_one(faces_file, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "test.npz").write_bytes(b"of an earlier split")
    words = ["data", "split", str(faces_file), str(out), "--validation", "0.4"]
    words += ["--test", "0", "--calibration", "0"]
    assert main(words) == 2
    assert "add --overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0
    left = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert left == ["train.npz", "validation.npz"]


def test_clips_are_drawn_with_their_frames_side_by_side(tmp_path):
    for label in ("fear", "happiness"):
        for frame in range(3):
            path = tmp_path / "clips" / label / "one" / f"{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (48, 48), 60 * frame).save(path)
    out = tmp_path / "sheet.png"
    words = [str(tmp_path / "clips"), "--num-frames", "3", "--out", str(out)]
    assert CliRunner().invoke(emopy, ["data", "show", *words]).exit_code == 0
    with Image.open(out) as image:
        assert image.size == (104 + 3 * 96 + 4, 26 + 2 * 100)


def test_a_setting_without_a_recipe_is_wrong_usage(faces_file):
    done = CliRunner().invoke(emopy, ["data", "show", str(faces_file), "--set", "augment.flip=1"])
    assert done.exit_code == 2
    assert "--recipe" in done.output


def test_images_that_cannot_be_read_are_listed_and_the_others_drawn(tmp_path):
    for label in ("fear", "happiness"):
        path = tmp_path / "faces" / label / "one.png"
        path.parent.mkdir(parents=True)
        Image.new("L", (48, 48), 60).save(path)
    (path.parent / "bad.png").write_bytes(b"no image")
    out = tmp_path / "sheet.png"
    done = CliRunner().invoke(
        emopy, ["data", "show", str(tmp_path / "faces"), "--out", str(out)], standalone_mode=False
    )
    assert done.return_value == 1
    assert str(path.parent / "bad.png") in done.stderr
    assert out.is_file()


@pytest.mark.parametrize(
    "words, name",
    [
        (["describe", "faces.npz", "--image", "chart.png"], "chart.png"),
        (["show", "faces.npz"], "sheet.png"),
        (["show", "faces.npz", "--out", "other.png"], "other.png"),
        (["split", "faces.npz", "out"], "out/test.npz"),
    ],
)
def test_a_file_is_replaced_on_request_only(words, name, faces_file, monkeypatch, capsys):
    monkeypatch.chdir(faces_file.parent)
    file = faces_file.parent / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"earlier")
    assert main(["data", *words]) == 2
    assert "must not replace a file" in (error := capsys.readouterr().err)
    assert "add --overwrite" in error
    assert file.read_bytes() == b"earlier"
    if words[0] == "show":
        assert main(["data", *words, "--overwrite"]) == 0
        assert file.read_bytes() != b"earlier"


@pytest.fixture
def kaggle(tmp_path):
    """A folder of splits, one face of which is in both."""
    root = tmp_path / "fer2013"
    for i, place in enumerate(("train/fear/1", "train/joy/2", "test/fear/3", "test/joy/4")):
        write_image(root / f"{place}.png", i)
    write_image(root / "test" / "joy" / "5.png", 1)
    return root


def test_a_folder_of_splits_is_described_and_checked_split_by_split(kaggle, capsys):
    assert main(["data", "describe", str(kaggle)]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[0].split() == ["label", "train", "test"]
    assert captured.out.splitlines()[3].split() == ["all", "2", "3"]
    train, test = kaggle / "train", kaggle / "test"
    assert f"next: emopy data check {train} {test}" in captured.err
    assert f"already: emopy train RECIPE --set data.train={train}" in captured.err
    assert main(["data", "check", str(kaggle)]) == 1
    assert "✗ 1 images are in more than one split" in capsys.readouterr().out


def test_a_folder_of_splits_is_not_split_again(kaggle, tmp_path, capsys):
    assert main(["data", "split", str(kaggle), str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "which is split into train, test. " in error
    assert error.endswith(f": emopy train RECIPE --set data.train={kaggle / 'train'}\n")


def test_a_folder_of_splits_is_no_data_set_of_one_split(kaggle, capsys):
    assert main(["data", "show", str(kaggle)]) == 2
    error = capsys.readouterr().err
    assert "which is split already. " in error
    assert f"Type {kaggle / 'train'} or {kaggle / 'test'}" in error


def test_names_that_are_not_utf_8_are_listed_shown_and_split(subjects, tmp_path, capsys):
    odd = os.fsdecode(b"caf\xe9")
    (subjects / "fear" / f"{odd}.png").write_bytes(b"not an image")
    write_image(subjects / "fear" / odd / f"{odd}.png", 999)
    for words in (
        ["describe", str(subjects), "--image", str(tmp_path / "counts.png")],
        ["check", str(subjects)],
        ["show", str(subjects), "--out", str(tmp_path / "sheet.png"), "--rows", "2"],
        ["split", str(subjects), str(tmp_path / "splits")],
    ):
        assert main(["data", *words]) == 1
        assert "emopy: " in capsys.readouterr().err
    found = [load_dataset(path) for path in (tmp_path / "splits").glob("*.npz")]
    assert sum(f"fear/{odd}/{odd}.png" in data.sources.tolist() for data in found) == 1
    moved = subjects.rename(subjects.with_name(odd))
    assert main(["data", "describe", str(moved), "--image", str(tmp_path / "again.png")]) == 1


# split


@pytest.fixture
def subjects(tmp_path):
    """Four images of each of ten people, half of them in each of two emotions."""
    for person in range(10):
        for number in range(4):
            label = ("fear", "happiness")[number % 2]
            path = tmp_path / "faces" / label / f"p{person}-{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(10 * person + number).integers(0, 256, (48, 48), np.uint8)
            Image.fromarray(noise).save(path)
    return tmp_path / "faces"


def test_faces_are_divided_and_described(subjects, tmp_path, capsys):
    out = tmp_path / "splits"
    words = ["data", "split", str(subjects), str(out), "--test", "0.2", "--calibration", "0"]
    assert main(words) == 0
    splits = {path.stem: load_dataset(path) for path in sorted(out.glob("*.npz"))}
    assert {name: len(part) for name, part in splits.items()} == {
        "test": 8,
        "train": 28,
        "validation": 4,
    }
    sources = [str(source) for each in splits.values() for source in each.sources]
    assert len(set(sources)) == 40
    assert "validation" in capsys.readouterr().out


def test_a_person_named_in_the_path_stays_in_one_part(subjects, tmp_path):
    out = tmp_path / "splits"
    assert main(["data", "split", str(subjects), str(out), "--subject-regex", r"/(p\d+)-"]) == 0
    subjects_found = [set(load_dataset(path).subject_ids.tolist()) for path in out.glob("*.npz")]
    assert len(subjects_found) == 4
    assert sum(map(len, subjects_found)) == len(set.union(*subjects_found)) == 10
    assert all(re.fullmatch(r"p\d", person) for person in set.union(*subjects_found))


def test_clips_are_divided_with_their_frames(tmp_path, capsys):
    for clip in range(20):
        for number in range(3):
            folder = tmp_path / "clips" / ("fear", "happiness")[clip % 2] / f"p{clip}-c"
            folder.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(3 * clip + number).integers(0, 256, (48, 48), np.uint8)
            Image.fromarray(noise).save(folder / f"{number}.png")
    words = [
        "data",
        "split",
        str(tmp_path / "clips"),
        str(tmp_path / "splits"),
        "--num-frames",
        "2",
    ]
    assert main([*words, "--subject-regex", r"(p\d+)-"]) == 0
    assert load_dataset(tmp_path / "splits" / "train.npz").images.shape == (14, 2, 48, 48, 1)


def test_skipped_files_are_reported(subjects, tmp_path, capsys):
    (subjects / "fear" / "bad.png").write_bytes(b"not an image")
    assert main(["data", "split", str(subjects), str(tmp_path / "splits")]) == 1
    assert "bad.png" in capsys.readouterr().err
    assert (tmp_path / "splits" / "train.npz").is_file()


def test_people_are_read_from_paths_only(subjects, tmp_path, capsys):
    assert main(["data", "split", str(subjects), str(tmp_path / "splits")]) == 0
    words = ["data", "split", str(tmp_path / "splits" / "train.npz"), str(tmp_path / "again")]
    assert main([*words, "--subject-regex", "x"]) == 2
    assert "`DATA` must be a folder if `--subject-regex` is given" in capsys.readouterr().err
    assert not (tmp_path / "again").exists()


# samples


def test_the_sample_data_are_written_and_their_folder_is_named(tmp_path):
    out = tmp_path / "samples"
    result = CliRunner().invoke(emopy, ["data", "samples", str(out)])
    assert result.exit_code == 0
    assert result.output.strip() == str(out)
    assert (out / "stills" / "test" / "fear" / "015.png").is_file()
    assert (out / "clips" / "train" / "fear" / "011" / "7.png").is_file()
    assert (out / "stills.csv").is_file()


def test_a_folder_in_use_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    assert isinstance(
        CliRunner().invoke(emopy, ["data", "samples", str(tmp_path)]).exception, InputError
    )
