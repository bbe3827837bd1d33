"""`list_inputs`: the images, videos and archives that a source stands for, in a fixed order."""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple, TypeAlias

from emopy.batch.storage import Storage, absolute, is_address
from emopy.errors import EmoPyError, InputError, import_extra
from emopy.escaping import unquote_csv_text
from emopy.media.paths import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from emopy.tables import delimiter_of

Kind: TypeAlias = Literal["image", "video", "archive"]
"""What an input is; an archive is a tar file of images, such as a shard of WebDataset."""

ARCHIVE_SUFFIXES = frozenset({".tar"})

PATH_COLUMNS = ("path", "source", "file", "filename", "image", "video", "url")
"""Columns of a table that may hold the paths, the first that there is."""

_LONGEST_PATH = 32_767
"""Characters of a path, the most that any system allows."""


class Input(NamedTuple):
    """One input of a run.

    Attributes:
        kind: What it is.
        path: Path or address.
    """

    kind: Kind
    path: str


def kind_of(name: str) -> Kind | None:
    """Return what a file is by its suffix; None for other files."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return "image"
    if suffix in VIDEO_SUFFIXES:
        return "video"
    return "archive" if suffix in ARCHIVE_SUFFIXES else None


def list_inputs(source: str | os.PathLike[str]) -> Iterator[Input]:
    """Yield the inputs of a run. Of a table, memory stays flat.

    Args:
        source: Folder or address, searched with all its subfolders, hidden and system entries left
            out; Parquet or CSV file with a column of paths, relative to its folder; a tar file, an
            image or a video.

    Yields:
        The inputs: those of a folder in the order of their paths, those of a table in the order
        of its rows, each as often as it is there.

    Raises:
        InputError: No such source, or there is no input in it.
        OSError: It cannot be read.
        MissingExtraError: pyarrow is not installed.
    """
    storage = Storage(source)
    found = None
    for found in _inputs_of(storage):
        yield found
    if found is None:
        raise InputError(
            f"`source` must hold images, videos or tar files, or be a table of their paths. "
            f"Received {os.fsdecode(source)!r}, which has none. Check its spelling."
        )


def _inputs_of(storage: Storage) -> Iterator[Input]:
    name = storage.location
    suffix = PurePosixPath(name).suffix.lower()
    if not storage.is_file():
        for path in sorted(storage.names(recursive=True)):
            kind = "image" if path.endswith("/") else kind_of(path)  # reading it gives the reason
            if kind:
                yield Input(kind, storage.join(path))
    elif suffix in (".parquet", ".csv"):
        folder = name.rpartition("/")[0]
        for path in _paths_in(storage, suffix):
            yield _listed(path, folder)
    elif kind := kind_of(name):
        yield Input(kind, name)


def _listed(path: str, folder: str) -> Input:
    """An input of a table; what is not known by its suffix is read as an image."""
    if not is_address(path) and not Path(path).is_absolute():
        path = f"{folder}/{path}"
    elif path.startswith("file://"):
        path = absolute(path)
    return Input(kind_of(path) or "image", path)


def _paths_in(storage: Storage, suffix: str) -> Iterator[str]:
    """The paths of a table."""
    read = _parquet_paths if suffix == ".parquet" else _csv_paths
    try:
        yield from filter(None, read(storage))
    except EmoPyError:
        raise
    except (ValueError, TypeError, csv.Error) as error:  # pyarrow's are of the first kind
        raise InputError(
            f"`source` must be a table of paths. Received {storage.location}: {error}"[:500]
        ) from error


def _parquet_paths(storage: Storage) -> Iterator[str]:
    parquet: Any = import_extra("pyarrow.parquet", feature="Batch runs", extra="tables")
    with storage.open() as stream:
        file = parquet.ParquetFile(stream)
        column = _path_column(file.schema_arrow.names, storage.location)
        for batch in file.iter_batches(columns=[column]):
            for path in batch.column(0).to_pylist():
                yield "" if path is None else os.fsdecode(path)


def _csv_paths(storage: Storage) -> Iterator[str]:
    with io.TextIOWrapper(storage.open_stream(), encoding="utf-8-sig", newline="") as text:
        first = text.readline()
        rows = csv.DictReader(itertools.chain([first], text), delimiter=delimiter_of(first))
        column = _path_column(rows.fieldnames or (), storage.location)
        for row in rows:
            path = unquote_csv_text((row[column] or "").strip())
            if len(path) > _LONGEST_PATH:
                raise ValueError(f"a path of {len(path):,} characters")
            yield path


def _path_column(names: Iterable[str], table: str) -> str:
    known = {name.strip().lower(): name for name in names}
    for column in PATH_COLUMNS:
        if column in known:
            return known[column]
    raise InputError(
        f"`source` must have a column named {', '.join(PATH_COLUMNS[:-1])} or {PATH_COLUMNS[-1]}. "
        f"Received {table}, whose columns are {', '.join(names) or 'none'}."
    )
