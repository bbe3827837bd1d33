import re

import numpy as np
import pytest
from PIL import Image

from emopy.cli.main import main
from emopy.data import load_dataset


@pytest.fixture
def faces(tmp_path):
    """Four images of each of ten people, half of them in each of two emotions."""
    for person in range(10):
        for number in range(4):
            label = ("fear", "happiness")[number % 2]
            path = tmp_path / "faces" / label / f"p{person}-{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(10 * person + number).integers(0, 256, (48, 48), np.uint8)
            Image.fromarray(noise).save(path)
    return tmp_path / "faces"


def test_faces_are_divided_and_described(faces, tmp_path, capsys):
    out = tmp_path / "parts"
    words = ["data", "split", str(faces), str(out), "--test", "0.2", "--calibration", "0"]
    assert main(words) == 0
    splits = {path.stem: load_dataset(path) for path in sorted(out.glob("*.npz"))}
    assert {name: len(part) for name, part in splits.items()} == {
        "test": 8,
        "train": 28,
        "validation": 4,
    }
    origins = [str(origin) for part in splits.values() for origin in part.origin]
    assert len(set(origins)) == 40
    assert "validation" in capsys.readouterr().out


def test_a_person_named_in_the_path_stays_in_one_part(faces, tmp_path):
    out = tmp_path / "parts"
    assert main(["data", "split", str(faces), str(out), "--people", r"/(p\d+)-"]) == 0
    people = [set(load_dataset(path).people.tolist()) for path in out.glob("*.npz")]
    assert len(people) == 4
    assert sum(map(len, people)) == len(set.union(*people)) == 10
    assert all(re.fullmatch(r"p\d", person) for person in set.union(*people))


def test_clips_are_divided_with_their_frames(tmp_path, capsys):
    for clip in range(20):
        for number in range(3):
            folder = tmp_path / "clips" / ("fear", "happiness")[clip % 2] / f"p{clip}-c"
            folder.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(3 * clip + number).integers(0, 256, (48, 48), np.uint8)
            Image.fromarray(noise).save(folder / f"{number}.png")
    words = ["data", "split", str(tmp_path / "clips"), str(tmp_path / "parts"), "--clips", "2"]
    assert main([*words, "--people", r"(p\d+)-"]) == 0
    assert load_dataset(tmp_path / "parts" / "train.npz").images.shape == (14, 2, 48, 48, 1)


def test_what_was_left_out_is_told(faces, tmp_path, capsys):
    (faces / "fear" / "bad.png").write_bytes(b"not an image")
    assert main(["data", "split", str(faces), str(tmp_path / "parts")]) == 1
    assert "bad.png" in capsys.readouterr().err
    assert (tmp_path / "parts" / "train.npz").is_file()


def test_people_are_read_from_paths_only(faces, tmp_path, capsys):
    assert main(["data", "split", str(faces), str(tmp_path / "parts")]) == 0
    words = ["data", "split", str(tmp_path / "parts" / "train.npz"), str(tmp_path / "again")]
    assert main([*words, "--people", "x"]) == 2
    assert "DATA must be a folder" in capsys.readouterr().err
    assert not (tmp_path / "again").exists()
