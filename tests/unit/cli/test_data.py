"""`emopy data`: what it prints, where, and with which exit code."""

import numpy as np
import pytest
from PIL import Image

from emopy.cli.main import main
from emopy.data import Dataset, DirectoryDataLoader, open_data
from emopy.data.votes import VOTE_COLUMNS


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
    assert "images  48 × 48 pixels; all gray" in captured.out
    assert "1 files or rows were left out" in captured.err


def test_clips_are_described_and_checked_on_request(clips, capsys):
    assert main(["data", "describe", str(clips), "--clips", "2"]) == 0
    assert "read as   clips of 2, 48 × 48 pixels, gray" in capsys.readouterr().out
    assert main(["data", "check", str(clips), "--clips", "2"]) == 0
    assert "No fault found." in capsys.readouterr().out
    assert main(["data", "check", str(clips), "--clips", "9"]) == 2
    assert "fewer than time_delay=9" in capsys.readouterr().err


def test_the_counts_are_drawn_on_request(clips, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    target = tmp_path / "counts.png"
    assert main(["data", "describe", str(clips), "--image", str(target)]) == 0
    assert f"drawn on {target}" in capsys.readouterr().err
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
    assert "all in colour" in captured.out
    assert "! 1 of 2 images are less than half of 48 × 48 pixels" in captured.out
    assert f"next, type: emopy data check '{folder}', then: emopy data split" in captured.err
    assert main(["data", "describe", str(folder), str(folder / "..") + "/my faces"]) == 0
    assert "split" not in capsys.readouterr().err


def test_the_parts_of_a_csv_file_are_named_behind_its_path(tmp_path, capsys):
    path = tmp_path / "faces.csv"
    rows = [f"{i % 2};{' '.join([str(i)] * 63)} 200;{'ab'[i % 3 > 1]}" for i in range(12)]
    path.write_text("\n".join(["mood;face;part", *rows]))
    assert main(["data", "describe", str(path)]) == 2
    assert f"write into {path}.toml: labels" in capsys.readouterr().err
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


def test_another_version_of_a_image_in_another_part_is_told(tmp_path, capsys):
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (4, 32, 32, 1), dtype=np.uint8)
    targets, names = np.eye(2, dtype=np.float32)[[0, 0, 1, 1]], np.array(list("abcd"))
    for name, images in (("train", faces), ("test", faces[:, :, ::-1] // 2)):
        data = Dataset(images, targets, ("fear", "joy"), np.full(4, ""), names)
        data.save(tmp_path / f"{name}.npz")
    assert main(["data", "check", *(str(tmp_path / f"{n}.npz") for n in ("train", "test"))]) == 0
    assert (
        "? 4 images seem to be in more than one part in another version" in capsys.readouterr().out
    )


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
    assert "with a fault: 0" in capsys.readouterr().out
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
