"""How accurate a model stays when images get worse: one figure per corruption."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import CannotMeasureError, Figure, Section, Settings
from emopy.data import Dataset, load_dataset
from emopy.evaluate import evaluate
from emopy.models import load_model

Pixels = NDArray[np.uint8]
Corruption = Callable[[Pixels, np.random.Generator], Pixels]
"""(H, W) gray face → the corrupted face, (H, W) or (H, W, 3)."""

TARGET = 0.95
"""Mean accuracy under corruption ÷ accuracy on clean faces."""


def _warp(
    face: Pixels, *, angle_deg: float = 0, zoom: float = 1, shift: tuple[float, float] = (0, 0)
) -> Pixels:
    side = face.shape[0]
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), angle_deg, zoom)
    matrix[:, 2] += np.multiply(shift, side)
    warped = cv2.warpAffine(face, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _shift(face: Pixels, rng: np.random.Generator) -> Pixels:
    angle = rng.uniform(0, 2 * np.pi)
    return _warp(face, shift=(0.1 * np.cos(angle), 0.1 * np.sin(angle)))


def _downscale(face: Pixels, _: np.random.Generator) -> Pixels:
    small = cv2.resize(face, (20, 20), interpolation=cv2.INTER_AREA)
    enlarged = cv2.resize(small, face.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged, np.uint8)


def _blur(face: Pixels, _: np.random.Generator) -> Pixels:
    return np.asarray(cv2.GaussianBlur(face, (0, 0), 1.2), np.uint8)


def _gamma(exponent: float) -> Corruption:
    table = np.rint(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    return lambda face, _: table[face]


def _contrast(factor: float) -> Corruption:
    table = np.clip(np.rint(128 + factor * (np.arange(256) - 128.0)), 0, 255).astype(np.uint8)
    return lambda face, _: table[face]


def _jpeg(face: Pixels, _: np.random.Generator) -> Pixels:
    encoded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 20])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)


def _noise(face: Pixels, rng: np.random.Generator) -> Pixels:
    return np.clip(np.rint(face + rng.normal(0, 20, face.shape)), 0, 255).astype(np.uint8)


def _occlude_half(face: Pixels, rng: np.random.Generator) -> Pixels:
    occluded, half = face.copy(), face.shape[0] // 2
    region = [np.s_[:half], np.s_[half:], np.s_[:, :half], np.s_[:, half:]][rng.integers(4)]
    occluded[region] = rng.integers(256)
    return occluded


def _color_cast(face: Pixels, rng: np.random.Generator) -> Pixels:
    """Colored light: each channel dimmed to 55 to 100 %."""
    light = rng.uniform(0.55, 1, 3)
    return np.rint(face[..., None] * light).astype(np.uint8)


CORRUPTIONS: dict[str, Corruption] = {
    "shifted by 10 %": _shift,
    "15 % larger": lambda face, _: _warp(face, zoom=1.15),
    "15 % smaller": lambda face, _: _warp(face, zoom=0.85),
    "tilted by 20°": lambda face, rng: _warp(face, angle_deg=20 * rng.choice((-1, 1))),
    "blurred, σ = 1.2 px": _blur,
    "20 px faces": _downscale,
    "gamma 0.5": _gamma(0.5),
    "gamma 2": _gamma(2.0),
    "contrast halved": _contrast(0.5),
    "contrast × 1.6": _contrast(1.6),
    "JPEG quality 20": _jpeg,
    "noise, σ = 20 of 255": _noise,
    "half of the face covered": _occlude_half,
    "color cast": _color_cast,
}


def measure(settings: Settings) -> Section:
    """Evaluate the model on clean faces and under each corruption."""
    if settings.data is None:
        raise CannotMeasureError("Give labeled faces: --data FACES.npz")
    data = load_dataset(settings.data)
    if settings.quick:
        data = data.take(np.arange(0, len(data), 20))
    card = load_model(settings.model).card
    clean = evaluate(settings.model, data)
    rows = [("none", round(100 * clean.accuracy, 1), round(100 * clean.macro_recall, 1), 1.0)]
    ratios: list[float] = []
    for name, corruption in CORRUPTIONS.items():
        report = evaluate(settings.model, corrupted(data, corruption))
        ratios.append(report.accuracy / clean.accuracy)
        accuracy, recall = round(100 * report.accuracy, 1), round(100 * report.macro_recall, 1)
        rows.append((name, accuracy, recall, round(ratios[-1], 3)))
    what = "mean accuracy under corruption ÷ clean accuracy"
    return Section(
        title="Corruption robustness",
        how=(
            f"Each of {len(data):,} labeled 48 × 48 faces is corrupted, one corruption at a time, "
            "with a fixed seed, and evaluated without detecting or aligning the face again."
        ),
        figures=[Figure(what, float(np.mean(ratios)), "×", at_least=TARGET)],
        header=("corruption", "accuracy, %", "balanced accuracy, %", "÷ clean"),
        rows=rows,
        notes=(
            f"Model: {card.name} {card.version}.",
            "The faces are gray and the model sees gray: a color cast changes their brightness.",
        ),
    )


def corrupted(data: Dataset, corruption: Corruption) -> Dataset:
    """The same faces, each corrupted with its own seed."""
    images = [
        corruption(face[..., 0], np.random.default_rng((7, row)))
        for row, face in enumerate(data.images)
    ]
    stacked = np.stack(images)
    return replace(data, images=stacked if stacked.ndim == 4 else stacked[..., None])
