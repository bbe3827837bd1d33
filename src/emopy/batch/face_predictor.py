"""`FacePredictor`: predictions inside a pipeline of Ray Data, Spark or pandas."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

from emopy.errors import InputError, import_extra
from emopy.fermodel import FERModel
from emopy.present import to_arrow


class FacePredictor:
    """Takes batches with images and returns batches with a row for each face.

    It can be pickled and sent to other processes; each opens the model when it gets its first
    batch.

    Args:
        column: Column with the images: paths (text) or encoded images (binary).
        source_column: Column with the names of the images in the results; None: the paths, or
            ``"<bytes>"``.
        **options: Arguments of `FERModel`; ``threads`` is 1 if left out, since these programs start
            a process for each core.

    Example::

        ray.data.read_binary_files("s3://photos/", include_paths=True).map_batches(
            FacePredictor("bytes", source_column="path"), batch_format="pyarrow"
        )
    """

    def __init__(
        self, column: str = "path", *, source_column: str | None = None, **options: Any
    ) -> None:
        self._column = column
        self._source_column = source_column
        self._options: dict[str, Any] = {"threads": 1, **options}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_model"}

    @cached_property
    def _model(self) -> FERModel:
        return FERModel(**self._options)

    def __call__(self, batch: Any) -> Any:
        """Return the rows of `emopy.to_arrow` for a batch.

        Args:
            batch: ``pyarrow.Table`` or ``RecordBatch``, or ``pandas.DataFrame``.

        Returns:
            A batch of the same kind: one row per face; an image without a face, or that cannot be
            read, has one row.

        Raises:
            InputError: Another kind of batch, or one without the column.
        """
        arrow: Any = import_extra("pyarrow", feature="FacePredictor", extra="tables")
        if isinstance(batch, arrow.Table):
            return self._predict(batch)
        if isinstance(batch, arrow.RecordBatch):
            found = self._predict(arrow.Table.from_batches([batch])).combine_chunks()
            batches = found.to_batches()
            return batches[0] if batches else arrow.RecordBatch.from_pylist([], found.schema)
        if type(batch).__name__ == "DataFrame" and type(batch).__module__.startswith("pandas"):
            return self._predict(arrow.Table.from_pandas(batch, preserve_index=False)).to_pandas()
        raise InputError(
            "`batch` must be a pyarrow.Table, a pyarrow.RecordBatch or a pandas.DataFrame. "
            f"Received {type(batch).__name__}. In Ray Data type: batch_format='pyarrow'"
        )

    def _predict(self, table: Any) -> Any:
        images = self._values(table, self._column)
        results = self._model.predict_many(images, batch_size=1)
        if self._source_column is not None:
            names = self._values(table, self._source_column)
            results = (
                replace(result, source=str(name))
                for result, name in zip(results, names, strict=True)
            )
        return to_arrow(results, self._model.labels)

    def _values(self, table: Any, column: str) -> list[Any]:
        if column not in table.column_names:
            raise InputError(
                f"`column` must be a column of the batch: {', '.join(table.column_names)}. "
                f"Received {column!r}."
            )
        return table.column(column).to_pylist()
