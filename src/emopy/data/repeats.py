"""Exact repeats: pictures that are equal pixel by pixel, within and across datasets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset


def fingerprints(images: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """A short digest of each picture; equal digests mean equal pictures.

    Args:
        images: (n, …) uint8, one picture or clip per row.

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
    """One of several equal pictures.

    Attributes:
        part: Name of the dataset.
        row: Row in it.
        label: Its dominant label there.
        origin: File, or file and row, that it came from.
    """

    part: str
    row: int
    label: str
    origin: str


@dataclass(frozen=True, slots=True)
class RepeatGroup:
    """Two or more pictures that are equal pixel by pixel."""

    members: tuple[Member, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the datasets that show this picture, each once."""
        return tuple(dict.fromkeys(member.part for member in self.members))

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that this picture has, each once; more than one is a contradiction."""
        return tuple(dict.fromkeys(member.label for member in self.members))


def find_repeats(data: Dataset | Mapping[str, Dataset]) -> tuple[RepeatGroup, ...]:
    """Find equal pictures in one dataset, or within and across several.

    Args:
        data: A dataset, or datasets by name, such as ``{"train": …, "test": …}``.

    Returns:
        One group per picture that occurs more than once, in order of first occurrence.
    """
    named = {"data": data} if isinstance(data, Dataset) else data
    groups: dict[bytes, list[Member]] = {}
    for part, dataset in named.items():
        truth = dataset.truth
        for row, digest in enumerate(fingerprints(dataset.images)):
            member = Member(part, row, dataset.labels[truth[row]], str(dataset.origin[row]))
            groups.setdefault(bytes(digest), []).append(member)
    return tuple(RepeatGroup(tuple(found)) for found in groups.values() if len(found) > 1)
