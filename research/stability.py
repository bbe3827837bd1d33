"""How much a prediction changes when the detector's box moves or the head tilts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs import Pixels, enlarged, photograph, turned
from benchmarks.report import Figure, Section, Settings
from emopy import Box, Face, FERModel
from emopy.data import Dataset, load_dataset
from emopy.faces import Detector, align_face, get_detector
from emopy.media import read_image
from emopy.samples import sample_images

SHIFT = 0.1
TILTS = (5, 10, 15, 20)
FACES = 300
_DIRECTIONS = [step for step in product((-1, 0, 1), repeat=2) if step != (0, 0)]

Probabilities = NDArray[np.float32]


def measure(settings: Settings) -> Section:
    """Disturb the photograph, the packaged composites and, where given, labelled faces."""
    model = FERModel("all", model=settings.model)
    detector = get_detector("mtcnn")
    groups: dict[str, list[Pixels]] = {
        "photograph": [photograph()],
        "composites": [read_image(path) for path in sample_images().values()],
    }
    figures: tuple[Figure, ...] = ()
    if settings.data is not None:
        dataset = _some(load_dataset(settings.data), 30 if settings.quick else FACES)
        enlarged_images = [enlarged(image) for image in dataset.images]
        groups["labelled faces"] = enlarged_images
        figures = _accuracy(model, dataset, enlarged_images)
    rows = [row for name, group in groups.items() for row in _disturb(model, detector, name, group)]
    return Section(
        title="Steadiness",
        how=(
            f"The detector's box is moved by {SHIFT:.0%} of its width or height in eight "
            "directions, with the landmarks as they were and for a face without landmarks; the "
            "image is turned about the face, and everything runs again. Change is the total "
            "variation distance to the undisturbed probabilities: 0 is none, 1 is certainty of "
            "another label."
        ),
        figures=figures,
        header=(
            "disturbance",
            "faces",
            "mean change",
            "largest change",
            "same emotion, %",
            "not found, %",
        ),
        rows=tuple(rows),
        notes=(
            f"Model: {model.card.name} {model.card.version}. Labelled faces are 48 × 48 crops, "
            "enlarged four times and padded by half their side: images without detail, harder "
            "for the detector than photographs.",
        ),
    )


def _some(dataset: Dataset, count: int) -> Dataset:
    chosen = np.random.default_rng(0).permutation(len(dataset))[:count]
    return dataset.take(np.sort(chosen))


def _accuracy(
    model: FERModel, dataset: Dataset, enlarged_images: Sequence[Pixels]
) -> tuple[Figure, ...]:
    """Accuracy with the detector in front, and on the crops as they are."""
    truth = np.array([dataset.labels[column] for column in dataset.truth])
    raw = np.array([shown.emotion for shown in model.predict_faces(dataset.images)])
    found = [model.predict(image).faces for image in enlarged_images]
    through = np.array([faces[0].emotion if faces else "" for faces in found])
    seen = through != ""
    name = f"{len(dataset)} labelled faces"
    figures = [
        Figure(f"accuracy on the raw crops, {name}", _percent(raw == truth), "%"),
        Figure(
            "accuracy through the detector, not found is wrong", _percent(through == truth), "%"
        ),
        Figure("found by the detector", _percent(seen), "%"),
    ]
    if seen.any():
        figures += [
            Figure("accuracy on the raw crops, found faces", _percent((raw == truth)[seen]), "%"),
            Figure(
                "accuracy through the detector, found faces",
                _percent((through == truth)[seen]),
                "%",
            ),
        ]
    return tuple(figures)


def _disturb(
    model: FERModel, detector: Detector, name: str, images: Iterable[Pixels]
) -> list[tuple[str | float, ...]]:
    """One row per disturbance, over all faces of a group that the detector finds."""
    found = [(image, faces[0]) for image in images if (faces := detector(image))]
    if not found:
        return []
    moved = [_moved(model, image, face) for image, face in found]
    without = [_moved(model, image, Face(face.box, face.score)) for image, face in found]
    rows = [
        _row(f"{name}: box moved, landmarks kept", moved),
        _row(f"{name}: box moved, no landmarks", without),
    ]
    for tilt in TILTS:
        tilted = [_tilted(model, detector, image, face, tilt) for image, face in found]
        rows.append(_row(f"{name}: tilted by ±{tilt}°", tilted))
    return rows


Change = tuple[Probabilities, Probabilities, int]
"""Undisturbed (k,), disturbed (m, k), and how many disturbed faces were not found."""


def _moved(model: FERModel, image: Pixels, face: Face) -> Change:
    faces = [face, *(Face(box, face.score, face.landmarks) for box in _moved_boxes(face.box))]
    shown = _read(model, [(image, face) for face in faces])
    return shown[0], shown[1:], 0


def _moved_boxes(box: Box) -> list[Box]:
    steps = [(x * SHIFT * box.width, y * SHIFT * box.height) for x, y in _DIRECTIONS]
    return [Box(box.left + x, box.top + y, box.right + x, box.bottom + y) for x, y in steps]


def _tilted(model: FERModel, detector: Detector, image: Pixels, face: Face, degrees: int) -> Change:
    images = [turned(image, sign * degrees, face.box.center) for sign in (-1, 1)]
    again = [(turn, faces[0]) for turn in images if (faces := detector(turn))]
    shown = _read(model, [(image, face), *again])
    return shown[0], shown[1:], len(images) - len(again)


def _read(model: FERModel, faces: Iterable[tuple[Pixels, Face]]) -> Probabilities:
    crops = [align_face(image, face, model.card.input) for image, face in faces]
    return np.stack([shown.probabilities for shown in model.predict_faces(crops)])


def _row(name: str, changes: Sequence[Change]) -> tuple[str | float, ...]:
    distances = np.concatenate(
        [np.abs(after - before).sum(axis=1) / 2 for before, after, _ in changes]
    )
    same = np.concatenate([after.argmax(axis=1) == before.argmax() for before, after, _ in changes])
    lost = sum(missing for *_, missing in changes)
    if not len(distances):
        return (name, len(changes), "–", "–", "–", 100.0)
    return (
        name,
        len(changes),
        round(float(distances.mean()), 4),
        round(float(distances.max()), 4),
        round(_percent(same), 1),
        round(100 * lost / (lost + len(distances)), 1),
    )


def _percent(truths: NDArray[np.bool_]) -> float:
    return 100 * float(truths.mean())


def default_data(root: Path) -> Path | None:
    """The validation faces where the project's own preparation puts them, if they are there."""
    path = root / "local" / "ferplus" / "validation.npz"
    return path if path.is_file() else None
