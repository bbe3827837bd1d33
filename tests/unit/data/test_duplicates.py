import numpy as np

from emopy.data import Dataset, find_duplicates, find_near_duplicates
from emopy.data.duplicates import content_hashes


def with_copy(data, source, target):
    """The dataset with one image replaced by a copy of another."""
    images = data.images.copy()
    images[target] = images[source]
    return Dataset(images, data.targets, data.labels, data.subject_ids, data.sources)


def test_different_images_are_no_repeats(make_dataset):
    assert find_duplicates(make_dataset([0, 1, 2, 0])) == ()


def test_one_pixel_makes_a_difference(make_dataset):
    data = with_copy(make_dataset([0, 1]), 0, 1)
    assert len(find_duplicates(data)) == 1
    data.images[1, 0, 0, 0] ^= 1
    assert find_duplicates(data) == ()


def test_a_group_names_row_label_and_origin_of_each_copy(make_dataset):
    (group,) = find_duplicates(with_copy(make_dataset([0, 1, 2]), 0, 2))
    assert [(m.part, m.row, m.label, m.source) for m in group.members] == [
        ("data", 0, "anger", "row 0"),
        ("data", 2, "joy", "row 2"),
    ]
    assert group.splits == ("data",)
    assert group.labels == ("anger", "joy")


def test_repeats_across_datasets_are_found(make_dataset):
    one, two = make_dataset([0, 1, 2], seed=1), make_dataset([0, 1], seed=2)
    two.images[0] = one.images[1]
    (group,) = find_duplicates({"train": one, "test": two})
    assert group.splits == ("train", "test")


def test_the_same_bytes_in_another_shape_are_another_image():
    flat = np.arange(64, dtype=np.uint8)
    wide, high = (
        content_hashes(flat.reshape(1, 4, 16, 1)),
        content_hashes(flat.reshape(1, 16, 4, 1)),
    )
    assert wide[0] != high[0]


def test_no_images_have_no_fingerprints():
    assert content_hashes(np.empty((0, 8, 8, 1), np.uint8)).shape == (0,)


def rows(groups):
    return [[(member.part, member.row) for member in group.members] for group in groups]


def test_versions_of_a_photograph_are_found_across_datasets(make_dataset):
    one, two = make_dataset([0, 1, 2], seed=1, side=32), make_dataset([0, 1], seed=2, side=32)
    two.images[1] = one.images[2][:, ::-1] // 2
    assert rows(find_near_duplicates({"train": one, "test": two})) == [[("train", 2), ("test", 1)]]


def test_exact_repeats_count_once_among_near_ones(make_dataset):
    data = make_dataset([0, 1, 2, 0, 1], side=32)
    assert find_near_duplicates(with_copy(data, 0, 3)) == ()
    copied = with_copy(data, 0, 3)
    copied.images[4] = copied.images[0] // 2
    assert rows(find_near_duplicates(copied)) == [[("data", 0), ("data", 4)]]


def test_stills_are_not_compared_with_clips(make_dataset):
    stills = make_dataset([0, 1], side=32)
    frames = np.stack([stills.images, stills.images], axis=1)
    clips = Dataset(frames, stills.targets, stills.labels, stills.subject_ids, stills.sources)
    assert find_near_duplicates({"stills": stills, "clips": clips}) == ()


def test_versions_in_other_sizes_and_colours_are_found(make_dataset):
    small = make_dataset([0, 1], side=32)
    large = small.images.repeat(2, axis=1).repeat(2, axis=2).repeat(3, axis=3)
    other = Dataset(large, small.targets, small.labels, small.subject_ids, small.sources)
    assert rows(find_near_duplicates({"small": small, "large": other})) == [
        [("small", 0), ("large", 0)],
        [("small", 1), ("large", 1)],
    ]


def test_no_images_have_no_near_repeats(make_dataset):
    assert find_near_duplicates(make_dataset([])) == ()
