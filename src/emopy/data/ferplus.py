"""FER+: load the two official files.

FER2013 gives 35,887 gray faces of 48 × 48 pixels (Goodfellow et al. 2013,
https://arxiv.org/abs/1307.0414). FER+ gives the votes of ten people on each of them (Barsoum et
al. 2016, https://arxiv.org/abs/1608.01041, https://github.com/microsoft/FERPlus). The two files
belong together row by row.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emopy.data.csv import csv_rows
from emopy.data.csv_layout import parse_pixels
from emopy.data.dataset import Dataset, SkippedSample, refuse_skipped
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
            Faces labeled with `ALL_EMOTIONS`; `sources` are ``fer2013:<row>``.
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
        usages = image[1][1], vote[1][0]
        if usages[0] != usages[1] and set(usages) <= set(USAGES):
            raise _not_paired(f"Usage {usages[0]} in line {image[0]:,} of {images_csv}, "
                              f"{usages[1]} in line {vote[0]:,} of {votes_csv}")  # fmt: skip
        try:
            yield _parse(row, image[1], vote[1])
        except ValueError as error:
            skipped.append(SkippedSample(str(images_csv), str(error), line=image[0]))
        row += 1
    for path, left in ((images_csv, image), (votes_csv, vote)):
        if left is not None:
            raise _not_paired(f"a line {left[0]:,} of {path} that the other file does not have")


def _not_paired(received: str) -> DataError:
    return DataError(
        f"`images_csv` and `votes_csv` must have the same rows in the same order. Received "
        f"{received}: a row is missing in one of them, so faces would get the votes of others. "
        "Use both files as they were published."
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
