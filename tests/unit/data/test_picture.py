import sys

import numpy as np
import pytest

from emopy.data import plot_counts
from emopy.errors import DataError, MissingExtraError
from emopy.media import read_image


def blue_pixels(path):
    """How much is covered by the first colour of Matplotlib's bars, #1f77b4."""
    image = read_image(path)
    return int((np.abs(image.astype(int) - [0x1F, 0x77, 0xB4]).sum(axis=2) < 12).sum())


def test_more_samples_are_longer_bars(make_dataset, tmp_path):
    pytest.importorskip("matplotlib")
    even = plot_counts(make_dataset([0, 1, 2]), tmp_path / "even.png")
    uneven = plot_counts(make_dataset([0] * 9 + [1]), tmp_path / "uneven.png")
    assert blue_pixels(even) > 2 * blue_pixels(uneven) > 0


def test_parts_are_drawn_side_by_side(make_dataset, tmp_path):
    pytest.importorskip("matplotlib")
    splits = {
        "faces/train.npz": make_dataset([0, 0, 1]),
        "faces/test.npz": make_dataset([0, 1, 1], labels=("fear", "yawning")),
    }
    text = plot_counts(splits, tmp_path / "deep" / "counts.svg").read_text(encoding="utf-8")
    for word in ("train.npz", "test.npz", "anger", "yawning"):
        assert f"<!-- {word} -->" in text


def test_other_kinds_of_file_are_refused(make_dataset, tmp_path):
    with pytest.raises(DataError, match=r"must end in .png, .svg, .pdf. Received .*counts.doc"):
        plot_counts(make_dataset([0, 1]), tmp_path / "counts.doc")


def test_without_matplotlib_it_says_what_to_type(make_dataset, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'emopy\[train\]'"):
        plot_counts(make_dataset([0, 1]), tmp_path / "counts.png")
    assert not any(tmp_path.iterdir())
