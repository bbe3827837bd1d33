"""Compare how well a model and a single annotator predict the other nine votes of FER+.

    python -m research.human_agreement FOLDER [--model emopy-base] [--held-out FACES.npz]

FOLDER holds fer2013.csv and fer2013new.csv, or packed sheets. Prints, on `valid`, the mean
Kullback-Leibler divergence, in nats, from the votes of nine annotators to the distribution that the
model predicts, and to the one that the tenth annotator's vote predicts. The temperature that fits
votes best is found on held-out training faces.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopy.data import load_dataset
from emopy.data.ferplus import VotedFaces
from emopy.data.votes import VOTE_COLUMNS, majority_targets
from emopy.evaluate.calibration import fit_temperature
from emopy.labels import ALL_EMOTIONS
from emopy.models import DEFAULT_MODEL, load_model, softmax
from research import ROOT
from research.ferplus import voted_faces

COLUMNS = [VOTE_COLUMNS.index(label) for label in ALL_EMOTIONS]
Distribution = NDArray[np.float64]


def emotion_votes(faces: VotedFaces, usage: str) -> tuple[NDArray[np.uint8], Distribution]:
    """Faces that the majority rule keeps, and their votes (n, 8) for the emotions."""
    _, keep = majority_targets(faces.votes)
    rows = keep & (faces.usage == usage)
    return faces.images[rows], faces.votes[rows][:, COLUMNS].astype(np.float64)


def held_out_faces(faces: VotedFaces, file: Path) -> tuple[NDArray[np.uint8], Distribution]:
    """Training faces that are in a Dataset file too, and their distributions of votes."""
    known = {image.tobytes() for image in load_dataset(file).images}
    images, votes = emotion_votes(faces, "Training")
    rows = np.array([image.tobytes() in known for image in images])
    return images[rows], votes[rows] / votes[rows].sum(axis=1, keepdims=True)


def leave_one_out(votes: Distribution) -> tuple[Distribution, Distribution]:
    """Distribution of the other votes, for each face and each emotion of the vote left out.

    Returns:
        Distributions (n, 8, 8): face, vote left out, emotion; and weights (n, 8): how many
        annotators gave that vote.
    """
    others = np.maximum(votes[:, None, :] - np.eye(votes.shape[1]), 0)
    distributions = others / np.maximum(others.sum(axis=2, keepdims=True), 1)
    return distributions, votes * (others.sum(axis=2) > 0)


def divergence(target: Distribution, predicted: Distribution, weights: Distribution) -> float:
    """Weighted mean of KL(target ‖ predicted) in nats; (…, 8), weights without the last axis."""
    log_predicted = np.log(np.clip(predicted, 1e-7, 1))
    log_target = np.log(target, out=np.zeros_like(target), where=target > 0)
    each = (target * (log_target - log_predicted)).sum(axis=-1)
    return float(np.average(each, weights=weights))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--held-out", type=Path, default=ROOT / "local/ferplus/calibration.npz")
    options = parser.parse_args()
    faces = voted_faces(options.folder)
    _, training_votes = emotion_votes(faces, "Training")
    images, votes = emotion_votes(faces, "PublicTest")
    others, weights = leave_one_out(training_votes)
    given_one_vote = np.einsum("nj,njk->jk", weights, others) / weights.sum(axis=0)[:, None]

    folder = load_model(options.model)
    logits = folder.logits(images).astype(np.float64)
    others, weights = leave_one_out(votes)
    calibrated = softmax(logits, folder.card.temperature).astype(np.float64)
    crops, targets = held_out_faces(faces, options.held_out)
    best = fit_temperature(folder.logits(crops).astype(np.float64), targets)
    refitted = softmax(logits, best).astype(np.float64)
    marginal = np.broadcast_to(training_votes.sum(axis=0) / training_votes.sum(), others.shape)
    for name, predicted in (
        ("the distribution of all training votes", marginal),
        ("one more annotator's vote", np.broadcast_to(given_one_vote, others.shape)),
        (f"{options.model}, at the card's temperature", calibrated[:, None]),
        (f"{options.model}, at temperature {best:.2f}, which fits votes best", refitted[:, None]),
    ):
        nats = divergence(others, np.broadcast_to(predicted, others.shape), weights)
        print(f"{nats:.4f}  {name}")


if __name__ == "__main__":
    main()
