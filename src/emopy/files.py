"""`replacing`: a file is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from emopy.errors import InputError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Generator[Path]:
    """Write a file under a temporary name in its folder, and rename it when all went well.

    Folders that lack are made. On an exception the temporary file is removed, and a file that
    was there stays as it was; one that a killed process left is removed too. A device or pipe,
    such as ``/dev/null``, is written directly.

    Args:
        path: The file to write.

    Yields:
        The path to write to.

    Raises:
        InputError: A folder is in the way, or the file may not be written.
    """
    target = Path(path)
    if target.is_dir():
        raise InputError(f"`path` must be a file. Received the folder {str(target)!r}.")
    if target.exists() and not target.is_file():
        yield target
        return
    target = Path(os.path.realpath(target))  # a link stays a link; what it leads to is replaced
    partial = target.with_name(f".{os.getpid()}.partial.{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        partial.open("wb").close()
    except OSError as error:
        raise InputError(
            f"`path` must be a file that can be written. Received {str(target)!r}: "
            f"{error.strerror}. Choose another folder."
        ) from error
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _sweep(target: Path) -> None:
    """Remove what processes that are gone left of this file."""
    ending = f".partial.{target.name}"
    for leftover in target.parent.glob(f".*{escape(ending)}"):
        process = leftover.name.removesuffix(ending).removeprefix(".")
        if process.isdecimal() and not _runs(int(process)):
            leftover.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    if os.name != "posix":  # elsewhere asking would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
