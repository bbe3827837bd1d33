"""Augmentation: seeded, label-preserving changes of face crops while a network learns.

The same change is applied to every frame of a clip. A sample's change depends on the seed, the
epoch and the sample only, never on the worker that made it or on the order of the batches.

This is also the one place for single operations on faces: `augment` with one setting turns,
shifts, zooms (and so crops), mirrors, brightens or adds noise. `emopy.models.to_tensor` resizes
and changes between gray and RGB. `emopy.data.whitening` decorrelates pixels.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, fields
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy.errors import RecipeError

Pixels: TypeAlias = NDArray[np.uint8]

_BORDERS = {
    "nearest": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
    "wrap": cv2.BORDER_WRAP,
    "constant": cv2.BORDER_CONSTANT,
}


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far each random change may go. The default changes nothing.

    Attributes:
        rotation_deg: Largest tilt to either side, degrees.
        shift: Largest shift as a share of height and width.
        zoom: Largest enlargement or reduction as a share: 0.1 is × 0.9 to × 1.1.
        shear_deg: Largest shear to either side, degrees.
        flip: Probability of a mirrored face, 0–1.
        flip_vertical: Probability of a face upside down, 0–1. Seldom of use for faces.
        brightness: Largest change as a share of the full range.
        contrast: Largest change around the mean: 0.3 is × 0.7 to × 1.3.
        gamma: Largest exponent is 1 + gamma, smallest its inverse.
        channel_shift: Largest change of each channel by itself, as a share of the full range:
            tinted light. A gray face gets brighter or darker.
        blur: Probability of a soft or coarse face (Gaussian blur, or down- and up-scaling).
        jpeg: Probability of a face stored as a poor JPEG, quality 10 to 60, 0–1.
        noise: Largest standard deviation of Gaussian noise as a share of the full range. Each
            frame of a clip has the same amount, and grains of its own, as a camera gives.
        erase: Probability of a covered patch (Zhong et al. 2020, arXiv:1708.04896), 0–1.
        fill: What enters at the border: nearest, reflect, wrap or constant.
        fill_value: Gray value that enters with ``constant``, 0–255.

    Raises:
        RecipeError: A value out of range, or an unknown `fill`.

    Example:
        >>> face = np.arange(12, dtype=np.uint8).reshape(3, 4, 1)
        >>> augment(face, Augmentation(flip=1.0), np.random.default_rng(0))[0, :, 0].tolist()
        [3, 2, 1, 0]
    """

    rotation_deg: float = 0.0
    shift: float = 0.0
    zoom: float = 0.0
    shear_deg: float = 0.0
    flip: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    erase: float = 0.0
    fill: str = "nearest"
    flip_vertical: float = 0.0
    channel_shift: float = 0.0
    jpeg: float = 0.0
    fill_value: int = 0

    def __post_init__(self) -> None:
        if self.fill not in _BORDERS:
            raise RecipeError(
                f"`fill` must be one of {', '.join(_BORDERS)}. Received {self.fill!r}."
            )
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name != "fill" and value < 0:
                raise RecipeError(f"`{item.name}` must be 0 or more. Received {value}.")
        for name in ("flip", "flip_vertical", "blur", "jpeg", "erase"):
            if getattr(self, name) > 1:
                raise RecipeError(
                    f"`{name}` must be a probability, 0–1. Received {getattr(self, name)}."
                )
        if self.fill_value > 255:
            raise RecipeError(f"`fill_value` must be 0 to 255. Received {self.fill_value}.")


def augment(sample: Pixels, settings: Augmentation, rng: np.random.Generator) -> Pixels:
    """Change one sample at random.

    Args:
        sample: (H, W, C) uint8, or a clip (T, H, W, C).
        settings: How far each change may go.
        rng: Source of chance; the same state gives the same result.

    Returns:
        A new array of the same shape.
    """
    frames = sample if sample.ndim == 4 else sample[None]
    change = _draw(settings, frames.shape, rng)
    result = np.stack([_apply(change, frame) for frame in frames]).reshape(frames.shape)
    if settings.noise > 0:
        noisy = result + change.noise * rng.standard_normal(result.shape, dtype=np.float32)
        result = np.clip(noisy, 0, 255).astype(np.uint8)
    if change.quality is not None:
        result = np.stack([_as_jpeg(frame, change.quality) for frame in result])
    if change.patch is not None:
        rows, columns, value = change.patch
        result[:, rows, columns] = value
    return result.reshape(sample.shape)


def augment_batch(
    samples: Pixels,
    rows: NDArray[np.intp],
    settings: Augmentation,
    *,
    seed: int,
    epoch: int,
    copies: NDArray[np.intp] | None = None,
) -> Pixels:
    """Change the given rows, each by its own chance drawn from (seed, epoch, row, copy).

    Args:
        samples: (n, H, W, C) or (n, T, H, W, C) uint8.
        rows: (m,) rows of `samples` to take.
        settings: How far each change may go.
        seed: Seed of the whole training.
        epoch: Number of the epoch, from 0.
        copies: (m,) how often each row came before in the epoch, where rows come repeatedly.

    Returns:
        (m, …) uint8.
    """
    if settings == Augmentation():
        return samples[rows]
    drawn = np.stack([rows] if copies is None else [rows, copies], axis=1)
    return np.stack(
        [
            augment(samples[row], settings, np.random.default_rng((seed, epoch, row, *copy)))
            for row, *copy in drawn.tolist()
        ]
    )


