"""`read_boxes`: the faces of many images from a CSV file, such as a table of results."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from emopy.bounding_box import EDGES
from emopy.errors import InputError
from emopy.result_table import comparable_source
from emopy.tables import TextTable, read_csv
from emopy.types import Box, Face

_SOURCE = "source"


class BoxTable:
    """The faces of images, by the names of the images.

    Args:
        faces: For each image, named as `comparable_source` returns it, its faces.
    """

    def __init__(self, faces: Mapping[str, Sequence[Face]]) -> None:
        self._faces = {source: tuple(found) for source, found in faces.items()}

    def __len__(self) -> int:
        return len(self._faces)

    def __bool__(self) -> bool:
        return True  # also without images: it says that they have no faces

    def faces_of(self, source: str | os.PathLike[str]) -> tuple[Face, ...]:
        """Return the faces of an image, in the order of the rows; none if it has no row.

        Args:
            source: The image as it is called in the table: an absolute path is another name than
                a relative one.
        """
        return self._faces.get(comparable_source(os.fsdecode(source)), ())

    def to_dict(self) -> dict[str, list[list[float]]]:
        """Return left, top, right and bottom of each face of each image, as JSON can hold them."""
        return {
            source: [[getattr(face.box, edge) for edge in EDGES] for face in faces]
            for source, faces in self._faces.items()
        }

    def named_as(self, sources: Iterable[str]) -> BoxTable:
        """Return the table with names of files replaced by the images that they stand for.

        A name without a folder, such as ``fear.png``, stands for the image of that file name,
        unless it is the whole name of an image.

        Args:
            sources: All images, as they are called in results.

        Raises:
            InputError: A name that stands for several images.
        """
        known = {comparable_source(source) for source in sources}
        by_file: dict[str, list[str]] = {}
        for name in known - self._faces.keys():
            by_file.setdefault(name.rpartition("/")[2], []).append(name)
        faces: dict[str, Sequence[Face]] = {}
        for source, found in self._faces.items():
            names = [source] if source in known else sorted(by_file.get(source, [source]))
            if len(names) > 1:
                raise InputError(
                    f"`path` must name each image with its folder if file names repeat. Received "
                    f"{source!r}, which is {' and '.join(map(repr, names[:2]))}."
                )
            faces[names[0]] = found
        return BoxTable(faces)

    def others(self, sources: Iterable[str]) -> list[str]:
        """Return the images of the table that are not among some sources."""
        known = {comparable_source(source) for source in sources}
        return [source for source in self._faces if source not in known]

    def missing(self, sources: Iterable[str]) -> list[str]:
        """Return the sources that have no row in the table."""
        return [source for source in sources if comparable_source(source) not in self._faces]


def read_boxes(path: str | os.PathLike[str]) -> BoxTable:
    """Load the faces of images from a CSV file, one face a row.

    The tables that ``emopy predict --out results.csv`` and `open_table` write can be read: other
    columns are ignored, and a row without edges is an image without a face.

        source,left,top,right,bottom
        group.jpg,179,63.2,264.6,171.9

    Args:
        path: CSV file with a header row: UTF-8, separated by comma, semicolon or tab. Edges are in
            pixels of the upright image; right and bottom are exclusive.

    Raises:
        InputError: Unreadable, a column is missing or there twice, a cell is no number, or a box
            has no area.

    Example::

        boxes = read_boxes("results.csv")
        results = model.predict_many((path, boxes.faces_of(path)) for path in paths)
    """
    table = read_csv(path, "path", InputError)
    columns = _find_columns(Path(path), table)
    faces: dict[str, list[Face]] = {}
    for line, cells in zip(table.lines, table.rows, strict=True):
        source, *edges = (cells[column] for column in columns)
        found = faces.setdefault(comparable_source(source), [])
        if any(edges):
            found.append(_to_face(edges, f"line {line} of {path}"))
    return BoxTable(faces)


def _find_columns(path: Path, table: TextTable) -> list[int]:
    """The columns of the source and of the four edges."""
    titles = [title.lower() for title in table.header]
    if all(titles.count(name) == 1 for name in (_SOURCE, *EDGES)):
        return [titles.index(name) for name in (_SOURCE, *EDGES)]
    raise InputError(
        f"`path` must be a table with the columns {_SOURCE}, {', '.join(EDGES)}, each once. "
        f"Received {path} with {', '.join(table.header) or 'an empty first line'}. "
        f"Name the columns in the first line: {_SOURCE},{','.join(EDGES)}"
    )


def _to_face(edges: Sequence[str], place: str) -> Face:
    try:
        return Face(Box(*map(float, edges)))
    except InputError as error:
        raise InputError(f"`path` must hold boxes. Received {place}: {error}") from error
    except ValueError as error:
        raise InputError(
            f"`path` must have numbers as {', '.join(EDGES)}. Received {','.join(edges)!r} in "
            f"{place}. Write decimals with a point; leave all four empty where there is no face."
        ) from error
