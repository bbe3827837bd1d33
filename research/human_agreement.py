"""Model and single human against the votes of FER+: who foretells the other nine better?

    python -m research.human_agreement FOLDER [--model emopy-base] [--apart FACES.npz]

FOLDER holds fer2013.csv and fer2013new.csv, or packed sheets. Prints, on `valid`, the mean
Kullback-Leibler divergence, in nats, from the votes of nine people to what is said of them by
the model, and by a tenth person whose single vote is known. The temperature that is best for
votes is found on training faces that were held out (`--apart`).
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
Shares = NDArray[np.float64]


def emotion_votes(faces: VotedFaces, usage: str) -> tuple[NDArray[np.uint8], Shares]:
    """Faces that the majority rule keeps, and their votes (n, 8) for the emotions."""
    _, keep = majority_targets(faces.votes)
    rows = keep & (faces.usage == usage)
    return faces.images[rows], faces.votes[rows][:, COLUMNS].astype(np.float64)


def held_out(faces: VotedFaces, apart: Path) -> tuple[NDArray[np.uint8], Shares]:
    """Training faces that are in another file too, and the shares of their votes."""
    known = {image.tobytes() for image in load_dataset(apart).images}
    images, votes = emotion_votes(faces, "Training")
    rows = np.array([image.tobytes() in known for image in images])
    return images[rows], votes[rows] / votes[rows].sum(axis=1, keepdims=True)


def others(votes: Shares) -> tuple[Shares, Shares]:
    """What the other voters say, for each face and each emotion that one voter may have named.

    Returns:
        Shares (n, 8, 8): face, the one vote, the others; and weights (n, 8): how often it fell.
    """
    left = np.maximum(votes[:, None, :] - np.eye(votes.shape[1]), 0)
    shares = left / np.maximum(left.sum(axis=2, keepdims=True), 1)
    return shares, votes * (left.sum(axis=2) > 0)


def divergence(wanted: Shares, given: Shares, weights: Shares) -> float:
    """Weighted mean of KL(wanted ‖ given) in nats; all (…, 8), weights without the last axis."""
    safe = np.log(np.clip(given, 1e-7, 1))
    own = np.log(wanted, out=np.zeros_like(wanted), where=wanted > 0)
    return float(np.average((wanted * (own - safe)).sum(axis=-1), weights=weights))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--apart", type=Path, default=ROOT / "local/ferplus/calibration.npz")
    options = parser.parse_args()
    faces = voted_faces(options.folder)
    _, learnt = emotion_votes(faces, "Training")
    images, votes = emotion_votes(faces, "PublicTest")
    shares, weights = others(learnt)
    said_by_one = np.einsum("nj,njk->jk", weights, shares) / weights.sum(axis=0)[:, None]

    folder = load_model(options.model)
    logits = folder.logits(images).astype(np.float64)
    shares, weights = others(votes)
    model = softmax(logits, folder.card.temperature).astype(np.float64)
    crops, wanted = held_out(faces, options.apart)
    best = fit_temperature(folder.logits(crops).astype(np.float64), wanted)
    fitted = softmax(logits, best).astype(np.float64)
    always = np.broadcast_to(learnt.sum(axis=0) / learnt.sum(), shares.shape)
    for name, given in (
        ("the shares of all training votes", always),
        ("one more person's vote", np.broadcast_to(said_by_one, shares.shape)),
        (f"{folder.card.name}, its own temperature", model[:, None]),
        (f"{folder.card.name}, at temperature {best:.2f}, the best for votes", fitted[:, None]),
    ):
        print(f"{divergence(shares, np.broadcast_to(given, shares.shape), weights):.4f}  {name}")


if __name__ == "__main__":
    main()
