"""Stdout whose reader, such as `head`, may have gone."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager


def drop_stdout() -> None:
    """Let what is still written to stdout vanish; Python, too, complains no more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def outliving_reader(files: tuple[object, ...]) -> Generator[None]:
    """Write to stdout inside; where `files` are being written too, go on without a reader."""
    try:
        yield
    except BrokenPipeError:
        if not files:
            raise
        drop_stdout()
