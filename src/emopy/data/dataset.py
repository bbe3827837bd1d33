"""`Dataset`: labeled face crops in memory, samples that were skipped, and `.npz` files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emopy.errors import DataError
from emopy.escaping import one_line
from emopy.files import DamagedFileError, atomic_file, read_arrays
from emopy.labels import composed, select_labels
from emopy.types import RGBImage

FORMAT = 2
"""Version of the `.npz` files that `Dataset.save` writes."""

_ARRAYS = ("format", "images", "targets", "labels", "subject_ids", "sources")
_MAX_LISTED = 5
"""Skipped samples that an error message lists."""


@dataclass(frozen=True, slots=True)
class SkippedSample:
    """A file or row that a loader could not use.

    Attributes:
        source: Path of the file.
        reason: Why it was skipped.
        line: Line in the file, counted from 1; the first of several. None if the whole file is
            meant.
        count: Number of rows that were skipped for this reason, if they are reported together.
    """

    source: str
    reason: str
    line: int | None = None
    count: int = 1

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}, line {self.line}"
        more = "" if self.count == 1 else f" ({self.count:,} rows, this is the first)"
        return f"{place}: {self.reason}{more}"


def refuse_skipped(skipped: Sequence[SkippedSample], what: str) -> None:
    """Raise an error if samples were skipped; loaders call it for ``strict=True``.

    Args:
        skipped: The skipped samples.
        what: What they are, for the message: ``"rows"`` or ``"files"``.

    Raises:
        DataError: `skipped` is not empty.
    """
    if skipped:
        first = "\n".join(f"  {sample}" for sample in skipped[:_MAX_LISTED])
        rest = sum(sample.count for sample in skipped[_MAX_LISTED:])
        more = f"\n  … and {rest:,} more" if rest > 0 else ""
        count = sum(sample.count for sample in skipped)
        raise DataError(
            f"`strict=True` must have no bad {what}. Received {count:,}:\n{first}{more}\n"
            "Fix them, or leave `strict` out to load the rest."
        )


@dataclass(slots=True)
class ImageStats:
    """Sizes and colors of images before they are resized.

    Attributes:
        sizes: Number of images of each (width, height) in pixels.
        color: Number of images in color; the others are gray.
    """

    sizes: Counter[tuple[int, int]] = field(default_factory=Counter[tuple[int, int]])
    color: int = 0

    def __len__(self) -> int:
        return self.sizes.total()

    def add(self, image: RGBImage) -> None:
        """Count one image, (H, W, 1 | 3)."""
        height, width = image.shape[:2]
        self.sizes[width, height] += 1
        self.color += bool(np.any(image != image[..., :1]))

    def smaller_than(self, width: float, height: float) -> int:
        """Number of images that are narrower or lower, in pixels."""
        return sum(n for (w, h), n in self.sizes.items() if w < width or h < height)

    def longer_than(self, ratio: float) -> int:
        """Number of images whose longer side is more than `ratio` times the shorter one."""
        return sum(n for (w, h), n in self.sizes.items() if max(w, h) > ratio * min(w, h))

    def __str__(self) -> str:
        if not self.sizes:
            return "none"
        (usual, count), *others = self.sizes.most_common()
        text = f"{usual[0]} × {usual[1]} pixels"
        if others:
            widths, heights = zip(*self.sizes, strict=True)
            text = (
                f"{min(widths)}–{max(widths)} pixels wide, {min(heights)}–{max(heights)} high, "
                f"most often {usual[0]} × {usual[1]} ({count / len(self):.0%})"
            )
        gray = len(self) - self.color
        if not self.color:
            return f"{text}; all gray"
        return f"{text}; {f'{gray:,} gray, {self.color:,} in color' if gray else 'all in color'}"


_MISSING = ("None", "nan", "NaN", "NaT", "<NA>")
"""What the values of Python, NumPy and pandas for a missing one are as text."""


def text_of(value: object) -> str:
    """A value of a table as text; ``""`` if it is missing."""
    text = str(value)
    return "" if text in _MISSING and not isinstance(value, str) else text


def _texts(values: Sequence[object] | NDArray[Any]) -> NDArray[np.str_]:
    """Values as an array of texts; what is missing is ``""``."""
    array = np.asarray(values)
    if array.dtype.kind == "U":
        return array
    return np.array([text_of(value) for value in array], np.str_)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labeled face crops.

    Attributes:
        images: (n, H, W, C) uint8, or (n, T, H, W, C) for clips; C is 1 or 3 (RGB).
        targets: (n, k) float32; each row sums to 1. One-hot, or soft (proportions of votes).
        labels: Names of the k columns of `targets`.
        subject_ids: (n,) str: the person in each sample, ``""`` if unknown.
        sources: (n,) str: file, or file and row, of each sample.
        skipped: Files and rows that the loader could not use. It belongs to one call of
            `load_data`: `take`, `only`, `split` and `save` do not keep it.
        image_stats: Sizes and colors of the loaded images before they were resized; None if
            unknown. Not kept either.

    Raises:
        DataError: The shapes do not fit together, or `targets` do not sum to 1.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]
    labels: tuple[str, ...]
    subject_ids: NDArray[np.str_]
    sources: NDArray[np.str_]
    skipped: tuple[SkippedSample, ...] = ()
    image_stats: ImageStats | None = None

    def __post_init__(self) -> None:
        n = len(self.images)
        for name, value in (
            ("targets", np.asarray(self.targets, np.float32)),
            ("labels", tuple(map(str, self.labels))),
            ("subject_ids", _texts(self.subject_ids)),
            ("sources", _texts(self.sources)),
        ):
            object.__setattr__(self, name, value)
        if self.images.ndim not in (4, 5) or self.images.dtype != np.uint8:
            raise DataError(
                "`images` must be uint8 of shape (n, H, W, C) or (n, T, H, W, C). "
                f"Received {self.images.dtype} of shape {self.images.shape}."
            )
        if self.images.shape[-1] not in (1, 3):
            raise DataError(
                f"`images` must have 1 or 3 channels. Received {self.images.shape[-1]}."
            )
        if self.targets.shape != (n, len(self.labels)):
            raise DataError(
                f"`targets` must have shape ({n}, {len(self.labels)}): one row per image, one "
                f"column per label. Received shape {self.targets.shape}."
            )
        if len(set(self.labels)) < len(self.labels):
            raise DataError(f"`labels` must be different names. Received {', '.join(self.labels)}.")
        if (self.targets < 0).any() or not np.allclose(self.targets.sum(axis=1), 1, atol=1e-4):
            raise DataError(
                "`targets` must be 0 or more, with rows that sum to 1. Divide each row by its sum."
            )
        if len(self.subject_ids) != n or len(self.sources) != n:
            raise DataError(
                f"`subject_ids` and `sources` must have {n} entries. "
                f"Received {len(self.subject_ids)} and {len(self.sources)}."
            )

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        *frames, height, width, channels = self.images.shape[1:]
        what = f"clips of {frames[0]} frames" if frames else "faces"
        shape = f"{height} × {width} × {channels}"
        return f"Dataset({len(self)} {what} {shape}, {len(self.labels)} labels)"

    @property
    def truth(self) -> NDArray[np.intp]:
        """(n,) column of the dominant label of each sample."""
        return np.argmax(self.targets, axis=1)

    def counts(self) -> dict[str, int]:
        """Number of samples per dominant label, including labels without a sample."""
        found = np.bincount(self.truth, minlength=len(self.labels))
        return {label: int(count) for label, count in zip(self.labels, found, strict=True)}

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | Sequence[int]) -> Dataset:
        """The samples of the given rows, in that order.

        Args:
            rows: Row numbers, or a mask of length n.
        """
        index = np.asarray(rows)
        if index.dtype != np.bool_:
            index = index.astype(np.intp)
        return Dataset(
            self.images[index],
            self.targets[index],
            self.labels,
            self.subject_ids[index],
            self.sources[index],
        )

    def only(self, target_emotions: str | Sequence[str]) -> Dataset:
        """The samples whose dominant label is one of some labels.

        Soft targets are restricted to these labels and renormalized.

        Raises:
            LabelError: Unknown, repeated or fewer than two labels.
        """
        chosen = select_labels(target_emotions, self.labels)
        columns = list(chosen.columns)
        rows = np.isin(self.truth, columns)
        targets = self.targets[rows][:, columns]
        return Dataset(
            self.images[rows],
            (targets / targets.sum(axis=1, keepdims=True)).astype(np.float32),
            chosen.known,
            self.subject_ids[rows],
            self.sources[rows],
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the samples to one ``.npz`` file, which `load_dataset` reads.

        Raises:
            InputError: The file cannot be written.
        """
        path = Path(path)
        with atomic_file(path) as temporary, temporary.open("wb") as stream:
            np.savez_compressed(
                stream,
                format=np.array(FORMAT),
                images=self.images,
                targets=self.targets,
                labels=np.array(self.labels),
                subject_ids=self.subject_ids,
                sources=self.sources,
            )
        return path


