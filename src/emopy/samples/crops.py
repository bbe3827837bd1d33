"""Sample images, stills and clips: composite faces, packaged as image files.

The stills and clips are packaged in sheets: one gray image of crops of 48 × 48 pixels. In a sheet
of stills each row is an emotion; in a sheet of clips each row is a clip, emotion after emotion,
from neutral to the peak.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy.data.dataset import Dataset
from emopy.data.split import Splits
from emopy.errors import DataError
from emopy.labels import STANDARD_EMOTIONS
from emopy.models.card import InputSpec
from emopy.models.preprocessing import to_pixels

CLIP_FRAMES = 8
"""Frames of a packaged clip."""

_SIDE_PX = 48
_SPLITS = ("train", "test")

_HELD_OUT_STEP = 6
"""Of each six training samples one is for validation and one for calibration."""


def sample_images() -> dict[str, Path]:
    """Paths of the packaged images, by the emotion of the composite face.

    Each is large enough to detect a face in, and the average of at least forty faces.

    Example:
        >>> "happiness" in sample_images()
        True
    """
    return {path.stem: path for path in sorted((_folder() / "images").glob("*.png"))}


def sample_crops(spec: InputSpec) -> NDArray[np.uint8]:
    """The sample images at the height, width and channels of a model's input.

    Returns:
        (n, H, W, C) uint8, in alphabetical order of the emotions.

    Example:
        >>> sample_crops(InputSpec(48, 48, 1)).shape
        (8, 48, 48, 1)
    """
    images = [_load_rgb(path) for path in sample_images().values()]
    return to_pixels(images, InputSpec(spec.height, spec.width, spec.channels))


def sample_stills() -> Dataset:
    """Composite faces in the seven standard emotions, 64 of each.

    The emotions have 55 to 100 % of their strength; light, framing and contrast vary. No source
    face is in both splits, "train" and "test"; `Dataset.sources` begin with the split. Within a
    split the averages have faces in common, so evaluate on `sample_splits`, not on another split.

    Returns:
        448 faces (n, 48, 48, 1) with one-hot targets. They show no real person: `subject_ids`
        are "".

    Example:
        >>> stills = sample_stills()
        >>> stills.images.shape, str(stills.sources[0])
        ((448, 48, 48, 1), 'train/anger/000')
    """
    crops = {split: _load_sheet("stills", split) for split in _SPLITS}
    return _dataset({split: found[..., None] for split, found in crops.items()})


def sample_clips(*, frames: int = 4) -> Dataset:
    """Composite faces that go from neutral to the peak of an emotion, 32 clips of each.

    Clips morph from one composite to another. The label is that of the last frame; a clip of
    "neutral" goes from one neutral composite to another.

    Args:
        frames: Frames T of each clip, 1–8: evenly spaced, the last one always the peak.

    Returns:
        224 clips (n, T, 48, 48, 1) with one-hot targets. `Dataset.sources` begin with the split,
        "train" or "test", as in `sample_stills`.

    Raises:
        DataError: Fewer than 1 or more than 8 frames.

    Example:
        >>> sample_clips(frames=4).images.shape
        (224, 4, 48, 48, 1)
    """
    if not 1 <= frames <= CLIP_FRAMES:
        raise DataError(
            f"`frames` must be 1 to {CLIP_FRAMES}. Received {frames}. Type for example 4."
        )
    # Counted from the peak: a single frame is the last.
    chosen = np.rint(np.linspace(CLIP_FRAMES - 1, 0, frames)).astype(np.intp)[::-1]
    clips: dict[str, NDArray[np.uint8]] = {}
    for split in _SPLITS:
        rows = _load_sheet("clips", split)
        by_emotion = rows.reshape(len(STANDARD_EMOTIONS), -1, *rows.shape[1:])
        clips[split] = by_emotion[:, :, chosen, :, :, None]
    return _dataset(clips)


def sample_splits() -> Splits:
    """The stills, split for training and evaluation.

    Returns:
        The composites of `Splits.test` are made of faces that no other split holds. Validation
        and calibration are a sixth each of the training split; their averages are other draws
        from the same faces.

    Example:
        >>> print(sample_splits())
        train 224, validation 56, calibration 56, test 112
    """
    return _split(sample_stills())


def sample_clip_splits(*, frames: int = 4) -> Splits:
    """The clips, split for training and evaluation; see `sample_splits`.

    Args:
        frames: Frames T of each clip, 1–8.

    Raises:
        DataError: Fewer than 1 or more than 8 frames.

    Example:
        >>> print(sample_clip_splits(frames=4))
        train 112, validation 28, calibration 28, test 56
    """
    return _split(sample_clips(frames=frames))


def _folder() -> Path:
    return Path(str(files("emopy.samples")))


def _load_rgb(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) pixels of a packaged image."""
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


def _load_sheet(kind: str, split: str) -> NDArray[np.uint8]:
    """(rows, columns, 48, 48) crops of a sheet."""
    sheet = _load_rgb(_folder() / "sheets" / f"{kind}-{split}.webp")[:, :, 0]
    rows, columns = (length // _SIDE_PX for length in sheet.shape)
    return sheet.reshape(rows, _SIDE_PX, columns, _SIDE_PX).transpose(0, 2, 1, 3)


def _dataset(samples: dict[str, NDArray[np.uint8]]) -> Dataset:
    """One dataset from the samples of each split, (emotions, samples, ...)."""
    classes = len(STANDARD_EMOTIONS)
    images = [crops.reshape(-1, *crops.shape[2:]) for crops in samples.values()]
    truth = [np.repeat(np.arange(classes), crops.shape[1]) for crops in samples.values()]
    sources = [
        f"{split}/{emotion}/{number:03}"
        for split, crops in samples.items()
        for emotion in STANDARD_EMOTIONS
        for number in range(crops.shape[1])
    ]
    return Dataset(
        np.concatenate(images),
        np.eye(classes, dtype=np.float32)[np.concatenate(truth)],
        STANDARD_EMOTIONS,
        np.full(len(sources), "", dtype=np.str_),
        np.array(sources, dtype=np.str_),
    )


def _split(data: Dataset) -> Splits:
    train = np.char.startswith(data.sources, "train/")
    turn = np.array([int(name.rsplit("/", 1)[1]) for name in data.sources]) % _HELD_OUT_STEP
    return Splits(
        train=data.take(train & (turn >= 2)),
        validation=data.take(train & (turn == 0)),
        calibration=data.take(train & (turn == 1)),
        test=data.take(~train),
    )
