"""`Dataset`: labelled faces in memory, and the one file format they are kept in."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emopy.errors import DataError, LabelError
from emopy.labels import select_labels

if TYPE_CHECKING:
    from emopy.data.split import Splits


_DAMAGE = (
    KeyError,
    ValueError,
    TypeError,  # a single array, not an archive of them
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy raises on files that are damaged or of another kind."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled face crops.

    Attributes:
        images: (n, H, W, C) uint8, or (n, T, H, W, C) for clips; C is 1 or 3 (RGB).
        targets: (n, k) float32; each row sums to 1. One-hot, or soft (shares of votes).
        labels: Names of the k columns of `targets`.
        people: (n,) str: who is shown, or ``""`` where unknown.
        origin: (n,) str: file, or file and row, that each sample came from.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]
    labels: tuple[str, ...]
    people: NDArray[np.str_]
    origin: NDArray[np.str_]

    def __post_init__(self) -> None:
        n = len(self.images)
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
        if n and not np.allclose(self.targets.sum(axis=1), 1, atol=1e-4):
            raise DataError("`targets` must have rows that sum to 1. Divide each row by its sum.")
        if len(self.people) != n or len(self.origin) != n:
            raise DataError(
                f"`people` and `origin` must have {n} entries. "
                f"Received {len(self.people)} and {len(self.origin)}."
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
        """Samples per dominant label, every label named."""
        found = np.bincount(self.truth, minlength=len(self.labels))
        return {label: int(count) for label, count in zip(self.labels, found, strict=True)}

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | Sequence[int]) -> Dataset:
        """The samples of the given rows, in that order."""
        index = np.asarray(rows)
        if index.dtype != np.bool_:
            index = index.astype(np.intp)
        return Dataset(
            self.images[index],
            self.targets[index],
            self.labels,
            self.people[index],
            self.origin[index],
        )

    def only(self, target_emotions: str | Sequence[str]) -> Dataset:
        """Keep some labels: samples whose dominant label is another are left out.

        Soft targets are restricted to the kept labels and renormalised.

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
            self.people[rows],
            self.origin[rows],
        )

    def split(
        self,
        *,
        validation: float = 0.1,
        calibration: float = 0.1,
        test: float = 0.1,
        seed: int = 0,
    ) -> Splits:
        """Divide the data so that the parts share no person and no image.

        Every label has nearly the same share in each part. The same seed gives the same parts.

        Args:
            validation: Share of the samples, 0–1; 0 for none.
            calibration: Share of the samples, 0–1; 0 for none.
            test: Share of the samples, 0–1; 0 for none.
            seed: Decides which samples go where.

        Returns:
            The parts; what remains is `Splits.train`.

        Raises:
            DataError: Shares out of range, or a wanted part would have no sample.
        """
        from emopy.data.split import split

        return split(self, validation=validation, calibration=calibration, test=test, seed=seed)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the data to one ``.npz`` file (temporary name first, then renamed)."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial.npz")
        np.savez_compressed(
            partial,
            images=self.images,
            targets=self.targets,
            labels=np.array(self.labels),
            people=self.people,
            origin=self.origin,
        )
        partial.replace(path)
        return path


def load_dataset(path: str | os.PathLike[str]) -> Dataset:
    """Read a ``.npz`` file that `Dataset.save` wrote. Holds no pickled objects.

    Raises:
        DataError: Missing, damaged, or not such a file.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"`path` must be a .npz file of faces. Received {path}: no such file.")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return Dataset(
                stored["images"],
                stored["targets"],
                tuple(str(label) for label in stored["labels"]),
                stored["people"],
                stored["origin"],
            )
    except _DAMAGE as error:
        if isinstance(error, (DataError, LabelError)):
            raise
        raise DataError(
            f"{path} must be a .npz file written by Dataset.save. Received: {error}. "
            "Make it again with `emopy data prepare`."
        ) from error