def load_dataset(path: str | os.PathLike[str]) -> Dataset:
    """Read a ``.npz`` file that `Dataset.save` wrote. Pickled objects are never loaded.

    Raises:
        DataError: Missing, damaged, of an earlier format, or not such a file.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"`path` must be a .npz file of faces. Received {path}: no such file.")
    try:
        stored = read_arrays(path, _ARRAYS)
        found = int(stored["format"]) if "format" in stored else int("images" in stored)
        if found not in (0, FORMAT):
            raise DataError(
                f"`path` must be a .npz file of format {FORMAT}. Received {path} of format "
                f"{found}. Write it again with `Dataset.save`."
            )
        return _dataset_of(stored)
    except (DamagedFileError, KeyError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"`path` must be a .npz file written by `Dataset.save`. Received {path}, which is "
            f"damaged or another kind of file ({error}). Write it again with `emopy data prepare` "
            "or `emopy data split`."
        ) from error


def _dataset_of(stored: Mapping[str, NDArray[Any]]) -> Dataset:
    """The dataset of some arrays.

    Raises:
        KeyError: An array is missing.
        ValueError: An array has another type than those that `Dataset.save` writes.
        DataError: The shapes do not fit together.
    """
    names = ("labels", "subject_ids", "sources")
    texts = {name: stored[name] for name in names}
    for name, array in texts.items():
        if array.dtype.kind != "U" or array.ndim != 1:
            raise ValueError(name)
    labels = tuple(composed(str(label)) for label in texts["labels"])
    if len(set(labels)) < len(labels) or one_line("".join(labels)) != "".join(labels):
        raise ValueError("labels")
    if stored["targets"].dtype.kind != "f" or bool((stored["targets"] < 0).any()):
        raise ValueError("targets")
    targets = stored["targets"].astype(np.float32, copy=False)
    return Dataset(stored["images"], targets, labels, texts["subject_ids"], texts["sources"])


def pixels_as_uint8(images: ArrayLike) -> NDArray[np.uint8]:
    """Pixels of any number type as uint8, without a change of their values.

    Args:
        images: Any shape; whole numbers 0–255.

    Returns:
        The same shape and values; uint8 comes back without a copy.

    Raises:
        DataError: Other numbers, such as scaled or standardized pixels.

    Example:
        >>> pixels_as_uint8([0.0, 255.0])
        array([  0, 255], dtype=uint8)
    """
    given = np.asarray(images)
    if given.dtype == np.uint8:
        return given.view(np.uint8)
    if given.dtype.kind in "uif" and bool(np.all((given >= 0) & (given <= 255))):
        pixels = given.astype(np.uint8)
        if np.array_equal(pixels, given):
            return pixels
    raise DataError(
        "`images` must be whole numbers 0–255: scaling and standardizing happen later. "
        f"Received {given.dtype}. For values in 0–1 type: (255 * images).round()"
    )
