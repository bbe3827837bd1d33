"""How accurate a model stays when the images get worse: one figure per corruption."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.data import Dataset, load_dataset
from emopy.evaluate import evaluate
from emopy.models import load_model
from figures import CannotMeasureError, Figure, Section, Settings

Pixels = NDArray[np.uint8]
Corruption = Callable[[Pixels, np.random.Generator], Pixels]

TARGET = 0.92
"""Mean accuracy under corruption, as a share of the accuracy on clean faces."""


def _warp(
    face: Pixels, *, turn: float = 0, zoom: float = 1, shift: tuple[float, float] = (0, 0)
) -> Pixels:
    side = face.shape[0]
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), turn, zoom)
    matrix[:, 2] += np.multiply(shift, side)
    return cv2.warpAffine(face, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)


def _shifted(face: Pixels, rng: np.random.Generator) -> Pixels:
    angle = rng.uniform(0, 2 * np.pi)
    return _warp(face, shift=(0.1 * np.cos(angle), 0.1 * np.sin(angle)))


def _small(face: Pixels, _: np.random.Generator) -> Pixels:
    little = cv2.resize(face, (20, 20), interpolation=cv2.INTER_AREA)
    return cv2.resize(little, face.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _power(exponent: float) -> Corruption:
    table = np.rint(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    return lambda face, _: table[face]


def _contrast(factor: float) -> Corruption:
    table = np.clip(np.rint(128 + factor * (np.arange(256) - 128.0)), 0, 255).astype(np.uint8)
    return lambda face, _: table[face]


def _jpeg(face: Pixels, _: np.random.Generator) -> Pixels:
    _, stored = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 20])
    return cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE)


def _noisy(face: Pixels, rng: np.random.Generator) -> Pixels:
    return np.clip(np.rint(face + rng.normal(0, 20, face.shape)), 0, 255).astype(np.uint8)


def _half_covered(face: Pixels, rng: np.random.Generator) -> Pixels:
    covered, half = face.copy(), face.shape[0] // 2
    part = [np.s_[:half], np.s_[half:], np.s_[:, :half], np.s_[:, half:]][rng.integers(4)]
    covered[part] = rng.integers(256)
    return covered


def _cast(face: Pixels, rng: np.random.Generator) -> Pixels:
    """Coloured light: each channel dimmed to 55 to 100 %."""
    light = rng.uniform(0.55, 1, 3)
    return np.rint(face[..., None] * light).astype(np.uint8)


CORRUPTIONS: dict[str, Corruption] = {
    "shifted by 10 %": _shifted,
    "15 % larger": lambda face, _: _warp(face, zoom=1.15),
    "15 % smaller": lambda face, _: _warp(face, zoom=0.85),
    "tilted by 20°": lambda face, rng: _warp(face, turn=20 * rng.choice((-1, 1))),
    "blurred, σ = 1.2 px": lambda face, _: cv2.GaussianBlur(face, (0, 0), 1.2),
    "20 px faces": _small,
    "gamma 0.5": _power(0.5),
    "gamma 2": _power(2.0),
    "contrast halved": _contrast(0.5),
    "contrast × 1.6": _contrast(1.6),
    "JPEG quality 20": _jpeg,
    "noise, σ = 20 of 255": _noisy,
    "half of the face covered": _half_covered,
    "colour cast": _cast,
}


def measure(settings: Settings) -> Section:
    """Judge the model on clean faces and under each corruption."""
    if settings.data is None:
        raise CannotMeasureError("Give labelled faces: --data FACES.npz")
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
        rows.append(
            (
                name,
                round(100 * report.accuracy, 1),
                round(100 * report.macro_recall, 1),
                round(ratios[-1], 3),
            )
        )
    return Section(
        title="Robustness",
        how=(
            f"Every one of {len(data):,} labelled 48 × 48 faces is corrupted with chances from a "
            "seed, one corruption at a time, and judged as it comes: nothing is detected or "
            "aligned again."
        ),
        figures=(
            Figure(
                "mean accuracy under corruption ÷ clean accuracy",
                float(np.mean(ratios)),
                "×",
                at_least=TARGET,
            ),
        ),
        header=("corruption", "accuracy, %", "macro recall, %", "÷ clean"),
        rows=tuple(rows),
        notes=(
            f"Model: {card.name} {card.version}.",
            "The faces are gray and the network sees gray: a colour cast changes their brightness.",
        ),
    )


def corrupted(data: Dataset, corruption: Corruption) -> Dataset:
    """The same faces, each changed with a chance of its own."""
    images = [
        corruption(face[..., 0], np.random.default_rng((7, row)))
        for row, face in enumerate(data.images)
    ]
    stacked = np.stack(images)
    return replace(data, images=stacked if stacked.ndim == 4 else stacked[..., None])
