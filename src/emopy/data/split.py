"""Splits that a test can trust: stratified, seeded, people and repeats kept together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.data.duplicates import content_hashes
from emopy.data.near import difference_hashes, near_groups
from emopy.errors import DataError

_TINY = 1e-9
"""Rounding error that shares may carry."""


@dataclass(frozen=True, eq=False)
class Splits:
    """What a dataset is divided into. A part that nobody asked for is an empty dataset.

    Attributes:
        train: To fit the network on.
        validation: To stop early and to choose settings by.
        calibration: To find the temperature on.
        test: To measure what is delivered, once.

    Raises:
        DataError: The parts have different labels or image shapes.
    """

    train: Dataset
    validation: Dataset
    calibration: Dataset
    test: Dataset

    @classmethod
    def of(
        cls,
        train: Dataset,
        validation: Dataset | None = None,
        calibration: Dataset | None = None,
        test: Dataset | None = None,
    ) -> Splits:
        """Join datasets that were divided before; parts left out are empty.

        Raises:
            DataError: The parts have different labels or image shapes.
        """
        empty = train.take([])
        given = (part if part is not None else empty for part in (validation, calibration, test))
        return cls(train, *given)

    def __post_init__(self) -> None:
        shape, labels = self.train.images.shape[1:], self.train.labels
        for part in (self.validation, self.calibration, self.test):
            if part.labels != labels or part.images.shape[1:] != shape:
                raise DataError(
                    "`Splits` must share labels and image shape. Received "
                    f"{list(labels)} of shape {shape} and "
                    f"{list(part.labels)} of shape {part.images.shape[1:]}."
                )

    def items(self) -> Iterator[tuple[str, Dataset]]:
        """Name and data of each part that is not empty."""
        for part in fields(self):
            data: Dataset = getattr(self, part.name)
            if len(data):
                yield part.name, data

    def __str__(self) -> str:
        return ", ".join(f"{name} {len(data):,}" for name, data in self.items())


def split(
    data: Dataset,
    *,
    validation: float = 0.1,
    calibration: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
) -> Splits:
    """Divide a dataset so that the parts share no person and no image.

    Samples of one person, and equal or nearly equal images (`find_near_duplicates`), go to the same
    part. Within that limit every
    label has nearly the same share in each part; the only sample of a label is learnt.

    Args:
        data: What to divide.
        validation: Share of the samples, 0–1; 0 for none.
        calibration: Share of the samples, 0–1; 0 for none.
        test: Share of the samples, 0–1; 0 for none.
        seed: The same seed gives the same parts.

    Returns:
        The parts; the rest is `train`. Samples keep their order.

    Raises:
        DataError: Shares out of range, or a wanted part would have no sample.

    Source:
        Greedy placing of groups: Sechidis, Tsoumakas & Vlahavas 2011, "On the stratification
        of multi-label data", https://doi.org/10.1007/978-3-642-23808-6_10.
    """
    shares = {"validation": validation, "calibration": calibration, "test": test}
    _check_shares(shares)
    wanted = np.array([1 - sum(shares.values()), *shares.values()])
    part_of = _assign(data, wanted, np.random.default_rng(seed))
    names = ("train", *shares)
    found = {name: np.flatnonzero(part_of == i) for i, name in enumerate(names)}
    for name, share in zip(names, wanted, strict=True):
        if share > 0 and not len(found[name]):
            raise DataError(
                f"`{name}` must receive at least one sample. Received none: {len(data)} samples "
                f"in {len(np.unique(_groups(data)))} groups of one person or one image are too "
                "few. Give more data, or ask for fewer parts, such as `calibration=0`."
            )
    return Splits(**{name: data.take(rows) for name, rows in found.items()})


def stratified_rows(truth: NDArray[np.intp], count: int, *, seed: int = 0) -> NDArray[np.intp]:
    """Draw rows so that each label keeps its share.

    Args:
        truth: (n,) label of each row.
        count: How many rows, at most n.
        seed: Decides which.

    Returns:
        (count,) row numbers, in rising order.
    """
    if not 0 <= count <= len(truth):
        raise DataError(f"`count` must be 0 to {len(truth)}. Received {count}.")
    rng = np.random.default_rng(seed)
    quota = _apportion(count, np.bincount(truth))
    chosen = [
        rng.permutation(np.flatnonzero(truth == label))[:number]
        for label, number in enumerate(quota)
    ]
    return np.sort(np.concatenate([np.empty(0, dtype=np.intp), *chosen]))


def _check_shares(shares: dict[str, float]) -> None:
    for name, share in shares.items():
        if not 0 <= share < 1:
            raise DataError(
                f"`{name}` must be a share from 0 to less than 1. Received {share}. "
                "Type for example 0.1 for a tenth."
            )
    if sum(shares.values()) > 1 - _TINY:
        raise DataError(
            "`validation`, `calibration` and `test` must leave something to train on. "
            f"Received shares that sum to {sum(shares.values()):g}."
        )


def _apportion(count: int, weights: NDArray[np.generic]) -> NDArray[np.intp]:
    """Whole numbers in proportion to the weights, with the given sum (largest remainders)."""
    weight = np.asarray(weights, dtype=np.float64)
    exact = count * weight / max(weight.sum(), np.finfo(float).tiny)
    whole = np.floor(exact + _TINY).astype(np.intp)
    order = np.argsort(whole - exact, kind="stable")
    whole[order[: count - int(whole.sum())]] += 1
    return whole


def _groups(data: Dataset) -> NDArray[np.intp]:
    """(n,) number of the group that must stay together: same person, or same image."""
    parent = np.arange(len(data))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = int(parent[row])
        return row

    first_of_person: dict[str, int] = {}
    first_of_image: dict[bytes, int] = {}
    for row, (person, digest) in enumerate(
        zip(data.subject_ids, content_hashes(data.images), strict=True)
    ):
        linked = [first_of_image.setdefault(bytes(digest), row)]
        if person:
            linked.append(first_of_person.setdefault(str(person), row))
        for other in linked:
            parent[root(row)] = root(other)
    for row, other in enumerate(near_groups(difference_hashes(data.images))):
        parent[root(row)] = root(int(other))
    return np.array([root(row) for row in range(len(data))], dtype=np.intp)


def _assign(
    data: Dataset, wanted: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.intp]:
    """(n,) number of the part that each sample goes to."""
    truth, classes = data.truth, len(data.labels)
    _, group, size = np.unique(_groups(data), return_inverse=True, return_counts=True)
    part_of = np.full(len(data), -1, dtype=np.intp)
    # How many samples of each label each part still lacks.
    lacking = wanted[:, None] * np.bincount(truth, minlength=classes)
    large = np.flatnonzero(size > 1)
    rows_by_group = np.split(np.argsort(group, kind="stable"), np.cumsum(size)[:-1])
    for number in sorted(rng.permutation(large), key=lambda i: -size[i]):
        rows = rows_by_group[number]
        inside = np.bincount(truth[rows], minlength=classes)
        part = _best_part(lacking, inside, wanted)
        lacking[part] -= inside
        part_of[rows] = part
    single = [rng.permutation(np.flatnonzero((part_of < 0) & (truth == c))) for c in range(classes)]
    quotas = _quotas(np.array([len(rows) for rows in single]), lacking, wanted)
    for rows, quota in zip(single, quotas.T, strict=True):
        part_of[rows] = np.repeat(np.arange(len(wanted)), quota)
    return part_of


def _quotas(
    counts: NDArray[np.intp], lacking: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.intp]:
    """(parts, labels) how many of each label's free samples each part receives.

    Rounding is balanced over the labels: many rare labels together still fill every part. The
    first sample of a label goes to the first part, the training part.
    """
    room = np.maximum(lacking, 0)
    room = np.where(room.sum(axis=0) > 0, room, wanted[:, None])
    exact = counts * room / room.sum(axis=0)
    whole = np.floor(exact + _TINY).astype(np.intp)
    whole[0] += (whole[0] == 0) & (exact[0] > _TINY)
    deficit = lacking.sum(axis=1) - whole.sum(axis=1)
    for label, left in enumerate(counts - whole.sum(axis=0)):
        for _ in range(left):
            open_parts = exact[:, label] - whole[:, label] > _TINY
            part = np.argmax(np.where(open_parts, deficit, -np.inf))
            whole[part, label] += 1
            deficit[part] -= 1
    return whole


def _best_part(
    lacking: NDArray[np.float64], inside: NDArray[np.intp], wanted: NDArray[np.float64]
) -> int:
    """The part that lacks most of what the group holds, of those with a share."""
    # Missing rare labels weigh more: a label's lack is taken relative to all that is lacking.
    relative = lacking / np.maximum(np.abs(lacking).sum(axis=0), 1)
    need = np.where(wanted > 0, relative @ inside, -np.inf)
    return int(np.argmax(need))
