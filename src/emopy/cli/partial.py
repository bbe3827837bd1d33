"""`PartialResults`: what a run over many images has done, so that it can be resumed.

Beside the file that is asked for, ``faces.csv.partial`` grows by a line of JSON per image. The
first line is the record of how they are made. The file that is asked for is written from it when
all images are done, so that it is the same whether or not the run was interrupted.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from emopy.cli.inputs import Source
from emopy.cli.records import Settings
from emopy.errors import InputError
from emopy.files import file_name, sync
from emopy.locks import lock
from emopy.settings import differences

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.types import FacePrediction, FailedInput, ImageResult

SUFFIX = ".partial"
"""What is appended to the name of the file that is asked for."""

_SYNC_S = 3.0
"""Seconds after which what was written is forced onto the disk."""

_BEGIN = b'{"emopy": "partial results"'
_COMPLETE = b'{"complete": true}\n'

Key = tuple[str, int]
"""An image: its name, and how often it was named before."""

State = list[Any]
"""What changes with an image: its size and date, or a checksum; empty if there is no such file."""


def partial_path(target: Path) -> Path:
    """Return the path of the partial results of a file."""
    target = Path(os.path.realpath(target))
    return target.with_name(file_name(target.name, SUFFIX))


def partial_folder(targets: Iterable[Path]) -> Path:
    """Return the folder of the partial results of one or more files that are written together.

    It is beside the first of them; in a run that is resumed, other files may have been added.
    """
    places = [partial_path(target) for target in targets]
    return next((place for place in places if place.is_dir()), places[0])


def two_runs_at_once(option: str, target: Path) -> InputError:
    """Return the error for a file that another run is writing."""
    return InputError(
        f"{option} must not be written by two runs at once. Received {target}, which another one "
        "is writing. Wait for its end, or choose another name."
    )


def is_complete(target: Path) -> bool:
    """Return whether a run was stopped when the file it was asked for had just appeared."""
    try:
        with partial_path(target).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - len(_COMPLETE)))
            return file.read() == _COMPLETE
    except OSError:
        return False


def image_keys(images: Sequence[Source]) -> list[Key]:
    """Return what tells the images of a run apart."""
    seen: Counter[str] = Counter()
    keys: list[Key] = []
    for image in images:
        name = image if isinstance(image, str) else str(getattr(image, "name", "-"))
        keys.append((name, seen[name]))
        seen[name] += 1
    return keys


def image_state(image: Source) -> State:
    """Return what changes with an image."""
    if isinstance(image, BytesIO):
        return [hashlib.sha256(image.getbuffer()).hexdigest()]
    try:
        state = os.stat(image)  # noqa: PTH116  a name may be empty, or hold a zero byte
    except (OSError, ValueError):
        return []
    return [state.st_size, state.st_mtime_ns]


@dataclass(frozen=True, slots=True)
class _Entry:
    """An image that is done.

    Attributes:
        place: Where its line begins.
        state: What it was like.
        drawn: Name of the file in which it is drawn.
        failed: Whether it could not be read.
    """

    place: int
    state: State
    drawn: str | None
    failed: bool


class PartialResults:
    """The results of the images that are done; use it in a ``with`` block.

    Each image is written as soon as it is done. When the block ends, the file stays, unless
    no image is done or `complete` was called.

    Args:
        target: The file that is asked for.
        settings: How results are made.
        labels: Labels of every prediction, in order.
        min_confidence: As for `Prediction`.
        overwrite: Whether results that were made in another way are dropped. What a run with it
            began, a run with it resumes.

    Attributes:
        path: The file with the results.
        target: The file that is asked for.

    Raises:
        InputError: There are results that were made in another way, another run is writing them,
            or the folder cannot be written.
    """

    def __init__(
        self,
        target: Path,
        settings: Settings,
        *,
        labels: tuple[str, ...],
        min_confidence: float,
        overwrite: bool,
    ) -> None:
        self.path = partial_path(target)
        self.target = target
        self._settings = settings
        self._labels = labels
        self._min_confidence = min_confidence
        self._overwrite = overwrite
        self._entries: dict[Key, _Entry] = {}

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self.path.open("a+b")
        except OSError as error:
            raise InputError(
                f"`path` must be a file that can be written. Received {str(self.target)!r}: "
                f"{error.strerror}. Choose another folder."
            ) from error
        try:
            self._lock()
            end = self._read()
            self._file.truncate(end)
            if not end:
                self._begin()
        except BaseException:
            self._file.close()
            raise
        self._end = self._file.seek(0, os.SEEK_END)
        self._synced = time.monotonic()
        return self

    def __exit__(self, *error: object) -> None:
        self._close()
        if not self._entries:
            self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        with suppress(OSError):  # of a full disk, which was reported
            self._file.close()

    def discard(self) -> None:
        """Remove the file, whether or not the one that was asked for is there."""
        self._close()  # Windows removes no open file
        self.path.unlink(missing_ok=True)

    def mark_complete(self) -> None:
        """Note that the file that was asked for will appear now."""
        self._write(_COMPLETE, sync=True)

    def complete(self) -> None:
        """Remove the file after the one that was asked for is safe on the disk."""
        sync(self.target)
        self.discard()

    @property
    def drawings(self) -> set[str]:
        """Names of the files in which images were drawn that are done."""
        return {entry.drawn for entry in self._entries.values() if entry.drawn}

    def is_done(self, key: Key, image: Source) -> bool:
        """Return whether an image is done, and unchanged since."""
        entry = self._entries.get(key)
        return entry is not None and entry.state == image_state(image)

    def drawn(self, key: Key) -> str | None:
        """Return the name of the file in which an image was drawn that is done."""
        entry = self._entries.get(key)
        return entry.drawn if entry else None

    def has_failed(self, key: Key) -> bool:
        """Return whether an image that is done could not be read."""
        return self._entries[key].failed

    def result(self, key: Key) -> ImageResult | FailedInput:
        """Return the result of an image that is done."""
        self._file.seek(self._entries[key].place)
        return unpack_result(json.loads(self._file.readline()), self._labels, self._min_confidence)

    def add(
        self, key: Key, state: State, result: ImageResult | FailedInput, *, drawn: str | None
    ) -> None:
        """Write a result.

        Args:
            key: The image.
            state: What it was like before it was read.
            result: Its result.
            drawn: Name of the file in which it will be drawn: the result is forced onto the disk,
                so that no drawing is left whose image is not done.
        """
        packed = pack_result(result)
        line = {"image": key, "state": state, **({"drawn": drawn} if drawn else {}), **packed}
        self._write(json.dumps(line).encode() + b"\n", sync=drawn is not None)
        self._entries[key] = _Entry(self._end, state, drawn, "error" in packed)
        self._end = self._file.tell()

    def _write(self, line: bytes, *, sync: bool) -> None:
        try:
            self._file.seek(0, os.SEEK_END)
            self._file.write(line)
            self._file.flush()
            if sync or time.monotonic() - self._synced > _SYNC_S:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            error.filename = str(self.path)
            raise

    def _begin(self) -> None:
        record = {"overwrite": self._overwrite, "settings": self._settings}
        line = _BEGIN + b", " + json.dumps(record).encode().removeprefix(b"{") + b"\n"
        self._synced = time.monotonic()
        self._write(line, sync=True)

    def _lock(self) -> None:
        """Refuse a second run with the same file, where the file system can tell."""
        if not lock(self._file):
            raise two_runs_at_once("--out", self.target)

    def _read(self) -> int:
        """Read what is done, and return where it ends: before a line that is not whole."""
        self._file.seek(0)
        first = self._file.readline()
        if not first.endswith(b"\n") and _BEGIN.startswith(first[: len(_BEGIN)]):
            return 0
        try:
            record = json.loads(first)
            made, overwrite = record["settings"], record["overwrite"]
        except (ValueError, LookupError, TypeError):
            if self._overwrite:
                return 0
            raise InputError(
                f"{self.path} must hold the results of an interrupted run. Received another file. "
                "Rename it, choose another --out, or add --overwrite."
            ) from None
        differ = differences(made, self._settings)
        if self._overwrite and (differ or not overwrite):
            return 0
        if differ:
            raise InputError(
                "--out must be a new file, or one that the same options began. Received "
                f"{self.target}, which was begun with other options: {differ}. Rerun the command "
                "with the same options to resume it, or add --overwrite to start again."
            )
        end = self._file.tell()
        while line := self._file.readline():
            try:
                if not line.endswith(b"\n"):
                    break
                entry = json.loads(line)
                (name, number), failed = entry["image"], "error" in entry
                found = _Entry(end, entry["state"], entry.get("drawn"), failed)
            except (ValueError, LookupError, TypeError):
                break  # the power failed: what follows may not be whole either
            self._entries[name, number] = found
            end = self._file.tell()
        return end


def pack_result(result: ImageResult | FailedInput) -> dict[str, Any]:
    """Return a result as an object that JSON can hold."""
    from emopy.types import FailedInput

    if isinstance(result, FailedInput):
        error = str(result.error) or type(result.error).__name__
        return {"source": result.source, "error": error}
    faces = [_pack_face(face) for face in result.faces]
    return {
        "source": result.source,
        "size": [*map(int, result.size)],
        "time_s": result.time_s,
        "frame": result.frame,
        "faces": faces,
    }


def _pack_face(found: FacePrediction) -> dict[str, Any]:
    box, marks = found.box, found.face.landmarks
    return {
        "box": [float(edge) for edge in (box.left, box.top, box.right, box.bottom)],
        "score": float(found.face.score),
        "landmarks": marks if marks is None else marks.tolist(),
        "track": found.track if found.track is None else int(found.track),
        "probabilities": [_shortest(number) for number in found.prediction.probabilities],
    }


def _shortest(number: Any) -> float:
    """Return the shortest decimal that stands for the same float32."""
    return float(str(number))


def unpack_result(
    packed: dict[str, Any], labels: tuple[str, ...], min_confidence: float
) -> ImageResult | FailedInput:
    """Return the result that was packed.

    Args:
        packed: What `pack_result` returned.
        labels: Labels of every prediction, in order.
        min_confidence: As for `Prediction`.
    """
    import numpy as np

    from emopy.types import Box, Face, FacePrediction, FailedInput, ImageResult, Prediction

    if "error" in packed:
        return FailedInput(packed["source"], InputError(packed["error"]))
    faces: list[FacePrediction] = []
    for each in packed["faces"]:
        marks = each["landmarks"]
        face = Face(
            Box(*each["box"]),
            each["score"],
            None if marks is None else np.array(marks, np.float32),
            each["track"],
        )
        probabilities = np.array(each["probabilities"], np.float32)
        faces.append(FacePrediction(face, Prediction(labels, probabilities, min_confidence)))
    width, height = packed["size"]
    place = packed["time_s"], packed["frame"]
    return ImageResult(packed["source"], (width, height), tuple(faces), *place)
