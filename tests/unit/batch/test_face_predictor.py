"""`FacePredictor`: batches of Arrow and pandas. Ray Data: tests/e2e/test_batch_ray.py."""

import pickle
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from emopy.batch import FacePredictor
from emopy.errors import InputError
from emopy.fermodel import FERModel
from emopy.present import to_arrow
from tests.batch_inputs import write_images


@pytest.fixture
def paths(tmp_path):
    return [str(path) for path in sorted(write_images(tmp_path, 5, damaged_every=4).iterdir())]


@pytest.fixture
def options(linear_model):
    return {"model": linear_model, "detector": "full-image"}


@pytest.fixture
def expected(paths, options):
    model = FERModel(**options)
    return to_arrow(model.predict_many(paths), model.labels)


def test_a_table_of_paths_becomes_a_table_of_faces(paths, options, expected):
    predict = FacePredictor(**options)
    assert predict(pa.table({"path": paths, "more": range(5)})).equals(expected)
    batch = predict(pa.record_batch({"path": paths}))
    assert isinstance(batch, pa.RecordBatch)
    assert pa.Table.from_batches([batch]).equals(expected)


def test_encoded_images_have_the_names_of_another_column(paths, options, expected):
    content = [Path(path).read_bytes() for path in paths]
    predict = FacePredictor("bytes", source_column="name", **options)
    found = predict(pa.table({"bytes": content, "name": paths})).drop_columns("error")
    assert found.equals(expected.drop_columns("error"))
    named = FacePredictor("path", source_column="id", **options)
    ids = named(pa.table({"path": paths, "id": range(5)})).column("source").to_pylist()
    assert ids == list("01234")
    unnamed = FacePredictor("bytes", **options)(pa.table({"bytes": content}))
    assert set(unnamed.column("source").to_pylist()) == {"<bytes>"}


def test_a_data_frame_becomes_a_data_frame(paths, options, expected):
    frame = FacePredictor(**options)(pd.DataFrame({"path": paths}, index=[9, 8, 7, 6, 5]))
    pd.testing.assert_frame_equal(frame, expected.to_pandas())


@pytest.mark.parametrize("kind", [pa.table, pa.record_batch, pd.DataFrame])
def test_an_empty_batch_has_the_columns_of_others(options, expected, kind):
    path = pd.Series([], dtype="str") if kind is pd.DataFrame else pa.array([], pa.string())
    found = FacePredictor(**options)(kind({"path": path}))
    assert len(found) == 0
    names = found.columns if kind is pd.DataFrame else found.schema.names
    assert list(names) == expected.column_names


def test_it_can_be_sent_to_other_processes_before_and_after_its_first_batch(
    paths, options, expected
):
    predict = FacePredictor(**options)
    for _ in range(2):
        sent = pickle.loads(pickle.dumps(predict))
        assert sent(pa.table({"path": paths})).equals(expected)
        predict(pa.table({"path": paths}))


@pytest.mark.parametrize("batch", [None, ["a.jpg"], {"path": ["a.jpg"]}])
def test_another_kind_of_batch_is_refused(options, batch):
    with pytest.raises(InputError, match="batch_format='pyarrow'"):
        FacePredictor(**options)(batch)


def test_a_batch_without_the_column_is_refused(options):
    with pytest.raises(InputError, match="`column` must be a column of the batch: name"):
        FacePredictor(**options)(pa.table({"name": ["a.jpg"]}))
