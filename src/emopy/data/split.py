"""`split`: stratified, seeded splits without a common subject or image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.data.duplicates import content_hashes, difference_hashes, near_groups
from emopy.errors import DataError

_EPSILON = 1e-9
"""Rounding error that proportions may carry."""


@dataclass(frozen=True, eq=False)
class Splits:
    """The splits of a dataset. A split that was not requested is an empty dataset.

    Attributes:
        train: To fit the network.
        validation: To stop early and to choose settings.
        calibration: To fit the temperature.
        test: To evaluate the final model, once.

    Raises:
        DataError: The splits have different labels or image shapes.
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
        """Build splits from datasets that were split before; the missing ones are empty.

        Raises:
            DataError: The splits have different labels or image shapes.
        """
        empty = train.take([])
        given = (data if data is not None else empty for data in (validation, calibration, test))
        return cls(train, *given)

    def __post_init__(self) -> None:
        shape, labels = self.train.images.shape[1:], self.train.labels
        for other in (self.validation, self.calibration, self.test):
            if other.labels != labels or other.images.shape[1:] != shape:
                raise DataError(
                    "`Splits` must have the same labels and image shape. Received "
                    f"{list(labels)} of shape {shape} and "
                    f"{list(other.labels)} of shape {other.images.shape[1:]}."
                )

    def items(self) -> Iterator[tuple[str, Dataset]]:
        """Name and dataset of each split that is not empty."""
        for field in fields(self):
            dataset: Dataset = getattr(self, field.name)
            if len(dataset):
                yield field.name, dataset

    def __str__(self) -> str:
        return ", ".join(f"{name} {len(data):,}" for name, data in self.items())


def by_name(data: Dataset | Splits | Mapping[str, Dataset]) -> dict[str, Dataset]:
    """Datasets by name; a single one is called ``data``."""
    return {"data": data} if isinstance(data, Dataset) else dict(data.items())


def split(
    data: Dataset,
    *,
    validation: float = 0.1,
    calibration: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
) -> Splits:
    """Split a dataset so that no subject and no image is in two splits.

    Samples of one subject, and duplicates and near-duplicates (`find_near_duplicates`), go to the
    same split. Within that limit every label has nearly the same proportion in each split; the
    only sample of a label goes to `train`.

    Args:
        data: The dataset.
        validation: Proportion of the samples, 0–1; 0 for none.
        calibration: Proportion of the samples, 0–1; 0 for none.
        test: Proportion of the samples, 0–1; 0 for none.
        seed: The same seed gives the same splits; 0 or more.

    Returns:
        The splits; the rest is `train`. Samples keep their order.

    Raises:
        DataError: Proportions or seed out of range, or a requested split would have no sample.

    Source:
        Greedy assignment of groups: Sechidis, Tsoumakas & Vlahavas 2011, "On the stratification
        of multi-label data", https://doi.org/10.1007/978-3-642-23808-6_10.
    """
    held_out = {"validation": validation, "calibration": calibration, "test": test}
    if seed < 0:
        raise DataError(f"`seed` must be 0 or more. Received {seed}.")
    _check_proportions(held_out)
    proportions = np.array([1 - sum(held_out.values()), *held_out.values()])
    split_of = _assign_splits(data, proportions, np.random.default_rng(seed))
    names = ("train", *held_out)
    found = {name: np.flatnonzero(split_of == i) for i, name in enumerate(names)}
    for name, proportion in zip(names, proportions, strict=True):
        if proportion > 0 and not len(found[name]):
            raise DataError(
                f"`{name}` must receive at least one sample. Received none: {len(data)} samples "
                f"in {len(np.unique(_groups(data)))} groups of one subject or one image are too "
                "few. Give more data, or request fewer splits, such as `calibration=0`."
            )
    return Splits(**{name: data.take(rows) for name, rows in found.items()})


