"""Folders of this machine as storage. Buckets: tests/e2e/test_batch_s3.py."""

from pathlib import Path

import pytest

from emopy.batch.storage import Storage, absolute
from emopy.errors import InputError


@pytest.fixture
def storage(tmp_path):
    return Storage(tmp_path)


def test_an_object_is_written_and_read(storage, tmp_path):
    storage.write("a/b.txt", b"first")
    storage.write("a/b.txt", memoryview(b"second"))
    assert storage.read("a/b.txt") == (tmp_path / "a" / "b.txt").read_bytes() == b"second"
    assert storage.is_file("a/b.txt")
    assert not storage.is_file("a")
    assert list(storage.names(recursive=True)) == ["a/b.txt"]
    assert list(storage.names()) == []
    assert list(storage.names("a")) == ["b.txt"]


def test_an_object_that_is_there_is_not_created_again(storage):
    storage.create("plan", b"first")
    storage.create("plan", b"second")
    assert storage.read("plan") == b"first"


def test_a_large_object_appears_at_the_end_or_not_at_all(storage, tmp_path):
    with storage.writing("large") as stream:
        stream.write(b"half")
        assert not storage.is_file("large")
        stream.write(b" and half")
    assert storage.read("large") == b"half and half"
    with pytest.raises(RuntimeError), storage.writing("large") as stream:  # noqa: PT012
        stream.write(b"other")
        raise RuntimeError
    assert storage.read("large") == b"half and half"
    assert [path.name for path in tmp_path.iterdir()] == ["large"]


def test_an_object_is_copied_and_deleted(storage, tmp_path):
    storage.write("folder/a", b"content")
    storage.copy("folder/a", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"content"
    storage.delete_empty_folder("folder")  # it is not
    storage.delete("folder/a")
    storage.delete("folder/a")
    storage.delete_empty_folder("folder")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


@pytest.mark.parametrize("verb", ["read", "open", "open_stream"])
def test_what_is_not_there_is_a_mistake_of_the_user(storage, verb):
    with pytest.raises(InputError, match=r"nowhere\.txt', which is not there"):
        getattr(storage, verb)("nowhere.txt")


@pytest.mark.parametrize("verb", ["read", "open", "open_stream"])
def test_what_cannot_be_read_is_an_error_with_its_name(storage, verb):
    with pytest.raises(OSError, match=str(storage.location)):
        getattr(storage, verb)("")


def test_errors_of_libraries_get_the_name_of_the_object(storage):
    with pytest.raises(OSError, match="no Parquet") as caught, storage.explained("a.parquet"):
        raise ValueError("no Parquet")
    assert caught.value.filename == f"{storage.location}/a.parquet"


def test_a_location_is_the_same_from_every_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute("photos/") == f"{tmp_path}/photos"
    assert absolute("file:///a%20b/c") == "/a b/c"
    assert absolute("s3://bucket/x") == "s3://bucket/x"
    assert Storage("s3://bucket/x/").join("y") == "s3://bucket/x/y"


def test_the_root_folder_is_a_location():
    assert Storage("/").join("a.parquet").replace("//", "/") == "/a.parquet"
    assert Storage("/").is_file("etc/hostname") == Path("/etc/hostname").is_file()


def test_a_key_that_pyarrow_lists_but_does_not_read_is_a_mistake_of_the_user(storage):
    with (
        pytest.raises(InputError, match="without `//`"),
        storage.explained("a//b.png"),
    ):
        raise ValueError("Empty path component in path bucket/in/a//b.png")


def test_a_folder_that_does_not_exist_has_no_names(tmp_path):
    assert list(Storage(tmp_path / "nowhere").names(recursive=True)) == []
