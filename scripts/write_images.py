"""Write the images of the documentation: `python scripts/write_images.py [NAME …]`.

Without names all are written. Each PNG holds, as the text `emopy`, the checksums of what it was
drawn from (`SOURCES`) and, for the training curves, the reliability diagram and the notebook, the
numbers in it. `tests/docs/test_images.py` compares both, without a training or the FER+ faces.

`curves` trains a small model (extra train), `reliability` needs `local/ferplus` (see
`research/README.md`), `notebook`, `report`, `web` and `webcam` are screenshots by Chromium: only a
browser draws HTML. An image whose needs are not met is left as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import charts
import emopy
from emopy import FERModel, Frame, ImageResult
from emopy.cli.demo import image_grid
from emopy.data import Augmentation, contact_sheet
from emopy.data.dataset import load_dataset
from emopy.evaluate import evaluate, html_report
from emopy.explain import draw_explanations
from emopy.files import atomic_file
from emopy.labels import STANDARD_EMOTIONS
from emopy.media import read_image
from emopy.models import find_model, load_model
from emopy.present import LabelState, TimelinePlot, draw_faces
from emopy.recipes import find_recipe
from emopy.samples import sample_clips, sample_images, sample_splits, sample_stills, scene
from notebook_page import notebook_page
from page_screenshots import web_screenshot, webcam_screenshot
from screenshot import CannotDrawError, draw_page

ROOT = Path(__file__).parents[1]
PACKAGE = Path(emopy.__file__).parent
FOLDER = ROOT / "docs/pictures"
FERPLUS = ROOT / "local" / "ferplus" / "validation.npz"
RECIPE = find_recipe("convolutional-dropout")
MODELS = ("emopy-base", "emopy-tiny")
FACE_PX = 48
EXPLAINED = ("happiness", "surprise", "anger")
"""Sample images whose predictions are explained."""

MOMENTS_S = (3.0, 5.5)
"""Times of the two frames of the annotated video: each expression is at its peak."""

FPS = 25

Record = dict[str, Any]
Drawing = tuple[Image.Image, Any]
"""An image, and the numbers in it that need a training or data outside the repository, or None."""


# Sample faces


def samples() -> Drawing:
    """Nine stills of each emotion."""
    faces = sample_stills()
    return _rows_of_faces(_by_emotion(faces.images, faces.sources)[:, :9]), None


def clips() -> Drawing:
    """All frames of one clip of each emotion."""
    faces = sample_clips(frames=8)
    return _rows_of_faces(_by_emotion(faces.images, faces.sources)[:, 0]), None


def data_show() -> Drawing:
    """Faces as they are, and as a recipe augments them."""
    recipe = tomllib.loads(RECIPE.read_text(encoding="utf-8"))
    sheet = contact_sheet(sample_splits().train, Augmentation(**recipe["augment"]), rows=7)
    return Image.fromarray(sheet), None


def _by_emotion(images: NDArray[np.uint8], sources: NDArray[np.str_]) -> NDArray[np.uint8]:
    """Gray samples of the training split, (emotions, samples, …)."""
    train = images[np.char.startswith(sources, "train/")][..., 0]
    return train.reshape(len(STANDARD_EMOTIONS), -1, *train.shape[1:])


def _rows_of_faces(faces: NDArray[np.uint8]) -> Image.Image:
    """A row of faces (emotions, n, 48, 48) for each emotion, twice as large, with its name."""
    side, gap, title = 2 * FACE_PX, 8, 150
    rows, columns = faces.shape[:2]
    sheet = np.full((rows * (side + gap) + gap, title + columns * (side + gap)), 250, np.uint8)
    for row, emotion in enumerate(STANDARD_EMOTIONS):
        top = gap + row * (side + gap)
        place = (14, top + side // 2 + 7)
        cv2.putText(sheet, emotion, place, cv2.FONT_HERSHEY_DUPLEX, 0.68, (40,), 1, cv2.LINE_AA)
        for column in range(columns):
            left = title + column * (side + gap)
            face = cv2.resize(faces[row, column], (side, side), interpolation=cv2.INTER_CUBIC)
            sheet[top : top + side, left : left + side] = face
    return Image.fromarray(sheet)


# Predictions


def demo() -> Drawing:
    """What `emopy demo --draw` draws, half as large."""
    model = FERModel()
    annotated = [
        draw_faces(read_image(path), model.predict(path), expand=True)
        for emotion, path in sample_images().items()
        if emotion in model.labels
    ]
    return Image.fromarray(image_grid(annotated)).reduce(2), None


def explanations() -> Drawing:
    """What `emopy explain --draw` draws for three of the sample images."""
    model = FERModel()
    images = [read_image(sample_images()[emotion]) for emotion in EXPLAINED]
    rows = [draw_explanations(image, [model.explain(image)]) for image in images]
    width = min(row.shape[1] for row in rows)
    return Image.fromarray(np.vstack([row[:, :width] for row in rows])), None


@cache
def sample_video() -> tuple[tuple[Frame, ImageResult], ...]:
    """Frames of the sample scene with their results."""
    frames = (frame for frame, _ in scene(fps=FPS))
    return tuple(FERModel().predict_frames(frames, source="scene.avi"))


def annotated_video() -> Drawing:
    """Two frames of the annotated sample scene side by side."""
    state = LabelState()
    drawn = [draw_faces(frame.image, result, state=state) for frame, result in sample_video()]
    gap = np.full((drawn[0].shape[0], 8, 3), 255, np.uint8)
    first, second = (drawn[round(moment * FPS)] for moment in MOMENTS_S)
    return Image.fromarray(np.hstack([first, gap, second])), None


def timeline() -> Drawing:
    """The plot over time of the sample scene."""
    plot = TimelinePlot(FERModel().labels)
    for _, result in sample_video():
        plot.add(result)
    with tempfile.TemporaryDirectory() as folder:
        return _loaded(plot.save(Path(folder) / "timeline.png")), None


# Training and evaluation


def curves(history: list[dict[str, float]] | None = None) -> Drawing:
    """The curves of a training on the sample faces; trained only where no history is given."""
    if find_spec("keras") is None:
        raise CannotDrawError("a training needs the extra train: pip install '.[train]'")
    from emopy.train.run_folder import draw_curves

    history = history or _train()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "curves.png"
        draw_curves(history, path)
        return _loaded(path), history


def _train() -> list[dict[str, float]]:
    """Train as docs/your-own-model.md does, on the sample faces."""
    from emopy.train.run_folder import read_metrics

    with tempfile.TemporaryDirectory() as folder:
        splits, run = Path(folder) / "splits", Path(folder) / "run"
        splits.mkdir()
        data = sample_splits()
        settings = ["fit.batch_size=16", "fit.ema=0.9", "fit.learning_rate=0.004"]
        for name, faces in (("train", data.train), ("validation", data.validation)):
            settings.append(f"data.{name}={faces.save(splits / f'{name}.npz')}")
        words = ["train", str(RECIPE), "--out", str(run)]
        words += [word for setting in settings for word in ("--set", setting)]
        subprocess.run([sys.executable, "-m", "emopy", *words], check=True)
        return [
            {key: float(f"{value:.6g}") for key, value in row.items()}
            for row in read_metrics(run / "metrics.csv")
        ]


def reliability(models: Record | None = None) -> Drawing:
    """Reliability diagrams of the bundled models; evaluated only where no numbers are given."""
    from matplotlib.figure import Figure

    models = models or {name: _reliability_of(name) for name in MODELS}
    figure = Figure(figsize=(4.2 * len(models), 4), layout="constrained")
    panels = figure.subplots(1, len(models), squeeze=False)[0]
    for axes, (name, found) in zip(panels, models.items(), strict=True):
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        sizes = 4 + 200 * np.array(found["samples"]) / max(found["samples"])
        axes.scatter(found["confidence"], found["accuracy"], s=sizes, color="#2a6f97")
        title = f"{name}: ECE {100 * found['ece']:.1f} %"
        axes.set(title=title, xlabel="confidence", ylabel="accuracy")
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
        axes.grid(alpha=0.3)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    return _loaded(content), models


def _reliability_of(name: str) -> Record:
    if not FERPLUS.exists():
        raise CannotDrawError(f"no {FERPLUS.relative_to(ROOT)} (see research/README.md)")
    report = evaluate(name, load_dataset(FERPLUS))
    found = report.predictions.reliability_diagram()
    filled = found.samples > 0
    return {
        "ece": round(report.ece, 5),
        "samples": found.samples[filled].tolist(),
        "confidence": found.confidence[filled].round(5).tolist(),
        "accuracy": found.accuracy[filled].round(5).tolist(),
    }


@cache
def report_page() -> str:
    """The report of emopy-base on the sample faces, as HTML."""
    card = load_model("emopy-base").card
    report = evaluate("emopy-base", sample_splits().test)
    return html_report(report, card=card, data_name="sample faces, test")


def report() -> Drawing:
    """The top of the report page."""
    return draw_page(report_page(), (1100, 1320)), None


@cache
def notebook_results() -> tuple[str, list[list[float]]]:
    """The page of a notebook as HTML, and the probabilities in it."""
    frame, _ = sample_video()[round(MOMENTS_S[0] * FPS)]
    return notebook_page(frame.image)


def notebook() -> Drawing:
    """Two cells of a notebook: a result drawn into its image, and as a table."""
    page, probabilities = notebook_results()
    return draw_page(page, (700, 760)), probabilities


def webcam() -> Drawing:
    """The live page with a frame of the sample scene."""
    frame, result = sample_video()[round(MOMENTS_S[0] * FPS)]
    return webcam_screenshot(frame, result, (1280, 620)), None


def web() -> Drawing:
    """The page that predicts in the browser, with the sample scene at a moment of it."""
    frames = [frame for frame, _ in sample_video()]
    return web_screenshot(frames, MOMENTS_S[0], (1280, 1170)), None


# What images are drawn from


def _sha256(*contents: bytes | str) -> str:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content if isinstance(content, bytes) else content.encode())
    return digest.hexdigest()[:16]


def _files(folder: str, pattern: str, *, root: Path = PACKAGE) -> str:
    return _sha256(*(path.read_bytes() for path in sorted((root / folder).glob(pattern))))


def _model(name: str) -> str:
    """Checksum of the weights and the temperature of a bundled model."""
    folder = find_model(name)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    return _sha256(card["files"]["model.onnx"], repr(card["temperature"]))


def _recipe() -> str:
    """Checksum of the settings of the recipe; comments do not count."""
    return _sha256(json.dumps(tomllib.loads(RECIPE.read_text(encoding="utf-8"))))


def _wording(page: str) -> str:
    """Checksum of a page without its numbers and images, which depend on the processor."""
    return _sha256(re.sub(r"data:[^\"']*|\d+", "", page))


def _lines(page: str) -> str:
    """Checksum as `_wording`, in any order of lines: bars are sorted by their numbers."""
    return _sha256(*sorted(re.sub(r"data:[^\"]*|[\d.]+(?=px; height|%)", "", page).splitlines()))


SOURCES: dict[str, Callable[[], Record]] = {
    "curves": lambda: {"faces": _files("samples/sheets", "stills-*"), "recipe": _recipe()},
    "reliability": lambda: {name: _model(name) for name in MODELS},
    "notebook": lambda: {
        "faces": _files("samples/images", "*.png"),
        "model": _model("emopy-base"),
        "page": _lines(notebook_results()[0]),
    },
    "report": lambda: {
        "faces": _files("samples/sheets", "stills-*"),
        "model": _model("emopy-base"),
        "page": _wording(report_page()),
    },
    "web": lambda: {
        "faces": _files("samples/images", "*.png"),
        "model": _model("emopy-base"),
        "page": _files("web/page", "*", root=ROOT),
        "drawing": _files("live/present", "*"),
    },
    "webcam": lambda: {
        "faces": _files("samples/images", "*.png"),
        "model": _model("emopy-base"),
        "page": _files("live", "page.[chj]*"),
        "drawing": _files("live/present", "*"),
    },
}
"""Checksums of what is drawn, for images that cannot be drawn everywhere."""

_ALL = (
    *(annotated_video, clips, curves, data_show, demo, explanations),
    *(notebook, reliability, report, samples),
)

IMAGES: dict[str, Callable[..., Drawing]] = {
    draw.__name__.replace("_", "-"): draw for draw in (*_ALL, timeline, web, webcam)
} | {
    "corruptions": lambda: (charts.corruptions(MODELS), None),
    "how-it-works": lambda: (charts.how_it_works(), None),
    **{f"confusion-{name}": lambda name=name: (charts.confusion(name), None) for name in MODELS},
}


def _loaded(source: Path | io.BytesIO) -> Image.Image:
    image = Image.open(source)
    image.load()
    return image.convert("RGB")


def record_of(path: Path) -> Record:
    """The sources and numbers that an image holds."""
    with Image.open(path) as image:
        return json.loads(image.info.get("emopy", "{}"))


def write(name: str) -> None:
    """Draw an image and write it with its sources and numbers."""
    image, numbers = IMAGES[name]()
    record = {"sources": SOURCES[name]() if name in SOURCES else {}, "numbers": numbers}
    text = PngInfo()
    text.add_text("emopy", json.dumps(record))
    gray = image.convert("L")
    if np.array_equal(np.asarray(gray.convert("RGB")), np.asarray(image.convert("RGB"))):
        image = gray
    with atomic_file(FOLDER / f"{name}.png") as partial:
        image.save(partial, "PNG", optimize=True, pnginfo=text)
    size = (FOLDER / f"{name}.png").stat().st_size
    print(f"{name}.png: {image.width} × {image.height}, {size:,} bytes", flush=True)


def main() -> int:
    """Write the images that are named; exit code 1 where one could not be drawn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(IMAGES))
    names = parser.parse_args().names or list(IMAGES)
    if unknown := set(names) - set(IMAGES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}. Known: {', '.join(IMAGES)}")
    missing = 0
    for name in names:
        try:
            write(name)
        except CannotDrawError as error:
            print(f"{name}.png is left as it is: {error}", file=sys.stderr)
            missing += 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
