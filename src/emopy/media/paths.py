"""Paths that lead to no readable file, said in our words."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager

from emopy.errors import InputError


@contextmanager
def reading(name: str) -> Generator[None]:
    """Turn the system's errors about the file `name` into ones that say what to do.

    Raises:
        InputError: Instead of any OSError or ValueError inside.
    """
    try:
        yield
    except FileNotFoundError as error:
        hint = "Download it first, then give its path." if "://" in name else "Check its spelling."
        raise InputError(
            f"`source` must be an existing file. Received {name!r}: no such file. {hint}"
        ) from error
    except PermissionError as error:
        raise InputError(
            f"`source` must be readable. Received {name!r}: permission denied. "
            "Change the permissions of the file or its folder."
        ) from error
    except InputError:
        raise
    except (OSError, ValueError) as error:  # too long a name, a zero byte in it, a link to itself
        raise InputError(
            f"`source` must be a readable file. Received {name!r}: {error}. Check its spelling."
        ) from error


def is_pipe(path: str | os.PathLike[str], name: str, *, wanted: str, instead: str) -> bool:
    """Whether a path leads to a pipe and not to an ordinary file.

    Args:
        path: Where to look.
        name: The path for error messages.
        wanted: What the file must be, such as ``"an image"``.
        instead: What to do when it is a folder.

    Raises:
        InputError: It is a folder, a device or a socket.
        OSError: Nothing is there, or it may not be looked at.
    """
    kind = os.stat(path).st_mode  # noqa: PTH116  Path("") would be the current folder
    if stat.S_ISDIR(kind):
        raise InputError(f"`source` must be {wanted}. Received the folder {name!r}. {instead}")
    if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind)):
        raise InputError(f"`source` must be a file. Received the device or socket {name!r}.")
    return stat.S_ISFIFO(kind)
