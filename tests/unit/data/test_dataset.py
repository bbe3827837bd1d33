import zipfile
from dataclasses import replace

import numpy as np
import pytest

from emopy.data import Dataset, ImageStats, SkippedSample, load_dataset, split
from emopy.data.dataset import pixels_as_uint8
from emopy.errors import DataError, LabelError
from emopy.samples import sample_clips, sample_stills


def test_a_saved_dataset_comes_back_equal(make_dataset, tmp_path):
    data = make_dataset([0, 1, 2, 2], subject_ids=["Ada", "", "Bo", "Bo"])
    path = data.save(tmp_path / "new" / "faces.npz")
    back = load_dataset(path)
    for name in ("images", "targets", "subject_ids", "sources"):
        np.testing.assert_array_equal(getattr(back, name), getattr(data, name))
    assert back.labels == data.labels
    assert [file.name for file in path.parent.iterdir()] == ["faces.npz"]


def test_what_was_put_together_by_hand_comes_back_as_texts(make_dataset, tmp_path):
    data = make_dataset([0, 1, 2])
    made = Dataset(
        data.images,
        np.eye(3, dtype=int),
        ["anger", "fear", "joy"],
        np.array([0, 1, None], dtype=object),
        ["a", "b", "c"],
    )
    back = load_dataset(made.save(tmp_path / "faces.npz"))
    assert back.labels == made.labels == ("anger", "fear", "joy")
    assert back.subject_ids.tolist() == made.subject_ids.tolist() == ["0", "1", ""]
    assert back.sources.tolist() == ["a", "b", "c"]
    assert back.targets.dtype == made.targets.dtype == np.float32


@pytest.mark.parametrize(
    "change, wrong",
    [
        ({"targets": [[1.5, -0.5, 0]]}, "0 or more"),
        ({"labels": ("anger", "anger", "joy")}, "different names"),
    ],
)
def test_what_could_not_be_loaded_again_is_refused(make_dataset, change, wrong):
    with pytest.raises(DataError, match=wrong):
        replace(make_dataset([0]), **change)


def test_an_empty_dataset_can_be_saved(make_dataset, tmp_path):
    empty = load_dataset(make_dataset([]).save(tmp_path / "empty.npz"))
    assert len(empty) == 0
    assert empty.counts() == {"anger": 0, "fear": 0, "joy": 0}


