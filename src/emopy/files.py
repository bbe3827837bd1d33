"""Files: the one atomic writer, a file or folder appears whole or not at all; and `.npz` files."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from emopy.errors import InputError, alternatives

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from numpy.typing import NDArray

_PREFIX = ".emopy-"
"""Start of every temporary name: the prefix, a checksum of the machine's name, the process id,
eight random digits, the suffix."""

_MAX_SUFFIX_LENGTH = 12
_MAX_NAME_BYTES = 255
_FILE_MANAGER_NAMES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_SMALL_BYTES = 2**30
_MAX_EXPANSION = 200
"""Largest ratio of the content of a packed file to the file, where that is above `_SMALL_BYTES`.
Faces pack to about a half, their labels to a seventieth."""

_MAX_REASON = 100
"""Characters of a reason that a library gives."""

_RETRIES_S = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Times between attempts to rename a file that another program has open, on Windows, seconds."""

_NOT_ON_WINDOWS = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[. ]$')
_DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"
}
"""Names that Windows reads as devices, with any suffix."""

_DISK_ERRORS = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO}


@contextmanager
def atomic_file(path: str | os.PathLike[str], *, replace: bool = True) -> Generator[Path]:
    """Write a file under a temporary name in its folder, and rename it on success.

    Missing parent folders are created. After an exception the temporary file is removed and an
    existing file is unchanged. Temporary files of processes of this machine that no longer run are
    removed too.
    A device or pipe, such as ``/dev/null``, is written directly.

    Args:
        path: The file to write. A symbolic link is kept; the file it points to is replaced.
        replace: Whether an existing file is replaced; else it is kept, so that of several
            processes the first one writes the file.

    Yields:
        The path to write to. It has the suffix of `path`.

    Raises:
        InputError: `path` is a folder, or cannot be written.
        OSError: The disk is full, for example; `filename` is `path`.
    """
    target = Path(path)
    # Methods of `Path` raise where a folder above may not be searched.
    if os.path.isdir(target):  # noqa: PTH112
        raise InputError(
            f"`path` must be a file. Received the folder {str(target)!r}. Add a file name."
        )
    if os.path.exists(target) and not os.path.isfile(target):  # noqa: PTH110, PTH113
        with _naming_target(target, target):
            yield target
        return
    try:
        target = Path(os.path.realpath(target))
        temporary = _temporary(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target.parent)
        temporary.open("wb").close()
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        raise _unwritable(target, getattr(error, "strerror", None) or str(error)) from error
    try:
        with _naming_target(temporary, target):
            yield temporary
            if replace:
                _replace(temporary, target)
            else:
                _put_if_absent(temporary, target)
    finally:
        with suppress(PermissionError):  # Windows removes no open file; the first error counts
            temporary.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse a file that cannot be written, before work is done for it; it is not created.

    Raises:
        InputError: The nearest folder that exists may not be written to, or is a file.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113
        return  # a folder is another error, a device none
    target = Path(os.path.realpath(path))
    folder = next((above for above in target.parents if os.path.exists(above)), None)  # noqa: PTH110
    if folder and folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return
    number = errno.ENOENT if folder is None else errno.EACCES if folder.is_dir() else errno.ENOTDIR
    raise _unwritable(target, os.strerror(number))


def _unwritable(target: Path, reason: str | None) -> InputError:
    return InputError(
        f"`path` must be a file that can be written. Received {str(target)!r}: {reason}. "
        "Choose another folder."
    )


def _put_if_absent(temporary: Path, target: Path) -> None:
    try:
        os.link(temporary, target)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not target.exists():
            _replace(temporary, target)


