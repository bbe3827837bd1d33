"""Write what the browser package must agree with: `python scripts/write_web_golden.py FOLDER`.

FOLDER gets 40 images and the frames of a clip as PNG files, and ``golden.json`` with the results of
the Python package for them: the tests of ``web/`` compare theirs. All faces are composites from
`emopy.samples`, so that nothing of a real person is written.

``--arithmetic`` writes ``web/tests/arithmetic.json`` instead: small images resized, warped and
converted to gray by OpenCV.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy import FERModel
from emopy.samples import Actor, sample_images, scene
from emopy.types import Frame, RGBImage

ROOT = Path(__file__).parents[1]
ARITHMETIC = ROOT / "web" / "tests" / "arithmetic.json"

MODELS = ("emopy-base", "emopy-tiny")
EMOTIONS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")

NOISE = 3.0
"""Standard deviation of the noise of a camera, gray levels."""

CLIP_SIZE, CLIP_SECONDS, CLIP_FPS = (480, 360), 4.0, 12.5

SCENES = (
    *(((640, 480), faces) for faces in (1, 1, 1, 2, 2, 3, 4, 5)),
    *(((320, 240), faces) for faces in (1, 1, 2, 2, 3)),
    *(((1280, 720), faces) for faces in (1, 2, 3, 5)),
    *(((501, 377), faces) for faces in (1, 2, 3)),
    *(((240, 420), faces) for faces in (1, 2)),
    *(((1600, 1200), faces) for faces in (1, 2)),
)
"""Size and number of faces of each generated image."""


def main() -> int:
    """Write the files; 0 when done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="folder for images and results")
    parser.add_argument("--arithmetic", action="store_true", help=f"write {ARITHMETIC.name}")
    options = parser.parse_args()
    if options.arithmetic:
        text = json.dumps(arithmetic(), separators=(",", ":"))
        ARITHMETIC.write_text(text.replace('{"m', '\n{"m') + "\n", encoding="utf-8")
    if options.folder:
        write_golden(options.folder)
    return 0 if options.arithmetic or options.folder else parser.error("Give a folder.")


def write_golden(folder: Path) -> None:
    """Write images, frames and their results."""
    folder.mkdir(parents=True, exist_ok=True)
    images = {f"image-{i:02}.png": image for i, image in enumerate(images_to_compare())}
    frames = {f"frame-{frame.number:03}.png": frame for frame in clip_to_compare()}
    for name, image in images.items():
        Image.fromarray(image).save(folder / name)
    for name, frame in frames.items():
        Image.fromarray(frame.image).save(folder / name)
    golden = {
        "images": {name: _image_results(images, FERModel(model=name)) for name in MODELS},
        "clip": _clip_results(frames),
    }
    (folder / "golden.json").write_text(json.dumps(golden, indent=1), encoding="utf-8")


def _image_results(images: dict[str, RGBImage], model: FERModel) -> list[dict[str, Any]]:
    results = zip(images, model.predict_many(images.values()), strict=True)
    return [{**result.to_dict(), "source": name} for name, result in results]


def _clip_results(frames: dict[str, Frame]) -> list[dict[str, Any]]:
    results = FERModel().predict_frames(frames.values())
    return [
        {**result.to_dict(), "source": name}
        for name, (_, result) in zip(frames, results, strict=True)
    ]


def images_to_compare() -> Iterator[RGBImage]:
    """Yield 40 RGB images: composites, scenes, and images without a face."""
    for path in sample_images().values():
        with Image.open(path) as image:
            yield np.array(image.convert("RGB"))
    rng = np.random.default_rng(16)
    for size, faces in SCENES:
        yield _noisy(_still(_crowd(rng, size, faces), size), rng)
    yield _noisy(_still([_actor(rng, (30, 200), 150)], (640, 480)), rng)  # cut by the border
    yield _noisy(_still([_actor(rng, (610, 460), 160)], (640, 480)), rng)
    yield _noisy(_still([_actor(rng, (60 + 55 * i, 120), 26 + 3 * i) for i in range(5)]), rng)
    yield _noisy(_still([]), rng)
    yield rng.integers(0, 256, (90, 120, 3), np.uint8)
    yield np.zeros((480, 640, 3), np.uint8)
    yield np.full((11, 300, 3), 200, np.uint8)
    yield np.zeros((1, 1, 3), np.uint8)


