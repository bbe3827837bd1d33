"""Images of a folder, and images that match a pattern."""

import os
from pathlib import Path

import pytest

from emopy.errors import InputError
from emopy.media.patterns import images_at, is_pattern, match_images

FILES = [
    *("img10.jpg", "img2.jpg", "IMG3.JPG", "a.png", "notes.txt", "raw.dat", ".hidden.jpg"),
    *("anna/deep/2.jpg", "anna/1.jpg", "ben/3.png", ".cache/4.jpg", "__MACOSX/5.jpg"),
    *("ben/@eaDir/6.jpg", "ben/._7.jpg", "ben/Thumbs.db", "trip [2020]/8.jpg", "trip [2020]/9.png"),
]


@pytest.fixture
def folder(tmp_path):
    for name in FILES:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "photos"


def names(paths, folder):
    return [path.relative_to(folder).as_posix() for path in paths]


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ("*.jpg", ["img2.jpg", "img10.jpg"]),
        ("img?.jpg", ["img2.jpg"]),
        ("img[0-9]*.jpg", ["img2.jpg", "img10.jpg"]),
        ("[ai]*.[jp]*g", ["a.png", "img2.jpg", "img10.jpg"]),
        ("*.dat", ["raw.dat"]),
        ("*/*.png", ["ben/3.png", "trip [2020]/9.png"]),
        ("ann*", ["anna/1.jpg"]),
        ("**/*.jpg",
         ["anna/deep/2.jpg", "anna/1.jpg", "img2.jpg", "img10.jpg", "trip [2020]/8.jpg"]),
        ("anna/**", ["anna/deep/2.jpg", "anna/1.jpg"]),
        ("**/*.dat", ["raw.dat"]),
        ("trip [2020]/*.jpg", ["trip [2020]/8.jpg"]),
        (".*.jpg", [".hidden.jpg"]),
        (".cache/*.jpg", [".cache/4.jpg"]),
        ("*/@eaDir/*.jpg", ["ben/@eaDir/6.jpg"]),
        ("*.tif", []),
        ("nobody/*.jpg", []),
    ],
)  # fmt: skip
def test_a_pattern_gives_the_images_that_match_in_natural_order(folder, pattern, expected):
    assert names(match_images(folder / pattern), folder) == expected
    assert names(match_images(str(folder / pattern)), folder) == expected


@pytest.mark.parametrize("pattern", ["**", "**/*"])
def test_two_stars_search_all_folders_and_give_each_image_once(folder, pattern):
    expected = ["a.png", "anna/deep/2.jpg", "anna/1.jpg", "ben/3.png", "img2.jpg", "IMG3.JPG",
                "img10.jpg", "trip [2020]/8.jpg", "trip [2020]/9.png"]  # fmt: skip
    assert names(match_images(folder / pattern), folder) == expected


def test_a_pattern_may_be_relative(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert match_images("*.jpg") == match_images("./*.jpg") == [Path("img2.jpg"), Path("img10.jpg")]
    monkeypatch.chdir(folder / "anna")
    assert match_images("../ben/*") == [Path("../ben/3.png")]


def test_loops_of_links_end(folder):
    (folder / "anna" / "loop").symlink_to(folder)
    (folder / "anna" / "deep" / "loop").symlink_to(folder)
    assert names(match_images(folder / "anna" / "**"), folder) == ["anna/deep/2.jpg", "anna/1.jpg"]


def test_a_broken_link_is_kept_and_a_pipe_is_not(folder):
    (folder / "gone.jpg").symlink_to(folder / "nothing.jpg")
    os.mkfifo(folder / "pipe.jpg")
    assert names(match_images(folder / "[gp]*.jpg"), folder) == ["gone.jpg"]


def test_a_file_with_brackets_in_its_name_is_no_pattern(folder):
    path = folder / "photo[1].jpg"
    assert is_pattern(path)
    path.touch()
    assert not is_pattern(path)
    assert not is_pattern("http://host/photo.jpg?size=9")
    assert not is_pattern(folder)


@pytest.mark.parametrize("pattern", ["**.jpg", "a**/b.jpg"])
def test_two_stars_beside_other_characters_are_refused(folder, pattern):
    with pytest.raises(InputError, match=r"`pattern` must have \*\* alone between slashes"):
        match_images(folder / pattern)


def test_a_path_that_no_system_accepts_is_refused():
    for path in ("a" * 5000 + "/*.jpg", "a\0/*.jpg"):
        with pytest.raises(InputError, match=r"`sources?` must be"):
            images_at(path)


def test_a_path_is_a_folder_or_a_pattern_or_neither(folder):
    assert names(images_at(folder), folder) == ["a.png", "img2.jpg", "IMG3.JPG", "img10.jpg"]
    assert names(images_at(folder / "*.png"), folder) == ["a.png"]
    assert images_at(folder / "a.png") is images_at(folder / "none.png") is None


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"`sources` must be a folder with images. .*\*\*' to"):
        images_at(tmp_path)


def test_a_pattern_without_a_match_is_refused(tmp_path):
    with pytest.raises(InputError, match="`sources` must be a pattern that matches images"):
        images_at(tmp_path / "*.jpg")
