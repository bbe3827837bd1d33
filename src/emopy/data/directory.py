"""One folder per emotion: load images and clips from it, or write them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy.data.dataset import Dataset, ImageStats, SkippedSample, refuse_skipped
from emopy.data.label_folders import LabelFolders, find_label_folders
from emopy.errors import DataError, InputError
from emopy.files import atomic_folder
from emopy.labels import canonical, composed, is_number, select_labels
from emopy.media import DEFAULT_MAX_PIXELS, IMAGE_SUFFIXES, find_images, read_image
from emopy.media.paths import is_system_entry
from emopy.models.card import InputSpec
from emopy.models.preprocessing import to_pixels

_MAX_NAME_LENGTH = 100
"""Characters of the name of a file that `save_folders` writes."""

SubjectRule: TypeAlias = str | re.Pattern[str] | Callable[[Path], str]
"""How a path gives a subject id: a regular expression, or a function of the path."""

MIN_SIDE_PX = 8
"""Smallest side of a face, in pixels."""


class DirectoryDataLoader:
    """Loads face images, or clips of one face each, from one folder per emotion.

        faces/anger/001.png                    # stills
        faces/happy/001.jpg                    # "happy" is read as "happiness"

        clips/anger/S005_001/1.png … 11.png    # clips, with num_frames=4: one folder per clip
        clips/happy/S010_004/1.png … 14.png

    Folder names are labels: aliases are understood, two spellings of one emotion are merged,
    other words become your own labels; numbers are refused. Images and clips may be deeper, in a
    folder per person. Where instead every person has folders of emotions, ``s01/anger/1.png``, the
    name of the first folder is the subject id. Folders of splits are loaded one by one. Hidden
    files and those that systems add, such as ``__MACOSX`` and ``Thumbs.db``, are left out. Every
    image is one face; it is resized as for prediction. Of a clip the last `num_frames`
    frames are loaded, in natural order of their names (``2.png`` before ``10.png``).

    Args:
        path: The folder that holds the folders of the emotions.
        num_frames: Frames per clip, 2 or more; shorter clips are skipped. None for stills.
        size: (height, width) in pixels that every image is resized to.
        channels: 1 for gray, 3 for RGB.
        target_emotions: Labels to load, in this order; every folder by default.
        subject_regex: How the path of an image, or of a clip's folder, gives the subject id: a
            regular expression, searched in the path below `path` (its first group, or the whole
            match, is the id), or a function of that path. By default subject ids are unknown,
            but for folders per person above the emotions.
        strict: Raise an error when any file or clip is bad; otherwise bad ones are listed in
            `Dataset.skipped` and the rest is loaded.

    Attributes:
        max_pixels: Largest image that is loaded, width × height in pixels; may be set before
            `load_data`.

    Raises:
        DataError: A bad argument.
    """

    max_pixels = DEFAULT_MAX_PIXELS

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        num_frames: int | None = None,
        size: tuple[int, int] = (48, 48),
        channels: int = 1,
        target_emotions: str | Sequence[str] | None = None,
        subject_regex: SubjectRule | None = None,
        strict: bool = False,
    ) -> None:
        if num_frames is not None and (type(num_frames) is not int or num_frames < 2):
            raise DataError(
                "`num_frames` must be a whole number of frames, 2 or more, or None for stills. "
                f"Received {num_frames!r}. Type for example `num_frames=4`."
            )
        if len(size) != 2 or min(size) < MIN_SIDE_PX or channels not in (1, 3):
            raise DataError(
                f"`size` must be (height, width) of at least {MIN_SIDE_PX} pixels and `channels` "
                f"1 or 3. Received size={size}, channels={channels}."
            )
        self.path = Path(path)
        self.num_frames = num_frames
        self.target_emotions = target_emotions
        self.strict = strict
        self._spec = InputSpec(*size, channels)
        self._subject_rule = subject_regex
        self._subject_id = _subject_finder(subject_regex)

    def load_data(self) -> Dataset:
        """Load the images or clips, label by label, in natural order of their names.

        A label whose folder is empty is kept without a sample.

        Returns:
            (n, height, width, channels) faces, or (n, num_frames, height, width, channels) clips,
            with one-hot targets; labels in alphabetical order, or as requested; `sources` are
            paths below `path`.

        Raises:
            DataError: No such folder, fewer than two labels, folders of splits above them, numbers
                for labels, or nothing that can be loaded; with ``strict``, any bad file or clip.
            LabelError: A requested label has no folder.
        """
        skipped: list[SkippedSample] = []
        stats = ImageStats()
        found = find_label_folders(self.path, skipped)
        labels = tuple(sorted(found.folders))
        if self.target_emotions is not None:
            labels = select_labels(self.target_emotions, labels).known
        samples = _stills if self.num_frames is None else _clips
        images: list[NDArray[np.uint8]] = []
        truth: list[int] = []
        files: list[Path] = []
        for column, label in enumerate(labels):
            for folder in found.folders[label]:
                for file, frames in samples(folder, self.num_frames or 1, skipped):
                    try:
                        loaded = [self._load(frame, stats) for frame in frames]
                    except InputError as error:
                        # A clip without one of its frames would have a gap in time.
                        reason = f"a frame cannot be read: {error}" if self.num_frames else error
                        skipped.append(SkippedSample(str(file), str(reason)))
                        continue
                    images.append(loaded[0] if self.num_frames is None else np.stack(loaded))
                    truth.append(column)
                    files.append(file.relative_to(self.path))
        if not images:
            first = f", the first: {skipped[0]}" if skipped else ""
            raise DataError(
                f"`path` must hold images in its folders {', '.join(labels)}. Received "
                f"{self.path}: none could be read ({len(skipped)} skipped{first})."
            )
        if self.strict:
            refuse_skipped(skipped, "files" if self.num_frames is None else "clips or files")
        return Dataset(
            np.stack(images),
            np.eye(len(labels), dtype=np.float32)[truth],
            labels,
            np.array(self._subject_ids(files, found), dtype=np.str_),
            np.array([file.as_posix() for file in files], dtype=np.str_),
            tuple(skipped),
            stats,
        )

    def _subject_ids(self, files: list[Path], layout: LabelFolders) -> list[str]:
        """Return the subject id in each path.

        Raises:
            DataError: A regular expression matches no path.
        """
        rule = self._subject_rule
        if rule is None and layout.by_subject:
            return [composed(file.parts[0]) for file in files]
        found = [self._subject_id(file) for file in files]
        if rule is None or callable(rule) or any(found):
            return found
        raise DataError(
            "`subject_regex` must match a subject id in the paths. Received "
            f"{getattr(rule, 'pattern', rule)}, which matched none of {len(files)} paths, the "
            f"first: {files[0].as_posix()}. Correct it, or leave it out."
        )

    def _load(self, file: Path, stats: ImageStats) -> NDArray[np.uint8]:
        """(height, width, channels) uint8 of one image."""
        image = read_image(file, max_pixels=self.max_pixels)
        stats.add(image)
        return to_pixels([image], self._spec)[0]


Samples: TypeAlias = Iterator[tuple[Path, list[Path]]]
"""Path of each still or clip, and the files of its frames."""


def _stills(folder: Path, _: int, skipped: list[SkippedSample]) -> Samples:
    images = find_images([folder], recursive=True)
    skipped += _other_files(folder, images)
    return ((file, [file]) for file in images)


def _clips(folder: Path, num_frames: int, skipped: list[SkippedSample]) -> Samples:
    """The last frames of each clip in a folder."""
    images = find_images([folder], recursive=True)
    skipped += _other_files(folder, images)
    skipped += [
        SkippedSample(str(empty), "a clip without frames") for empty in _empty_folders(folder)
    ]
    clips: dict[Path, list[Path]] = {}
    for file in images:
        clips.setdefault(file.parent, []).append(file)
    for file in clips.pop(folder, []):
        skipped.append(SkippedSample(str(file), "an image outside the folders of the clips"))
    for clip, frames in clips.items():
        if len(frames) < num_frames:
            reason = f"has {len(frames)} frames, fewer than num_frames={num_frames}"
            skipped.append(SkippedSample(str(clip), reason))
        else:
            yield clip, frames[-num_frames:]


def _other_files(folder: Path, images: Iterable[Path]) -> list[SkippedSample]:
    """Files that are not images."""
    files = {Path(parent, name) for parent, _, names in _walk_visible(folder) for name in names}
    others = sorted(files - set(images))
    return [SkippedSample(str(file), "not an image by its suffix") for file in others]


def _empty_folders(folder: Path) -> list[Path]:
    """Folders below a folder that hold no visible file or folder."""
    return sorted(
        Path(parent)
        for parent, folders, names in _walk_visible(folder)
        if not folders and not names and Path(parent) != folder
    )


def _walk_visible(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """`os.walk` without hidden and system files and folders."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_system_entry(name)]
        yield parent, folders, [name for name in names if not is_system_entry(name)]


