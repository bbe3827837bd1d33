"""`predict_inputs`, `predict_archive`: the results of the inputs of a shard, in their order.

An input that is not there, or is damaged, is a failed input. What a store or a disk refuses is
an OSError, after which the shard is tried again: a store that fails must not look like a bad image.
"""

from __future__ import annotations

import errno
import io
import tarfile
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import groupby, islice
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeAlias

from emopy.batch.sources import Input, kind_of
from emopy.batch.storage import Storage, is_address
from emopy.errors import EmoPyError, ImageWarning, InputError
from emopy.fermodel import FERModel
from emopy.media import describe_source, open_video
from emopy.media.paths import is_system_entry
from emopy.types import FailedInput, ImageResult

Results: TypeAlias = Iterator[ImageResult | FailedInput]

_AHEAD = 8
"""Objects of a store that are fetched while others are predicted."""

_OF_THE_MACHINE = {
    getattr(errno, name, None)
    for name in ("ESTALE", "ETIMEDOUT", "ENOTCONN", "EHOSTDOWN", "EMFILE", "ENFILE", "ENOMEM")
} - {None}
"""Errors of a file that are none of the file: a file server that is gone, no memory."""


def predict_inputs(
    inputs: Iterable[Input], model: FERModel, settings: Mapping[str, Any]
) -> Results:
    """Yield the results of images and videos.

    Raises:
        OSError: A store, or a file server, fails.
    """
    for is_image, group in groupby(inputs, lambda each: each.kind == "image"):
        if is_image:
            yield from _predict_images(_opened([each.path for each in group]), model)
        else:
            for each in group:
                yield from _predict_video(each.path, model, settings)


def predict_archive(path: str, model: FERModel, start: int, stop: int | None) -> Results:
    """Yield the results of the images of a tar file, from one to another.

    Raises:
        OSError: A store, or a file server, fails.
    """
    try:
        for name, read in islice(archive_images(path), start, stop):
            yield from _predict_images([_named(name, read())], model)
    except tarfile.TarError as error:
        reason = f"`source` must be a whole tar file. Received {path!r}: {error}."
        yield FailedInput(path, InputError(reason))


def count_archive(path: str) -> int:
    """Return how many results a tar file has: its images, and one more if it is damaged."""
    count = 0
    try:
        for _, read in archive_images(path):
            read()
            count += 1
    except tarfile.TarError:
        return count + 1
    return count


def archive_images(path: str) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield the name of each image of a tar file, and how to read it, in the order of the file.

    Hidden and system entries are left out.

    Raises:
        OSError: A store, or a file server, fails.
        tarfile.TarError: It is not there, cannot be opened, or is damaged.
    """
    with (
        _faults_of_archive(path),
        _archive_stream(path) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        for member in archive:
            is_hidden = any(map(is_system_entry, PurePosixPath(member.name).parts))
            if member.isfile() and not is_hidden and kind_of(member.name) == "image":
                file: IO[bytes] | None = archive.extractfile(member)
                if file is not None:
                    yield f"{path}/{member.name}", partial(_read_member, path, file)


def _archive_stream(path: str) -> IO[bytes]:
    """Open a tar file; pyarrow could not open local names that are not UTF-8."""
    return Storage(path).open_stream() if is_address(path) else Path(path).open("rb")


def _read_member(path: str, file: IO[bytes]) -> bytes:
    with _faults_of_archive(path):
        return file.read()


@contextmanager
def _faults_of_archive(path: str) -> Generator[None]:
    """Make a TarError of each fault of a tar file itself: tarfile raises nearly anything."""
    try:
        yield
    except (tarfile.TarError, MemoryError):
        raise
    except OSError as error:
        if is_address(path) or error.errno in _OF_THE_MACHINE:
            raise
        raise tarfile.ReadError(error.strerror or str(error)) from error
    except Exception as error:
        raise tarfile.ReadError(str(error) or type(error).__name__) from error


def _predict_images(images: Iterable[Any], model: FERModel) -> Results:
    """Predict images one by one, in this thread: there is a process for each core."""
    model.predict_many(())  # raises for a model of clips, which predicts no image
    for image in images:
        try:
            result = model.predict(image)
        except (EmoPyError, ImageWarning) as error:
            reason = error.__cause__
            if isinstance(reason, OSError) and reason.errno in _OF_THE_MACHINE:
                raise reason from error
            yield FailedInput(describe_source(image), error)
        else:
            yield result


def _opened(paths: Sequence[str]) -> Iterator[Any]:
    """Yield paths of this machine as they are, and objects of a store as files, fetched ahead."""
    if not any(map(is_address, paths)):
        yield from paths
        return
    waiting: deque[tuple[str, Future[bytes] | None]] = deque()
    with ThreadPoolExecutor(_AHEAD, thread_name_prefix="emopy-fetch") as threads:
        try:
            for path in paths:
                waiting.append((path, threads.submit(_fetch, path) if is_address(path) else None))
                if len(waiting) > _AHEAD:
                    yield _fetched(*waiting.popleft())
            while waiting:
                yield _fetched(*waiting.popleft())
        finally:
            threads.shutdown(cancel_futures=True)


def _fetch(address: str) -> bytes:
    return Storage(address).read()


def _fetched(name: str, content: Future[bytes] | None) -> Any:
    if content is None:
        return name
    try:
        return _named(name, content.result())
    except InputError as error:
        return _Missing(name, error)


def _named(name: str, content: bytes) -> IO[bytes]:
    file = io.BytesIO(content)
    file.name = name
    return file


class _Missing:
    """An object that is not there, as a file that cannot be read."""

    def __init__(self, name: str, error: InputError) -> None:
        self.name = name
        self._error = error

    def read(self) -> bytes:
        """Raise the error."""
        raise self._error


def _predict_video(name: str, model: FERModel, settings: Mapping[str, Any]) -> Results:
    """Predict a video; what is missing of it is a failed input at its end."""
    path = name
    reading = {option: settings[option] for option in ("every", "fps", "start_s", "end_s")}
    try:
        with _on_this_machine(name) as path:
            with open_video(path, max_pixels=model.max_pixels, **reading) as frames:
                for _, result in model.predict_frames(
                    frames, source=name, smoothing_s=settings["smoothing_s"]
                ):
                    yield result
            if frames.shortfall:
                raise InputError(frames.shortfall)
    except InputError as error:
        yield FailedInput(name, InputError(str(error).replace(path, name)))


@contextmanager
def _on_this_machine(path: str) -> Generator[str]:
    """Give the path of a video; one in a store is copied into a temporary file."""
    if not is_address(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="emopy-") as folder:
        copy = Path(folder, "video" + PurePosixPath(path).suffix)
        Storage(path).copy("", copy)
        yield str(copy)
