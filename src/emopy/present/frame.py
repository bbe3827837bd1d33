"""`to_frame` and `to_arrow`: results as a pandas data frame or an Arrow table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from emopy.errors import InputError, import_extra
from emopy.result_table import COLUMN_TYPES, row_columns, to_rows
from emopy.types import FailedInput, Frame, ImageResult

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

Result: TypeAlias = ImageResult | FailedInput
"""What prediction gives for an image or a frame."""

Results: TypeAlias = Iterable[Result | tuple[Frame, ImageResult]] | Result
"""Results of any kind, also with their frames, as `FERModel.predict_frames` gives them."""


def to_frame(results: Results, labels: Sequence[str] | None = None) -> pd.DataFrame:
    """Return results as a pandas data frame with the rows and columns of `open_table`.

    Args:
        results: Results of images, video frames and failed inputs, mixed as you like, also as
            ``(frame, result)`` from `FERModel.predict_frames`; or one result.
        labels: Labels of every prediction; None uses those of the first face.

    Returns:
        One row per face; images without a face and failed inputs have one row. Integer columns
        are nullable (``Int64``).

    Raises:
        InputError: Something else than results, or faces with different labels.
        MissingExtraError: pandas is not installed.

    Example::

        to_frame(FERModel().predict_many(["a.jpg", "b.jpg"])).groupby("source").size()
    """
    pandas = import_extra("pandas", feature="Data frames", extra="tables")
    rows, labels = _to_rows(results, labels)
    dtypes = {str: "string", int: "Int64", float: "float64"}
    columns: dict[str, Any] = {}
    for name in row_columns(labels):
        dtype = dtypes[COLUMN_TYPES.get(name, float)]
        columns[name] = pandas.array([row[name] for row in rows], dtype=dtype)
    return pandas.DataFrame(columns)


def to_arrow(results: Results, labels: Sequence[str] | None = None) -> Any:
    """Return results as an Arrow table: the rows and columns of `to_frame`, without pandas.

    It equals what is read from a Parquet file of `open_table`. DuckDB, Polars and others take it.

    Args:
        results: As for `to_frame`.
        labels: As for `to_frame`.

    Returns:
        A ``pyarrow.Table`` with columns of strings, int64 and float64, null where a cell is empty.

    Raises:
        InputError: Something else than results, or faces with different labels.
        MissingExtraError: pyarrow is not installed.

    Example::

        to_arrow(FERModel().predict_many("photos/*.jpg")).group_by("source").aggregate([])
    """
    arrow = import_extra("pyarrow", feature="Arrow tables", extra="tables")
    rows, labels = _to_rows(results, labels)
    return arrow.Table.from_pylist(rows, arrow_schema(arrow, labels))


def arrow_schema(arrow: Any, labels: Sequence[str]) -> Any:
    """Return the ``pyarrow.Schema`` of a table of results.

    Args:
        arrow: The module pyarrow.
        labels: Labels of every prediction, in order.
    """
    kinds = {str: arrow.string(), int: arrow.int64(), float: arrow.float64()}
    return arrow.schema(
        [(name, kinds[COLUMN_TYPES.get(name, float)]) for name in row_columns(labels)]
    )


def _to_rows(
    results: Results, labels: Sequence[str] | None
) -> tuple[list[dict[str, Any]], Sequence[str]]:
    """The rows of results, and their labels."""
    given = cast("object", results)  # of any type, from a caller who does not check types
    items: Iterable[object] = [given]
    if isinstance(given, Iterable) and not isinstance(given, Result):
        items = cast("Iterable[object]", given)
    kept = [_checked(item) for item in items]
    if labels is None:
        images = (result for result in kept if isinstance(result, ImageResult))
        labels = next((face.prediction.labels for image in images for face in image.faces), ())
    return [row for result in kept for row in to_rows(result, labels)], labels


def _checked(item: object) -> Result:
    """A result; of ``(frame, result)`` without the frame, whose image needs memory."""
    if isinstance(item, tuple):
        pair = cast("tuple[object, ...]", item)
        item = pair[1] if len(pair) == 2 and isinstance(pair[0], Frame) else pair
    if isinstance(item, ImageResult | FailedInput):
        return item
    raise InputError(
        f"`results` must be results of FERModel. Received one {type(item).__name__}. "
        "Type for example: to_frame(model.predict_many(paths))"
    )
