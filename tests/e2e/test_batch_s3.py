"""Batch runs from and into a store like S3 (moto), also one that fails at random."""

import io

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from emopy.batch import merge, run, storage
from emopy.batch.plan import read_plan
from emopy.batch.storage import Storage
from emopy.batch.worker import Unit, run_unit
from emopy.cli.main import main
from emopy.errors import InputError
from tests.batch_inputs import QUICK, encoded, write_clip, write_images, write_tar
from tests.s3_server import BUCKET, FAULTS, FlakyProxy, at_random, s3_server

AWS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}

MISSING = "gone.png"


@pytest.fixture(scope="module")
def server():
    with s3_server() as address:
        yield address


@pytest.fixture
def store(server, monkeypatch):
    """The bucket."""
    for name, value in {**AWS, "AWS_ENDPOINT_URL": server}.items():
        monkeypatch.setenv(name, value)
    return Storage(f"s3://{BUCKET}")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Inputs of every kind, by their path in the source."""
    folder = write_images(tmp_path_factory.mktemp("files"), 12, damaged_every=5)
    content = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    clip = write_clip(folder / "clip.mp4").read_bytes()
    archive = write_tar(folder / "a.tar", {f"{n}.png": encoded(n) for n in range(3)}).read_bytes()
    odd = {"ä b/#1 ?.png": encoded(1), "ä b/100%25.png": encoded(2), "._a.png": b"litter"}
    return {**content, **odd, "clip.mp4": clip, "more/a.tar": archive, "notes.txt": b"text"}


@pytest.fixture
def source(store, files):
    for name, content in files.items():
        store.write(f"source/{name}", content)
    return f"{store.location}/source"


def rows(table, prefix):
    """Rows of a table, with sources and errors as if the source had no prefix."""
    found = parquet.read_table(io.BytesIO(table)).to_pylist()
    assert all(row["source"].startswith(prefix) for row in found)
    for row in found:
        for column in ("source", "error"):
            row[column] = row[column] and row[column].replace(prefix, "")
    return found


@pytest.fixture(scope="module")
def expected(files, tmp_path_factory, linear_model):
    """Rows of a run over the same files in a folder."""
    base = tmp_path_factory.mktemp("expected")
    for name, content in files.items():
        (base / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (base / "source" / name).write_bytes(content)
    run(base / "source", base / "out", workers=1, model=linear_model, **QUICK)
    merge(base / "out", base / "all.parquet")
    return rows((base / "all.parquet").read_bytes(), f"{base}/source/")


def test_a_run_from_a_bucket_into_a_bucket_has_the_rows_of_one_on_disk(
    store, source, expected, linear_model, capsys
):
    found = run(source, store.join("out"), workers=2, model=linear_model, **QUICK)
    assert (found.is_complete, found.failures) == (True, 2)
    table = store.join("out.parquet")
    assert main(["batch", "merge", store.join("out"), table]) == 0
    assert rows(store.read("out.parquet"), f"{source}/") == expected
    assert main(["batch", "merge", store.join("out"), table]) == 2
    assert "exists. Type --overwrite" in capsys.readouterr().err
    assert main(["batch", "status", store.join("out")]) == 0
    assert "shards 6 of 6, inputs 16 of 16" in capsys.readouterr().out


@pytest.mark.parametrize("seed", [1])
def test_a_store_that_fails_at_random_loses_and_doubles_nothing(
    store, server, source, expected, linear_model, monkeypatch, seed
):
    weights = {"before": 0.08, "after": 0.08, "busy": 0.05, "drop": 0.05, "stall": 0.01}
    with FlakyProxy(server, at_random(seed, weights)) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        out = f"{store.location}/flaky-{seed}"
        found = run(source, out, workers=2, model=linear_model, **QUICK)
        merge(out, f"{out}.parquet")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    assert set(proxy.faults) == set(weights) == set(FAULTS)
    assert (found.is_complete, found.failures) == (True, 2)
    assert rows(store.read(f"flaky-{seed}.parquet"), f"{source}/") == expected


def test_a_store_that_is_down_is_no_bad_image_and_a_missing_object_is(
    store, server, source, linear_model, monkeypatch
):
    monkeypatch.setattr(storage, "_ATTEMPTS", 2)
    paths = ["0000.png", MISSING, f"{source}/0001.png", "s3://no-such-bucket-here/a.png"]
    table = io.BytesIO()
    parquet.write_table(pa.table({"path": paths}), table)
    store.write("source/list.parquet", table.getvalue())
    listed, out = f"{source}/list.parquet", store.join("down")
    is_down = True

    def fault(method, path):
        return "before" if is_down and method == "GET" and path.endswith("0001.png") else None

    options = {"model": linear_model, **QUICK}
    with FlakyProxy(server, fault) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        run(listed, out, shard=(2, 2), **options)  # plans only
        plan = read_plan(Storage(out))
        unit = Unit(plan.digest, 0, 0, None, plan.part(0))
        with pytest.raises(OSError, match=r"0001\.png"):
            run_unit(out, unit)
        assert not Storage(out).is_file(plan.part(0))
        is_down = False
        found = run_unit(out, unit)
    assert (found.images, found.faces, found.failures) == (4, 2, 2)


def test_a_bucket_that_is_not_there_is_an_error_of_one_line(store, source, capsys):
    assert main(["batch", "run", source, "s3://no-such-bucket-here/out"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("emopy: s3://no-such-bucket-here/out/")
    assert "NO_SUCH_BUCKET" in said
    assert said.count("\n") == 1
    with pytest.raises(InputError, match="which has none"):
        run("s3://no-such-bucket-here/in", store.join("empty"))


def test_an_object_that_is_interrupted_does_not_appear_half(store, tmp_path):
    with pytest.raises(KeyboardInterrupt), store.writing("half.parquet") as stream:  # noqa: PT012
        stream.write(b"half")
        raise KeyboardInterrupt
    assert not store.is_file("half.parquet")
    large = bytes(range(256)) * 2**16 * 2  # 32 MiB: several parts
    store.write("large", large)
    store.copy("large", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == large


def test_an_object_whose_upload_fails_does_not_appear(store, server, monkeypatch):
    monkeypatch.setattr(storage, "_ATTEMPTS", 2)

    def fault(method, path):
        return "before" if "partNumber=3" in path else None

    with FlakyProxy(server, fault) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        with pytest.raises(OSError, match="fails"):
            Storage(f"s3://{BUCKET}").write("fails", b"x" * 2**25)
    assert proxy.faults["before"] >= 1
    assert not store.is_file("fails")


def test_names_and_deletion_in_a_bucket(store):
    for name in ("deep/a", "deep/b/c", "deep/.hidden", "deeper/d"):
        store.write(name, b"")
    assert sorted(store.names("deep", recursive=True)) == ["a", "b/c"]
    assert list(store.names("deep")) == ["a"]
    store.delete("deep/a")
    store.delete("deep/a")
    assert list(store.names("deep")) == []
    store.create("deep/plan", b"first")
    store.create("deep/plan", b"second")
    assert store.read("deep/plan") == b"first"
