"""Near repeats: one photograph twice, resized, compressed anew, brightened or mirrored."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 16
_BITS = _SIDE * _SIDE
_WORDS = _BITS // 16

_LIMIT = 28
"""Bits of 256 in which two images may differ; from 30 on different faces were found alike, see
docs/decisions/0005-near-duplicates.md."""

_LEAST_DETAIL = 32
"""An image whose bits are nearly all equal shows too little to be told from others."""

_ONES = np.array([number.bit_count() for number in range(2**16)], dtype=np.uint8)


def difference_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Say for each image where it gets brighter from left to right, in 16 × 16 places.

    Size, compression, brightness and contrast hardly change the answer. An image and its mirror
    image have one each.

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
    bits = np.empty((len(flat), 2, _BITS), dtype=np.bool_)
    for row, image in enumerate(flat):
        gray = image[..., 0] if image.shape[2] == 1 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(gray, (_SIDE + 1, _SIDE), interpolation=cv2.INTER_AREA)
        for way, seen in enumerate((small, small[:, ::-1])):
            bits[row, way] = (seen[:, 1:] > seen[:, :-1]).ravel()
    # Neighbours agree more often than not; shuffled, every word is as telling as the next.
    mixed = bits[:, :, np.random.default_rng(0).permutation(_BITS)]
    words = np.ascontiguousarray(np.packbits(mixed, axis=2)).view(np.uint16)
    by_clip = words.reshape(len(images), frames, 2, _WORDS).transpose(0, 2, 1, 3)
    return by_clip.reshape(len(images), 2, frames * _WORDS)


def near_groups(hashes: NDArray[np.uint16]) -> NDArray[np.intp]:
    """Put images together that are nearly alike, or nearly one another's mirror image.

    Two images go together if at most 28 of 256 bits differ, and so do images that others
    link. Only images with a word in common are compared: that is quick, and finds all but one
    of the 1,073 pairs in 29,829 faces that comparing all with all finds. Images nearly without
    detail stay alone.

    Args:
        hashes: (n, 2, words) of `difference_hashes`.

    Returns:
        (n,) row of the first image of the group that each belongs to; its own for most.

    Source:
        Indyk & Motwani 1998, "Approximate nearest neighbors" (locality-sensitive hashing by
        sampled bits), https://doi.org/10.1145/276698.276876.
    """
    count, _, width = hashes.shape
    words = hashes.transpose(1, 0, 2).reshape(2 * count, width)
    limit = _LIMIT * width // _WORDS
    row_of = np.tile(np.arange(count), 2)
    group = np.arange(count)
    rows_with_detail = _with_detail(words)
    for column in range(width):
        for pair in _equal(words[:, column], rows_with_detail):
            apart = group[row_of[pair[0]]] != group[row_of[pair[1]]]
            one, other = pair[0][apart], pair[1][apart]
            near = _ones(words[one] ^ words[other]) <= limit
            for a, b in zip(row_of[one[near]], row_of[other[near]], strict=True):
                first, second = sorted((int(group[a]), int(group[b])))
                if first != second:
                    group[group == second] = first
    return group


def _ones(words: NDArray[np.uint16]) -> NDArray[np.int64]:
    """(n,) bits that are set in each row."""
    return _ONES[words].sum(axis=1, dtype=np.int64)


def _with_detail(words: NDArray[np.uint16]) -> NDArray[np.intp]:
    """Rows of the images that show enough to be known again."""
    ones = _ones(words)
    least = _LEAST_DETAIL * words.shape[1] // _WORDS
    return np.flatnonzero((ones >= least) & (ones <= 16 * words.shape[1] - least))


def _equal(
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