def _subject_finder(rule: SubjectRule | None) -> Callable[[Path], str]:
    """A function from a path to the subject id in it.

    Raises:
        DataError: Not a regular expression.
    """
    if rule is None:
        return lambda _: ""
    if callable(rule):
        return rule
    try:
        pattern = re.compile(rule)
    except re.error as error:
        raise DataError(
            f"`subject_regex` must be a regular expression. Received {rule}: {error}. "
            r"Type for example: '(S\d+)_'"
        ) from error

    def subject_id(file: Path) -> str:
        match = pattern.search(composed(file.as_posix()))
        return (match[1] if pattern.groups else match[0]) or "" if match else ""

    return subject_id


def save_folders(data: Dataset, path: str | os.PathLike[str]) -> Path:
    """Write stills as PNG files, or clips as folders of PNG files, in one folder per label.

    Names consist of subject id, source and row. A label without a sample has an empty folder. Of
    soft targets the dominant label is kept.

    Args:
        data: Stills or clips, to be loaded with `DirectoryDataLoader`.
        path: The new folder; it appears only after all is written.

    Returns:
        The folder.

    Raises:
        DataError: A label cannot be the name of a folder.
        InputError: The folder is not empty, or cannot be written.
    """
    for label in data.labels:
        if is_number(label) or canonical(label) != label or _safe_name(label) != label or not label:
            raise DataError(
                "`labels` must have their standard spelling and be valid folder names. Received "
                f"{label!r}. Type for example {_safe_name(canonical(label)) or 'anger'!r}."
            )
    with atomic_folder(path) as folder:
        for label in data.labels:
            (folder / label).mkdir()
        for row, column in enumerate(data.truth):
            target = folder / data.labels[column] / _file_stem(data, row)
            if data.images.ndim == 4:
                save_image(data.images[row], target.with_name(f"{target.name}.png"))
                continue
            target.mkdir()
            for number, frame in enumerate(data.images[row], start=1):
                save_image(frame, target / f"{number:04}.png")
    return Path(path)


def save_image(image: NDArray[np.uint8], path: Path) -> None:
    """Write an image (H, W, 1 | 3), RGB or gray; equal channels are written as gray."""
    gray = image.shape[-1] == 1 or bool((image == image[..., :1]).all())
    Image.fromarray(np.ascontiguousarray(image[..., 0] if gray else image)).save(path)


def _file_stem(data: Dataset, row: int) -> str:
    """Name of a file from the subject id, source and row of a sample; unique by the row."""
    source = Path(str(data.sources[row]))
    stem = source.with_suffix("") if source.suffix.lower() in IMAGE_SUFFIXES else source
    subject = str(data.subject_ids[row])
    prefix = [] if subject in str(stem) else [subject]
    return _safe_name("_".join([*prefix, str(stem), f"{row:06}"]))[-_MAX_NAME_LENGTH:].lstrip(" .-")


def _safe_name(name: str) -> str:
    """Letters, digits and signs that every file system accepts; no leading dot."""
    return re.sub(r"[^\w. +-]+", "-", name).strip(" .-")