def test_damaged_or_foreign_files_are_refused(make_dataset, tmp_path):
    with pytest.raises(DataError, match="no such file"):
        load_dataset(tmp_path / "absent.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(DataError, match=r"written by `Dataset.save`"):
        load_dataset(tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(DataError, match=r"written by `Dataset.save`"):
        load_dataset(tmp_path / "other.npz")
    whole = make_dataset([0, 1]).save(tmp_path / "whole.npz").read_bytes()
    for damaged in (whole[:-200], b"", whole[:60] + bytes(40) + whole[100:]):
        (tmp_path / "damaged.npz").write_bytes(damaged)
        with pytest.raises(DataError, match=r"written by `Dataset.save`"):
            load_dataset(tmp_path / "damaged.npz")
    with (tmp_path / "single.npz").open("wb") as stream:
        np.save(stream, np.zeros(3))
    with pytest.raises(DataError, match=r"written by `Dataset.save`"):
        load_dataset(tmp_path / "single.npz")


def archive(folder, members, compression=zipfile.ZIP_STORED):
    """A `.npz` file of the given bytes."""
    path = folder / "crafted.npz"
    with zipfile.ZipFile(path, "w", compression) as stream:
        for name, content in members.items():
            stream.writestr(name, content)
    return path


def npy(header):
    """Bytes of a `.npy` file with a header of our own and no data."""
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


HEADERS = (
    "{'descr': '<U4', 'fortran_order': False, 'shape': (99999999999999,)}",  # memory
    "{'descr': '|u1', 'fortran_order': False, 'shape': (10**30,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (" + "9" * 60 + ",)}",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",  # a pickle
    "{'descr': [('a', 'b', 'c', 'd')], 'fortran_order': False, 'shape': (1,)}",
    "(" * 100,  # Python's parser
    "{'descr': 'L', 'shape': (1L,), ",  # the tokenizer
    "\0", "", "{}", "[]", "{'descr': 7, 'fortran_order': 3, 'shape': 'x'}",
)  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("name", ["format", "images", "targets", "labels"])
def test_a_header_that_numpy_cannot_use_is_a_damaged_file(make_dataset, tmp_path, header, name):
    with zipfile.ZipFile(make_dataset([0, 1]).save(tmp_path / "whole.npz")) as stream:
        members = {each: stream.read(each) for each in stream.namelist()}
    path = archive(tmp_path, {**members, f"{name}.npy": npy(header)})
    with pytest.raises(DataError, match=r"written by `Dataset.save`"):
        load_dataset(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_any_damage_to_a_file_is_a_data_error(make_dataset, tmp_path, method):
    with zipfile.ZipFile(make_dataset([0, 1]).save(tmp_path / "whole.npz")) as stream:
        members = {name: stream.read(name) for name in stream.namelist()}
    path = archive(tmp_path, members, method)
    assert len(load_dataset(path)) == 2
    whole, rng = path.read_bytes(), np.random.default_rng(method)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), rng.integers(1, 6)):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged[: rng.integers(1, len(whole) + 200)])
        try:
            load_dataset(path)
        except DataError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    "change",
    [
        {"images": np.array(["a", "b"])},
        {"targets": np.array([["1", "0", "0"]] * 2)},
        {"targets": np.eye(3, dtype=np.complex64)[:2]},
        {"targets": np.eye(3, dtype=np.int64)[:2]},
        {"targets": np.float32([[2, -1, 0]] * 2)},
        {"targets": np.full((2, 3), np.nan, np.float32)},
        {"targets": np.float32(1)},
        {"labels": np.array([["a"], ["b"], ["c"]])},
        {"labels": np.array([1, 2, 3])},
        {"labels": np.array(["a", "b", "b"])},
        {"labels": np.array(["a", "b", "\udcff"])},
        {"labels": np.array(["a", "b", "\x1b[31m"])},
        {"labels": np.array("abc")},
        {"sources": np.array([1.0, 2.0])},
        {"subject_ids": np.array([b"a", b"b"])},
        {"format": np.array([2, 2])},
        {"format": np.array("two")},
    ],
)
def test_arrays_of_another_type_are_refused(make_dataset, tmp_path, change):
    data = make_dataset([0, 1])
    arrays = {name: getattr(data, name) for name in ("images", "targets", "subject_ids", "sources")}
    arrays |= {"labels": np.array(data.labels), "format": 2}
    np.savez(tmp_path / "faces.npz", **arrays)
    assert len(load_dataset(tmp_path / "faces.npz")) == 2
    np.savez(tmp_path / "faces.npz", **{**arrays, **change})
    with pytest.raises(DataError, match=r"must "):
        load_dataset(tmp_path / "faces.npz")


def test_names_of_files_that_are_not_utf_8_are_kept(make_dataset, tmp_path):
    data = replace(make_dataset([0, 1]), sources=np.array(["anger/\udce9.png", "b"]))
    back = load_dataset(data.save(tmp_path / "faces.npz"))
    assert back.sources.tolist() == ["anger/\udce9.png", "b"]


def test_a_file_of_an_earlier_or_later_format_says_to_write_it_again(make_dataset, tmp_path):
    data = make_dataset([0, 1])
    arrays = {"images": data.images, "targets": data.targets, "labels": np.array(data.labels)}
    path = tmp_path / "faces.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=r"of format 2\. Received .* of format 1\. Write it again"):
        load_dataset(path)
    np.savez(path, **arrays, subject_ids=data.subject_ids, sources=data.sources, format=3)
    with pytest.raises(DataError, match=r"of format 3\. Write it again"):
        load_dataset(path)


def test_skipped_samples_belong_to_one_loading(make_dataset):
    data = replace(
        make_dataset([0, 1] * 10),
        skipped=(SkippedSample("a.png", "bad"),),
        image_stats=ImageStats(),
    )
    for derived in (data.take([0]), data.only(["anger", "fear"]), split(data, test=0).train):
        assert derived.skipped == ()
        assert derived.image_stats is None


def test_pickled_objects_are_never_loaded(make_dataset, tmp_path):
    data = make_dataset([0, 1])
    np.savez(
        tmp_path / "objects.npz",
        format=2,
        images=data.images,
        targets=data.targets,
        labels=np.array(data.labels, dtype=object),
        subject_ids=data.subject_ids,
        sources=data.sources,
    )
    with pytest.raises(DataError, match=r"written by `Dataset.save`"):
        load_dataset(tmp_path / "objects.npz")


