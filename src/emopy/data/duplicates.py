"""Repeats: images that are equal, or nearly so, within and across datasets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.data.near import difference_hashes, near_groups


def content_hashes(images: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """A short digest of each image; equal digests mean equal images.

    Args:
        images: (n, …) uint8, one image or clip per row.

    Returns:
        (n,) 32-character BLAKE2b digests of shape and pixels, as bytes.
    """
    shape = repr(images.shape[1:]).encode()
    digests = [
        hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16, key=shape).hexdigest()
        for image in images
    ]
    return np.array(digests, dtype="S32")


@dataclass(frozen=True, slots=True)
class Member:
    """One of several images that belong together.

    Attributes:
        part: Name of the dataset.
        row: Row in it.
        label: Its dominant label there.
        source: File, or file and row, that it came from.
    """

    part: str
    row: int
    label: str
    source: str


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Two or more images that are equal pixel by pixel, or nearly alike."""

    members: tuple[Member, ...]

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the datasets that show this image, each once."""
        return tuple(dict.fromkeys(member.part for member in self.members))

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that this image has, each once; more than one is a contradiction."""
        return tuple(dict.fromkeys(member.label for member in self.members))


def find_duplicates(data: Dataset | Mapping[str, Dataset]) -> tuple[DuplicateGroup, ...]:
    """Find equal images in one dataset, or within and across several.

    Args:
        data: A dataset, or datasets by name, such as ``{"train": …, "test": …}``.

    Returns:
        One group per image that occurs more than once, in order of first occurrence.
    """
    named = {"data": data} if isinstance(data, Dataset) else data
    groups: dict[bytes, list[Member]] = {}
    for part, dataset in named.items():
        for row, digest in enumerate(content_hashes(dataset.images)):
            groups.setdefault(bytes(digest), []).append(_member(part, dataset, row))
    return _groups(groups.values())


def find_near_duplicates(data: Dataset | Mapping[str, Dataset]) -> tuple[DuplicateGroup, ...]:
    """Find the same photograph resized, compressed anew, brightened a little or mirrored.

    A heuristic: images count as one photograph if they get brighter and darker in the same
    places; see `emopy.data.near`. A copy that is turned, shifted or cut otherwise by more than a
    fiftieth of its side is mostly not found. Exact repeats are left to `find_duplicates`: an image
    that occurs several times counts once. 30,000 faces take about two seconds.

    Args:
        data: A dataset, or datasets by name. Clips are compared with clips of their length.

    Returns:
        One group per photograph of which there is more than one version, in order of first
        occurrence.
    """
    named = {"data": data} if isinstance(data, Dataset) else data
    seen: set[bytes] = set()
    members: dict[int, list[Member]] = {}
    hashes: dict[int, list[NDArray[np.uint16]]] = {}
    for part, dataset in named.items():
        rows: list[int] = []
        for row, digest in enumerate(content_hashes(dataset.images)):
            if bytes(digest) not in seen:
                seen.add(bytes(digest))
                rows.append(row)
        found = difference_hashes(dataset.images)[rows]
        members.setdefault(found.shape[2], []).extend(_member(part, dataset, row) for row in rows)
        hashes.setdefault(found.shape[2], []).append(found)
    groups: dict[tuple[int, int], list[Member]] = {}
    for width, splits in hashes.items():
        numbers = near_groups(np.concatenate(splits))
        for number, member in zip(numbers, members[width], strict=True):
            groups.setdefault((width, int(number)), []).append(member)
    return _groups(groups.values())


def _member(part: str, dataset: Dataset, row: int) -> Member:
    label = dataset.labels[int(np.argmax(dataset.targets[row]))]
    return Member(part, row, label, str(dataset.sources[row]))


def _groups(found: Iterable[list[Member]]) -> tuple[DuplicateGroup, ...]:
    return tuple(DuplicateGroup(tuple(members)) for members in found if len(members) > 1)
