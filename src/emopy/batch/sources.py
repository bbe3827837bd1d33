"""`list_inputs`: the images, videos and archives that a source stands for, in a fixed order."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple, TypeAlias

from emopy.batch.storage import Storage, is_address
from emopy.errors import InputError, import_extra
from emopy.media.paths import IMAGE_SUFFIXES, VIDEO_SUFFIXES, is_system_entry

Kind: TypeAlias = Literal["image", "video", "archive"]
"""What an input is; an archive is a tar file of images, such as a shard of WebDataset."""

ARCHIVE_SUFFIXES = frozenset({".tar"})

PATH_COLUMNS = ("path", "source", "file", "filename", "image", "video", "url")
"""Columns of a table that may hold the paths, the first that there is."""


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


def list_inputs(source: str | os.PathLike[str]) -> list[Input]:
    """Return the inputs of a run.

    Args:
        source: Folder or address, searched with all its subfolders, hidden and system entries left
            out; Parquet or CSV file with a column of paths, relative to its folder; a tar file, an
            image or a video.

    Returns:
        The inputs: those of a folder in the order of their paths, those of a table in the order
        of its rows.

    Raises:
        InputError: No such source, or there is no input in it.
        MissingExtraError: pyarrow is not installed.
    """
    name = os.fsdecode(source)
    storage = Storage(name)
    suffix = PurePosixPath(name).suffix.lower()
    if storage.is_file():
        if suffix in (".parquet", ".csv"):
            found = [_listed(path, name) for path in _paths_in(storage, suffix)]
        else:
            kind = kind_of(name)
            found = [] if kind is None else [Input(kind, name)]
    else:
        paths = sorted(_visible(storage.names(recursive=True)))
        prefix = f"{storage.location}/"
        found = [Input(kind, prefix + path) for path in paths if (kind := kind_of(path))]
    if not found:
        raise InputError(
            f"`source` must hold images, videos or tar files, or be a table of their paths. "
            f"Received {name!r}, which has none. Check its spelling."
        )
    return found


def _visible(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if not any(map(is_system_entry, name.split("/"))))


def _listed(path: str, table: str) -> Input:
    """An input of a table; what is not known by its suffix is read as an image."""
    whole = path
    if not is_address(path) and not Path(path).is_absolute():
        whole = f"{table.rpartition('/')[0]}/{path}" if "/" in table else path
    return Input(kind_of(path) or "image", whole)


def _paths_in(storage: Storage, suffix: str) -> list[str]:
    """The paths of a table."""
    read = _parquet_paths if suffix == ".parquet" else _csv_paths
    try:
        return read(storage)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"`source` must be a table of paths. Received {storage.location}: {error}"[:500]
        ) from error


def _parquet_paths(storage: Storage) -> list[str]:
    parquet: Any = import_extra("pyarrow.parquet", feature="Batch runs", extra="tables")
    with storage.open() as stream:
        file = parquet.ParquetFile(stream)
        column = _path_column(file.schema_arrow.names, storage.location)
        return [str(path) for path in file.read([column]).column(column).to_pylist() if path]


def _csv_paths(storage: Storage) -> list[str]:
    text = io.StringIO(storage.read().decode("utf-8-sig"))
    rows = csv.DictReader(text)
    column = _path_column(rows.fieldnames or (), storage.location)
    return [path for row in rows if (path := (row[column] or "").strip())]


def _path_column(names: Iterable[str], table: str) -> str:
    known = {name.strip().lower(): name for name in names}
    for column in PATH_COLUMNS:
        if column in known:
            return known[column]
    raise InputError(
        f"`source` must have a column named {', '.join(PATH_COLUMNS[:-1])} or {PATH_COLUMNS[-1]}. "
        f"Received {table}, whose columns are {', '.join(names) or 'none'}."
    )
