"""FER+ made ready for training: no face in two splits, and faces apart for calibration."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emopy.data.convert import save_folders
from emopy.data.dataset import Dataset
from emopy.data.duplicates import content_hashes
from emopy.data.ferplus import VotedFaces
from emopy.data.near import difference_hashes, near_groups
from emopy.data.split import stratified_rows
from emopy.data.votes import majority_targets
from emopy.errors import DataError

_WRITERS: Mapping[str, Callable[[Dataset, Path], Path]] = {
    "npz": lambda data, path: data.save(path.with_name(f"{path.name}.npz")),
    "folders": save_folders,
}
_RULES: Mapping[str, Literal["votes", "spread"]] = {"drop": "votes", "spread": "spread"}


@dataclass(frozen=True, slots=True)
class PrepareReport:
    """What `prepare_ferplus` found and wrote.

    Attributes:
        files: Path of each file or folder written, keyed by part.
        samples: Faces in each, keyed by part.
        repeats_across: Faces left out because a later part has the same photograph, equal or
            another version of it, keyed by ``"earlier → later"``.
        surplus: Surplus copies inside the training split, merged into one face each.
        conflicting: Groups of copies inside the training split whose votes name different
            emotions.
        refused: Faces that the vote rule does not keep, keyed by part.
    """

    files: dict[str, Path]
    samples: dict[str, int]
    repeats_across: dict[str, int]
    surplus: int
    conflicting: int
    refused: dict[str, int]

    def __str__(self) -> str:
        lines = [
            f"{part:<12}{self.samples[part]:>7,} faces   "
            f"({self.refused.get(part, 0):,} refused by the vote rule)   {path}"
            for part, path in self.files.items()
        ]
        lines += ["", "Repeats taken out, versions of one photograph across the parts:"]
        lines += [f"  {pair:<24}{count:>6,}" for pair, count in self.repeats_across.items()]
        lines += [
            f"  inside train            {self.surplus:>6,}   "
            f"({self.conflicting:,} groups whose votes name different emotions; votes averaged)"
        ]
        return "\n".join(lines)


def prepare_ferplus(
    faces: VotedFaces,
    out: str | os.PathLike[str],
    *,
    calibration: int = 2500,
    seed: int = 0,
    layout: Literal["npz", "folders"] = "npz",
    unknown: Literal["drop", "spread"] = "drop",
) -> PrepareReport:
    """Write FER+ as ``train``, ``calibration``, ``validation`` and, where given, ``test``.

    FER2013 shows hundreds of images twice, also across its splits. Here a photograph stays in
    the last split that has it (test before validation before training), be it equal or another
    version (`find_near_duplicates`), and equal copies inside the training split become one face
    whose votes are the average. Training targets are soft votes. All other
    parts follow the official majority rule, one-hot. Calibration faces are drawn from the
    training split, each emotion in its share; other versions of them are not learnt.

    Args:
        faces: All faces, from `read_ferplus`.
        out: Folder that receives the parts.
        calibration: Number of faces held out of the training split.
        seed: Decides which.
        layout: ``"npz"`` writes one file per part. ``"folders"`` writes one folder per part with
            a folder of PNG images per emotion; an image can have one label only, so that the
            votes of the training faces are lost.
        unknown: What training votes for "unknown" and "not a face" are worth: ``"drop"`` for
            `vote_targets`, ``"spread"`` for `spread_vote_targets`.

    Returns:
        What was found and written.

    Raises:
        DataError: Too few faces for that many calibration faces, no validation face, or an
            unknown layout or rule.
    """
    if layout not in _WRITERS:
        raise DataError(f"`layout` must be 'npz' or 'folders'. Received {layout!r}.")
    if unknown not in _RULES:
        raise DataError(f"`unknown` must be 'drop' or 'spread'. Received {unknown!r}.")
    digests = content_hashes(faces.images)
    usage = {
        "train": faces.usage == "Training",
        "validation": faces.usage == "PublicTest",
        "test": faces.usage == "PrivateTest",
    }
    versions = near_groups(difference_hashes(faces.images))
    repeats_across = _leave_to_later_split((digests, versions), usage)
    merged, train, conflicting = _merge_copies(faces, digests, np.flatnonzero(usage["train"]))
    held_out = _draw(merged, train, calibration, seed)
    learnt = np.setdiff1d(train, held_out)
    seen_again = np.isin(versions[learnt], versions[held_out])
    repeats_across["train → calibration"] = int(seen_again.sum())
    splits = {
        "train": merged.dataset(learnt[~seen_again], _RULES[unknown]),
        "calibration": merged.dataset(held_out, "majority"),
        "validation": faces.dataset(usage["validation"], "majority"),
        "test": faces.dataset(usage["test"], "majority"),
    }
    if not len(splits["validation"]):
        raise DataError("`faces` must hold faces with Usage 'PublicTest'. Received none.")
    splits = {name: data for name, data in splits.items() if len(data)}
    offered = {name: int(rows.sum()) for name, rows in usage.items()}
    offered["train"] = int((~seen_again).sum())
    return PrepareReport(
        files={name: _WRITERS[layout](data, Path(out) / name) for name, data in splits.items()},
        samples={name: len(data) for name, data in splits.items()},
        repeats_across=repeats_across,
        surplus=int(usage["train"].sum()) - len(train),
        conflicting=conflicting,
        refused={name: offered.get(name, len(data)) - len(data) for name, data in splits.items()},
    )


def _leave_to_later_split(
    kinds: tuple[NDArray[Any], ...], usage: dict[str, NDArray[np.bool_]]
) -> dict[str, int]:
    """Take faces out of earlier splits, in place; say how many."""
    taken: dict[str, int] = {}
    for earlier, later in (("validation", "test"), ("train", "test"), ("train", "validation")):
        same = [np.isin(kind, kind[usage[later]]) for kind in kinds]
        repeated = usage[earlier] & np.any(same, axis=0)
        usage[earlier] &= ~repeated
        taken[f"{earlier} → {later}"] = int(repeated.sum())
    return taken


def _merge_copies(
    faces: VotedFaces, digests: NDArray[np.bytes_], rows: NDArray[np.intp]
) -> tuple[VotedFaces, NDArray[np.intp], int]:
    """Keep the first of equal faces, with the average of their votes."""
    _, first, group, size = np.unique(
        digests[rows], return_index=True, return_inverse=True, return_counts=True
    )
    total = np.zeros((len(first), faces.votes.shape[1]))
    np.add.at(total, group, faces.votes[rows])
    votes = faces.votes.copy()
    votes[rows[first]] = total / size[:, None]
    single, keep = majority_targets(faces.votes[rows])
    named = np.zeros((len(first), single.shape[1]), dtype=np.bool_)
    np.logical_or.at(named, group[keep], single[keep] > 0)
    merged = VotedFaces(faces.images, votes, faces.usage, faces.rows, faces.skipped)
    return merged, np.sort(rows[first]), int((named.sum(axis=1) > 1).sum())


def _draw(faces: VotedFaces, rows: NDArray[np.intp], count: int, seed: int) -> NDArray[np.intp]:
    targets, keep = majority_targets(faces.votes[rows])
    if not 0 < count < int(keep.sum()):
        raise DataError(
            f"`calibration` must be at least 1 and less than the {int(keep.sum())} training "
            f"faces that the majority rule keeps. Received {count}."
        )
    chosen = stratified_rows(targets[keep].argmax(axis=1), count, seed=seed)
    return np.sort(rows[keep][chosen])
