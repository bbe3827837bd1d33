"""Which inputs a source stands for, and in which order."""

import os
import sys

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from emopy.batch.sources import Input, kind_of, list_inputs
from emopy.errors import InputError


def names(found, folder):
    return [os.path.relpath(each.path, folder) for each in found]


def touch(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


@pytest.mark.parametrize(
    "name, kind",
    [("a.JPG", "image"), ("b.mp4", "video"), ("c.tar", "archive"), ("d.tar.gz", None), ("e", None)],
)
def test_the_suffix_says_what_a_file_is(name, kind):
    assert kind_of(name) == kind


def test_a_folder_is_searched_with_its_subfolders_in_the_order_of_the_paths(tmp_path):
    touch(tmp_path, "b.png", "a/z.mp4", "a/10.jpg", "a/9.jpg", "ü/ş.jpg", "c.tar", "notes.txt")
    found = list(list_inputs(tmp_path))
    assert names(found, tmp_path) == [
        *("a/10.jpg", "a/9.jpg", "a/z.mp4", "b.png", "c.tar", "ü/ş.jpg"),
    ]
    assert [each.kind for each in found] == ["image", "image", "video", "image", "archive", "image"]


def test_litter_of_systems_is_left_out(tmp_path):
    touch(tmp_path, "a.jpg", ".b.jpg", "._a.jpg", "__MACOSX/a.jpg", "@eaDir/a.jpg", ".git/x/a.png")
    assert names(list_inputs(tmp_path), tmp_path) == ["a.jpg"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_links_are_followed_once_and_broken_ones_are_kept_to_be_reported(tmp_path):
    touch(tmp_path, "real/a.jpg", "elsewhere.jpg")
    source = tmp_path / "source"
    source.mkdir()
    (source / "linked").symlink_to(tmp_path / "real")
    (source / "twice").symlink_to(tmp_path / "real")
    (source / "loop").symlink_to(source)
    (source / "one.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    (source / "broken.jpg").symlink_to("nowhere.jpg")
    (source / "itself").symlink_to("itself")
    assert names(list_inputs(source), source) == ["broken.jpg", "linked/a.jpg", "one.jpg"]


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders there")
def test_a_pipe_is_no_image_it_would_block(tmp_path):
    touch(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "b.jpg")
    assert names(list_inputs(tmp_path), tmp_path) == ["a.jpg"]


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode there")
def test_names_that_are_no_unicode_are_kept(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.jpg")).touch()
    [found] = list_inputs(tmp_path)
    assert os.fsencode(found.path).endswith(b"\xff.jpg")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_names_its_paths_relative_to_its_folder(tmp_path, suffix):
    paths = [
        "b.jpg",
        "/data/a.mp4",
        "s3://bucket/ä #1.jpg",
        "file:///x/a%20b.png",
        "b.jpg",
        "",
        "id7",
    ]
    table = tmp_path / f"list{suffix}"
    if suffix == ".csv":
        lines = "\n".join(f"{number},{path}" for number, path in enumerate(paths))
        table.write_text(f"id, Path\n{lines}\n9\n", encoding="utf-8-sig")
    else:
        columns = {"id": list(range(8)), "path": [*paths, None]}
        parquet.write_table(pa.table(columns), table, row_group_size=3)
    assert list(list_inputs(table)) == [
        Input("image", f"{tmp_path}/b.jpg"),
        Input("video", "/data/a.mp4"),
        Input("image", "s3://bucket/ä #1.jpg"),
        Input("image", "/x/a b.png"),
        Input("image", f"{tmp_path}/b.jpg"),  # as often as it is there
        Input("image", f"{tmp_path}/id7"),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_of_results_is_a_table_of_paths(tmp_path, separator):
    lines = ("source|face", "'-a.jpg|1", "'=b.jpg|1", "'twas.jpg|2")
    text = "\n".join(lines).replace("|", separator)
    (tmp_path / "results.csv").write_text(text, encoding="utf-8")
    found = names(list_inputs(tmp_path / "results.csv"), tmp_path)
    assert found == ["-a.jpg", "=b.jpg", "'twas.jpg"]


def test_a_folder_that_may_not_be_listed_is_an_input_that_cannot_be_read(tmp_path, monkeypatch):
    touch(tmp_path, "a.jpg", "locked/b.jpg", "open/c.jpg")
    scandir = os.scandir

    def refuse(path):  # root may list every folder
        if os.fspath(path).rstrip("/").endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert names(list_inputs(tmp_path), tmp_path) == ["a.jpg", "locked", "open/c.jpg"]
    with pytest.raises(OSError, match="Permission denied"):
        list(list_inputs(tmp_path / "locked"))


def test_paths_may_be_bytes(tmp_path):
    parquet.write_table(pa.table({"file": [b"/a/\xff.jpg"]}), tmp_path / "list.parquet")
    [found] = list_inputs(tmp_path / "list.parquet")
    assert os.fsencode(found.path) == b"/a/\xff.jpg"


@pytest.mark.parametrize(
    "content", [b"id,name\n1,2\n", b"path\n\xff\n", b"", b'path\n"' + b"x" * 2**18]
)
def test_a_table_without_paths_is_refused(tmp_path, content):
    (tmp_path / "list.csv").write_bytes(content)
    with pytest.raises(InputError, match="`source` must"):
        list(list_inputs(tmp_path / "list.csv"))


@pytest.mark.parametrize("columns", [{"path": [1, 2]}, {"path": [["a"]]}, {"name": ["a"]}, None])
def test_a_parquet_file_without_paths_is_refused(tmp_path, columns):
    table = tmp_path / "list.parquet"
    if columns is None:
        table.write_bytes(b"PAR1, it says")
    else:
        parquet.write_table(pa.table(columns), table)
    with pytest.raises((InputError, OSError), match=r"`source` must|list\.parquet"):
        list(list_inputs(table))


@pytest.mark.parametrize("name", ["clip.mp4", "one.jpg", "many.tar"])
def test_one_file_is_a_source(tmp_path, name):
    touch(tmp_path, name)
    assert [each.path for each in list_inputs(tmp_path / name)] == [str(tmp_path / name)]


@pytest.mark.parametrize("name", ["empty", "nowhere", "notes.txt"])
def test_a_source_without_inputs_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    touch(tmp_path, "notes.txt")
    with pytest.raises(InputError, match=f"{name}', which has none"):
        list(list_inputs(tmp_path / name))


def test_an_address_of_another_kind_is_refused():
    with pytest.raises(InputError, match="begin with s3:// or gs://"):
        list(list_inputs("https://example.org/photos"))
