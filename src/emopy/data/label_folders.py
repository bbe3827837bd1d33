"""Which folders of a data set hold which label, and the layouts with more folders above them.

faces/anger/1.png                one folder per label
people/s01/anger/1.png           one folder per person, in each one folder per label
fer2013/train/anger/1.png        one folder per split, in each one of the layouts above
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emopy.data.dataset import SkippedSample
from emopy.errors import DataError
from emopy.escaping import one_line
from emopy.labels import (
    ALL_EMOTIONS,
    FER2013_LABELS,
    canonical,
    is_number,
    probable_emotion,
)
from emopy.media import IMAGE_SUFFIXES
from emopy.media.paths import is_system_entry

_SPLIT_WORDS = frozenset({
    "train", "training", "trainset", "test", "testing", "testset",
    "val", "valid", "validation", "valset", "dev", "eval", "evaluation", "calibration", "holdout",
    "publictest", "privatetest",
})  # fmt: skip
"""Words in the names of folders of splits, such as ``train`` and ``test_images``."""

_MAX_DEPTH = 3
_MAX_SEARCHED = 1000
"""Folders that are searched for the path to suggest."""

_RULE = "`path` must hold at least two folders named after emotions, such as anger/ and happiness/."


@dataclass(frozen=True, slots=True)
class LabelFolders:
    """The folders of each label.

    Attributes:
        folders: Label → its folders. Two spellings of one emotion are one label.
        by_subject: Whether they are in a folder per person, whose name is the subject id.
    """

    folders: dict[str, list[Path]]
    by_subject: bool


def find_label_folders(path: Path, skipped: list[SkippedSample]) -> LabelFolders:
    """Find the folders of each label. Hidden and system entries are left out.

    Args:
        path: The folder of the data set.
        skipped: Receives the images that are in no folder of a label.

    Raises:
        DataError: No such folder, fewer than two labels, splits or other folders above the
            labels, or numbers or bytes that are not text for labels.
    """
    if not path.is_dir():
        raise DataError(f"`path` must be a folder of folders. Received {path}: no such folder.")
    tops = _folders_in(path)
    _refuse_other_layouts(path, tops)
    subjects = _subject_folders(path, tops)
    for folder in (path, *subjects):
        skipped += _loose_images(folder)
    labeled = [inner for subject in subjects for inner in _folders_in(subject)] or tops
    found: dict[str, list[Path]] = {}
    for folder in labeled:
        found.setdefault(_label_of(folder), []).append(folder)
    _refuse_numbers(path, found)
    if len(found) < 2:
        raise DataError(f"{_RULE} Received {path} with {', '.join(found) or 'none'}.")
    return LabelFolders(found, bool(subjects))


def split_folders(path: Path) -> tuple[Path, ...]:
    """Return the folders of the splits in a folder, that for training first; mostly none."""
    filled = [folder for folder in _folders_in(path) if _has_samples(folder)]
    filled.sort(key=lambda folder: "train" not in folder.name.lower())
    return tuple(filled) if all(map(_is_split, filled)) else ()


def _refuse_other_layouts(path: Path, tops: Sequence[Path]) -> None:
    """Refuse folders whose names are not labels, and say which path to type instead."""
    if splits := split_folders(path):
        holding = [split for split in splits if _folders_in(split)]
        raise DataError(
            f"{_RULE} Received {path}, which is split already. "
            f"Type {' or '.join(map(str, holding))}"
            if holding
            else f"{_RULE} Received {path} with {', '.join(split.name for split in splits)}, which "
            "are splits without labels."
        )
    emotions = [folder for folder in tops if _is_emotion(folder)]
    if not emotions and (above := _folder_of_emotions_above(path)):
        raise DataError(f"{_RULE} Received {path}, the folder of one label. Type {above}")
    if not tops and _has_samples(path):
        raise DataError(
            f"{_RULE} Received {path} with images but no folder. Type the folder above it: "
            f"{_parent(path)}"
        )
    odd = [folder for folder in tops if not _is_emotion(folder) and _holds_emotions(folder)]
    odd += [folder for folder in tops if emotions and folder not in odd and _is_split(folder)]
    if emotions and odd:
        raise DataError(
            f"{_RULE} Received {path}, where {odd[0].name}/ is beside folders of emotions. "
            f"Move it out of {path}, or type {odd[0]} to load it alone."
        )


def _subject_folders(path: Path, tops: Sequence[Path]) -> list[Path]:
    """The folders per person above the labels; empty if the labels are not below such folders.

    Raises:
        DataError: Folders of emotions are further down, but not in each folder.
    """
    if any(_is_emotion(folder) for folder in tops):
        return []
    filled = [folder for folder in tops if _has_samples(folder)]
    above = [folder for folder in filled if _holds_emotions(folder)]
    if len(above) > 1 and above == filled and not any(map(_is_split, above)):
        return above
    if above and above != filled:
        other = next(folder for folder in filled if folder not in above)
        raise DataError(
            f"{_RULE} Received {path}, where {above[0].name}/ holds folders of emotions but "
            f"{other.name}/ does not. Type for example {above[0]}"
        )
    if found := next(iter(above), None) or _search_folder_of_emotions(path):
        raise DataError(
            f"{_RULE} Received {path}, where the emotions are further down. Type for example "
            f"{found}"
        )
    return []


def _refuse_numbers(path: Path, labels: dict[str, list[Path]]) -> None:
    """Refuse numbers for labels: each data set counts its labels in another order."""
    if numbers := [label for label in labels if is_number(label)]:
        fer2013 = ", ".join(f"{code} is {label}" for code, label in FER2013_LABELS.items())
        raise DataError(
            f"The folders in {path} must be named after labels. Received {', '.join(numbers)}. "
            f"Rename them as the data set says: in FER2013, {fer2013}."
        )


def _label_of(folder: Path) -> str:
    if one_line(folder.name) != folder.name:
        raise DataError(
            "The folder of a label must have a name of printable characters in UTF-8. Received "
            f"{folder.name!a} in {folder.parent}. Rename it."
        )
    return canonical(folder.name)


def _is_emotion(folder: Path) -> bool:
    return canonical(folder.name) in ALL_EMOTIONS or probable_emotion(folder.name) is not None


def _is_split(folder: Path) -> bool:
    return not _SPLIT_WORDS.isdisjoint(re.split(r"[\W\d_]+", folder.name.lower()))


def _holds_emotions(folder: Path) -> bool:
    return any(canonical(inner.name) in ALL_EMOTIONS for inner in _folders_in(folder))


def _folder_of_emotions_above(path: Path) -> Path | None:
    """The folder above, if this one is the folder of an emotion among others."""
    name = path.resolve().name
    if canonical(name) not in ALL_EMOTIONS or _holds_emotions(path):
        return None
    siblings = [folder for folder in _folders_in(_parent(path)) if folder.name != name]
    return _parent(path) if any(map(_is_emotion, siblings)) else None


def _parent(path: Path) -> Path:
    return path.resolve().parent if path.name in ("", "..") else path.parent


def _search_folder_of_emotions(path: Path) -> Path | None:
    """The nearest folder below that holds folders of two emotions or more."""
    waiting = deque([(path, 0)])
    searched = 0
    while waiting and searched < _MAX_SEARCHED:
        folder, depth = waiting.popleft()
        searched += 1
        inner = _folders_in(folder)
        if depth and sum(canonical(each.name) in ALL_EMOTIONS for each in inner) > 1:
            return folder
        if depth < _MAX_DEPTH:
            waiting += [(each, depth + 1) for each in inner]
    return None


def _folders_in(folder: Path) -> list[Path]:
    """Folders in a folder, without hidden and system ones; none if it cannot be listed."""
    try:
        entries = [entry for entry in folder.iterdir() if not is_system_entry(entry.name)]
        return sorted(entry for entry in entries if entry.is_dir())
    except OSError:
        return []


def _has_samples(folder: Path) -> bool:
    """Whether a folder holds a folder or an image; False if it cannot be listed."""
    try:
        entries = [entry for entry in folder.iterdir() if not is_system_entry(entry.name)]
        return any(entry.suffix.lower() in IMAGE_SUFFIXES or entry.is_dir() for entry in entries)
    except OSError:
        return False


def _loose_images(folder: Path) -> list[SkippedSample]:
    """Images beside the folders of the labels."""
    return [
        SkippedSample(str(entry), "an image outside the folders of the labels")
        for entry in sorted(folder.iterdir())
        if entry.suffix.lower() in IMAGE_SUFFIXES
        and not is_system_entry(entry.name)
        and not entry.is_dir()
    ]
