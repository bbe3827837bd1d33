"""`contact_sheet`: one image of what a network will see while it learns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from emopy.data.augment import Augmentation, augment_batch
from emopy.data.dataset import Dataset
from emopy.errors import DataError
from emopy.types import RGBImage

_GROUND = (24, 24, 28)
_INK = (240, 240, 240)
_FAINT = (165, 165, 172)
_GAP = 4
_LABELS = 104
_HEAD = 26


def contact_sheet(
    dataset: Dataset,
    augmentation: Augmentation | None = None,
    *,
    rows: int = 8,
    columns: int = 8,
    seed: int = 0,
    side_px: int = 96,
) -> RGBImage:
    """Draw samples with their labels, each as it is and as the first epochs would change it.

    The labels take turns, so that each is shown as long as there are rows. A training with the
    same seed sees these very images. The frames of a clip stand side by side.

    Args:
        dataset: Faces or clips to choose from.
        augmentation: Random changes; none by default.
        rows: Samples to show, 1 or more.
        columns: Epochs to show, 0 or more.
        seed: Seed of the training; it also decides which samples are shown.
        side_px: Height of a face on the sheet, pixels.

    Returns:
        (H, W, 3) uint8 RGB; `emopy.present.save_image` writes it.

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
    shown = _choose(dataset, rows, seed)
    seen = [dataset.images[shown]] + [
        augment_batch(dataset.images, shown, augmentation or Augmentation(), seed=seed, epoch=epoch)
        for epoch in range(columns)
    ]
    cells = [[_cell(sample, side_px) for sample in version] for version in seen]
    height, width = cells[0][0].shape[:2]
    canvas = Image.new(
        "RGB",
        (_LABELS + len(cells) * (width + _GAP), _HEAD + len(shown) * (height + _GAP)),
        _GROUND,
    )
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(13)
    for column, version in enumerate(cells):
        left = _LABELS + column * (width + _GAP)
        head = f"epoch {column}" if column else "as it is"
        draw.text((left + width // 2, _HEAD // 2), head, _FAINT, font, anchor="mm")
        for row, cell in enumerate(version):
            canvas.paste(Image.fromarray(cell), (left, _HEAD + row * (height + _GAP)))
    for row, sample in enumerate(shown):
        middle = _HEAD + row * (height + _GAP) + height // 2
        _write_label(draw, middle, dataset, int(sample))
    return np.array(canvas)


def _choose(dataset: Dataset, rows: int, seed: int) -> NDArray[np.intp]:
    """Rows of the dataset: the labels in their order, in turns, each sample at most once."""
    order = np.random.default_rng(seed).permutation(len(dataset))
    truth = dataset.truth[order]
    turn = np.empty(len(order), np.intp)
    for label in np.unique(truth):
        of_label = truth == label
        turn[of_label] = np.arange(int(of_label.sum()))
    # The turn decides who is shown; the label decides where.
    first = np.lexsort((truth, turn))[:rows]
    return order[first[np.lexsort((turn[first], truth[first]))]]


def _cell(sample: NDArray[np.uint8], side_px: int) -> RGBImage:
    """A face, or the frames of a clip side by side, in RGB, `side_px` high."""
    frames = np.concatenate(list(sample), axis=1) if sample.ndim == 4 else sample
    height, width = frames.shape[:2]
    image = Image.fromarray(np.repeat(frames, 3, axis=2) if frames.shape[2] == 1 else frames)
    # Few pixels are shown as the squares they are: what the network sees, not a softer image.
    method = Image.Resampling.NEAREST if height <= side_px else Image.Resampling.BOX
    return np.array(image.resize((max(1, round(width * side_px / height)), side_px), method))


def _write_label(draw: ImageDraw.ImageDraw, middle: int, dataset: Dataset, sample: int) -> None:
    column = int(dataset.truth[sample])
    share, label = float(dataset.targets[sample, column]), dataset.labels[column]
    font = ImageFont.load_default(13)
    while len(label) > 1 and draw.textlength(label, font) > _LABELS - 12:
        label = label.removesuffix("…")[:-1] + "…"
    if share > 0.995:
        draw.text((_LABELS - 6, middle), label, _INK, font, anchor="rm")
        return
    draw.text((_LABELS - 6, middle - 9), label, _INK, font, anchor="rm")
    draw.text((_LABELS - 6, middle + 9), f"share {100 * share:.0f} %", _FAINT, font, anchor="rm")
