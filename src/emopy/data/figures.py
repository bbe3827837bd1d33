"""Figures of labeled faces: a bar chart of the counts, and a contact sheet of samples."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from emopy.data.augment import Augmentation, augment_batch
from emopy.data.dataset import Dataset
from emopy.data.split import Splits, by_name
from emopy.errors import DataError, MissingExtraError, alternatives
from emopy.escaping import escape_undecodable
from emopy.files import atomic_file
from emopy.types import RGBImage

_CHART_SUFFIXES = (".png", ".svg", ".pdf")

_BACKGROUND = (24, 24, 28)
_TEXT = (240, 240, 240)
_FAINT_TEXT = (165, 165, 172)
_GAP_PX = 4
_LABEL_WIDTH_PX = 104
_HEADER_PX = 26
_FONT_PX = 13


def plot_counts(
    data: Dataset | Splits | Mapping[str, Dataset], path: str | os.PathLike[str]
) -> Path:
    """Draw a bar chart of the samples per label, one color per dataset.

    Args:
        data: A dataset, the splits, or datasets by name.
        path: The file to write: ``.png``, ``.svg`` or ``.pdf``.

    Returns:
        The path.

    Raises:
        DataError: Another suffix.
        InputError: The file cannot be written.
        MissingExtraError: Matplotlib is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in _CHART_SUFFIXES:
        raise DataError(
            f"`path` must end in {alternatives(_CHART_SUFFIXES)}. Received {path}. "
            f"Type for example {path.with_suffix('.png')}."
        )
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("The chart of the counts", "train") from error
    with rc_context({"text.parse_math": False}):  # a name may hold a dollar
        figure = _draw_counts(by_name(data), Figure)
        with atomic_file(path) as temporary:
            figure.savefig(temporary, format=path.suffix[1:].lower())
    return path


def _draw_counts(named: Mapping[str, Dataset], make_figure: Any) -> Any:
    """Draw a bar for each label and dataset."""
    labels = list(dict.fromkeys(label for dataset in named.values() for label in dataset.labels))
    thickness = 0.8 / len(named)
    figure = make_figure(figsize=(7, 1.2 + 0.35 * len(labels) * max(1, len(named) / 2)), dpi=120)
    axes = figure.add_subplot()
    places = np.arange(len(labels))
    for i, (name, dataset) in enumerate(named.items()):
        counts = dataset.counts()
        bars = axes.barh(
            places + (i + 0.5) * thickness - 0.4,
            [counts.get(label, 0) for label in labels],
            thickness,
            label=escape_undecodable(Path(name).name),
        )
        axes.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=8)
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("samples")
    axes.spines[["top", "right"]].set_visible(False)
    if len(named) > 1:
        axes.legend(frameon=False)
    figure.tight_layout()
    return figure


