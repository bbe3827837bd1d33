"""Preprocess face crops into the input tensor of a model.

Training and prediction both call `to_tensor`, so that they preprocess alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError
from emopy.models.card import InputSpec

Pixels: TypeAlias = NDArray[np.uint8]

Crops: TypeAlias = Pixels | Sequence[Pixels] | Sequence[Sequence[Pixels]]
"""Stills: (n, H, W[, 1 | 3]), or a sequence of (H, W[, 1 | 3]) of any size. Clips: T before H."""


def to_tensor(crops: Crops, spec: InputSpec) -> NDArray[np.float32]:
    """Convert face crops to the input tensor of a model.

    Each crop is converted to gray or RGB, resized and standardized:
    ``(pixel * scale - mean) / std``.

    Args:
        crops: uint8, RGB or gray, 0–255. One array (n, H, W) or (n, H, W, 1 | 3), or a sequence
            of (H, W) or (H, W, 1 | 3) of any size. For a model of clips
            (``spec.frames`` = T > 1): one array (n, T, H, W, 1 | 3) or (n, T, H, W), or a
            sequence of clips, each of T crops.
        spec: Input of the model, from its card.

    Returns:
        (n, height, width, channels) float32, or (n, T, height, width, channels) for clips;
        contiguous, n = 0 for no crops.

    Raises:
        InputError: Not uint8, not of such a shape, or a clip of another length.

    Source:
        Gray is the luma 0.299 R + 0.587 G + 0.114 B of ITU-R BT.601
        (https://www.itu.int/rec/R-REC-BT.601), as in the training data of the bundled models.

    Example:
        >>> to_tensor([np.full((60, 50, 3), 255, np.uint8)], InputSpec(48, 48)).shape
        (1, 48, 48, 1)
    """
    # (pixel * scale - mean) / std with one multiplication and one addition.
    factor = np.float32(spec.scale / spec.std)
    tensor = np.multiply(to_pixels(crops, spec), factor, dtype="f4", order="C")
    if spec.mean:
        tensor -= np.float32(spec.mean / spec.std)
    return tensor


def to_pixels(crops: Crops, spec: InputSpec) -> Pixels:
    """Convert face crops to the channels and size of a model, as uint8: `to_tensor` unscaled.

    Args:
        crops: As for `to_tensor`.
        spec: Input of the model; its size, channels and frames count.

    Returns:
        (n, height, width, channels) uint8, or (n, T, height, width, channels) for clips. It may
        be a view of `crops` where nothing changes.

    Raises:
        InputError: Not uint8, not of such a shape, or a clip of another length.
    """
    if spec.frames == 1:
        return _stills(crops, spec)
    flat, clips = _flatten(crops, spec.frames)
    return _stills(flat, spec).reshape(clips, *spec.shape)


def checked(crops: Crops, spec: InputSpec) -> Crops:
    """Check the type of crops, and convert an iterator to a list, so that it can be sliced.

    Raises:
        InputError: Neither an array nor a sequence of crops.
    """
    if isinstance(crops, np.ndarray):
        return _checked_batch(crops) if spec.frames == 1 else _checked_clips(crops, spec.frames)
    return cast("Crops", crops if isinstance(crops, list | tuple) else list(_items(crops)))


def _stills(crops: object, spec: InputSpec) -> Pixels:
    """(n, height, width, channels) uint8 of the input size."""
    if isinstance(crops, np.ndarray):
        return _fit(_checked_batch(cast("Pixels", crops)), spec)
    items = [_checked_crop(item, i) for i, item in enumerate(_items(crops))]
    if not items:
        return np.empty((0, spec.height, spec.width, spec.channels), np.uint8)
    if len({item.shape for item in items}) == 1:
        # The usual case: crops of one size are converted together.
        return _fit(np.stack(items), spec)
    return np.concatenate([_fit(item[None], spec) for item in items])


def _flatten(crops: object, frames: int) -> tuple[object, int]:
    """The crops of all clips in one sequence, and the number of clips."""
    if isinstance(crops, np.ndarray):
        batch = _checked_clips(cast("Pixels", crops), frames)
        return batch.reshape(-1, *batch.shape[2:]), len(batch)
    clips = [list(_items(clip)) for clip in _items(crops)]
    for clip in clips:
        if len(clip) != frames:
            raise _wrong_length(frames, len(clip))
    return [crop for clip in clips for crop in clip], len(clips)


def _checked_clips(batch: Pixels, frames: int) -> Pixels:
    """One array of clips, (n, T, H, W) or (n, T, H, W, 1 | 3)."""
    _check_dtype(batch, "`crops`")
    if batch.ndim not in (4, 5) or (batch.ndim == 4 and batch.shape[-1] in (1, 3)):
        raise InputError(
            f"`crops` must be clips of {frames} frames, one array (n, T, H, W[, 1 or 3]). "
            f"Received shape {batch.shape}. Put a single clip into a list: [clip]."
        )
    if batch.shape[1] != frames:
        raise _wrong_length(frames, batch.shape[1])
    return batch


def _wrong_length(frames: int, received: int) -> InputError:
    return InputError(
        f"`crops` must be clips of {frames} frames for this model. Received {received} frames. "
        f"Choose {frames} frames evenly from the clip."
    )


def _items(crops: object) -> Iterable[object]:
    if isinstance(crops, (str, bytes)) or not isinstance(crops, Iterable):
        raise InputError(
            "`crops` must be face crops as uint8 arrays. "
            f"Received {type(crops).__name__}. Use FERModel.predict for whole images."
        )
    return cast("Iterable[object]", crops)


def _checked_batch(batch: Pixels) -> Pixels:
    """One array of crops, as (n, H, W, 1 | 3)."""
    _check_dtype(batch, "`crops`")
    # (H, W, 3) is one crop that is not in a list, not H crops three pixels wide.
    if batch.ndim not in (3, 4) or (batch.ndim == 3 and batch.shape[-1] in (1, 3)):
        raise InputError(
            "`crops` must be one array (n, H, W) or (n, H, W, 1 or 3), or a list of crops. "
            f"Received shape {batch.shape}. Put a single crop into a list: [crop]."
        )
    if batch.ndim == 3:
        batch = batch[..., np.newaxis]
    _check_shape(batch.shape[1:], "each of `crops`")
    return batch


def _checked_crop(crop: object, index: int) -> Pixels:
    """One crop, as (H, W, 1 | 3)."""
    if not isinstance(crop, np.ndarray):
        raise InputError(
            f"`crops[{index}]` must be a uint8 array (H, W) or (H, W, 1 or 3). "
            f"Received {type(crop).__name__}. Use numpy.asarray on a PIL image."
        )
    pixels = cast("Pixels", crop)
    if pixels.dtype != np.uint8:
        _check_dtype(pixels, f"`crops[{index}]`")
    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    _check_shape(pixels.shape, f"`crops[{index}]`")
    return pixels


def _check_dtype(pixels: Pixels, name: str) -> None:
    if pixels.dtype != np.uint8:
        raise InputError(
            f"{name} must be uint8, 0 to 255. Received {pixels.dtype}. "
            "For values in 0 to 1 type: (crops * 255).round().astype('uint8')"
        )


def _check_shape(shape: tuple[int, ...], name: str) -> None:
    if len(shape) != 3 or shape[-1] not in (1, 3) or 0 in shape:
        raise InputError(
            f"{name} must have shape (H, W) or (H, W, 1 or 3), not empty. Received shape {shape}. "
            "Drop an alpha channel with crop[..., :3]."
        )


def _convert_channels(batch: Pixels, channels: int) -> Pixels:
    """Gray to RGB or RGB to gray, for all crops together."""
    if batch.shape[-1] == channels or not len(batch):
        return batch if len(batch) else np.empty((*batch.shape[:-1], channels), np.uint8)
    if channels == 3:
        return np.repeat(batch, 3, axis=-1)
    n, height, width, _ = batch.shape
    rows = np.ascontiguousarray(batch).reshape(n * height, width, 3)
    gray = cv2.cvtColor(rows, cv2.COLOR_RGB2GRAY)
    return cast("Pixels", gray).reshape(n, height, width, 1)


def _fit(batch: Pixels, spec: InputSpec) -> Pixels:
    """Convert every crop to the input channels and size; area interpolation when reducing."""
    batch = _convert_channels(batch, spec.channels)
    n, height, width, channels = batch.shape
    if (height, width) == (spec.height, spec.width):
        return batch
    reduces = height * width > spec.height * spec.width
    method = cv2.INTER_AREA if reduces else cv2.INTER_LINEAR
    resized = np.empty((n, spec.height, spec.width, channels), np.uint8)
    for crop, target in zip(batch, resized, strict=True):
        small = cast("Pixels", cv2.resize(crop, (spec.width, spec.height), interpolation=method))
        target[...] = small.reshape(target.shape)
    return resized
