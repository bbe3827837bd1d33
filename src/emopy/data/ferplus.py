"""FER+: load the two official files, and prepare splits without duplicates.

FER2013 gives 35,887 gray faces of 48 × 48 pixels (Goodfellow et al. 2013,
https://arxiv.org/abs/1307.0414). FER+ gives the votes of ten people on each of them (Barsoum et
al. 2016, https://arxiv.org/abs/1608.01041, https://github.com/microsoft/FERPlus). The two files
belong together row by row.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emopy.data.csv import csv_rows
from emopy.data.csv_layout import parse_pixels
from emopy.data.dataset import Dataset, SkippedSample, refuse_skipped
from emopy.data.directory import save_folders
from emopy.data.duplicates import content_hashes, difference_hashes, near_groups
from emopy.data.split import stratified_rows
from emopy.data.votes import VOTE_COLUMNS, majority_targets, spread_vote_targets, vote_targets
from emopy.errors import DataError, naming, nearest
from emopy.labels import ALL_EMOTIONS

USAGES = ("Training", "PublicTest", "PrivateTest")
"""FER2013's names for its training, validation and test split."""

SIDE_PX = 48


@dataclass(frozen=True, eq=False)
class VotedFaces:
    """Faces with their raw votes, before a vote rule is applied.

    Attributes:
        images: (n, 48, 48, 1) uint8.
        votes: (n, 10) float32, columns as in `VOTE_COLUMNS`.
        usage: (n,) str, one of `USAGES`.
        rows: (n,) int64, row in FER2013, the first is 0.
        skipped: Rows that could not be read.
    """

    images: NDArray[np.uint8]
    votes: NDArray[np.float32]
    usage: NDArray[np.str_]
    rows: NDArray[np.int64]
    skipped: tuple[SkippedSample, ...] = ()

    def dataset(
        self,
        rows: NDArray[np.intp] | NDArray[np.bool_],
        targets: Literal["votes", "spread", "majority"],
    ) -> Dataset:
        """Some of the faces, those that a vote rule keeps.

        Args:
            rows: Row numbers, or a mask.
            targets: ``"votes"`` for `vote_targets`, ``"spread"`` for `spread_vote_targets`,
                ``"majority"`` for `majority_targets`.

        Returns:
            Faces labelled with `ALL_EMOTIONS`; `sources` are ``fer2013:<row>``.
        """
        numbers, keep = _VOTE_RULES[targets](self.votes[rows])
        sources = [f"fer2013:{row}" for row in self.rows[rows][keep]]
        return Dataset(
            self.images[rows][keep],
            numbers[keep],
            ALL_EMOTIONS,
            np.full(len(sources), "", dtype="<U1"),
            np.array(sources, dtype=np.str_),
        )


_VOTE_RULES = {"votes": vote_targets, "spread": spread_vote_targets, "majority": majority_targets}


class FERPlusDataLoader:
    """Loads one split of FER+ from its two official files.

    Args:
        images_csv: ``fer2013.csv`` with the columns emotion, pixels, Usage.
        votes_csv: ``fer2013new.csv`` with the columns of `VOTE_COLUMNS`.
        usage: FER2013's split: ``"Training"``, ``"PublicTest"`` or ``"PrivateTest"``.
        targets: ``"votes"`` for soft targets, ``"spread"`` to spread unknown votes, ``"majority"``
            for the official one-hot rule.
        strict: Raise an error when any row is bad; otherwise bad rows are listed in
            `Dataset.skipped` and the rest is loaded.
    """

    def __init__(
        self,
        images_csv: str | os.PathLike[str],
        votes_csv: str | os.PathLike[str],
        *,
        usage: Literal["Training", "PublicTest", "PrivateTest"] = "Training",
        targets: Literal["votes", "spread", "majority"] = "votes",
        strict: bool = False,
    ) -> None:
        _check_choice("usage", usage, USAGES)
        _check_choice("targets", targets, tuple(_VOTE_RULES))
        self.images_csv = Path(images_csv)
        self.votes_csv = Path(votes_csv)
        self.usage = usage
        self.targets: Literal["votes", "spread", "majority"] = targets
        self.strict = strict

    def load_data(self) -> Dataset:
        """Read the split; images are (n, 48, 48, 1), labels are `ALL_EMOTIONS`.

        Raises:
            DataError: A file is missing or is not such a file, or no row is left; with
                ``strict``, any bad row.
        """
        faces = read_ferplus(
            self.images_csv, self.votes_csv, usages=(self.usage,), strict=self.strict
        )
        data = faces.dataset(np.ones(len(faces.rows), dtype=np.bool_), self.targets)
        if not len(data):
            raise DataError(
                f"{self.images_csv} must hold faces with Usage {self.usage!r} that the rule "
                f"{self.targets!r} keeps. Received none ({len(faces.skipped)} bad rows)."
            )
        return replace(data, skipped=faces.skipped)


