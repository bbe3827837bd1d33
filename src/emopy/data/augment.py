"""Augmentation: seeded, label-preserving changes of face crops while a network learns.

The same change is applied to every frame of a clip. A sample's change depends on the seed, the
epoch and the sample only, never on the worker that made it or on the order of the batches.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.errors import RecipeError

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
        brightness: Largest change as a share of the full range.
        contrast: Largest change around the mean: 0.3 is × 0.7 to × 1.3.
        gamma: Largest exponent is 1 + gamma, smallest its inverse.
        blur: Probability of a soft or coarse face (Gaussian blur, or down- and up-scaling).
        noise: Largest standard deviation of Gaussian noise as a share of the full range.
        erase: Probability of a covered patch (Zhong et al. 2020, arXiv:1708.04896), 0–1.
        fill: What enters at the border: nearest, reflect, wrap or constant (black).
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

    def __post_init__(self) -> None:
        if self.fill not in _BORDERS:
            raise RecipeError(
                f"`fill` must be one of {', '.join(_BORDERS)}. Received {self.fill!r}."
            )
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name != "fill" and value < 0:
                raise RecipeError(f"`{item.name}` must be 0 or more. Received {value}.")
        for name in ("flip", "blur", "erase"):
            if getattr(self, name) > 1:
                raise RecipeError(
                    f"`{name}` must be a probability, 0–1. Received {getattr(self, name)}."
                )


def augment(
    sample: NDArray[np.uint8], settings: Augmentation, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Change one sample at random.

    Args:
        sample: (H, W, C) uint8, or a clip (T, H, W, C).
        settings: How far each change may go.
        rng: Source of chance; the same state gives the same result.

    Returns:
        A new array of the same shape.
    """
    frames = sample if sample.ndim == 4 else sample[None]
    height, width = frames.shape[1:3]
    geometry = _random_geometry(settings, height, width, rng)
    tone = _random_tone(settings, rng)
    softness = _random_softness(settings, rng)
    patch = _random_patch(settings, height, width, rng)
    sigma = 255 * rng.uniform(0, settings.noise)
    changed = [
        _change(frame, geometry, _BORDERS[settings.fill], tone, softness) for frame in frames
    ]
    result = np.stack(changed).reshape(frames.shape)
    if settings.noise > 0:
        noisy = result + sigma * rng.standard_normal(result.shape, dtype=np.float32)
        result = np.clip(noisy, 0, 255).astype(np.uint8)
    if patch is not None:
        rows, columns, value = patch
        result[:, rows, columns] = value
    return result.reshape(sample.shape)


def augment_batch(
    samples: NDArray[np.uint8],
    rows: NDArray[np.intp],
    settings: Augmentation,
    *,
    seed: int,
    epoch: int,
) -> NDArray[np.uint8]:
    """Change the given rows, each by its own chance drawn from (seed, epoch, row).

    Args:
        samples: (n, H, W, C) or (n, T, H, W, C) uint8.
        rows: (m,) rows of `samples` to take.
        settings: How far each change may go.
        seed: Seed of the whole training.
        epoch: Number of the epoch, from 0.

    Returns:
        (m, …) uint8.
    """
    if settings == Augmentation():
        return samples[rows]
    return np.stack(
        [
            augment(samples[row], settings, np.random.default_rng((seed, epoch, int(row))))
            for row in rows
        ]
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


def _random_tone(settings: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(256,) look-up table that changes gamma, contrast and brightness."""
    gamma, contrast, brightness = rng.uniform(-1, 1, 3)
    levels = (np.arange(256) / 255) ** ((1 + settings.gamma) ** gamma)
    levels = (levels - 0.5) * (1 + contrast * settings.contrast) + 0.5
    levels = levels + brightness * settings.brightness
    return np.clip(np.rint(255 * levels), 0, 255).astype(np.uint8)


def _random_softness(settings: Augmentation, rng: np.random.Generator) -> tuple[float, float]:
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


def _change(
    frame: NDArray[np.uint8],
    geometry: NDArray[np.float32],
    border: int,
    tone: NDArray[np.uint8],
    softness: tuple[float, float],
) -> NDArray[np.uint8]:
    height, width = frame.shape[:2]
    changed = cv2.warpAffine(
        frame, geometry, (width, height), flags=cv2.INTER_LINEAR, borderMode=border
    )
    sigma, factor = softness
    if factor < 1:
        small = (max(8, round(width * factor)), max(8, round(height * factor)))
        changed = cv2.resize(changed, small, interpolation=cv2.INTER_AREA)
        changed = cv2.resize(changed, (width, height), interpolation=cv2.INTER_LINEAR)
    elif sigma > 0:
        changed = cv2.GaussianBlur(changed, (0, 0), sigma)
    return np.asarray(cv2.LUT(changed, tone), np.uint8)
