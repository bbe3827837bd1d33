"""The Extended Cohn-Kanade folders (CK+), turned into one folder per emotion.

CK+ keeps clips that go from a neutral face to the peak of an expression in
``cohn-kanade-images/S005/001/*.png``, and the number of the emotion in
``Emotion/S005/001/*_emotion.txt`` (Lucey et al. 2010, "The Extended Cohn-Kanade Dataset (CK+)",
https://doi.org/10.1109/CVPRW.2010.5543262). Only some of the clips have one. The images may not
be passed on: what is written here is for the licensee alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import SkippedSample
from emopy.data.directory import save_image
from emopy.errors import DataError, InputError
from emopy.faces import Detector, align_face, detect, get_detector, largest_first
from emopy.files import atomic_folder
from emopy.media import find_images, read_image
from emopy.media.paths import is_system_entry
from emopy.models.card import InputSpec

CKPLUS_LABELS: tuple[str, ...] = (
    "neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise",
)  # fmt: skip
"""Labels of the numbers 0 to 7 in CK+."""

_IMAGE_FOLDERS = ("cohn-kanade-images", "extended-cohn-kanade-images")
_LABEL_FOLDERS = ("Emotion", "Emotion_labels")


@dataclass(frozen=True, slots=True)
class ConvertReport:
    """What `convert_ckplus` wrote.

    Attributes:
        path: The new folder.
        samples: Stills or clips per label.
        unlabeled: Clips without an emotion in CK+, which are not written.
        skipped: Clips and files that could not be used.
    """

    path: Path
    samples: dict[str, int]
    unlabeled: int
    skipped: tuple[SkippedSample, ...]

    def __str__(self) -> str:
        lines = [f"{label:<12}{count:>7,}" for label, count in self.samples.items()]
        return "\n".join(
            [
                *lines,
                f"{'all':<12}{sum(self.samples.values()):>7,}   {self.path}",
                f"Skipped: {self.unlabeled:,} clips without an emotion, "
                f"{len(self.skipped):,} bad clips",
            ]
        )


def convert_ckplus(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    kind: Literal["stills", "clips"] = "stills",
    peaks: int = 3,
    first: Literal["neutral", "skip"] = "neutral",
    size: tuple[int, int] = (96, 96),
    detector: str | Detector = "mtcnn",
) -> ConvertReport:
    r"""Write CK+ as one folder per emotion, faces cropped as for prediction.

    Stills are named ``anger/S005_001_00000011.png``, clips ``anger/S005_001/…``: load them with
    ``subject_regex=r"S\d+"``, so that no subject is in two splits.

    Args:
        path: The folder of the unpacked CK+.
        out: The new folder; it appears only after all is written.
        kind: ``"stills"`` or ``"clips"``; `DirectoryDataLoader` loads clips with `num_frames`.
        peaks: For stills, number of frames at the end of each clip to write.
        first: For stills, whether the first frame of each clip is written as neutral.
        size: (height, width) of the faces in pixels.
        detector: What finds the face: a name or a detector; ``"full-image"`` where the images are
            faces already. The face in its first frame gives a clip its framing.

    Returns:
        What was written and what was skipped.

    Raises:
        DataError: Not the folders of CK+, a bad argument, or nothing to write.
        InputError: `out` is not empty, or cannot be written.
    """
    if kind not in ("stills", "clips") or first not in ("neutral", "skip") or peaks < 1:
        raise DataError(
            "`kind` must be 'stills' or 'clips', `first` 'neutral' or 'skip' and `peaks` 1 or "
            f"more. Received kind={kind!r}, first={first!r}, peaks={peaks}."
        )
    images = _find_folder(Path(path), _IMAGE_FOLDERS)
    emotions = _find_folder(Path(path), _LABEL_FOLDERS)
    crop = _Cropper(get_detector(detector), InputSpec(*size, 3))
    skipped: list[SkippedSample] = []
    samples: dict[str, int] = dict.fromkeys(CKPLUS_LABELS, 0)
    unlabeled = 0
    with atomic_folder(out) as folder:
        for place in _clips(images):
            try:
                label = _label(emotions / place)
                if label is None:
                    unlabeled += 1
                    continue
                clip = _Clip("_".join(place.parts), find_images(images / place), label)
                if kind == "clips":
                    written = _write_clip(clip, folder, crop)
                else:
                    written = _write_stills(clip, folder, crop, peaks, neutral=first == "neutral")
            except (DataError, InputError) as error:
                skipped.append(SkippedSample(str(images / place), str(error)))
            else:
                for emotion in written:
                    samples[emotion] += 1
        if not any(samples.values()):
            raise DataError(
                f"`path` must hold clips with an emotion. Received {path}: {unlabeled} without "
                f"one, {len(skipped)} bad ones. Unpack both folders of CK+ into it."
            )
    return ConvertReport(Path(out), samples, unlabeled, tuple(skipped))


@dataclass(frozen=True, slots=True)
class _Clip:
    """One clip: its name such as ``S005_001``, its frames in order, and its emotion."""

    name: str
    frames: list[Path]
    label: str

    def file_name(self, frame: Path) -> str:
        has_name = frame.stem.startswith(self.name)
        return f"{frame.stem if has_name else f'{self.name}_{frame.stem}'}.png"


@dataclass(frozen=True, slots=True)
class _Cropper:
    """Crops the same face from some frames of a clip."""

    detect: Detector
    spec: InputSpec

    def __call__(self, first: Path, frames: list[Path]) -> list[NDArray[np.uint8]]:
        faces = largest_first(detect(self.detect, read_image(first)))
        if not faces:
            raise DataError(f"the detector found no face in {first.name}")
        # One framing for all: boxes that are detected in each frame would tremble.
        return [align_face(read_image(frame), faces[0], self.spec) for frame in frames]


def _write_clip(clip: _Clip, folder: Path, crop: _Cropper) -> list[str]:
    faces = crop(clip.frames[0], clip.frames)
    target = folder / clip.label / clip.name
    target.mkdir(parents=True)
    for frame, face in zip(clip.frames, faces, strict=True):
        save_image(face, target / clip.file_name(frame))
    return [clip.label]


def _write_stills(
    clip: _Clip, folder: Path, crop: _Cropper, peaks: int, *, neutral: bool
) -> list[str]:
    """Write the last frames, and the first where there is one before them."""
    start = [(clip.frames[0], "neutral")] if neutral and len(clip.frames) > peaks else []
    labeled = [*start, *((frame, clip.label) for frame in clip.frames[-peaks:])]
    faces = crop(clip.frames[0], [frame for frame, _ in labeled])
    for (frame, label), face in zip(labeled, faces, strict=True):
        (folder / label).mkdir(exist_ok=True)
        save_image(face, folder / label / clip.file_name(frame))
    return [label for _, label in labeled]


def _find_folder(path: Path, names: tuple[str, ...]) -> Path:
    """The folder of one of these names, in the given folder or one level deeper.

    The archives of CK+ unpack into folders that repeat their own name.
    """
    for name in names:
        for found in (path / name / name, path / name, *sorted(path.glob(f"*/{name}"))):
            if found.is_dir() and not is_system_entry(found.parent.name):
                return found
    raise DataError(
        f"`path` must hold the folders {_IMAGE_FOLDERS[0]} and {_LABEL_FOLDERS[0]} of CK+. "
        f"Received {path} without {names[0]}. Unpack both into it."
    )


def _clips(images: Path) -> list[Path]:
    """Place of each clip below the folder, such as S005/001, in natural order."""
    files = find_images(images, recursive=True)
    return list(dict.fromkeys(file.parent.relative_to(images) for file in files))


def _label(folder: Path) -> str | None:
    """The emotion of a clip; None if CK+ has none."""
    found = sorted(folder.glob("*_emotion.txt")) if folder.is_dir() else []
    files = [file for file in found if not is_system_entry(file.name)]
    if not files:
        return None
    text = files[0].read_text(encoding="utf-8", errors="replace").strip()
    try:
        return CKPLUS_LABELS[_whole_number(text)]
    except (ValueError, IndexError):
        raise DataError(
            f"{files[0].name} must hold a number 0 to 7. Received {text[:20]!r}"
        ) from None


def _whole_number(text: str) -> int:
    number = float(text)
    if number < 0 or not number.is_integer():
        raise ValueError
    return int(number)