def _check_choice(argument: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise DataError(
            f"`{argument}` must be one of {', '.join(map(repr, known))}. Received {value!r}. "
            + nearest(value, known)
        )


class _Row(NamedTuple):
    row: int
    usage: str
    pixels: bytes
    votes: list[float]


def read_ferplus(
    images_csv: str | os.PathLike[str],
    votes_csv: str | os.PathLike[str],
    *,
    usages: Sequence[str] = USAGES,
    strict: bool = False,
) -> VotedFaces:
    """Read the two official files side by side, row by row.

    The files are streamed: memory holds the result and one row.

    Args:
        images_csv: ``fer2013.csv``.
        votes_csv: ``fer2013new.csv``.
        usages: Splits to read, of `USAGES`.
        strict: Raise an error when any row is bad.

    Raises:
        DataError: A file or a column is missing; with ``strict``, any bad row.
    """
    skipped: list[SkippedSample] = []
    pixels, votes, usage, rows = bytearray(), [], [], []
    for found in _paired_rows(Path(images_csv), Path(votes_csv), skipped):
        if found.usage in usages:
            pixels += found.pixels
            votes.append(found.votes)
            usage.append(found.usage)
            rows.append(found.row)
    if strict:
        refuse_skipped(skipped, "rows")
    return VotedFaces(
        np.frombuffer(pixels, dtype=np.uint8).reshape(-1, SIDE_PX, SIDE_PX, 1),
        np.array(votes, dtype=np.float32).reshape(-1, len(VOTE_COLUMNS)),
        np.array(usage, dtype="<U11"),
        np.array(rows, dtype=np.int64),
        tuple(skipped),
    )


def _paired_rows(images_csv: Path, votes_csv: Path, skipped: list[SkippedSample]) -> Iterator[_Row]:
    images = _records(images_csv, "images_csv", ("pixels", "Usage"), skipped)
    votes = _records(votes_csv, "votes_csv", ("Usage", *VOTE_COLUMNS), skipped)
    row = 0
    while True:
        image, vote = next(images, None), next(votes, None)
        if image is None or vote is None:
            break
        try:
            yield _parse(row, image[1], vote[1])
        except ValueError as error:
            skipped.append(SkippedSample(str(images_csv), str(error), line=image[0]))
        row += 1
    for path, left in ((images_csv, image), (votes_csv, vote)):
        if left is not None:
            skipped.append(
                SkippedSample(str(path), "from here on the other file has no row", line=left[0])
            )


def _records(
    path: Path, argument: str, columns: Sequence[str], skipped: list[SkippedSample]
) -> Iterator[tuple[int, list[str]]]:
    """Line number and the wanted columns of each row; missing cells are empty."""
    rows = csv_rows(path, skipped)
    with naming(path=argument):
        _, header = next(rows, (1, []))
    if missing := [name for name in columns if name not in header]:
        raise DataError(
            f"{path} must have the columns {', '.join(columns)}. "
            f"Received a header without {', '.join(missing)}."
        )
    places = [header.index(name) for name in columns]
    for line, cells in rows:
        yield line, [cells[i] if i < len(cells) else "" for i in places]


def _parse(row: int, image: list[str], vote: list[str]) -> _Row:
    text, usage = image
    if usage not in USAGES:
        raise ValueError(f"Usage must be one of {', '.join(USAGES)}. Received {usage!r}")
    if vote[0] != usage:
        raise ValueError(f"Usage is {usage!r} here but {vote[0]!r} in the file of votes")
    pixels = parse_pixels(text).tobytes()
    if len(pixels) != SIDE_PX * SIDE_PX:
        raise ValueError(f"pixels must be {SIDE_PX * SIDE_PX} numbers. Received {len(pixels)}")
    try:
        votes = [float(cell) for cell in vote[1:]]
    except ValueError:
        raise ValueError("votes must be numbers") from None
    if not all(0 <= count < float("inf") for count in votes):
        raise ValueError("votes must be finite numbers ≥ 0")
    return _Row(row, usage, pixels, votes)


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