def _replace(source: Path, target: Path) -> None:
    """Rename a file or folder; a file is replaced.

    On Windows an open file can be neither renamed nor replaced. Virus scanners and search indexes
    open new files for a moment, so it is tried again for a while.

    Raises:
        InputError: On Windows, another program has one of them open.
    """
    for wait_s in _RETRIES_S if sys.platform == "win32" else ():
        try:
            source.replace(target)
        except PermissionError:
            time.sleep(wait_s)
        else:
            return
    try:
        source.replace(target)
    except PermissionError as error:
        if sys.platform != "win32":
            raise
        raise InputError(
            f"`path` must not be open in another program. Received {str(target)!r}: "
            f"{error.strerror}. Close the program that has it open, or choose another name."
        ) from error


@contextmanager
def _naming_target(written: Path, target: Path) -> Generator[None]:
    """Name the file in the errors of writing, which name none or the temporary one."""
    try:
        yield
    except OSError as error:
        is_unnamed = error.filename is None and error.errno in _DISK_ERRORS
        if is_unnamed or error.filename == str(written):
            error.filename = str(target)
        raise


@contextmanager
def atomic_folder(path: str | os.PathLike[str], *, replace: bool = False) -> Generator[Path]:
    """Fill a folder under a temporary name beside its place, and rename it on success.

    After an exception the temporary folder is removed and an existing folder is unchanged.

    Args:
        path: The folder to write.
        replace: Whether a folder that is not empty may be replaced.

    Yields:
        The new, empty folder to write to.

    Raises:
        InputError: `path` is a file, a folder that is not empty (without `replace`), or cannot
            be written.
    """
    try:
        target = Path(os.path.realpath(path))  # a link stays, and what it names is written
        if target.is_file() or (not replace and target.is_dir() and not is_empty(target)):
            raise InputError(
                f"`path` must be a new or empty folder. Received {str(path)!r}, which "
                f"{'is a file' if target.is_file() else 'is not empty'}. Choose another folder."
            )
        temporary = _temporary(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target.parent)
        temporary.mkdir()
    except (OSError, ValueError) as error:
        raise InputError(
            f"`path` must be a folder that can be created. Received {str(path)!r}: "
            f"{getattr(error, 'strerror', None) or error}. Choose another folder."
        ) from error
    try:
        yield temporary
        if target.is_dir():
            # Not the name of a leftover: after a kill between the two moves it is all there is.
            replaced = target.with_name(file_name(target.name, f".old-{token_hex(4)}"))
            _replace(target, replaced)
            try:
                _replace(temporary, target)
            except BaseException:
                replaced.rename(target)
                raise
            shutil.rmtree(replaced, ignore_errors=True)
        else:
            _replace(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def is_file_of_file_manager(name: str) -> bool:
    """Return whether file managers write a file of this name into each folder that they show."""
    return name in _FILE_MANAGER_NAMES or name.startswith("._")


def is_empty(folder: Path) -> bool:
    """Return whether a folder is empty, but for files that file managers write."""
    return all(is_file_of_file_manager(item.name) for item in folder.iterdir())


def file_name(stem: str, suffix: str) -> str:
    """Return the name of a file, of at most 255 bytes, the limit of file systems.

    Of a longer stem the start is kept, with a checksum that keeps names apart. On Windows what it
    does not allow in names is replaced by ``_``: names come from addresses, too.

    Example:
        >>> file_name("portrait", ".png")
        'portrait.png'
        >>> len(file_name("a" * 255, ".png"))
        255
    """
    if sys.platform == "win32":
        stem = _for_windows(stem)
    name = f"{stem}{suffix}"
    if len(os.fsencode(name)) <= _MAX_NAME_BYTES:
        return name
    end = f"-{hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]}{suffix}"
    start = os.fsencode(stem)[: _MAX_NAME_BYTES - len(os.fsencode(end))]
    return start.decode(sys.getfilesystemencoding(), "ignore") + end


def _for_windows(stem: str) -> str:
    """Return a stem that Windows allows.

    Source: https://learn.microsoft.com/windows/win32/fileio/naming-a-file.
    """
    allowed = _NOT_ON_WINDOWS.sub("_", stem)
    device = allowed.partition(".")[0].rstrip(" ").upper()
    return f"_{allowed}" if device in _DEVICES else allowed


def sync(path: str | os.PathLike[str]) -> None:
    """Force the content of a file onto the disk, as far as its file system can."""
    mode = "r+b" if sys.platform == "win32" else "rb"  # there, only what may be written is forced
    with suppress(OSError), Path(path).open(mode) as file:
        os.fsync(file.fileno())


def check_suffix(path: str | os.PathLike[str], suffixes: Iterable[str]) -> str:
    """Return the suffix of a path in lower case, after a check that it is one of `suffixes`.

    Raises:
        InputError: Another suffix.
    """
    path, known = Path(path), list(suffixes)
    if path.suffix.lower() not in known:
        raise InputError(
            f"`path` must end in {alternatives(known)}. Received {str(path)!r}. "
            f"Type for example: {path.stem or 'output'}{known[0]}"
        )
    return path.suffix.lower()


def sha256_of(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file as 64 hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class DamagedFileError(Exception):
    """A file is damaged or of another kind; the text says how. The reader turns it into its own."""


def read_arrays(
    path: str | os.PathLike[str], names: Collection[str] | None = None
) -> dict[str, NDArray[Any]]:
    """Read arrays of a ``.npz`` file, by name and in the order in which they were written.

    Pickled objects are never loaded.

    Args:
        path: The file.
        names: The arrays to read, if the file has them; all by default.

    Raises:
        DamagedFileError: Missing, damaged or another kind of file, or a small one that unpacks to
            gigabytes.
    """
    import numpy as np

    try:
        with Path(path).open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            unpacked = sum(member.file_size for member in stored.zip.infolist())
            if unpacked > max(_SMALL_BYTES, _MAX_EXPANSION * os.fstat(stream.fileno()).st_size):
                raise ValueError(f"a file that unpacks to {unpacked / 1e9:.3g} GB")
            wanted = [name for name in stored.files if names is None or name in names]
            arrays = {name: stored[name] for name in wanted}
    except Exception as error:  # zip, zlib, LZMA, Python's parser, memory: whatever the bytes cause
        text = " ".join("".join(filter(str.isprintable, str(error))).split())
        raise DamagedFileError(f"{type(error).__name__} {text[:_MAX_REASON]}".rstrip()) from error
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # a member that is no array comes back as bytes
            raise DamagedFileError(f"{name} is not an array")
        # NumPy reads the characters of texts without checking that there are such characters.
        if array.dtype.kind == "U" and (code_points := array.tobytes()):
            kind = f"{array.dtype.byteorder}u4"
            if np.frombuffer(code_points, kind).max() > sys.maxunicode:
                raise DamagedFileError(f"{name} holds characters that do not exist")
    return arrays


def _temporary(target: Path) -> Path:
    """A free name beside the target that stays short however long the target's name is."""
    suffix = target.suffix if len(target.suffix) <= _MAX_SUFFIX_LENGTH else ""
    return target.with_name(f"{_own_prefix()}{os.getpid()}-{token_hex(4)}{suffix}")


@cache
def _own_prefix() -> str:
    """Start of the temporary names of this machine: others may write into the same folder.

    Containers of one machine may have its name, and processes with the same numbers.
    """
    machine = platform.node()
    with suppress(OSError):  # Linux: where the numbers of processes are the same
        machine += os.readlink("/proc/self/ns/pid")  # noqa: PTH115  no path, but a name
    return f"{_PREFIX}{hashlib.sha256(os.fsencode(machine)).hexdigest()[:6]}-"


def _remove_leftovers(folder: Path) -> None:
    """Remove temporary files and folders of processes of this machine that no longer run."""
    for leftover in folder.glob(f"{_own_prefix()}*-*"):
        process = leftover.name.removeprefix(_own_prefix()).partition("-")[0]
        if process.isdecimal() and not _is_running(int(process)):
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                with suppress(OSError):  # in a shared folder that of another user stays
                    leftover.unlink()


def _is_running(process: int) -> bool:
    if os.name != "posix":  # on Windows os.kill(pid, 0) would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