def clip_to_compare() -> Iterator[Frame]:
    """Yield a clip: three people, of whom one leaves and comes back, and a shot change."""
    rng = np.random.default_rng(17)
    around = ((0, 420, 180, 90), (1.2, 420, 180, 90), (1.6, 560, 180, 90), (2.4, 400, 190, 90))
    cast = [
        Actor(((0, 90, 170, 110), (4, 160, 190, 120)), ((0, "neutral"), (1, "happiness"))),
        Actor(((0.4, 250, 150, 80), (4, 290, 160, 85)), ((0, "anger"), (2, "surprise")), 14.0),
        Actor(around, ((0, "sadness"),), 6.0),
    ]
    settings = {"size": CLIP_SIZE, "seconds": CLIP_SECONDS, "fps": CLIP_FPS}
    for frame, _ in scene(cast, **settings):
        image = frame.image if frame.time_s < 3 else _checkered(frame.image[:, ::-1])
        yield Frame(_noisy(image, rng), frame.time_s, frame.number)


def _crowd(rng: np.random.Generator, size: tuple[int, int], faces: int) -> list[Actor]:
    """Faces side by side, of random size, tilt and light."""
    cell = size[0] / faces
    side = min(cell, size[1]) * rng.uniform(0.3, 0.75, faces)
    x = (np.arange(faces) + rng.uniform(0.4, 0.6, faces)) * cell
    y = rng.uniform(0.4, 0.6, faces) * size[1]
    return [_actor(rng, (x[i], y[i]), side[i]) for i in range(faces)]


def _actor(rng: np.random.Generator, place: tuple[float, float], side: float) -> Actor:
    first, second = rng.choice(EMOTIONS, 2)
    path = tuple((float(t), float(place[0]), float(place[1]), float(side)) for t in (0, 1))
    light = (float(rng.uniform(0.6, 1)), float(rng.uniform(0.6, 1)), float(rng.uniform(0.6, 1)))
    # Seen 0.5 s after the start: between two expressions, at the full tilt.
    change = ((0.0, str(first)), (float(rng.uniform(0.1, 0.5)), str(second)))
    return Actor(path, change, tilt_deg=float(rng.uniform(-22, 22)), light=light)


def _still(cast: list[Actor], size: tuple[int, int] = (640, 480)) -> RGBImage:
    frames = scene(cast, size=size, seconds=1, fps=2)
    next(frames)
    return next(frames)[0].image


def _noisy(image: RGBImage, rng: np.random.Generator) -> RGBImage:
    noise = rng.normal(0, NOISE, image.shape).astype(np.float32)
    return np.rint(image + noise).clip(0, 255).astype(np.uint8)


def _checkered(image: RGBImage) -> RGBImage:
    """The image with a checkerboard on its upper half, as after a cut."""
    changed = image.copy()
    rows, columns = np.indices((90, image.shape[1])) // 30
    changed[:90] = np.where((rows + columns) % 2, 230, 30)[..., None]
    changed[270:] = 255 - changed[270:]
    return changed


def arithmetic() -> dict[str, Any]:
    """Return a small image, and what OpenCV makes of it."""
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (10, 12, 3), np.uint8)
    sizes = {
        "resizeLinear": [(9, 7), (6, 5), (15, 13), (12, 10)],
        "resizeArea": [(5, 4), (4, 5), (6, 5), (15, 13), (34, 11)],
    }
    methods = {"resizeLinear": cv2.INTER_LINEAR, "resizeArea": cv2.INTER_AREA}
    matrix = np.array([[0.8, -0.3, 2.2], [0.3, 0.8, -4.1]])
    warped = cv2.warpAffine(image, matrix, (9, 8), borderMode=cv2.BORDER_REPLICATE)
    return {
        "image": _listed(image),
        "resized": [
            {"method": method, **_listed(cv2.resize(image, size, interpolation=methods[method]))}
            for method, chosen in sizes.items()
            for size in chosen
        ],
        "warped": {"matrix": matrix.ravel().tolist(), **_listed(warped)},
        "gray": cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).ravel().tolist(),
    }


def _listed(image: NDArray[Any]) -> dict[str, Any]:
    height, width, channels = image.shape
    data = image.ravel().tolist()
    return {"width": width, "height": height, "channels": channels, "data": data}


if __name__ == "__main__":
    sys.exit(main())
