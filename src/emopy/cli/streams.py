"""The standard streams: what is printed, and what happens when it cannot be.

Results go to stdout: if it is closed or its disk is full, the command fails. Messages go to stderr:
if that cannot be written, the message is lost and the exit code stays right. Control characters are
escaped, since names of files, labels and cards may hold any.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from emopy.escaping import escape_controls, one_line


def open_standard_streams() -> None:
    """Replace closed standard streams, which Python leaves out, by the null device.

    Without this the next file that is opened would get the number of a closed stream, and
    libraries would write into it. Writing to stdout still fails, since it is opened for reading.
    """
    for number, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest free number, which is this one
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def echo(text: object, *, err: bool = False, nl: bool = True) -> None:
    """Print a message on stdout, or on stderr, where a failure is ignored."""
    try:
        click.echo(escape_controls(str(text)), err=err, nl=nl)
    except OSError:
        if not err:
            raise


def echo_path(path: Path) -> None:
    """Print the path of a result on stdout; as it is, unless stdout is a terminal."""
    click.echo(one_line(str(path)) if sys.stdout.isatty() else path, color=True)


def print_text(text: str, *, err: bool = False) -> None:
    """Print text, with plain characters where the stream cannot encode all of them."""
    from emopy.present import encodable

    echo(encodable(text, (sys.stderr if err else sys.stdout).encoding), err=err)


class ProgressStream:
    """stderr for what a library prints meanwhile; what cannot be written is lost."""

    def write(self, text: str) -> int:
        """Write text, control characters as they are."""
        with suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is held back."""
        with suppress(OSError):
            sys.stderr.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


def discard_stdout() -> None:
    """Discard what is still written to stdout, so that Python does not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def tolerate_closed_stdout(*, also_writing: bool) -> Generator[None]:
    """Continue where stdout is closed or its reader has gone, if files are written as well."""
    try:
        yield
    except OSError as error:
        if not also_writing or error.errno not in (errno.EPIPE, errno.EBADF):
            raise
        discard_stdout()
