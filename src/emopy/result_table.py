"""The columns and rows of a table of results, the same for images and videos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emopy.bounding_box import EDGES
from emopy.errors import InputError
from emopy.escaping import escape_undecodable
from emopy.labels import composed
from emopy.types import FailedInput, ImageResult

_COLUMNS_BEFORE = (
    *("source", "width", "height", "time_s", "frame", "face", "track"),
    *(*EDGES, "score", "emotion", "confidence"),
)
_COLUMNS_AFTER = ("error",)
_FACE_CELLS = ("face", "track", "score", "emotion", "confidence")

COLUMN_TYPES: dict[str, type] = {
    **dict.fromkeys(("source", "emotion", "error"), str),
    **dict.fromkeys(("width", "height", "frame", "face", "track"), int),
}
"""Type of each table column; the columns that are missing here hold float."""


def row_columns(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a table of results, in order.

    A label with the name of another column gets ``_probability`` appended.

    Example:
        >>> row_columns(("anger", "score"))[11:]
        ('score', 'emotion', 'confidence', 'anger', 'score_probability', 'error')
    """
    names: list[str] = []
    for label in labels:
        name = escape_undecodable(label)
        while name in (*_COLUMNS_BEFORE, *_COLUMNS_AFTER, *names):
            name += "_probability"
        names.append(name)
    return (*_COLUMNS_BEFORE, *names, *_COLUMNS_AFTER)


def to_rows(result: ImageResult | FailedInput, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return the table rows of a result: one per face, or one with empty face cells.

    Args:
        result: Faces of an image or video frame, or a failed input.
        labels: Labels of every prediction, in order.

    Returns:
        Rows with the keys of `row_columns`; an empty cell is None. Numbers are rounded as in
        `ImageResult.to_dict`.

    Raises:
        InputError: A face has other labels.
    """
    check_labels(result, labels)
    record = result.to_dict()
    empty = dict.fromkeys(row_columns(labels))
    label_columns = list(empty)[len(_COLUMNS_BEFORE) : -len(_COLUMNS_AFTER)]
    image = {name: value for name, value in record.items() if name != "faces"}
    rows = [
        {
            **empty,
            **image,
            **{name: face[name] for name in _FACE_CELLS if name in face},
            **face["box"],
            **dict(zip(label_columns, face["probabilities"].values(), strict=True)),
        }
        for face in record["faces"]
    ]
    return rows or [{**empty, **image}]


def comparable_source(source: str) -> str:
    r"""Return the source of an image as it is compared with the sources in a table.

    That is composed (NFC), with slashes, without ``./`` before it, and escaped as in tables of
    results.

    Example:
        >>> comparable_source("./photos\\a.jpg")
        'photos/a.jpg'
    """
    return composed(escape_undecodable(source.strip())).replace("\\", "/").removeprefix("./")


def check_labels(result: ImageResult | FailedInput, labels: Sequence[str]) -> None:
    """Raise InputError if a face of the result has other labels, or another order of them."""
    for face in result.faces if isinstance(result, ImageResult) else ():
        if face.prediction.labels != tuple(labels):
            raise InputError(
                f"`result` must have the labels {list(labels)}. "
                f"Received {list(face.prediction.labels)}. Use the labels of the model: "
                "model.labels."
            )
