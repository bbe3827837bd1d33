import numpy as np
import pytest

from emopy.data import Splits, check, split
from emopy.data.split import stratified_rows
from emopy.errors import DataError


def sizes(splits):
    return {name: len(data) for name, data in splits.items()}


def test_each_label_has_its_proportion_in_each_split(make_dataset):
    splits = split(make_dataset([0] * 100 + [1] * 50 + [2] * 10))
    assert sizes(splits) == {"train": 112, "validation": 16, "calibration": 16, "test": 16}
    assert splits.test.counts() == {"anger": 10, "fear": 5, "joy": 1}
    assert splits.train.counts() == {"anger": 70, "fear": 35, "joy": 7}


def test_every_sample_is_in_exactly_one_split(make_dataset):
    data = make_dataset(np.arange(97) % 3)
    sources = [source for _, part in split(data).items() for source in part.sources]
    assert sorted(sources) == sorted(data.sources)


def test_the_same_seed_gives_the_same_splits_and_another_does_not(make_dataset):
    data = make_dataset(np.arange(90) % 3)
    one, same, other = (split(data, seed=seed).test.sources.tolist() for seed in (5, 5, 6))
    assert one == same != other


def test_subjects_are_never_in_two_splits(make_dataset):
    subject_ids = [f"person {i // 6}" for i in range(240)]
    splits = split(make_dataset(np.arange(240) % 3, subject_ids=subject_ids))
    assert check(splits).findings == ()
    assert sizes(splits) == {"train": 168, "validation": 24, "calibration": 24, "test": 24}


def test_duplicates_are_never_in_two_splits(make_dataset):
    data = make_dataset(np.arange(120) % 3)
    data.images[60:] = data.images[:60]
    splits = split(data, validation=0.25, calibration=0, test=0.25)
    assert not [found for found in check(splits).findings if found.kind == "leak"]
    assert sizes(splits) == {"train": 60, "validation": 30, "test": 30}


def test_subjects_linked_by_a_shared_image_stay_together(make_dataset):
    data = make_dataset([0, 1] * 10, subject_ids=[f"p{i // 2}" for i in range(20)])
    data.images[2] = data.images[0]  # p0 and p1 have an image in common
    for seed in range(10):
        splits = split(data, validation=0.3, calibration=0, test=0.3, seed=seed)
        homes = {name for name, part in splits.items() if {"p0", "p1"} & set(part.subject_ids)}
        assert len(homes) == 1


def test_unknown_subjects_are_not_one_subject(make_dataset):
    assert len(split(make_dataset([0, 1] * 20)).test) == 4


def test_a_split_that_nobody_asked_for_is_empty(make_dataset):
    splits = split(make_dataset([0, 1] * 20), calibration=0, test=0)
    assert (len(splits.calibration), len(splits.test)) == (0, 0)
    assert splits.calibration.labels == splits.train.labels
    assert str(splits) == "train 36, validation 4"


def test_a_label_with_one_sample_goes_to_the_training_split(make_dataset):
    splits = split(make_dataset([0] * 30 + [1] * 30 + [2]))
    assert splits.train.counts()["joy"] == 1


def test_many_rare_labels_together_still_fill_every_split(make_dataset):
    splits = split(make_dataset([0] * 5 + [1] * 5 + [2] * 5))
    assert min(sizes(splits).values()) >= 1
    assert sizes(splits)["train"] in (10, 11)


def test_a_requested_split_without_samples_is_refused(make_dataset):
    with pytest.raises(DataError, match=r"`calibration` must receive.*calibration=0|`validation`"):
        split(make_dataset([0, 1]))
    with pytest.raises(DataError, match="1 groups of one subject"):
        split(make_dataset([0, 1] * 20, subject_ids=["Ada"] * 40))
    with pytest.raises(DataError, match="0 samples"):
        split(make_dataset([]))


@pytest.mark.parametrize(
    "proportions, wrong",
    [
        ({"seed": -1}, "`seed` must be 0 or more"),
        ({"test": 1.0}, "`test` must be a proportion"),
        ({"validation": -0.1}, "`validation` must be a proportion"),
        ({"test": float("nan")}, "`test` must be a proportion"),
        ({"validation": 0.5, "test": 0.5}, "samples to train on"),
    ],
)
def test_impossible_proportions_are_refused(make_dataset, proportions, wrong):
    with pytest.raises(DataError, match=wrong):
        split(make_dataset([0, 1] * 20), **proportions)


def test_splits_can_be_joined_from_datasets_divided_before(make_dataset):
    train, test = make_dataset([0, 1, 2]), make_dataset([0, 1], seed=1)
    splits = Splits.of(train, test=test)
    assert splits.test is test
    assert len(splits.validation) == 0
    assert sizes(splits) == {"train": 3, "test": 2}


def test_splits_with_different_labels_or_images_are_refused(make_dataset):
    train = make_dataset([0, 1, 2])
    with pytest.raises(DataError, match="the same labels and image shape"):
        Splits.of(train, make_dataset([0], labels=("anger", "fear", "calm")))
    with pytest.raises(DataError, match=r"\(9, 9, 1\)"):
        Splits.of(train, make_dataset([0], side=9))


def test_stratified_rows_take_each_label_in_its_proportion():
    truth = np.array([0] * 60 + [1] * 30 + [2] * 10)
    rows = stratified_rows(truth, 20, seed=3)
    assert np.bincount(truth[rows]).tolist() == [12, 6, 2]
    assert len(set(rows.tolist())) == 20
    assert stratified_rows(truth, 0).tolist() == []
    assert stratified_rows(truth, 100).tolist() == list(range(100))
    with pytest.raises(DataError, match=r"0 to 100. Received 101"):
        stratified_rows(truth, 101)
