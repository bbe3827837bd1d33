"""`Storage`: a folder of this machine, or of a bucket, in which objects appear whole."""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import tempfile
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote

from emopy.errors import EmoPyError, InputError, import_extra, naming
from emopy.files import atomic_file, sync
from emopy.media.paths import is_system_entry, walk_files

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

_FEATURE, _EXTRA = "Batch runs", "tables"

_ATTEMPTS = 10
"""Attempts of the S3 client to reach a store that fails or is busy."""

_CHUNK = 2**22
"""Bytes that are copied at a time."""


def is_address(location: str) -> bool:
    """Return whether a location is an address, such as ``s3://bucket/folder``."""
    return "://" in location


def absolute(location: str | os.PathLike[str]) -> str:
    """Return a location that is the same from every folder."""
    name = os.fsdecode(location)
    if name.startswith("file://"):
        name = unquote(name.removeprefix("file://"))
        if re.match("/[A-Za-z]:", name):  # a drive of Windows
            name = name[1:]
    return name if is_address(name) else Path(name).absolute().as_posix()


class Storage:
    """A folder: its objects are read, listed, and written in one step.

    Credentials come from the environment alone, see pyarrow's documentation of its file systems.
    What a store or a disk refuses is an OSError; what is not there is an InputError.

    Args:
        location: Path of a folder or file; or an address that begins with ``s3://`` or ``gs://``.

    Raises:
        InputError: Another address.
        MissingExtraError: pyarrow is not installed.
    """

    def __init__(self, location: str | os.PathLike[str]) -> None:
        name = absolute(location)
        is_root = re.fullmatch("([A-Za-z]:)?/+", name)  # "/", or a drive of Windows
        self.location = name if is_root else name.rstrip("/")
        self.is_local = not is_address(self.location)
        self._files, self._path = _open(self.location)

    def join(self, name: str) -> str:
        """Return the location of an object."""
        return f"{self.location}/{name}" if name else self.location

    def is_file(self, name: str = "") -> bool:
        """Return whether there is an object of that name."""
        with self.explained(name):
            return self._files.get_file_info(self._at(name)).is_file

    def open(self, name: str = "") -> IO[bytes]:
        """Open an object to be read, at any place of it.

        Raises:
            InputError: There is none.
            OSError: It cannot be read.
        """
        with self.explained(name):
            return self._files.open_input_file(self._at(name))

    def open_stream(self, name: str = "") -> IO[bytes]:
        """Open an object to be read from its start to its end.

        Raises:
            InputError: There is none.
            OSError: It cannot be read.
        """
        with self.explained(name):
            return self._files.open_input_stream(self._at(name), buffer_size=_CHUNK)

    def read(self, name: str = "") -> bytes:
        """Return the content of an object.

        Raises:
            InputError: There is none.
            OSError: It cannot be read.
        """
        with self.explained(name), self._files.open_input_stream(self._at(name)) as stream:
            return stream.read()

    def copy(self, name: str, target: Path) -> None:
        """Write the content of an object into a file.

        Raises:
            InputError: There is none.
            OSError: It cannot be read, or the file not be written.
        """
        with self.explained(name), self.open_stream(name) as stream, target.open("wb") as file:
            shutil.copyfileobj(stream, file, _CHUNK)

    def write(self, name: str, content: bytes | memoryview) -> None:
        """Write an object, which appears when it is complete; one of that name is replaced.

        Raises:
            InputError: The folder cannot be written to.
            OSError: It cannot be written.
        """
        with self.explained(name), naming(path="out"):
            if self.is_local:
                with atomic_file(self._at(name)) as partial:
                    partial.write_bytes(content)
                    sync(partial)
            else:
                self._upload(name, io.BytesIO(content))

    def create(self, name: str, content: bytes) -> None:
        """Write an object, unless there is one of that name: the first of two writers wins.

        A store may let both write if they do so at the same moment; then the last one wins.

        Raises:
            InputError: The folder cannot be written to.
            OSError: It cannot be written.
        """
        if self.is_local:
            with (
                self.explained(name),
                naming(path="out"),
                atomic_file(self._at(name), replace=False) as partial,
            ):
                partial.write_bytes(content)
                sync(partial)
        elif not self.is_file(name):
            self.write(name, content)

    @contextmanager
    def writing(self, name: str) -> Generator[IO[bytes]]:
        """Give a file for a large object, which appears at the end of the block.

        Raises:
            InputError: The folder cannot be written to.
            OSError: It cannot be written.
        """
        if self.is_local:
            with atomic_file(self._at(name)) as partial:
                with partial.open("wb") as stream:
                    yield stream
                sync(partial)
            return
        with tempfile.TemporaryFile() as stream:
            yield stream
            stream.seek(0)
            with self.explained(name):
                self._upload(name, stream)

    def names(self, folder: str = "", *, recursive: bool = False) -> Iterator[str]:
        """Yield the names of the objects in a folder, relative to it; none if there is no folder.

        Hidden and system entries are left out, with all that is in them. Links to folders of this
        machine are followed; a folder that is reached twice is listed once. A folder in it that may
        not be listed is given with a slash at its end.

        Raises:
            OSError: It cannot be listed.
        """
        with self.explained(folder):
            if self.is_local:
                yield from _local_names(self._at(folder), recursive=recursive)
                return
            fs: Any = import_extra("pyarrow.fs", feature=_FEATURE, extra=_EXTRA)
            base = self._at(folder)
            selector = fs.FileSelector(base, recursive=recursive, allow_not_found=True)
            for info in self._files.get_file_info(selector):
                name = info.path[len(base) :].lstrip("/")
                if info.is_file and not any(map(is_system_entry, name.split("/"))):
                    yield name

    def delete(self, name: str) -> None:
        """Delete an object, if there is one."""
        with self.explained(name), suppress(FileNotFoundError):
            self._files.delete_file(self._at(name))

    def delete_empty_folder(self, name: str) -> None:
        """Delete a folder of this machine that is empty; stores have no folders."""
        if self.is_local:
            with suppress(OSError):
                Path(self._at(name)).rmdir()

    @contextmanager
    def explained(self, name: str = "") -> Generator[None]:
        """Name the object in the errors of reading or writing it that are raised inside.

        Raises:
            InputError: There is no such object.
            OSError: Any other failure.
        """
        try:
            yield
        except EmoPyError:
            raise
        except FileNotFoundError as error:
            raise InputError(
                f"`source` and `out` must exist. Received {self.join(name)!r}, which is not there."
            ) from error
        except (OSError, ValueError) as error:  # pyarrow's errors are of both kinds
            if "Empty path component" in str(error):  # a key that it lists, but does not read
                raise InputError(
                    "`source` must have names without `//`. Received "
                    f"{self.join(name)!r}. Copy that object to another name."
                ) from error
            number = getattr(error, "errno", None) or errno.EIO
            reason = getattr(error, "strerror", None) or str(error)
            raise OSError(number, reason[:500], self.join(name)) from error

    def _upload(self, name: str, content: IO[bytes]) -> None:
        # A stream shows what it has when it is closed, also after an exception: so it is in a
        # thread, which Ctrl-C does not interrupt.
        with ThreadPoolExecutor(1, thread_name_prefix="emopy-upload") as thread:
            thread.submit(self._send, name, content).result()

    def _send(self, name: str, content: IO[bytes]) -> None:
        with self._files.open_output_stream(self._at(name)) as stream:
            shutil.copyfileobj(content, stream, _CHUNK)

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path