@dataclass(frozen=True, slots=True)
class _Change:
    """What chance decided for one sample; it holds for every frame.

    Attributes:
        geometry: (2, 3) affine map, in pixels.
        border: OpenCV's number of the fill mode.
        fill_value: 0–255.
        blur: (sigma of a Gaussian in pixels, factor of down-scaling).
        tone: (256,) uint8 look-up table, or (1, 256, 3) with one per channel.
        noise: Standard deviation, 0–255.
        quality: Of the JPEG, 1–100, or None.
        patch: Rows, columns and gray value of what is covered, or None.
    """

    geometry: NDArray[np.float32]
    border: int
    fill_value: int
    blur: tuple[float, float]
    tone: Pixels
    noise: float
    quality: int | None
    patch: tuple[slice, slice, int] | None


def _draw(settings: Augmentation, shape: tuple[int, ...], rng: np.random.Generator) -> _Change:
    """Ask chance, in an order that must never change: a recipe stands for the faces it made.

    What came later (vertical flip, channel shift, JPEG) draws only when it is asked for, so
    that recipes without it go on giving the same faces.
    """
    height, width, channels = shape[1:]
    geometry = _random_geometry(settings, height, width, rng)
    tone = _random_tone(settings, rng)
    blur = _random_blur(settings, rng)
    patch = _random_patch(settings, height, width, rng)
    noise = 255 * rng.uniform(0, settings.noise)
    if settings.flip_vertical and rng.random() < settings.flip_vertical:
        geometry[:, 2] += geometry[:, 1] * (height - 1)
        geometry[:, 1] *= -1
    if settings.channel_shift:
        shifts = 255 * settings.channel_shift * rng.uniform(-1, 1, channels)
        tone = np.clip(np.rint(tone[:, None] + shifts), 0, 255).astype(np.uint8)[None]
    quality = None
    if settings.jpeg and rng.random() < settings.jpeg:
        quality = int(rng.integers(10, 61))
    return _Change(
        geometry=geometry,
        border=_BORDERS[settings.fill],
        fill_value=settings.fill_value,
        blur=blur,
        tone=tone,
        noise=noise,
        quality=quality,
        patch=patch,
    )


def _random_geometry(
    settings: Augmentation, height: int, width: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """(2, 3) affine map about the middle of the crop, in pixels."""
    angle, shear, zoom, shift_y, shift_x = rng.uniform(-1, 1, 5)
    mirrored = -1.0 if rng.random() < settings.flip else 1.0
    turn = np.deg2rad(angle * settings.rotation_deg)
    slant = np.tan(np.deg2rad(shear * settings.shear_deg))
    rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = rotate @ np.array([[1, slant], [0, 1]]) * (1 + zoom * settings.zoom)
    linear = linear @ np.diag([mirrored, 1.0])
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    offset = np.array([shift_x * width, shift_y * height]) * settings.shift
    return np.column_stack([linear, middle + offset - linear @ middle]).astype(np.float32)


def _random_tone(settings: Augmentation, rng: np.random.Generator) -> Pixels:
    """(256,) look-up table that changes gamma, contrast and brightness."""
    gamma, contrast, brightness = rng.uniform(-1, 1, 3)
    levels = (np.arange(256) / 255) ** ((1 + settings.gamma) ** gamma)
    levels = (levels - 0.5) * (1 + contrast * settings.contrast) + 0.5
    levels = levels + brightness * settings.brightness
    return np.clip(np.rint(255 * levels), 0, 255).astype(np.uint8)


def _random_blur(settings: Augmentation, rng: np.random.Generator) -> tuple[float, float]:
    """(sigma of a Gaussian in pixels, factor of down-scaling); (0, 1) leaves the face sharp."""
    wanted, coarse, amount = rng.random(3)
    if wanted >= settings.blur:
        return 0.0, 1.0
    return (0.0, 1.0 - 0.6 * amount) if coarse < 0.5 else (0.4 + 1.1 * amount, 1.0)


def _random_patch(
    settings: Augmentation, height: int, width: int, rng: np.random.Generator
) -> tuple[slice, slice, int] | None:
    wanted, area, aspect, y, x = rng.random(5)
    value = int(rng.integers(256))
    if wanted >= settings.erase:
        return None
    side = np.sqrt(0.02 + 0.18 * area)
    stretch = np.sqrt(np.exp((2 * aspect - 1) * np.log(3)))
    rows = max(1, min(height, round(height * side * stretch)))
    columns = max(1, min(width, round(width * side / stretch)))
    top, left = int(y * (height - rows + 1)), int(x * (width - columns + 1))
    return slice(top, top + rows), slice(left, left + columns), value


def _apply(change: _Change, frame: Pixels) -> Pixels:
    """Geometry, blur and tone of one frame."""
    size = (frame.shape[1], frame.shape[0])
    changed = cv2.warpAffine(
        frame,
        change.geometry,
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=change.border,
        borderValue=(change.fill_value,) * 3,
    )
    sigma, factor = change.blur
    if factor < 1:
        small = (max(8, round(size[0] * factor)), max(8, round(size[1] * factor)))
        changed = cv2.resize(changed, small, interpolation=cv2.INTER_AREA)
        changed = cv2.resize(changed, size, interpolation=cv2.INTER_LINEAR)
    elif sigma > 0:
        changed = cv2.GaussianBlur(changed, (0, 0), sigma)
    return cast("Pixels", cv2.LUT(changed, change.tone))


def _as_jpeg(frame: Pixels, quality: int) -> Pixels:
    """What is left of a frame (H, W, C) after it was stored as a JPEG."""
    stored = io.BytesIO()
    Image.fromarray(frame.squeeze(-1) if frame.shape[-1] == 1 else frame).save(
        stored, "JPEG", quality=quality
    )
    with Image.open(stored) as seen:
        return np.asarray(seen).reshape(frame.shape)
