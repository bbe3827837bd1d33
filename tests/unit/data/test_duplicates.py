import cv2
import numpy as np
import pytest

from emopy.data import Dataset, check, find_duplicates, find_near_duplicates, split
from emopy.data.duplicates import content_hashes, difference_hashes, near_groups
from emopy.samples import sample_splits


def with_copy(data, source, target):
    """The dataset with one image replaced by a copy of another."""
    images = data.images.copy()
    images[target] = images[source]
    return Dataset(images, data.targets, data.labels, data.subject_ids, data.sources)


def test_different_images_are_no_duplicates(make_dataset):
    assert find_duplicates(make_dataset([0, 1, 2, 0])) == ()


def test_one_pixel_makes_a_difference(make_dataset):
    data = with_copy(make_dataset([0, 1]), 0, 1)
    assert len(find_duplicates(data)) == 1
    data.images[1, 0, 0, 0] ^= 1
    assert find_duplicates(data) == ()


def test_a_group_names_row_label_and_source_of_each_duplicate(make_dataset):
    (group,) = find_duplicates(with_copy(make_dataset([0, 1, 2]), 0, 2))
    assert [(m.split, m.row, m.label, m.source) for m in group.members] == [
        ("data", 0, "anger", "row 0"),
        ("data", 2, "joy", "row 2"),
    ]
    assert group.splits == ("data",)
    assert group.labels == ("anger", "joy")


def test_duplicates_across_datasets_are_found(make_dataset):
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


def test_no_images_have_no_content_hashes():
    assert content_hashes(np.empty((0, 8, 8, 1), np.uint8)).shape == (0,)


def rows(groups):
    return [[(member.split, member.row) for member in group.members] for group in groups]


def test_near_duplicates_of_a_photograph_are_found_across_datasets(make_dataset):
    one, two = make_dataset([0, 1, 2], seed=1, side=32), make_dataset([0, 1], seed=2, side=32)
    two.images[1] = one.images[2][:, ::-1] // 2
    assert rows(find_near_duplicates({"train": one, "test": two})) == [[("train", 2), ("test", 1)]]


def test_exact_duplicates_count_once_among_near_ones(make_dataset):
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


def test_near_duplicates_in_other_sizes_and_colors_are_found(make_dataset):
    small = make_dataset([0, 1], side=32)
    large = small.images.repeat(2, axis=1).repeat(2, axis=2).repeat(3, axis=3)
    other = Dataset(large, small.targets, small.labels, small.subject_ids, small.sources)
    assert rows(find_near_duplicates({"small": small, "large": other})) == [
        [("small", 0), ("large", 0)],
        [("small", 1), ("large", 1)],
    ]


def test_no_images_have_no_near_duplicates(make_dataset):
    assert find_near_duplicates(make_dataset([])) == ()


@pytest.fixture(scope="module")
def faces():
    """Forty composites, of which no two are alike: (40, 48, 48, 1)."""
    return sample_splits().test.images[:40]


def resized(face, side):
    return cv2.resize(cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA), (48, 48))


def compressed(face):
    return cv2.imdecode(cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 0)


def moved(face, pixels):
    return np.roll(face, pixels, axis=1)


CHANGES = {
    "resized": lambda face: resized(face, 24),
    "compressed": compressed,
    "brightened": lambda face: np.clip(face.astype(int) + 30, 0, 255).astype(np.uint8),
    "fainter": lambda face: (face * 0.7).astype(np.uint8),
    "mirrored": lambda face: face[:, ::-1],
    "mirrored and smaller": lambda face: resized(face[:, ::-1], 32),
}


def groups(*sets):
    return near_groups(np.concatenate([difference_hashes(images) for images in sets]))


def test_different_faces_stay_apart(faces):
    assert groups(faces).tolist() == list(range(len(faces)))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_duplicate_belongs_to_its_face(faces, change):
    changed = np.stack([change(face[..., 0])[..., None] for face in faces])
    found = groups(faces, changed)
    assert (found[: len(faces)] == np.arange(len(faces))).all()
    assert (found[len(faces) :] == np.arange(len(faces))).mean() >= 0.95


def test_a_duplicate_that_is_cut_otherwise_is_not_found(faces):
    shifted = np.stack([moved(face[..., 0], 3)[..., None] for face in faces])
    assert (groups(faces, shifted)[len(faces) :] == np.arange(len(faces))).mean() < 0.2


def test_a_group_is_linked_by_what_lies_between(faces):
    bits = np.zeros((3, 2, 16), np.uint16)
    rng = np.random.default_rng(0)
    bits[:] = rng.integers(0, 2**16, (1, 2, 16), np.uint16)
    bits[1, 0, 0] ^= 0xFFFF  # 16 bits from the first
    bits[2, 0, :2] ^= 0xFFFF  # 32 bits from the first, 16 from the second
    bits[:, 1] = rng.integers(0, 2**16, (3, 16), np.uint16)
    assert near_groups(bits).tolist() == [0, 0, 0]
    assert near_groups(bits[[0, 2]]).tolist() == [0, 1]


def test_images_without_detail_are_not_taken_for_one_another():
    flat = np.full((3, 48, 48, 1), 9, np.uint8)
    flat[1] = 200
    flat[2, :, :20] = 10
    assert groups(flat).tolist() == [0, 1, 2]


def test_a_clip_is_near_another_if_its_frames_are(faces):
    clips = np.stack([faces[:10], faces[10:20]], axis=1)
    darker = (clips * 0.8).astype(np.uint8)
    half = clips.copy()
    half[:, 1] = faces[20:30]
    assert groups(clips, darker)[10:].tolist() == list(range(10))
    assert groups(clips, half)[10:].tolist() == list(range(10, 20))


def test_no_images_make_no_groups():
    assert groups(np.empty((0, 48, 48, 1), np.uint8)).shape == (0,)


def test_a_split_keeps_near_duplicates_of_an_image_together(faces):
    darker = (faces * 0.7).astype(np.uint8)
    names = np.array([f"face {i}" for i in range(len(faces))])
    data = Dataset(
        np.concatenate([faces, darker]),
        np.eye(2, dtype=np.float32)[np.arange(2 * len(faces)) % 2],
        ("fear", "joy"),
        np.full(2 * len(faces), ""),
        np.concatenate([names, names]),
    )
    splits = split(data, validation=0.2, calibration=0.2, test=0.2, seed=3)
    homes = [set(part.sources) for _, part in splits.items()]
    assert sum(map(len, homes)) == len(set.union(*homes)) == len(faces)
    assert "near-leak" not in {finding.kind for finding in check(splits).findings}
