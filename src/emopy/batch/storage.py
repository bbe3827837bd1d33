"""`Storage`: a folder of this machine, or of a bucket, in which objects appear whole."""

from __future__ import annotations

import io
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from emopy.errors import InputError, import_extra
from emopy.files import atomic_file

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

_FEATURE, _EXTRA = "Batch runs", "tables"

_ATTEMPTS = 10
"""Attempts of the S3 client to reach a store that fails or is busy."""


def is_address(location: str) -> bool:
    """Return whether a location is an address, such as ``s3://bucket/folder``."""
    return "://" in location


def absolute(location: str | os.PathLike[str]) -> str:
    """Return a location that is the same from every folder."""
    name = os.fsdecode(location)
    return name if is_address(name) else str(Path(name).absolute())


class Storage:
    """A folder: its objects are read, listed, and written in one step.

    Credentials come from the environment alone, see pyarrow's documentation of its file systems.

    Args:
        location: Path of a folder or file; or ``s3://``, ``gs://`` or another address that
            `pyarrow.fs` knows.

    Raises:
        InputError: An address that is not known, or whose store does not answer.
        MissingExtraError: pyarrow is not installed.
    """

    def __init__(self, location: str | os.PathLike[str]) -> None:
        self.location = os.fsdecode(location).rstrip("/") or "/"
        self.is_local = not is_address(self.location)
        self._files, self._path = _open(self.location)

    def join(self, name: str) -> str:
        """Return the location of an object."""
        return f"{self.location}/{name}" if name else self.location

    def is_file(self, name: str = "") -> bool:
        """Return whether there is an object of that name."""
        with self._explained(name):
            return self._files.get_file_info(self._at(name)).is_file

    def open(self, name: str = "") -> IO[bytes]:
        """Open an object to be read, at any place of it.

        Raises:
            InputError: There is none, or it cannot be read.
        """
        with self._explained(name):
            return self._files.open_input_file(self._at(name))

    def read(self, name: str = "") -> bytes:
        """Return the content of an object.

        Raises:
            InputError: There is none, or it cannot be read.
        """
        with self._explained(name), self._files.open_input_stream(self._at(name)) as stream:
            return stream.read()

    def write(self, name: str, content: bytes | memoryview) -> None:
        """Write an object, which appears when it is complete; one of that name is replaced.

        Raises:
            InputError: It cannot be written.
        """
        path = self._at(name)
        with self._explained(name):
            if self.is_local:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                with atomic_file(path) as partial:
                    partial.write_bytes(content)
            else:  # a store shows an object when its upload is complete
                with self._files.open_output_stream(path) as stream:
                    stream.write(content)

    @contextmanager
    def writing(self, name: str) -> Generator[IO[bytes]]:
        """Give a stream for a large object, which appears at the end of the block."""
        path = self._at(name)
        with self._explained(name):
            if self.is_local:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                with atomic_file(path) as partial, partial.open("wb") as stream:
                    yield stream
                return
            content = io.BytesIO()  # closing a stream of a store would show half an object
            yield content
        self.write(name, content.getbuffer())

    def names(self, folder: str = "", *, recursive: bool = False) -> Iterator[str]:
        """Yield the names of the objects in a folder, relative to it; none if there is no folder.

        Raises:
            InputError: It cannot be listed.
        """
        if self.is_local:
            yield from _local_names(self._at(folder), recursive=recursive)
            return
        fs: Any = import_extra("pyarrow.fs", feature=_FEATURE, extra=_EXTRA)
        base = self._at(folder)
        selector = fs.FileSelector(base, recursive=recursive, allow_not_found=True)
        with self._explained(folder):
            for info in self._files.get_file_info(selector):
                if info.is_file:
                    yield info.path[len(base) :].lstrip("/")

    def delete(self, name: str) -> None:
        """Delete an object, if there is one."""
        with self._explained(name):
            if self._files.get_file_info(self._at(name)).is_file:
                self._files.delete_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path

    @contextmanager
    def _explained(self, name: str) -> Generator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(f"{self.join(name)}: {reason}"[:500]) from error


def _local_names(folder: str, *, recursive: bool) -> Iterator[str]:
    if not os.path.isdir(folder):  # noqa: PTH112
        return
    for here, folders, files in os.walk(folder):
        prefix = os.path.relpath(here, folder).replace(os.sep, "/")
        yield from (name if prefix == "." else f"{prefix}/{name}" for name in files)
        if not recursive:
            return
        folders.sort()


def _open(location: str) -> tuple[FileSystem, str]:
    fs: Any = import_extra("pyarrow.fs", feature=_FEATURE, extra=_EXTRA)
    if not is_address(location):
        return fs.LocalFileSystem(), str(Path(location).absolute())
    scheme, _, path = location.partition("://")
    try:
        if scheme == "s3" and "?" not in path:
            return _s3(fs), path
        return fs.FileSystem.from_uri(location)
    except (OSError, ValueError) as error:  # pyarrow's errors are of both kinds
        raise InputError(
            f"`source` and `out` must be folders, or addresses that can be opened. "
            f"Received {location!r}: {error}"[:500]
        ) from error


def _s3(fs: Any) -> FileSystem:
    """The S3 client, as the variables of the AWS tools configure it."""
    options: dict[str, Any] = {
        "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS)
    }
    if region := os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"):
        options["region"] = region
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        scheme, _, host = endpoint.rpartition("://")
        options |= {"endpoint_override": host, "scheme": scheme or "https"}
    return fs.S3FileSystem(**options)
