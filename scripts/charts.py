"""Charts of what the cards of the bundled models say, and a drawing of how a prediction is made."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from emopy import FERModel
from emopy.faces import align_face
from emopy.models import ModelCard, load_model
from emopy.samples import scene

DATA = "FER+ valid, official majority rule"
"""Name of the evaluation, in the cards, that the charts show."""

BLUE = "#2a6f97"
ORANGE = "#e07a1f"
DPI = 110
FPS = 5
MOMENT_S = 2.6
"""Time in the sample scene when the smaller face is tilted, and its expression is not clear."""


def confusion(name: str) -> Image.Image:
    """The confusion matrix of a bundled model: of each row, how much was predicted as what."""
    from matplotlib.figure import Figure

    metrics: Mapping[str, Any] = load_model(name).card.metrics[DATA]
    labels = metrics["labels"]
    counts = np.array(metrics["confusion_matrix"])
    proportions = counts / counts.sum(axis=1, keepdims=True)
    figure = Figure(figsize=(6.4, 6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(proportions, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*counts.shape):
        if counts[row, column]:
            color = "white" if proportions[row, column] > 0.5 else "black"
            text = f"{proportions[row, column]:.0%}\n{counts[row, column]:,}"
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color=color)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="predicted", ylabel="true label", title=f"{name}: percent of each row, faces")
    return saved(figure)


def corruptions(names: tuple[str, ...]) -> Image.Image:
    """Accuracy of the bundled models on corrupted faces, as bars; a line for clean faces."""
    from matplotlib.figure import Figure

    cards: list[ModelCard] = [load_model(name).card for name in names]
    kinds = list(cards[0].metrics[DATA]["corruptions"])
    figure = Figure(figsize=(6.4, 6.4), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(kinds))
    height = 0.8 / len(cards)
    for index, (card, color) in enumerate(zip(cards, (BLUE, ORANGE), strict=True)):
        metrics: Mapping[str, Any] = card.metrics[DATA]
        values = [100 * metrics["corruptions"][kind] for kind in kinds]
        offset = (index - (len(cards) - 1) / 2) * height
        axes.barh(places + offset, values, height, color=color, label=card.name)
        clean = f"{card.name}, clean faces"
        axes.axvline(100 * metrics["accuracy"], color=color, linestyle=":", label=clean)
    axes.set_yticks(places, kinds)
    axes.invert_yaxis()
    axes.set(xlabel="accuracy, %", xlim=(0, 100))
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return saved(figure)


def how_it_works() -> Image.Image:
    """The four steps from an image to probabilities, for a face in the sample scene."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    model = FERModel()
    image = next(frame.image for frame, _ in scene(fps=FPS) if frame.time_s >= MOMENT_S)
    faces = model.predict(image).faces
    chosen = faces[-1]
    spec = load_model("emopy-base").card.input
    figure = Figure(figsize=(6.4, 5.7), layout="constrained")
    (read, found), (crop, bars) = figure.subplots(2, 2)
    for axes in (read, found):
        axes.imshow(image)
    for box, landmarks in ((each.box, each.face.landmarks) for each in faces):
        corner = (box.left, box.top)
        found.add_patch(Rectangle(corner, box.width, box.height, fill=False, color=ORANGE, lw=2))
        assert landmarks is not None
        found.scatter(*np.array(landmarks).T, s=8, color=ORANGE)
    gray = Image.fromarray(align_face(image, chosen.face, spec)).convert("L")
    crop.imshow(gray, cmap="gray", vmin=0, vmax=255)
    labels = list(chosen.probabilities)
    bars.barh(labels, [100 * chosen.probabilities[label] for label in labels], color=BLUE)
    bars.invert_yaxis()
    bars.set(xlabel="probability, %", xlim=(0, 100))
    titles = ("1. Read the image", "2. Detect the faces")
    titles += (f"3. Align: {spec.width} × {spec.height} gray pixels", "4. Predict each face")
    for axes, title in zip((read, found, crop, bars), titles, strict=True):
        axes.set_title(title, fontsize=11)
        if axes is not bars:
            axes.set_axis_off()
    return saved(figure)


def saved(figure: Any) -> Image.Image:
    """A figure of Matplotlib as an RGB image."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    with Image.open(content) as image:
        return image.convert("RGB")
