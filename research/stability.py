"""How much predictions change when the box is shifted or the image rotated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs import Pixels, enlarged, photograph, rotated
from benchmarks.report import Figure, Section, Settings
from emopy import Box, Face, FERModel
from emopy.data import Dataset, load_dataset
from emopy.faces import Detector, align_face, get_detector
from emopy.media import read_image
from emopy.samples import sample_images

SHIFT = 0.1
ROTATIONS_DEG = (5, 10, 15, 20)
FACES = 300
COLUMNS = ("mean change", "largest change", "same emotion, %", "not found, %")
_DIRECTIONS = [step for step in product((-1, 0, 1), repeat=2) if step != (0, 0)]

Probabilities = NDArray[np.float32]


def measure(settings: Settings) -> Section:
    """Perturb the photograph, the packaged composites and, where given, labeled faces."""
    model = FERModel("all", model=settings.model)
    detector = get_detector("mtcnn")
    groups: dict[str, list[Pixels]] = {
        "photograph": [photograph()],
        "composites": [read_image(path) for path in sample_images().values()],
    }
    figures: list[Figure] = []
    if settings.data is not None:
        dataset = load_dataset(settings.data)
        chosen = np.random.default_rng(0).permutation(len(dataset))
        dataset = dataset.take(np.sort(chosen[: 30 if settings.quick else FACES]))
        enlarged_images = [enlarged(image) for image in dataset.images]
        groups["labeled faces"] = enlarged_images
        figures = _accuracy(model, dataset, enlarged_images)
    rows = [row for name, group in groups.items() for row in _perturb(model, detector, name, group)]
    return Section(
        title="Stability under perturbation",
        how=(
            f"The detected box is shifted by {SHIFT:.0%} of its width or height in eight "
            "directions, for a face with its landmarks and for one without; the image is rotated "
            "about the face, and the face is detected and predicted again. Change is the total "
            "variation distance to the unperturbed probabilities: 0 is none, 1 is certainty of "
            "another label."
        ),
        figures=figures,
        header=("perturbation", "faces", *COLUMNS),
        rows=rows,
        notes=(
            f"Model: {model.card.name} {model.card.version}. Labeled faces are 48 × 48 crops, "
            "enlarged four times and padded by half their side: images without detail, harder "
            "to detect than photographs.",
        ),
    )


def _accuracy(model: FERModel, dataset: Dataset, images: Sequence[Pixels]) -> list[Figure]:
    """Accuracy with detection, and on the crops without it."""
    truth = np.array([dataset.labels[column] for column in dataset.truth])
    raw = np.array([prediction.emotion for prediction in model.predict_faces(dataset.images)])
    found = [model.predict(image).faces for image in images]
    detected = np.array([faces[0].emotion if faces else "" for faces in found])
    was_found = detected != ""
    raw_correct, correct = raw == truth, detected == truth
    name = f"{len(dataset)} labeled faces"
    figures = [
        Figure(f"accuracy on the raw crops, {name}", _percent(raw_correct), "%"),
        Figure("accuracy with detection, not found counts as wrong", _percent(correct), "%"),
        Figure("found by the detector", _percent(was_found), "%"),
    ]
    if was_found.any():
        on_crops, with_detection = _percent(raw_correct[was_found]), _percent(correct[was_found])
        figures += [
            Figure("accuracy on the raw crops, found faces", on_crops, "%"),
            Figure("accuracy with detection, found faces", with_detection, "%"),
        ]
    return figures


def _perturb(
    model: FERModel, detector: Detector, name: str, images: Iterable[Pixels]
) -> list[tuple[str | float, ...]]:
    """One row per perturbation, over all detected faces of a group."""
    found = [(image, faces[0]) for image in images if (faces := detector(image))]
    if not found:
        return []
    shifted = [_shifted(model, image, face) for image, face in found]
    without = [_shifted(model, image, Face(face.box, face.score)) for image, face in found]
    rows = [
        _row(f"{name}: box shifted, landmarks kept", shifted),
        _row(f"{name}: box shifted, no landmarks", without),
    ]
    for angle_deg in ROTATIONS_DEG:
        rotated = [_rotated(model, detector, image, face, angle_deg) for image, face in found]
        rows.append(_row(f"{name}: rotated by ±{angle_deg}°", rotated))
    return rows


Change = tuple[Probabilities, Probabilities, int]
"""Unperturbed (k,), perturbed (m, k), and how many perturbed faces were not found."""


def _shifted(model: FERModel, image: Pixels, face: Face) -> Change:
    box = face.box
    steps = [(x * SHIFT * box.width, y * SHIFT * box.height) for x, y in _DIRECTIONS]
    boxes = [Box(box.left + x, box.top + y, box.right + x, box.bottom + y) for x, y in steps]
    faces = [face, *(Face(shifted, face.score, face.landmarks) for shifted in boxes)]
    probabilities = _predict(model, [(image, face) for face in faces])
    return probabilities[0], probabilities[1:], 0


def _rotated(
    model: FERModel, detector: Detector, image: Pixels, face: Face, degrees: int
) -> Change:
    images = [rotated(image, sign * degrees, face.box.center) for sign in (-1, 1)]
    found = [(each, faces[0]) for each in images if (faces := detector(each))]
    probabilities = _predict(model, [(image, face), *found])
    return probabilities[0], probabilities[1:], len(images) - len(found)


def _predict(model: FERModel, faces: Iterable[tuple[Pixels, Face]]) -> Probabilities:
    crops = [align_face(image, face, model.card.input) for image, face in faces]
    return np.stack([prediction.probabilities for prediction in model.predict_faces(crops)])


def _row(name: str, changes: Sequence[Change]) -> tuple[str | float, ...]:
    distances = np.concatenate(
        [np.abs(after - before).sum(axis=1) / 2 for before, after, _ in changes]
    )
    same = np.concatenate([after.argmax(axis=1) == before.argmax() for before, after, _ in changes])
    not_found = sum(missing for *_, missing in changes)
    if not len(distances):
        return (name, len(changes), "–", "–", "–", 100.0)
    return (
        name,
        len(changes),
        round(float(distances.mean()), 4),
        round(float(distances.max()), 4),
        round(_percent(same), 1),
        round(100 * not_found / (not_found + len(distances)), 1),
    )


def _percent(truths: NDArray[np.bool_]) -> float:
    return 100 * float(truths.mean())