def _local_names(folder: str, *, recursive: bool) -> Iterator[str]:
    if not os.path.isdir(folder):  # noqa: PTH112
        return
    for name, found in walk_files(folder, recursive=recursive):
        if isinstance(found, PermissionError) and name:
            yield f"{name}/"
            continue
        if isinstance(found, OSError):
            raise found
        if found.is_symlink() or _is_file(found):  # broken links too, to be reported
            yield name


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # it is gone
        return False


def _open(location: str) -> tuple[FileSystem, str]:
    if not is_address(location):
        fs: Any = import_extra("pyarrow.fs", feature=_FEATURE, extra=_EXTRA)
        return fs.LocalFileSystem(), Path(location).absolute().as_posix()
    scheme, _, path = location.partition("://")
    if scheme == "s3":
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        return _s3(region, endpoint), path
    if scheme in ("gs", "gcs"):
        return _gcs(os.environ.get("STORAGE_EMULATOR_HOST")), path
    raise InputError(
        f"`source` and `out` must be folders, or addresses that begin with s3:// or gs://. "
        f"Received {location!r}."
    )


@lru_cache
def _s3(region: str | None, endpoint: str | None) -> FileSystem:
    """The S3 client, as the variables of the AWS tools configure it."""
    fs: Any = import_extra("pyarrow.fs", feature=_FEATURE, extra=_EXTRA)
    options: dict[str, Any] = {
        "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS)
    }
    if region:
        options["region"] = region
    if endpoint:
        scheme, _, host = endpoint.rpartition("://")
        options |= {"endpoint_override": host, "scheme": scheme or "https"}
    return fs.S3FileSystem(**options)


@lru_cache
def _gcs(emulator: str | None) -> FileSystem:
    """The client of Google Cloud Storage; of an emulator without credentials."""
    fs: Any = import_extra("pyarrow.fs", feature=_FEATURE, extra=_EXTRA)
    if emulator is None:
        return fs.GcsFileSystem()
    scheme, _, host = emulator.rpartition("://")
    return fs.GcsFileSystem(anonymous=True, endpoint_override=host, scheme=scheme or "http")