def stratified_rows(truth: NDArray[np.intp], count: int, *, seed: int = 0) -> NDArray[np.intp]:
    """Draw rows at random so that each label keeps its proportion.

    Args:
        truth: (n,) label of each row.
        count: Number of rows, at most n.
        seed: Seed of the random choice.

    Returns:
        (count,) row numbers, in ascending order.

    Raises:
        DataError: `count` is out of range.
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


def _check_proportions(held_out: dict[str, float]) -> None:
    for name, proportion in held_out.items():
        if not 0 <= proportion < 1:
            raise DataError(
                f"`{name}` must be a proportion from 0 to less than 1. Received {proportion}. "
                "Type for example 0.1 for a tenth."
            )
    if sum(held_out.values()) > 1 - _EPSILON:
        raise DataError(
            "`validation`, `calibration` and `test` must leave samples to train on. "
            f"Received proportions that sum to {sum(held_out.values()):g}."
        )


def _apportion(count: int, weights: NDArray[np.generic]) -> NDArray[np.intp]:
    """Whole numbers in proportion to the weights, with the given sum (largest remainders)."""
    weight = np.asarray(weights, dtype=np.float64)
    exact = count * weight / max(weight.sum(), np.finfo(float).tiny)
    whole = np.floor(exact + _EPSILON).astype(np.intp)
    order = np.argsort(whole - exact, kind="stable")
    whole[order[: count - int(whole.sum())]] += 1
    return whole


def _groups(data: Dataset) -> NDArray[np.intp]:
    """(n,) number of the group that must stay together: same subject, or same image."""
    parent = np.arange(len(data))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = int(parent[row])
        return row

    first_of_subject: dict[str, int] = {}
    first_of_image: dict[bytes, int] = {}
    for row, (subject, content_hash) in enumerate(
        zip(data.subject_ids, content_hashes(data.images), strict=True)
    ):
        linked = [first_of_image.setdefault(bytes(content_hash), row)]
        if subject:
            linked.append(first_of_subject.setdefault(str(subject), row))
        for other in linked:
            parent[root(row)] = root(other)
    for row, other in enumerate(near_groups(difference_hashes(data.images))):
        parent[root(row)] = root(int(other))
    return np.array([root(row) for row in range(len(data))], dtype=np.intp)


def _assign_splits(
    data: Dataset, proportions: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.intp]:
    """(n,) number of the split that each sample goes to."""
    truth, classes = data.truth, len(data.labels)
    _, group, size = np.unique(_groups(data), return_inverse=True, return_counts=True)
    split_of = np.full(len(data), -1, dtype=np.intp)
    # How many samples of each label each split still needs.
    needed = proportions[:, None] * np.bincount(truth, minlength=classes)
    large = np.flatnonzero(size > 1)
    rows_by_group = np.split(np.argsort(group, kind="stable"), np.cumsum(size)[:-1])
    for number in sorted(rng.permutation(large), key=lambda i: -size[i]):
        rows = rows_by_group[number]
        inside = np.bincount(truth[rows], minlength=classes)
        chosen = _neediest_split(needed, inside, proportions)
        needed[chosen] -= inside
        split_of[rows] = chosen
    single = [
        rng.permutation(np.flatnonzero((split_of < 0) & (truth == c))) for c in range(classes)
    ]
    quotas = _quotas(np.array([len(rows) for rows in single]), needed, proportions)
    for rows, quota in zip(single, quotas.T, strict=True):
        split_of[rows] = np.repeat(np.arange(len(proportions)), quota)
    return split_of


def _quotas(
    counts: NDArray[np.intp], needed: NDArray[np.float64], proportions: NDArray[np.float64]
) -> NDArray[np.intp]:
    """(splits, labels) how many of each label's single samples each split receives.

    Rounding is balanced over the labels: many rare labels together still fill every split. The
    first sample of a label goes to the first split, which is `train`.
    """
    room = np.maximum(needed, 0)
    room = np.where(room.sum(axis=0) > 0, room, proportions[:, None])
    exact = counts * room / room.sum(axis=0)
    whole = np.floor(exact + _EPSILON).astype(np.intp)
    whole[0] += (whole[0] == 0) & (exact[0] > _EPSILON)
    deficit = needed.sum(axis=1) - whole.sum(axis=1)
    for label, left in enumerate(counts - whole.sum(axis=0)):
        for _ in range(left):
            is_open = exact[:, label] - whole[:, label] > _EPSILON
            chosen = np.argmax(np.where(is_open, deficit, -np.inf))
            whole[chosen, label] += 1
            deficit[chosen] -= 1
    return whole


def _neediest_split(
    needed: NDArray[np.float64], inside: NDArray[np.intp], proportions: NDArray[np.float64]
) -> int:
    """The requested split that needs the labels of a group most."""
    # Rare labels weigh more: the need for a label is relative to that of all splits.
    relative = needed / np.maximum(np.abs(needed).sum(axis=0), 1)
    need = np.where(proportions > 0, relative @ inside, -np.inf)
    return int(np.argmax(need))
