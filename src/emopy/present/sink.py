"""`Sink`: results go in one by one; a file that is whole, or nothing, comes out."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from emopy.errors import InputError
from emopy.files import atomic_file
from emopy.present.record import as_record, writable
from emopy.types import FailedInput, ImageResult


class Sink(ABC):
    """What all sinks share: where they write, and when the file appears.

    A path is written under a temporary name, and renamed when the ``with`` block ends; after an
    exception nothing is left of it. A stream is written as results come, and stays open.

    Args:
        target: Text stream, or path of the file to write.
        labels: Labels of every prediction that will come, in order.
    """

    def __init__(self, target: IO[Any] | str | os.PathLike[str], labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self._target = target
        self._stack = ExitStack()
        self._stream: IO[Any] | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if isinstance(self._target, str | os.PathLike):
                partial = stack.enter_context(atomic_file(self._target))
                self._stream = stack.enter_context(self._open(partial))
            else:
                self._stream = self._target
            self._begin()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            # A stream that just failed would fail again, and hide the first reason.
            if not isinstance(error, OSError):
                self._end()
        except BaseException as late:
            self._stack.__exit__(type(late), late, late.__traceback__)
            raise
        else:
            self._stack.__exit__(kind, error, trace)
        finally:
            self._stream = None

    def write(self, result: ImageResult | FailedInput) -> None:
        """Add one image's faces, or the reason why it failed.

        Raises:
            InputError: Labels other than the sink's, or outside the ``with`` block.
        """
        check_labels(result, self.labels)
        for record in self._records(result):
            self._add(record)
        self._out.flush()

    def _open(self, path: Path) -> IO[Any]:
        """Open the file of a sink that was given a path."""
        return path.open("w", encoding="utf-8", newline="")

    def _records(self, result: ImageResult | FailedInput) -> Iterable[dict[str, Any]]:
        """The rows or objects that a result becomes."""
        return (as_record(result),)

    @property
    def _out(self) -> IO[Any]:
        if self._stream is None:
            name = type(self).__name__
            raise InputError(
                f"`{name}` must be open to write. Received a result outside its `with` block. "
                f"Type: with {name}(path, labels) as sink: ..."
            )
        return self._stream

    @abstractmethod
    def _begin(self) -> None:
        """Write what comes before the first result."""

    @abstractmethod
    def _add(self, record: dict[str, Any]) -> None:
        """Write one row or object."""

    @abstractmethod
    def _end(self) -> None:
        """Write what comes after the last result."""


def label_columns(labels: Sequence[str], taken: Collection[str]) -> tuple[str, ...]:
    """Name the column of each label: its own name, with ``_probability`` where that is taken.

    Example:
        >>> label_columns(("joy", "score"), ("source", "score"))
        ('joy', 'score_probability')
    """
    names: list[str] = []
    for label in labels:
        name = writable(label)
        while name in taken or name in names:
            name += "_probability"
        names.append(name)
    return tuple(names)


def check_labels(result: ImageResult | FailedInput, labels: Sequence[str]) -> None:
    """Refuse a result with other labels than those of what it is given to.

    Raises:
        InputError: A face has other labels, or the same in another order.
    """
    for face in result.faces if isinstance(result, ImageResult) else ():
        if face.prediction.labels != tuple(labels):
            raise InputError(
                f"`result` must have the labels of the sink, {list(labels)}. "
                f"Received {list(face.prediction.labels)}. Give the sink model.labels."
            )
