"""Duplicates: images that are equal, or nearly so, within and across datasets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset

_HASH_SIDE = 16
_HASH_BITS = _HASH_SIDE * _HASH_SIDE
_HASH_WORDS = _HASH_BITS // 16

_MAX_DISTANCE = 28
"""Bits of 256 in which near-duplicates may differ. From 30 on, different faces match: see
docs/decisions/0005-near-duplicates.md."""

_MIN_DETAIL = 32
"""Bits of 256 that must differ from the others; an image with fewer shows too little to compare."""

_BIT_COUNTS = np.array([number.bit_count() for number in range(2**16)], dtype=np.uint8)
"""Number of bits that are set in each word of 16 bits."""


@dataclass(frozen=True, slots=True)
class Member:
    """One of several images that are duplicates of each other.

    Attributes:
        split: Name of the dataset.
        row: Row in it.
        label: Its dominant label.
        source: File, or file and row, that it came from.
    """

    split: str
    row: int
    label: str
    source: str


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Two or more images that are equal pixel by pixel, or nearly equal."""

    members: tuple[Member, ...]

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the datasets that hold the image, each once."""
        return tuple(dict.fromkeys(member.split for member in self.members))

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the image, each once; more than one is a contradiction."""
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
    for name, dataset in named.items():
        for row, content_hash in enumerate(content_hashes(dataset.images)):
            groups.setdefault(bytes(content_hash), []).append(_member(name, dataset, row))
    return _groups_of_several(groups.values())


def find_near_duplicates(data: Dataset | Mapping[str, Dataset]) -> tuple[DuplicateGroup, ...]:
    """Find photographs that occur resized, recompressed, slightly brightened or mirrored.

    A heuristic: images are near-duplicates if they get brighter and darker in the same places
    (`difference_hashes`). An image that is rotated, shifted or cropped differently by more than a
    fiftieth of its side is mostly not found. Exact duplicates are left to `find_duplicates`: an
    image that occurs several times counts once. 30,000 faces take about two seconds.

    Args:
        data: A dataset, or datasets by name. Clips are compared with clips of their length.

    Returns:
        One group per photograph with near-duplicates, in order of first occurrence.
    """
    named = {"data": data} if isinstance(data, Dataset) else data
    seen: set[bytes] = set()
    members: dict[int, list[Member]] = {}
    hashes: dict[int, list[NDArray[np.uint16]]] = {}
    for name, dataset in named.items():
        rows: list[int] = []
        for row, content_hash in enumerate(content_hashes(dataset.images)):
            if bytes(content_hash) not in seen:
                seen.add(bytes(content_hash))
                rows.append(row)
        found = difference_hashes(dataset.images)[rows]
        members.setdefault(found.shape[2], []).extend(_member(name, dataset, row) for row in rows)
        hashes.setdefault(found.shape[2], []).append(found)
    groups: dict[tuple[int, int], list[Member]] = {}
    for width, parts in hashes.items():
        numbers = near_groups(np.concatenate(parts))
        for number, member in zip(numbers, members[width], strict=True):
            groups.setdefault((width, int(number)), []).append(member)
    return _groups_of_several(groups.values())


def content_hashes(images: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """Hash each image: equal hashes mean equal images.

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


def difference_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Hash where each image gets brighter from left to right, in 16 × 16 places.

    Size, compression, brightness and contrast hardly change the hash.

    Args:
        images: (n, H, W, C) or (n, T, H, W, C) uint8.

    Returns:
        (n, 2, 16 · T) words of 16 bits, shuffled: of the image, and of its mirror image.

    Source:
        N. Krawetz 2013, "Kind of like that",
        https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html, here
        with 256 bits in place of 64.
    """
    frames = images.shape[1] if images.ndim == 5 else 1
    flat = images.reshape(-1, *images.shape[-3:])
    bits = np.empty((len(flat), 2, _HASH_BITS), dtype=np.bool_)
    for row, image in enumerate(flat):
        gray = image[..., 0] if image.shape[2] == 1 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(gray, (_HASH_SIDE + 1, _HASH_SIDE), interpolation=cv2.INTER_AREA)
        for side, pixels in enumerate((small, small[:, ::-1])):
            bits[row, side] = (pixels[:, 1:] > pixels[:, :-1]).ravel()
    # Neighboring bits agree more often than not; shuffled, every word is equally distinctive.
    mixed = bits[:, :, np.random.default_rng(0).permutation(_HASH_BITS)]
    words = np.ascontiguousarray(np.packbits(mixed, axis=2)).view(np.uint16)
    by_clip = words.reshape(len(images), frames, 2, _HASH_WORDS).transpose(0, 2, 1, 3)
    return by_clip.reshape(len(images), 2, frames * _HASH_WORDS)


def near_groups(hashes: NDArray[np.uint16]) -> NDArray[np.intp]:
    """Group images that are nearly equal, or nearly each other's mirror image.

    Two images belong together if at most 28 of 256 bits differ, and so do images that others
    link. Only images with a word in common are compared: that is quick, and finds all but one
    of the 1,073 pairs in 29,829 faces that comparing all with all finds. Images nearly without
    detail stay alone.

    Args:
        hashes: (n, 2, words) of `difference_hashes`.

    Returns:
        (n,) row of the first image of each image's group; mostly its own.

    Source:
        Indyk & Motwani 1998, "Approximate nearest neighbors" (locality-sensitive hashing by
        sampled bits), https://doi.org/10.1145/276698.276876.
    """
    count, _, width = hashes.shape
    words = hashes.transpose(1, 0, 2).reshape(2 * count, width)
    max_distance = _MAX_DISTANCE * width // _HASH_WORDS
    row_of = np.tile(np.arange(count), 2)
    group = np.arange(count)
    detailed = _detailed_rows(words)
    for column in range(width):
        for pair in _pairs_with_equal_keys(words[:, column], detailed):
            apart = group[row_of[pair[0]]] != group[row_of[pair[1]]]
            one, other = pair[0][apart], pair[1][apart]
            near = _count_bits(words[one] ^ words[other]) <= max_distance
            for a, b in zip(row_of[one[near]], row_of[other[near]], strict=True):
                first, second = sorted((int(group[a]), int(group[b])))
                if first != second:
                    group[group == second] = first
    return group


def _count_bits(words: NDArray[np.uint16]) -> NDArray[np.int64]:
    """(n,) number of bits that are set in each row."""
    return _BIT_COUNTS[words].sum(axis=1, dtype=np.int64)


def _detailed_rows(words: NDArray[np.uint16]) -> NDArray[np.intp]:
    """Rows of the images with enough detail to be compared."""
    count = _count_bits(words)
    least = _MIN_DETAIL * words.shape[1] // _HASH_WORDS
    return np.flatnonzero((count >= least) & (count <= 16 * words.shape[1] - least))


def _pairs_with_equal_keys(
    keys: NDArray[np.uint16], rows: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Pairs of rows with equal keys, many at a time; memory holds a few numbers per row."""
    order = rows[np.argsort(keys[rows], kind="stable")]
    ordered = keys[order]
    left, step = np.arange(len(order)), 1
    while len(left := left[left + step < len(order)]):
        left = left[ordered[left] == ordered[left + step]]
        yield order[left], order[left + step]
        step += 1


def _member(name: str, dataset: Dataset, row: int) -> Member:
    label = dataset.labels[int(np.argmax(dataset.targets[row]))]
    return Member(name, row, label, str(dataset.sources[row]))


def _groups_of_several(found: Iterable[list[Member]]) -> tuple[DuplicateGroup, ...]:
    return tuple(DuplicateGroup(tuple(members)) for members in found if len(members) > 1)