def contact_sheet(
    dataset: Dataset,
    augmentation: Augmentation | None = None,
    *,
    rows: int = 8,
    columns: int = 8,
    seed: int = 0,
    side_px: int = 96,
) -> RGBImage:
    """Draw samples with their labels, each as it is and as augmented in the first epochs.

    The labels alternate, so that each is shown as long as there are rows. A training on this
    dataset with the same seed uses exactly these images, but with class-balanced sampling others
    too. The frames of a clip are drawn side by side.

    Args:
        dataset: Faces or clips to choose from.
        augmentation: The data augmentation; none by default.
        rows: Samples to show, 1 or more.
        columns: Epochs to show, 0 or more.
        seed: Seed of the training; it also chooses the samples.
        side_px: Height of a face on the sheet, pixels.

    Returns:
        (H, W, 3) uint8 RGB; `emopy.present.save_image` saves it.

    Raises:
        DataError: No faces, or numbers out of range.

    Example:
        >>> from emopy.data.dataset import Dataset
        >>> faces = np.zeros((2, 48, 48, 1), np.uint8)
        >>> names = np.array(["", ""])
        >>> data = Dataset(faces, np.eye(2, dtype=np.float32), ("fear", "neutral"), names, names)
        >>> contact_sheet(data, Augmentation(flip=0.5), columns=3).shape
        (226, 504, 3)
    """
    if not len(dataset):
        raise DataError("`dataset` must hold faces to show. Received none.")
    if rows < 1 or columns < 0 or side_px < 16:
        raise DataError(
            "`rows` must be 1 or more, `columns` 0 or more and `side_px` 16 or more. "
            f"Received {rows}, {columns} and {side_px}."
        )
    chosen = _choose_rows(dataset, rows, seed)
    versions = [dataset.images[chosen]] + [
        augment_batch(
            dataset.images, chosen, augmentation or Augmentation(), seed=seed, epoch=epoch
        )
        for epoch in range(columns)
    ]
    cells = [[_cell(sample, side_px) for sample in column] for column in versions]
    height, width = cells[0][0].shape[:2]
    canvas = Image.new(
        "RGB",
        (
            _LABEL_WIDTH_PX + len(cells) * (width + _GAP_PX),
            _HEADER_PX + len(chosen) * (height + _GAP_PX),
        ),
        _BACKGROUND,
    )
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(_FONT_PX)
    for column, version in enumerate(cells):
        left = _LABEL_WIDTH_PX + column * (width + _GAP_PX)
        title = f"epoch {column}" if column else "as it is"
        draw.text((left + width // 2, _HEADER_PX // 2), title, _FAINT_TEXT, font, anchor="mm")
        for row, cell in enumerate(version):
            canvas.paste(Image.fromarray(cell), (left, _HEADER_PX + row * (height + _GAP_PX)))
    for row, sample in enumerate(chosen):
        middle = _HEADER_PX + row * (height + _GAP_PX) + height // 2
        _write_label(draw, middle, dataset, int(sample))
    return np.array(canvas)


def _choose_rows(dataset: Dataset, rows: int, seed: int) -> NDArray[np.intp]:
    """Rows of the dataset: alternating labels, in the order of the labels."""
    order = np.random.default_rng(seed).permutation(len(dataset))
    truth = dataset.truth[order]
    turn = np.empty(len(order), np.intp)
    for label in np.unique(truth):
        of_label = truth == label
        turn[of_label] = np.arange(int(of_label.sum()))
    # The turn decides which samples are shown; the label decides where.
    first = np.lexsort((truth, turn))[:rows]
    return order[first[np.lexsort((turn[first], truth[first]))]]


def _cell(sample: NDArray[np.uint8], side_px: int) -> RGBImage:
    """A face, or the frames of a clip side by side, in RGB, `side_px` high."""
    frames = np.concatenate(list(sample), axis=1) if sample.ndim == 4 else sample
    height, width = frames.shape[:2]
    image = Image.fromarray(np.repeat(frames, 3, axis=2) if frames.shape[2] == 1 else frames)
    # Enlarged pixels stay squares: the input of the network, not a softer image.
    method = Image.Resampling.NEAREST if height <= side_px else Image.Resampling.BOX
    return np.array(image.resize((max(1, round(width * side_px / height)), side_px), method))


def _write_label(draw: ImageDraw.ImageDraw, middle: int, dataset: Dataset, sample: int) -> None:
    column = int(dataset.truth[sample])
    probability, label = float(dataset.targets[sample, column]), dataset.labels[column]
    font = ImageFont.load_default(_FONT_PX)
    while len(label) > 1 and draw.textlength(label, font) > _LABEL_WIDTH_PX - 12:
        label = label.removesuffix("…")[:-1] + "…"
    if probability > 0.995:
        draw.text((_LABEL_WIDTH_PX - 6, middle), label, _TEXT, font, anchor="rm")
        return
    draw.text((_LABEL_WIDTH_PX - 6, middle - 9), label, _TEXT, font, anchor="rm")
    draw.text(
        (_LABEL_WIDTH_PX - 6, middle + 9),
        f"{100 * probability:.0f} %",
        _FAINT_TEXT,
        font,
        anchor="rm",
    )
