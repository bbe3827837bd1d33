"""Sample stills and clips: small composite faces to learn from, cut from packaged sheets.

A sheet is one gray image of crops of 48 × 48 pixels. In the sheets of stills each row is an
emotion; in those of clips each row is a clip, emotion after emotion, from neutral to the peak.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.data.split import Splits
from emopy.errors import DataError
from emopy.labels import STANDARD_EMOTIONS
from emopy.media import read_image

CLIP_FRAMES = 8
"""Frames of a packaged clip."""

_SIDE_PX = 48
_PARTS = ("train", "test")
_NTH = 6
"""Of each six samples of the training part one is for validation and one for calibration."""


def sample_stills() -> Dataset:
    """Composite faces in the seven standard emotions, 64 of each.

    The emotions have 55 to 100 % of their strength; light, framing and contrast vary. No source
    face serves both parts, "train" and "test"; `Dataset.sources` names the part first. Within a
    part the averages share faces, so measure on `sample_splits`, not on a split of your own.

    Returns:
        448 faces (n, 48, 48, 1) with one-hot targets. Nobody is shown: `subject_ids` are "".

    Example:
        >>> stills = sample_stills()
        >>> stills.images.shape, str(stills.sources[0])
        ((448, 48, 48, 1), 'train/anger/000')
    """
    crops = {part: _cut("stills", part) for part in _PARTS}
    return _dataset({part: found[..., None] for part, found in crops.items()})


def sample_clips(*, frames: int = 4) -> Dataset:
    """Composite faces that go from neutral to the peak of an emotion, 32 clips of each.

    Clips morph from one composite to another. The label is that of the last frame; a clip of
    "neutral" goes from one neutral composite to another.

    Args:
        frames: Frames T of each clip, 1–8: evenly spaced, the last one always the peak.

    Returns:
        224 clips (n, T, 48, 48, 1) with one-hot targets. `Dataset.sources` begins with the part,
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
    # Counted from the peak: one frame alone is the last.
    chosen = np.rint(np.linspace(CLIP_FRAMES - 1, 0, frames)).astype(np.intp)[::-1]
    clips: dict[str, NDArray[np.uint8]] = {}
    for part in _PARTS:
        rows = _cut("clips", part)
        by_emotion = rows.reshape(len(STANDARD_EMOTIONS), -1, *rows.shape[1:])
        clips[part] = by_emotion[:, :, chosen, :, :, None]
    return _dataset(clips)


def sample_splits() -> Splits:
    """The stills, ready to learn from and to be judged on.

    Returns:
        `Splits.test` is the held-out part: its composites are made of faces that no other part
        holds. Validation and calibration are a sixth each of the training part; their
        averages are other draws from the same faces.

    Example:
        >>> print(sample_splits())
        train 224, validation 56, calibration 56, test 112
    """
    return _parts(sample_stills())


def sample_clip_splits(*, frames: int = 4) -> Splits:
    """The clips, ready to learn from and to be judged on; see `sample_splits`.

    Args:
        frames: Frames T of each clip, 1–8.

    Raises:
        DataError: Fewer than 1 or more than 8 frames.

    Example:
        >>> print(sample_clip_splits(frames=4))
        train 112, validation 28, calibration 28, test 56
    """
    return _parts(sample_clips(frames=frames))


def _cut(kind: str, part: str) -> NDArray[np.uint8]:
    """(rows, columns, 48, 48) crops of a sheet."""
    path = Path(str(files("emopy.samples"))) / "sheets" / f"{kind}-{part}.webp"
    sheet = read_image(path)[:, :, 0]
    rows, columns = (length // _SIDE_PX for length in sheet.shape)
    return sheet.reshape(rows, _SIDE_PX, columns, _SIDE_PX).transpose(0, 2, 1, 3)


def _dataset(samples: dict[str, NDArray[np.uint8]]) -> Dataset:
    """Join parts; each is (emotions, samples, ...)."""
    classes = len(STANDARD_EMOTIONS)
    images = [crops.reshape(-1, *crops.shape[2:]) for crops in samples.values()]
    truth = [np.repeat(np.arange(classes), crops.shape[1]) for crops in samples.values()]
    origin = [
        f"{part}/{emotion}/{number:03}"
        for part, crops in samples.items()
        for emotion in STANDARD_EMOTIONS
        for number in range(crops.shape[1])
    ]
    return Dataset(
        np.concatenate(images),
        np.eye(classes, dtype=np.float32)[np.concatenate(truth)],
        STANDARD_EMOTIONS,
        np.full(len(origin), "", dtype=np.str_),
        np.array(origin, dtype=np.str_),
    )


def _parts(data: Dataset) -> Splits:
    train = np.char.startswith(data.sources, "train/")
    turn = np.array([int(name.rsplit("/", 1)[1]) for name in data.sources]) % _NTH
    return Splits(
        train=data.take(train & (turn >= 2)),
        validation=data.take(train & (turn == 0)),
        calibration=data.take(train & (turn == 1)),
        test=data.take(~train),
    )
