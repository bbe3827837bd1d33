from dataclasses import replace

import numpy as np
import pytest

from emopy.data import Dataset, Splits, check
from emopy.data.dataset import SkippedSample, refuse_skipped
from emopy.errors import DataError


def kinds(report):
    """Kinds of what was found; the data here are too few for more than one sample a label."""
    return [finding.kind for finding in report.findings if finding.kind != "single"]


def test_clean_data_have_no_findings(make_dataset):
    report = check(make_dataset([0, 1, 2, 0, 1, 2]))
    assert report.ok
    assert report.findings == ()
    assert str(report) == "Samples: data 6\nNo problem found."


def test_an_image_in_two_splits_is_a_leak(make_dataset):
    train, test = make_dataset([0, 1, 2]), make_dataset([0, 1, 2], seed=1)
    test.images[0] = train.images[0]
    report = check(Splits.of(train, test=test))
    assert not report.ok
    assert kinds(report) == ["leak"]
    assert report.findings[0].examples == ("train: row 0 (anger) = test: row 0 (anger)",)
    assert "✗ 1 images are in more than one split" in str(report)


def test_an_image_with_two_labels_is_a_contradiction(make_dataset):
    data = make_dataset([0, 1, 2])
    data.images[1] = data.images[0]
    report = check(data)
    assert not report.ok
    assert kinds(report) == ["contradiction", "duplicate"]


def test_duplicates_inside_a_split_are_reported_but_not_serious(make_dataset):
    data = make_dataset([0, 0, 0, 1, 2])
    data.images[1:3] = data.images[0]
    report = check(data)
    assert report.ok
    assert "1 images have duplicates inside one split (2 in all)" in str(report)


def test_an_image_in_two_splits_in_another_version_is_probably_a_leak(make_dataset):
    train, test = make_dataset([0, 1, 2], side=32), make_dataset([0, 1, 2], seed=1, side=32)
    test.images[0] = train.images[0] // 2 + 60
    report = check({"train": train, "test": test})
    assert report.ok
    assert kinds(report) == ["near-leak"]
    assert "? 1 images seem to have near-duplicates in another split" in str(report)
    assert str(report).endswith("No certain problem found. Look at what is marked ?")
    assert report.findings[0].examples == ("train: row 0 (anger) ≈ test: row 0 (anger)",)


def test_near_duplicates_of_an_image_inside_a_split_are_reported_with_their_labels(make_dataset):
    data = make_dataset([0, 1, 2, 2], side=32)
    data.images[1] = data.images[0] // 2
    data.images[3] = data.images[2][:, ::-1]
    report = check(data)
    assert report.ok
    assert kinds(report) == ["near-duplicate"]
    assert "2 images have near-duplicates inside one split; for 1 the labels differ" in str(report)


def test_an_image_that_occurs_often_is_shown_in_few_words(make_dataset):
    data = make_dataset([0, 0, 0, 0, 1, 2])
    data.images[1:5] = data.images[0]
    contradiction, repeat = (f for f in check(data).findings if f.kind != "single")
    assert contradiction.examples == ("data: row 0 (anger) = data: row 4 (fear), and 3 more",)
    assert repeat.examples == contradiction.examples


def test_a_subject_in_two_splits_is_found(make_dataset):
    train = make_dataset([0, 1, 2], subject_ids=["Ada", "Bo", ""])
    test = make_dataset([0, 1, 2], subject_ids=["Ada", "Cy", ""], seed=1)
    report = check({"train": train, "test": test})
    assert kinds(report) == ["subject"]
    assert report.findings[0].examples == ("Ada: train, test",)


def test_blank_images_are_found(make_dataset):
    data = make_dataset([0, 1, 2])
    data.images[2] = 7
    report = check(data)
    assert kinds(report) == ["blank"]
    assert report.findings[0].examples == ("data: row 2",)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("fer2013.csv:57", "fer2013.csv, line 57"),
        ("anger/1.png", "anger/1.png"),
        ("fer2013:56", "fer2013:56"),
        ("", "sample 3"),
    ],
)
def test_a_place_is_a_line_of_a_file_a_file_or_a_sample_counted_from_1(make_dataset, source, place):
    data = make_dataset([0, 1, 2])
    data.images[2] = 7
    data = replace(data, sources=np.array(["a", "b", source]))
    (finding,) = [finding for finding in check(data).findings if finding.kind == "blank"]
    assert finding.examples == (f"data: {place}",)


def test_labels_without_a_sample_are_reported(make_dataset):
    report = check(make_dataset([0, 0, 2]))
    assert report.ok
    assert str(report.findings[0]) == "· data has no sample of fear."


def test_a_label_with_a_single_sample_is_reported(make_dataset):
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


def test_labels_that_differ_by_a_letter_are_reported_but_not_those_that_differ_by_a_number(
    make_dataset,
):
    report = check(make_dataset([0, 0, 1, 1], labels=("yawning", "yawnning")))
    assert report.ok
    assert [str(finding) for finding in report.findings] == [
        "· 1 pairs of labels are similar. Rename one if it was mistyped.\n    yawning ~ yawnning"
    ]
    assert not check(make_dataset([0, 0, 1, 1], labels=("intensity 1", "intensity 2"))).findings


def test_clips_are_checked_as_stills_are(make_dataset):
    stills = make_dataset([0, 0, 1, 1, 2, 2, 2, 2])
    clips = Dataset(
        np.stack([stills.images, 255 - stills.images], axis=1),
        stills.targets,
        stills.labels,
        stills.subject_ids,
        stills.sources,
    )
    clips.images[1] = clips.images[0]
    clips.images[2] = 9
    assert kinds(check(clips)) == ["blank", "duplicate"]


def test_empty_data_can_be_checked(make_dataset):
    assert kinds(check(make_dataset([]))) == ["missing"]


def test_skipped_samples_read_as_place_and_reason():
    assert str(SkippedSample("a.csv", "too short", line=3)) == "a.csv, line 3: too short"
    assert str(SkippedSample("a.png", "no image")) == "a.png: no image"


def test_rows_that_are_skipped_together_are_counted():
    sample = SkippedSample("a.csv", "no code", line=9, count=5)
    assert str(sample) == "a.csv, line 9: no code (5 rows, this is the first)"
    with pytest.raises(DataError, match=r"Received 6:\n  a.csv, line 9"):
        refuse_skipped([sample, SkippedSample("a.csv", "bad", line=2)], "rows")


def test_refusing_lists_the_first_problems():
    refuse_skipped([], "rows")
    with pytest.raises(DataError, match=r"Received 7:(\n  a.csv, line \d: bad){5}\n  … and 2 more"):
        refuse_skipped([SkippedSample("a.csv", "bad", line=i) for i in range(7)], "rows")
