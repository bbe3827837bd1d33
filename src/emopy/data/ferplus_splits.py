"""The splits of FER+ without duplicates, as files or folders: `prepare_ferplus`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.data.directory import save_folders
from emopy.data.duplicates import content_hashes, difference_hashes, near_groups
from emopy.data.ferplus import VotedFaces
from emopy.data.split import stratified_rows
from emopy.data.votes import majority_targets
from emopy.errors import DataError

_WRITERS: Mapping[str, Callable[[Dataset, Path], Path]] = {
    "npz": lambda data, path: data.save(path.with_name(f"{path.name}.npz")),
    "folders": save_folders,
}
_UNKNOWN_RULES: Mapping[str, Literal["votes", "spread"]] = {"drop": "votes", "spread": "spread"}


@dataclass(frozen=True, slots=True)
class PrepareReport:
    """What `prepare_ferplus` found and wrote.

    Attributes:
        files: Path of each file or folder written, by split.
        samples: Number of faces in each split.
        duplicates_across: Faces removed because a later split has a duplicate or near-duplicate,
            by ``"earlier → later"``.
        duplicates_in_train: Duplicates inside the training split that were merged into others.
        conflicting: Groups of duplicates inside the training split whose votes name different
            emotions.
        rejected: Faces that the vote rule does not keep, by split.
    """

    files: dict[str, Path]
    samples: dict[str, int]
    duplicates_across: dict[str, int]
    duplicates_in_train: int
    conflicting: int
    rejected: dict[str, int]

    def __str__(self) -> str:
        lines = [
            f"{split:<12}{self.samples[split]:>7,} faces   "
            f"({self.rejected.get(split, 0):,} rejected by the vote rule)   {path}"
            for split, path in self.files.items()
        ]
        lines += ["", "Duplicates removed, and near-duplicates across the splits:"]
        lines += [f"  {pair:<24}{count:>6,}" for pair, count in self.duplicates_across.items()]
        lines += [
            f"  inside train            {self.duplicates_in_train:>6,}   "
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
    """Write FER+ as ``train``, ``calibration``, ``validation`` and, if it has faces, ``test``.

    FER2013 has hundreds of images twice, also across its splits. Of duplicates and
    near-duplicates (`find_near_duplicates`) across splits only those in the last split are kept
    (test before validation before training). Duplicates inside the training split are merged, and
    their votes averaged. Training targets are soft votes; the other splits follow the official
    majority rule, one-hot. Calibration faces are drawn from the training split, stratified by
    emotion; their near-duplicates are removed from it.

    Args:
        faces: All faces, from `read_ferplus`.
        out: Folder for the splits.
        calibration: Number of faces held out of the training split.
        seed: Seed of their random choice.
        layout: ``"npz"`` writes one file per split. ``"folders"`` writes one folder per split with
            a folder of PNG images per emotion; an image can have one label only, so the votes
            of the training faces are lost.
        unknown: How "unknown" and "not a face" votes of training faces are used: ``"drop"`` for
            `vote_targets`, ``"spread"`` for `spread_vote_targets`.

    Returns:
        What was found and written.

    Raises:
        DataError: Too few faces for that many calibration faces, no validation face, or an
            unknown layout or rule.
    """
    if layout not in _WRITERS:
        raise DataError(f"`layout` must be 'npz' or 'folders'. Received {layout!r}.")
    if unknown not in _UNKNOWN_RULES:
        raise DataError(f"`unknown` must be 'drop' or 'spread'. Received {unknown!r}.")
    hashes = content_hashes(faces.images)
    usage = {
        "train": faces.usage == "Training",
        "validation": faces.usage == "PublicTest",
        "test": faces.usage == "PrivateTest",
    }
    near = near_groups(difference_hashes(faces.images))
    across = _remove_from_earlier_splits((hashes, near), usage)
    merged, train, conflicting = _merge_duplicates(faces, hashes, np.flatnonzero(usage["train"]))
    held_out = _draw_calibration(merged, train, calibration, seed)
    kept = np.setdiff1d(train, held_out)
    leaked = np.isin(near[kept], near[held_out])
    across["train → calibration"] = int(leaked.sum())
    splits = {
        "train": merged.dataset(kept[~leaked], _UNKNOWN_RULES[unknown]),
        "calibration": merged.dataset(held_out, "majority"),
        "validation": faces.dataset(usage["validation"], "majority"),
        "test": faces.dataset(usage["test"], "majority"),
    }
    if not len(splits["validation"]):
        raise DataError("`faces` must hold faces with Usage 'PublicTest'. Received none.")
    splits = {name: data for name, data in splits.items() if len(data)}
    offered = {name: int(rows.sum()) for name, rows in usage.items()}
    offered["train"] = int((~leaked).sum())
    return PrepareReport(
        files={name: _WRITERS[layout](data, Path(out) / name) for name, data in splits.items()},
        samples={name: len(data) for name, data in splits.items()},
        duplicates_across=across,
        duplicates_in_train=int(usage["train"].sum()) - len(train),
        conflicting=conflicting,
        rejected={name: offered.get(name, len(data)) - len(data) for name, data in splits.items()},
    )


def _remove_from_earlier_splits(
    groups: tuple[NDArray[Any], ...], usage: dict[str, NDArray[np.bool_]]
) -> dict[str, int]:
    """Remove duplicates from earlier splits, in place, and count them."""
    removed: dict[str, int] = {}
    for earlier, later in (("validation", "test"), ("train", "test"), ("train", "validation")):
        same = [np.isin(group, group[usage[later]]) for group in groups]
        duplicates = usage[earlier] & np.any(same, axis=0)
        usage[earlier] &= ~duplicates
        removed[f"{earlier} → {later}"] = int(duplicates.sum())
    return removed


def _merge_duplicates(
    faces: VotedFaces, hashes: NDArray[np.bytes_], rows: NDArray[np.intp]
) -> tuple[VotedFaces, NDArray[np.intp], int]:
    """Keep the first of equal faces, with the average of their votes."""
    _, first, group, size = np.unique(
        hashes[rows], return_index=True, return_inverse=True, return_counts=True
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


def _draw_calibration(
    faces: VotedFaces, rows: NDArray[np.intp], count: int, seed: int
) -> NDArray[np.intp]:
    targets, keep = majority_targets(faces.votes[rows])
    if not 0 < count < int(keep.sum()):
        raise DataError(
            f"`calibration` must be at least 1 and less than the {int(keep.sum())} training "
            f"faces that the majority rule keeps. Received {count}."
        )
    chosen = stratified_rows(targets[keep].argmax(axis=1), count, seed=seed)
    return np.sort(rows[keep][chosen])
