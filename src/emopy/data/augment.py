"""Data augmentation: seeded, label-preserving transformations of face crops during training.

All frames of a clip are transformed alike. The transformation of a sample depends on the seed, the
epoch and the sample only, never on the worker or on the order of the batches.

`augment` with a single setting is also the way to rotate, shift, zoom, mirror or brighten a face.
`emopy.models.to_tensor` resizes and converts between gray and RGB; `emopy.data.whitening`
decorrelates pixels.
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
from emopy.settings import store_floats

Pixels: TypeAlias = NDArray[np.uint8]

_BORDERS = {
    "nearest": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
    "wrap": cv2.BORDER_WRAP,
    "constant": cv2.BORDER_CONSTANT,
}


@dataclass(frozen=True, slots=True)
class Augmentation:
    """The limits of each random transformation. The default is no augmentation.

    Attributes:
        rotation_deg: Largest tilt to either side, degrees.
        shift: Largest shift, relative to height and width.
        zoom: Largest relative enlargement or reduction, below 1: 0.1 is × 0.9 to × 1.1.
        shear_deg: Largest shear to either side, degrees, below 90.
        flip: Probability of a mirrored face, 0–1.
        flip_vertical: Probability of a face upside down, 0–1. Seldom of use for faces.
        brightness: Largest change, relative to the full range.
        contrast: Largest change around the middle of the range, 127.5: 0.3 is × 0.7 to × 1.3.
        gamma: Largest exponent is 1 + gamma, smallest its inverse.
        channel_shift: Largest change of each channel, relative to the full range: tinted light.
            A gray face gets brighter or darker.
        blur: Probability of a soft or coarse face (Gaussian blur, or down- and up-scaling).
        jpeg: Probability of JPEG artifacts (quality 10 to 60), 0–1.
        noise: Largest standard deviation of Gaussian noise, relative to the full range. The
            frames of a clip have the same amount, but independent noise, as in a video. Values are
            rounded down, so that a face gets darker by half a gray level.
        erase: Probability of an erased patch (Zhong et al. 2020, arXiv:1708.04896), 0–1.
        fill: How new pixels at the border are filled: nearest, reflect, wrap or constant.
        fill_value: Gray value at the border with ``constant``, 0–255.

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
        store_floats(self)
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name != "fill" and value < 0:
                raise RecipeError(f"`{item.name}` must be 0 or more. Received {value}.")
        for name in ("flip", "flip_vertical", "blur", "jpeg", "erase"):
            if getattr(self, name) > 1:
                raise RecipeError(
                    f"`{name}` must be a probability, 0–1. Received {getattr(self, name)}."
                )
        for name, end in (("zoom", 1), ("contrast", 1), ("shear_deg", 90)):
            if getattr(self, name) >= end:
                raise RecipeError(
                    f"`{name}` must be less than {end}. Received {getattr(self, name)}: beyond it, "
                    "faces would be turned over or lose their shape."
                )
        if self.fill_value > 255:
            raise RecipeError(f"`fill_value` must be 0 to 255. Received {self.fill_value}.")


def augment(sample: Pixels, settings: Augmentation, rng: np.random.Generator) -> Pixels:
    """Transform one sample at random.

    Args:
        sample: (H, W, C) uint8, or a clip (T, H, W, C).
        settings: The limits of each transformation.
        rng: Random generator; the same state gives the same result.

    Returns:
        A new array of the same shape.
    """
    frames = sample if sample.ndim == 4 else sample[None]
    change = _draw(settings, frames.shape, rng)
    result = np.stack([_transform(change, frame) for frame in frames]).reshape(frames.shape)
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
    occurrences: NDArray[np.intp] | None = None,
) -> Pixels:
    """Transform the given rows; each has the seed (seed, epoch, row, occurrence).

    Args:
        samples: (n, H, W, C) or (n, T, H, W, C) uint8.
        rows: (m,) rows of `samples` to transform.
        settings: The limits of each transformation.
        seed: Seed of the whole training.
        epoch: Number of the epoch, from 0.
        occurrences: (m,) how often each row was drawn before in the epoch; None if each is drawn
            once.

    Returns:
        (m, …) uint8.
    """
    if settings == Augmentation():
        return samples[rows]
    drawn = np.stack([rows] if occurrences is None else [rows, occurrences], axis=1)
    return np.stack(
        [
            augment(samples[row], settings, np.random.default_rng((seed, epoch, row, *occurrence)))
            for row, *occurrence in drawn.tolist()
        ]
    )


@dataclass(frozen=True, slots=True)
class _Transformation:
    """The random transformation of one sample, the same for all its frames.

    Attributes:
        geometry: (2, 3) affine map, in pixels.
        border: OpenCV's number of the fill mode.
        fill_value: 0–255.
        blur: (sigma of a Gaussian in pixels, factor of down-scaling).
        tone: (256,) uint8 look-up table, or (1, 256, 3) with one per channel.
        noise: Standard deviation, 0–255.
        quality: Of the JPEG, 1–100, or None.
        patch: Rows, columns and gray value of the erased patch, or None.
    """

    geometry: NDArray[np.float32]
    border: int
    fill_value: int
    blur: tuple[float, float]
    tone: Pixels
    noise: float
    quality: int | None
    patch: tuple[slice, slice, int] | None


def _draw(
    settings: Augmentation, shape: tuple[int, ...], rng: np.random.Generator
) -> _Transformation:
    """Draw random numbers, in an order that must never change: a recipe must stay reproducible.

    Later additions (vertical flip, channel shift, JPEG) draw only if they are enabled, so that
    recipes without them give the same faces as before.
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
    return _Transformation(
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


def _transform(change: _Transformation, frame: Pixels) -> Pixels:
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
    """A frame (H, W, C) after JPEG compression."""
    stored = io.BytesIO()
    Image.fromarray(frame.squeeze(-1) if frame.shape[-1] == 1 else frame).save(
        stored, "JPEG", quality=quality
    )
    with Image.open(stored) as decoded:
        return np.asarray(decoded).reshape(frame.shape)
