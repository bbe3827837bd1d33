import numpy as np
import pytest

from emopy.data import Dataset, Parts, check, describe
from emopy.data.problems import Problem, refuse
from emopy.errors import DataError


def kinds(report):
    """Kinds of what was found; the data here are too few for more than one sample a label."""
    return [finding.kind for finding in report.findings if finding.kind != "single"]


def test_clean_data_have_no_findings(make_dataset):
    report = check(make_dataset([0, 1, 2, 0, 1, 2]))
    assert report.ok
    assert report.findings == ()
    assert str(report) == "Samples: data 6\nNo fault found."


def test_a_picture_in_two_parts_is_a_leak(make_dataset):
    train, test = make_dataset([0, 1, 2]), make_dataset([0, 1, 2], seed=1)
    test.images[0] = train.images[0]
    report = check(Parts.of(train, test=test))
    assert not report.ok
    assert kinds(report) == ["leak"]
    assert report.findings[0].examples == (
        "train row 0 (anger, row 0) = test row 0 (anger, row 0)",
    )
    assert "✗ 1 pictures are in more than one part" in str(report)


def test_a_picture_with_two_labels_is_a_contradiction(make_dataset):
    data = make_dataset([0, 1, 2])
    data.images[1] = data.images[0]
    report = check(data)
    assert not report.ok
    assert kinds(report) == ["contradiction", "repeat"]


def test_repeats_inside_a_part_are_told_but_not_serious(make_dataset):
    data = make_dataset([0, 0, 0, 1, 2])
    data.images[1:3] = data.images[0]
    report = check(data)
    assert report.ok
    assert "1 pictures repeat inside one part (2 surplus copies)" in str(report)


def test_a_person_in_two_parts_is_found(make_dataset):
    train = make_dataset([0, 1, 2], people=["Ada", "Bo", ""])
    test = make_dataset([0, 1, 2], people=["Ada", "Cy", ""], seed=1)
    report = check({"train": train, "test": test})
    assert kinds(report) == ["person"]
    assert report.findings[0].examples == ("Ada: train, test",)


def test_blank_pictures_are_found(make_dataset):
    data = make_dataset([0, 1, 2])
    data.images[2] = 7
    report = check(data)
    assert kinds(report) == ["blank"]
    assert report.findings[0].examples == ("data row 2: row 2",)


def test_labels_without_a_sample_are_told(make_dataset):
    report = check(make_dataset([0, 0, 2]))
    assert report.ok
    assert str(report.findings[0]) == "· data has no sample of fear."


def test_a_label_with_a_single_sample_is_told(make_dataset):
    report = check({"train": make_dataset([0, 0, 1, 2, 2]), "test": make_dataset([0, 0], seed=1)})
    assert report.ok
    (single,) = [finding for finding in report.findings if finding.kind == "single"]
    assert str(single).startswith("· train has a single sample of fear: ")


def test_one_emotion_under_two_spellings_is_serious(make_dataset):
    one = make_dataset([0, 0, 1, 1, 2, 2], labels=("Happy ", "fear", "happiness"))
    other = make_dataset([0, 0, 1, 1], labels=("scared", "joy"), seed=1)
    report = check({"one": one, "other": other})
    assert not report.ok
    (spelling,) = report.findings
    assert spelling.kind == "spelling"
    assert spelling.examples == ("Happy  = happiness = joy", "fear = scared")


def test_labels_that_differ_by_a_letter_are_told_but_not_those_that_differ_by_a_number(
    make_dataset,
):
    report = check(make_dataset([0, 0, 1, 1], labels=("yawning", "yawnning")))
    assert report.ok
    assert [str(finding) for finding in report.findings] == [
        "· 1 pairs of labels are nearly alike. Rename one where it was mistyped.\n"
        "    yawning ~ yawnning"
    ]
    assert not check(make_dataset([0, 0, 1, 1], labels=("intensity 1", "intensity 2"))).findings


def test_clips_are_checked_and_described_as_stills_are(make_dataset):
    stills = make_dataset([0, 0, 1, 1, 2, 2, 2, 2])
    clips = Dataset(
        np.stack([stills.images, 255 - stills.images], axis=1),
        stills.targets,
        stills.labels,
        stills.people,
        stills.origin,
    )
    clips.images[1] = clips.images[0]
    clips.images[2] = 9
    assert kinds(check(clips)) == ["blank", "repeat"]
    assert "data: clips of 2 pictures 8 × 8 × 1 uint8" in describe(clips)


def test_empty_data_can_be_checked_and_described(make_dataset):
    empty = make_dataset([])
    assert kinds(check(empty)) == ["missing"]
    assert "pictures 8 × 8 × 1" in describe(empty)


def test_the_description_counts_labels_with_their_shares(make_dataset):
    lines = describe(make_dataset([0, 0, 0, 1], people=["a", "a", "b", ""])).splitlines()
    assert [line.split() for line in lines[:5]] == [
        ["label", "data"],
        ["anger", "3", "75.0%"],
        ["fear", "1", "25.0%"],
        ["joy", "0", "0.0%"],
        ["all", "4"],
    ]
    assert lines[-1] == (
        "data: pictures 8 × 8 × 1 uint8, one-hot targets, 2 people, 0 surplus repeats"
    )


def test_the_description_has_a_column_per_part(make_dataset):
    data = make_dataset(np.arange(40) % 3)
    soft = make_dataset([0, 1], labels=("anger", "joy"))
    soft.targets[:] = 0.5
    text = describe({"train": data, "soft": soft})
    assert text.splitlines()[0].split() == ["label", "train", "soft"]
    assert next(line for line in text.splitlines() if line.startswith("fear")).split()[-1] == "–"
    assert "soft: pictures 8 × 8 × 1 uint8, soft targets, people unknown" in text


def test_problems_read_as_place_and_reason():
    assert str(Problem("a.csv", "too short", line=3)) == "a.csv, line 3: too short"
    assert str(Problem("a.png", "no picture")) == "a.png: no picture"


def test_refusing_lists_the_first_problems():
    refuse([], "rows")
    with pytest.raises(DataError, match=r"Received 7:(\n  a.csv, line \d: bad){5}\n  … and 2 more"):
        refuse([Problem("a.csv", "bad", line=i) for i in range(7)], "rows")
