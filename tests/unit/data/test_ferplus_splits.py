import cv2
import numpy as np
import pytest
from PIL import Image

from emopy.data import (
    DirectoryDataLoader,
    check,
    load_dataset,
    prepare_ferplus,
    read_ferplus,
)
from emopy.data.ferplus import VotedFaces
from emopy.data.votes import VOTE_COLUMNS
from emopy.errors import DataError
from emopy.labels import ALL_EMOTIONS
from research.ferplus import read_sheets

FEW = ("missing", "single")  # the parts here are tiny


@pytest.fixture
def rows(votes_for):
    """60 training faces with copies, and a face that all three splits show."""
    plain = [
        ("Training", i, votes_for(**{("fear", "anger", "neutral")[i % 3]: 8, "disgust": 2}))
        for i in range(60)
    ]
    return [
        *plain,
        ("Training", 0, votes_for(fear=4, disgust=6)),  # row 60: a copy of row 0
        ("Training", 100, votes_for(fear=10)),  # row 61: also in validation and test
        ("Training", 101, votes_for(fear=10)),  # row 62: also in validation
        ("Training", 102, votes_for(NF=10)),  # row 63: no emotion
        ("PublicTest", 100, votes_for(fear=10)),  # row 64
        ("PublicTest", 101, votes_for(fear=10)),
        ("PublicTest", 103, votes_for(fear=5, anger=5)),
        ("PrivateTest", 100, votes_for(fear=10)),
        ("PrivateTest", 104, votes_for(anger=10)),
    ]


@pytest.fixture
def prepared(rows, write_ferplus, tmp_path):
    out = tmp_path / "out"
    report = prepare_ferplus(read_ferplus(*write_ferplus(rows)), out, calibration=12)
    return report, {name: load_dataset(path) for name, path in report.files.items()}


def test_each_split_is_written(prepared):
    report, splits = prepared
    assert report.samples == {name: len(data) for name, data in splits.items()}
    assert report.samples == {"train": 48, "calibration": 12, "validation": 1, "test": 2}


def test_no_image_is_in_two_splits(prepared):
    assert not [found for found in check(prepared[1]).findings if found.kind not in FEW]


def test_an_image_stays_in_the_last_split_that_shows_it(prepared):
    report, splits = prepared
    assert report.duplicates_across == {
        "validation → test": 1,
        "train → test": 1,
        "train → validation": 1,
        "train → calibration": 0,
    }
    assert splits["validation"].sources.tolist() == ["fer2013:65"]
    assert splits["test"].sources.tolist() == ["fer2013:67", "fer2013:68"]


def test_another_version_of_a_photograph_in_a_later_split_is_not_trained(votes_for, tmp_path):
    rng = np.random.default_rng(0)
    rough = rng.integers(40, 200, (40, 12, 12), dtype=np.uint8)
    images = np.stack([cv2.resize(face, (48, 48), interpolation=cv2.INTER_CUBIC) for face in rough])
    images[39] = np.clip(images[3][:, ::-1].astype(int) + 15, 0, 255)  # mirrored and brighter
    faces = VotedFaces(
        images[..., None],
        np.stack([votes_for(fear=8, anger=2) for _ in range(40)]).astype(np.float32),
        np.array(["Training"] * 38 + ["PublicTest"] * 2),
        np.arange(40),
    )
    report = prepare_ferplus(faces, tmp_path, calibration=5)
    assert report.duplicates_across["train → validation"] == 1
    kept = [load_dataset(report.files[part]).sources for part in ("train", "calibration")]
    assert "fer2013:3" not in np.concatenate(kept)
    assert sum(map(len, kept)) == 37


def test_duplicates_inside_the_training_split_become_one_with_averaged_votes(prepared):
    report, splits = prepared
    assert report.duplicates_in_train == 1
    assert report.conflicting == 1
    both = {**splits, "validation": splits["train"]}
    sources = np.concatenate([both["train"].sources, splits["calibration"].sources]).tolist()
    assert sources.count("fer2013:0") == 1
    assert "fer2013:60" not in sources
    merged = np.concatenate([splits["train"].targets, splits["calibration"].targets])[
        sources.index("fer2013:0")
    ]
    if "fer2013:0" in splits["train"].sources:
        assert merged[ALL_EMOTIONS.index("fear")] == pytest.approx(0.6)
        assert merged[ALL_EMOTIONS.index("disgust")] == pytest.approx(0.4)
    else:
        assert merged[ALL_EMOTIONS.index("fear")] == 1


def test_calibration_faces_are_stratified_and_follow_the_majority_rule(prepared):
    counts = prepared[1]["calibration"].counts()
    assert (counts["fear"], counts["anger"], counts["neutral"]) == (4, 4, 4)
    assert prepared[1]["calibration"].targets.max(axis=1).min() == 1
    assert prepared[1]["train"].targets.max() < 1


