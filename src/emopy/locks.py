"""Locks between processes: of an open file, and of a folder."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from typing import IO, Any

_LOCKED_BYTE = 2**31 - 2
"""The byte that is locked on Windows: the last one whose place the C library can count to."""

_LOCK_ERRORS = {errno.EACCES, errno.EDEADLK}
"""Errors of `msvcrt.locking` where another process holds the lock."""

_PAUSE_S = 0.02
"""Time between two attempts to lock a folder on Windows, seconds."""


def lock(file: IO[Any]) -> bool:
    """Lock an open file for this process until it is closed; other processes can still read it.

    Returns:
        False where another process has locked it. True where it is locked, or where the file
        system has no locks.
    """
    if sys.platform == "win32":
        import msvcrt

        place = file.tell()
        try:
            file.seek(_LOCKED_BYTE)  # behind the content: nobody can read a byte that is locked
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            return error.errno not in _LOCK_ERRORS
        finally:
            file.seek(place)
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def folder_lock(folder: Path) -> Generator[None]:
    """Keep other processes of this machine out that lock the same folder, until the block ends.

    Where the file system has no locks, none is held.
    """
    with ExitStack() as stack:
        if sys.platform == "win32":  # where a folder cannot be opened
            name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
            with suppress(OSError):
                file = stack.enter_context(Path(gettempdir(), f"emopy-{name}.lock").open("ab"))
                while not lock(file):
                    time.sleep(_PAUSE_S)
        else:
            import fcntl

            with suppress(OSError):
                descriptor = os.open(folder, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                stack.callback(fcntl.flock, descriptor, fcntl.LOCK_UN)  # a fork may have a copy
        yield
