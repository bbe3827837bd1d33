import sys

import numpy as np
import pytest
from PIL import Image

from emopy.data import Dataset, plot_counts
from emopy.data.augment import Augmentation, augment_batch
from emopy.data.figures import contact_sheet
from emopy.errors import DataError, MissingExtraError
from emopy.media import read_image
from emopy.present import save_image


def blue_pixels(path):
    """How much is covered by the first color of Matplotlib's bars, #1f77b4."""
    image = read_image(path)
    return int((np.abs(image.astype(int) - [0x1F, 0x77, 0xB4]).sum(axis=2) < 12).sum())


def test_more_samples_are_longer_bars(make_dataset, tmp_path):
    pytest.importorskip("matplotlib")
    even = plot_counts(make_dataset([0, 1, 2]), tmp_path / "even.png")
    uneven = plot_counts(make_dataset([0] * 9 + [1]), tmp_path / "uneven.png")
    assert blue_pixels(even) > 2 * blue_pixels(uneven) > 0


def test_splits_are_drawn_side_by_side(make_dataset, tmp_path):
    pytest.importorskip("matplotlib")
    splits = {
        "faces/train.npz": make_dataset([0, 0, 1]),
        "faces/test.npz": make_dataset([0, 1, 1], labels=("fear", "yawning")),
    }
    text = plot_counts(splits, tmp_path / "deep" / "counts.svg").read_text(encoding="utf-8")
    for word in ("train.npz", "test.npz", "anger", "yawning"):
        assert f"<!-- {word} -->" in text


def test_dollars_in_names_are_no_formula(make_dataset, tmp_path):
    pytest.importorskip("matplotlib")
    data = {"a^$b$.npz": make_dataset([0, 1], labels=("$a^$", "$x$")), "b": make_dataset([0, 1])}
    text = plot_counts(data, tmp_path / "counts.svg").read_text(encoding="utf-8")
    for word in ("a^$b$.npz", "$a^$", "$x$"):
        assert f"<!-- {word} -->" in text


def test_other_kinds_of_file_are_refused(make_dataset, tmp_path):
    with pytest.raises(DataError, match=r"must end in .png, .svg or .pdf. Received .*counts.doc"):
        plot_counts(make_dataset([0, 1]), tmp_path / "counts.doc")


def test_without_matplotlib_it_says_what_to_type(make_dataset, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'emopy\[train\]'"):
        plot_counts(make_dataset([0, 1]), tmp_path / "counts.png")
    assert not any(tmp_path.iterdir())


LABELS_PX, HEAD_PX, GAP_PX = 104, 26, 4
STRONG = Augmentation(rotation_deg=20, flip=0.5, brightness=0.2)


def cell(sheet, row, column, side=48, width=48):
    top, left = HEAD_PX + row * (side + GAP_PX), LABELS_PX + column * (width + GAP_PX)
    return sheet[top : top + side, left : left + width]


def test_a_sheet_shows_each_face_as_it_is_and_as_the_epochs_change_it(make_dataset):
    data = make_dataset([0, 1, 2], side=48)
    sheet = contact_sheet(data, STRONG, rows=3, columns=2, seed=5, side_px=48)
    assert sheet.shape == (HEAD_PX + 3 * 52, LABELS_PX + 3 * 52, 3)
    for row in range(3):
        gray = data.images[row, ..., 0]
        np.testing.assert_array_equal(cell(sheet, row, 0), np.stack([gray] * 3, -1))
        for epoch in range(2):
            seen = augment_batch(data.images, np.array([row]), STRONG, seed=5, epoch=epoch)[0]
            np.testing.assert_array_equal(cell(sheet, row, epoch + 1)[..., 0], seen[..., 0])


def test_the_labels_take_turns(make_dataset):
    data = make_dataset([0] * 50 + [1] * 3 + [2], side=16)
    sheet = contact_sheet(data, rows=4, columns=0, side_px=16)
    shown = [
        int(np.flatnonzero((data.images == cell(sheet, row, 0, 16, 16)[..., :1]).all((1, 2, 3)))[0])
        for row in range(4)
    ]
    assert data.truth[shown].tolist() == [0, 0, 1, 2]
    assert len(set(shown)) == 4


def test_more_rows_than_samples_show_every_sample_once(make_dataset):
    sheet = contact_sheet(make_dataset([0, 1], side=16), rows=8, columns=1, side_px=16)
    assert sheet.shape[0] == HEAD_PX + 2 * 20


def test_frames_of_a_clip_stand_side_by_side_in_color():
    clips = np.random.default_rng(0).integers(0, 256, (2, 3, 16, 16, 3), dtype=np.uint8)
    empty = np.full(2, "")
    data = Dataset(clips, np.eye(2, dtype=np.float32), ("fear", "joy"), empty, empty)
    sheet = contact_sheet(data, rows=1, columns=1, side_px=16)
    shown = cell(sheet, 0, 0, 16, 48)
    assert any(np.array_equal(shown, np.concatenate(list(clip), axis=1)) for clip in clips)


def test_a_label_and_the_proportion_of_a_soft_one_are_written(make_dataset):
    hard = make_dataset([0, 1], labels=("anger", "fear"), side=48)
    soft = Dataset(
        hard.images, np.full((2, 2), 0.5, np.float32), hard.labels, hard.subject_ids, hard.sources
    )
    margins = [
        contact_sheet(data, rows=1, columns=0)[HEAD_PX:, :LABELS_PX] for data in (hard, soft)
    ]
    ink = [int((margin != margin[0, 0]).any(axis=(1, 2)).sum()) for margin in margins]
    assert 5 < ink[0] < 20  # one line of text
    assert ink[1] > 1.5 * ink[0]  # two


def test_a_very_long_label_stays_in_its_margin(make_dataset):
    data = make_dataset([0, 1], labels=("a very long label of a user's own", "b"), side=48)
    sheet = contact_sheet(data, rows=2, columns=0)
    ground = sheet[-1, 0]
    assert np.all(sheet[:, LABELS_PX - 4 : LABELS_PX] == ground)
    assert np.all(sheet[:, :2] == ground)
    assert not np.all(sheet[:, :LABELS_PX] == ground)


def test_a_sheet_can_be_written_and_read(make_dataset, tmp_path):
    sheet = contact_sheet(make_dataset([0, 1, 2], side=48), STRONG, columns=1)
    path = save_image(sheet, tmp_path / "sheet.png")
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), sheet)


@pytest.mark.parametrize("numbers", [{"rows": 0}, {"columns": -1}, {"side_px": 8}])
def test_numbers_out_of_range_are_refused(make_dataset, numbers):
    with pytest.raises(DataError, match=next(iter(numbers))):
        contact_sheet(make_dataset([0, 1]), **numbers)


def test_an_empty_dataset_is_refused(make_dataset):
    with pytest.raises(DataError, match="must hold faces"):
        contact_sheet(make_dataset([]))