def test_rows_are_taken_by_number_or_mask(make_dataset):
    data = make_dataset([0, 1, 2])
    assert data.take([2, 0]).sources.tolist() == ["row 2", "row 0"]
    assert data.take(data.truth == 1).sources.tolist() == ["row 1"]
    assert len(data.take([])) == 0


def test_only_keeps_some_labels_and_renormalizes_soft_targets(make_dataset):
    data = make_dataset([0, 1, 2])
    data.targets[0] = [0.5, 0.3, 0.2]
    kept = data.only(["joy", "angry"])
    assert kept.labels == ("joy", "anger")
    assert kept.sources.tolist() == ["row 0", "row 2"]
    np.testing.assert_allclose(kept.targets, [[2 / 7, 5 / 7], [1, 0]], rtol=1e-6)
    with pytest.raises(LabelError):
        data.only(["anger", "boredom"])


@pytest.mark.parametrize(
    "change, wrong",
    [
        ({"images": np.zeros((2, 8, 8, 1))}, "must be uint8"),
        ({"images": np.zeros((2, 8, 8), np.uint8)}, "shape"),
        ({"images": np.zeros((2, 8, 8, 4), np.uint8)}, "1 or 3 channels"),
        ({"targets": np.zeros((2, 2), np.float32)}, r"shape \(2, 3\)"),
        ({"targets": np.full((2, 3), 0.5, np.float32)}, "sum to 1"),
        ({"subject_ids": np.array(["a"])}, "2 entries"),
    ],
)
def test_splits_that_do_not_fit_together_are_refused(make_dataset, change, wrong):
    data = make_dataset([0, 1])
    fields = {name: getattr(data, name) for name in data.__dataclass_fields__}
    with pytest.raises(DataError, match=wrong):
        Dataset(**{**fields, **change})


def test_a_dataset_says_in_one_line_what_it_holds(make_dataset):
    assert repr(sample_stills()) == "Dataset(448 faces 48 × 48 × 1, 7 labels)"
    clips = sample_clips(frames=4)
    assert repr(clips) == "Dataset(224 clips of 4 frames 48 × 48 × 1, 7 labels)"
    assert repr(make_dataset([])).startswith("Dataset(0 faces ")


def noted(*images):
    sources = ImageStats()
    for image in images:
        sources.add(image)
    return sources


def gray(width, height):
    return np.full((height, width, 3), 7, np.uint8)


def red(width, height):
    return np.full((height, width, 3), (255, 0, 0), np.uint8)


@pytest.mark.parametrize(
    "images, text",
    [
        ([], "none"),
        ([gray(40, 30)], "40 × 30 pixels; all gray"),
        ([red(40, 30)] * 2, "40 × 30 pixels; all in color"),
        (
            [red(40, 30), gray(20, 60), gray(20, 60), gray(25, 50)],
            "20–40 pixels wide, 30–60 high, most often 20 × 60 (50%); 3 gray, 1 in color",
        ),
    ],
)
def test_sizes_are_reported_as_width_and_height(images, text):
    assert str(noted(*images)) == text
    assert len(noted(*images)) == len(images)


def test_small_and_long_images_are_counted():
    sources = noted(gray(24, 24), gray(23, 90), gray(90, 23), gray(130, 100), gray(131, 100))
    assert sources.smaller_than(24, 24) == 2
    assert sources.longer_than(1.3) == 3


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float64])
def test_whole_numbers_of_any_type_become_bytes(dtype):
    pixels = pixels_as_uint8(np.array([[0, 7], [128, 255]], dtype))
    assert pixels.dtype == np.uint8
    assert pixels.tolist() == [[0, 7], [128, 255]]


def test_bytes_are_not_copied():
    given = np.zeros((2, 4, 4, 1), np.uint8)
    assert np.shares_memory(pixels_as_uint8(given), given)


@pytest.mark.parametrize("value", [0.5, -1, 256, -300.0, np.nan, np.inf, True, "7"])
def test_what_is_no_pixel_is_refused(value):
    with pytest.raises(DataError, match="`images` must be whole numbers 0–255"):
        pixels_as_uint8(np.array([value, value]))
