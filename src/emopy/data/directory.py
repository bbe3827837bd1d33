"""`DirectoryDataLoader`: a folder of pictures, one folder per emotion."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.data.problems import Problem, refuse
from emopy.errors import DataError, InputError
from emopy.labels import canonical, select_labels
from emopy.media import find_images, read_image
from emopy.models.card import InputSpec
from emopy.models.preprocess import to_tensor

_SMALLEST_PX = 8


class DirectoryDataLoader:
    """Loads face pictures that are sorted into one folder per emotion.

        faces/anger/001.png
        faces/happy/001.jpg      # "happy" is read as "happiness"

    Folder names are labels: aliases are understood, two spellings of one emotion are merged,
    other words become labels of your own. Pictures may lie deeper, in a folder per person.
    Every picture is one face and is resized as prediction would do it.

    Args:
        path: The folder that holds the folders.
        size: (height, width) in pixels that every picture is resized to.
        channels: 1 for gray, 3 for RGB.
        target_emotions: Labels to load, in this order; every folder by default.
        people: Who is shown: a regular expression, searched in the path below `path` (its first
            group, or the whole match, is the person), or a function of that path. Nobody is
            known by default.
        strict: Refuse the folder when any file is bad; otherwise bad files are listed in
            `problems` and the rest is loaded.

    Attributes:
        problems: Files that `load_data` could not read.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        size: tuple[int, int] = (48, 48),
        channels: int = 1,
        target_emotions: str | Sequence[str] | None = None,
        people: str | re.Pattern[str] | Callable[[Path], str] | None = None,
        strict: bool = False,
    ) -> None:
        if len(size) != 2 or min(size) < _SMALLEST_PX or channels not in (1, 3):
            raise DataError(
                f"`size` must be (height, width) of at least {_SMALLEST_PX} pixels and `channels` "
                f"1 or 3. Received size={size}, channels={channels}."
            )
        self.path = Path(path)
        self.target_emotions = target_emotions
        self.strict = strict
        self.problems: tuple[Problem, ...] = ()
        self._spec = InputSpec(*size, channels, scale=1.0)
        self._person = _person_finder(people)

    def load_data(self) -> Dataset:
        """Read the pictures, label by label, in natural order of their names.

        A label whose folder is empty stays, with no sample.

        Returns:
            (n, height, width, channels) faces with one-hot targets; labels in alphabetical
            order, or as asked for; `origin` is the path below `path`.

        Raises:
            DataError: No such folder, fewer than two labels, or no picture; with ``strict``,
                any bad file.
            LabelError: A wanted label has no folder.
        """
        folders = _label_folders(self.path)
        labels = tuple(sorted(folders))
        if self.target_emotions is not None:
            labels = select_labels(self.target_emotions, labels)
        problems: list[Problem] = []
        images: list[NDArray[np.uint8]] = []
        truth: list[int] = []
        files: list[Path] = []
        for column, label in enumerate(labels):
            for file, image in self._read(folders[label], problems):
                images.append(image)
                truth.append(column)
                files.append(file.relative_to(self.path))
        self.problems = tuple(problems)
        if self.strict:
            refuse(problems, "files")
        if not images:
            raise DataError(
                f"`path` must hold pictures in its folders {', '.join(labels)}. "
                f"Received {self.path}: none could be read ({len(problems)} bad files)."
            )
        return Dataset(
            np.stack(images),
            np.eye(len(labels), dtype=np.float32)[truth],
            labels,
            np.array([self._person(file) for file in files], dtype=np.str_),
            np.array([file.as_posix() for file in files], dtype=np.str_),
        )

    def _read(
        self, folders: Iterable[Path], problems: list[Problem]
    ) -> Iterator[tuple[Path, NDArray[np.uint8]]]:
        for folder in folders:
            pictures = find_images([folder], recursive=True)
            others = sorted(_visible_files(folder) - set(pictures))
            problems += [Problem(str(file), "not a picture by its suffix") for file in others]
            for file in pictures:
                try:
                    image = to_tensor([read_image(file)], self._spec)[0].astype(np.uint8)
                except InputError as error:
                    problems.append(Problem(str(file), str(error)))
                else:
                    yield file, image


def _label_folders(path: Path) -> dict[str, list[Path]]:
    """Folders of each label; two spellings share one entry."""
    if not path.is_dir():
        raise DataError(f"`path` must be a folder of folders. Received {path}: no such folder.")
    found: dict[str, list[Path]] = {}
    for folder in sorted(path.iterdir()):
        if folder.is_dir() and not folder.name.startswith("."):
            found.setdefault(canonical(folder.name), []).append(folder)
    if len(found) < 2:
        raise DataError(
            "`path` must hold at least two folders named after emotions, such as anger/ and "
            f"happiness/. Received {path} with {', '.join(found) or 'none'}."
        )
    return found


def _visible_files(folder: Path) -> set[Path]:
    return {
        Path(here, name)
        for here, _, names in os.walk(folder)
        for name in names
        if not name.startswith(".")
        and not any(part.startswith(".") for part in Path(here).relative_to(folder).parts)
    }


def _person_finder(
    people: str | re.Pattern[str] | Callable[[Path], str] | None,
) -> Callable[[Path], str]:
    if people is None:
        return lambda _: ""
    if callable(people):
        return people
    try:
        pattern = re.compile(people)
    except re.error as error:
        raise DataError(
            f"`people` must be a regular expression. Received {people!r}: {error}. "
            r"Type for example r'(S\d+)_'."
        ) from error

    def find(file: Path) -> str:
        match = pattern.search(file.as_posix())
        return (match[1] if pattern.groups else match[0]) or "" if match else ""

    return find