def test_faces_that_the_rule_refuses_are_counted(prepared):
    assert prepared[0].rejected == {"train": 1, "calibration": 0, "validation": 1, "test": 0}


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(
    rows, write_ferplus, tmp_path
):
    faces = read_ferplus(*write_ferplus(rows))
    written = [
        prepare_ferplus(faces, tmp_path / name, calibration=12, seed=seed)
        .files["calibration"]
        .read_bytes()
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert written[0] == written[1] != written[2]


def test_the_report_is_readable(prepared):
    text = str(prepared[0])
    assert "train → validation" in text
    assert "48 faces" in text


@pytest.mark.parametrize("calibration", [0, 60, 1000])
def test_an_impossible_number_of_calibration_faces_is_refused(
    calibration, rows, write_ferplus, tmp_path
):
    faces = read_ferplus(*write_ferplus(rows))
    with pytest.raises(DataError, match=f"less than the 60 .*Received {calibration}"):
        prepare_ferplus(faces, tmp_path / "out", calibration=calibration)


def test_without_validation_faces_nothing_is_prepared(rows, write_ferplus, tmp_path):
    only_training = [row for row in rows if row[0] == "Training"]
    with pytest.raises(DataError, match=r"'PublicTest'. Received none"):
        prepare_ferplus(
            read_ferplus(*write_ferplus(only_training)), tmp_path / "out", calibration=5
        )


def test_packed_sheets_give_the_same_files_as_the_official_csv(rows, write_ferplus, tmp_path):
    names = {"Training": "train", "PublicTest": "valid", "PrivateTest": "test"}
    sheets = tmp_path / "sheets"
    sheets.mkdir()
    header = ["sheet", "tile_row", "tile_column", "split", "fer2013_row", *VOTE_COLUMNS]
    lines = [",".join(header)]
    tiles = np.zeros((2, 5, 10, 48, 48), np.uint8)
    for i, (usage, face, votes) in enumerate(rows):
        place = i // 50, i % 50 // 10, i % 10
        pixels = np.random.default_rng(face).integers(0, 256, 48 * 48)
        tiles[place] = pixels.reshape(48, 48)
        lines.append(",".join(map(str, [*place, names[usage], i, *votes])))
    (sheets / "labels.csv").write_text("\n".join(lines) + "\n")
    for number, sheet in enumerate(tiles.swapaxes(2, 3).reshape(2, 240, 480)):
        Image.fromarray(sheet).save(sheets / f"faces-{number}.png")

    packed = prepare_ferplus(read_sheets(sheets), tmp_path / "packed", calibration=12)
    official = prepare_ferplus(
        read_ferplus(*write_ferplus(rows)), tmp_path / "official", calibration=12
    )
    assert packed.files.keys() == official.files.keys()
    for part, file in packed.files.items():
        assert file.read_bytes() == official.files[part].read_bytes()

    with pytest.raises(DataError, match="without it"):
        read_sheets(tmp_path)


def test_folders_hold_the_same_faces_as_files(prepared, rows, write_ferplus, tmp_path):
    _, splits = prepared
    faces = read_ferplus(*write_ferplus(rows))
    report = prepare_ferplus(faces, tmp_path / "folders", calibration=12, layout="folders")
    assert report.files["test"] == tmp_path / "folders" / "test"
    for name, data in splits.items():
        read = DirectoryDataLoader(report.files[name]).load_data()
        assert read.labels == data.labels
        assert read.counts() == data.counts()
        order = np.argsort(data.truth, kind="stable")
        np.testing.assert_array_equal(read.images, data.images[order])


def test_an_unknown_layout_is_refused_before_anything_is_written(rows, write_ferplus, tmp_path):
    faces = read_ferplus(*write_ferplus(rows))
    with pytest.raises(DataError, match=r"'npz' or 'folders'\. Received 'zip'"):
        prepare_ferplus(faces, tmp_path / "new", calibration=12, layout="zip")
    assert not (tmp_path / "new").exists()


def test_unknown_votes_are_dropped_or_spread_in_training_only(
    prepared, rows, write_ferplus, tmp_path
):
    report, _ = prepared
    rows.append(("Training", 105, [0, 0, 0, 0, 0, 0, 4, 0, 6, 0]))
    faces = read_ferplus(*write_ferplus(rows))
    spread = prepare_ferplus(faces, tmp_path / "spread", calibration=12, unknown="spread")
    assert spread.samples == report.samples | {"train": report.samples["train"] + 1}
    doubtful = load_dataset(spread.files["train"]).targets[-1]
    assert sorted(doubtful) == pytest.approx([0.075] * 7 + [0.475])
    with pytest.raises(DataError, match=r"'drop' or 'spread'\. Received 'keep'"):
        prepare_ferplus(faces, tmp_path / "new", calibration=12, unknown="keep")
