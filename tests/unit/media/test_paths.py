"""Images at paths, in folders, and images that match a pattern."""

import os
from pathlib import Path

import pytest

from emopy.errors import InputError
from emopy.media.paths import find_images, images_at, is_pattern, match_images, walk_files

FILES = [
    *("img10.jpg", "img2.jpg", "IMG3.JPG", "a.png", "notes.txt", "raw.dat", ".hidden.jpg"),
    *("anna/deep/2.jpg", "anna/1.jpg", "ben/3.png", ".cache/4.jpg", "__MACOSX/5.jpg"),
    *("ben/@eaDir/6.jpg", "ben/._7.jpg", "ben/Thumbs.db", "trip [2020]/8.jpg", "trip [2020]/9.png"),
]


@pytest.fixture
def folder(tmp_path):
    for name in ("img10.JPG", "img2.jpg", "Img1.png", ".hidden.jpg", "notes.txt", "b/x.webp"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


@pytest.fixture
def photos(tmp_path):
    for name in FILES:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "photos"


def names(paths, root):
    return [path.relative_to(root).as_posix() for path in paths]


def test_a_folder_gives_its_images_in_natural_order(folder):
    assert names(find_images(folder), folder) == ["Img1.png", "img2.jpg", "img10.JPG"]


def test_recursive_reads_folders_within_folders(folder):
    (folder / ".git").mkdir()
    (folder / ".git" / "a.png").touch()
    found = names(find_images([folder], recursive=True), folder)
    assert found == ["b/x.webp", "Img1.png", "img2.jpg", "img10.JPG"]


def test_other_paths_are_kept_in_order(folder):
    given = [folder / "notes.txt", folder / "missing.jpg", folder / ".hidden.jpg"]
    assert find_images([*given, folder / "b"]) == [*given, folder / "b" / "x.webp"]
    assert find_images(str(given[0])) == [given[0]]


@pytest.mark.parametrize(
    "name",
    ["__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information", "#recycle",
     ".Trash-1000", ".AppleDouble"],
)  # fmt: skip
def test_folders_of_systems_and_hidden_files_are_passed_over(folder, name):
    before = find_images([folder], recursive=True)
    for place in (
        f"{name}/a.jpg",
        f"b/{name.lower()}/a.jpg",
        f"b/{name.upper()}/x/a.jpg",
        "._a.jpg",
    ):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).touch()
    assert find_images([folder], recursive=True) == before
    assert find_images([folder]) == [path for path in before if path.parent == folder]


def test_a_folder_without_images_gives_nothing(tmp_path):
    assert find_images([tmp_path]) == []


def test_loops_of_links_end_and_every_folder_is_listed_once(folder):
    (folder / "a_link").symlink_to(folder / "b")
    (folder / "b" / "up").symlink_to(folder)
    (folder / "b" / "self").symlink_to(folder / "b" / "self")
    found = names(find_images(folder, recursive=True), folder)
    assert found == ["b/x.webp", "Img1.png", "img2.jpg", "img10.JPG"]


def test_a_broken_link_is_kept_and_a_pipe_is_not(folder):
    (folder / "c.jpg").symlink_to(folder / "gone.jpg")
    os.mkfifo(folder / "d.jpg")
    (folder / "e.jpg").mkdir()
    assert "c.jpg" in names(find_images(folder), folder)
    assert not {"d.jpg", "e.jpg"} & set(names(find_images(folder), folder))


def test_a_folder_without_permission_is_kept(folder):
    locked = folder / "locked"
    locked.mkdir()
    user, modes = os.geteuid(), {}
    try:
        locked.chmod(0)
        folder.chmod(0o755)
        if user == 0:  # the superuser may list everything
            for path in (folder, *folder.parents):
                mode = path.stat().st_mode
                if mode & 0o055 != 0o055:
                    modes[path] = mode
                    path.chmod(mode | 0o055)
            os.seteuid(65534)
        found = find_images(folder, recursive=True)
    finally:
        os.seteuid(user)
        for path, mode in modes.items():
            path.chmod(mode)
        locked.chmod(0o755)
    assert locked in found
    assert folder / "img2.jpg" in found


def test_numbers_with_very_many_digits_are_sorted(tmp_path):
    for name in ("9" * 200 + ".jpg", "1" + "0" * 200 + ".jpg", "٣.jpg", "007.jpg", "7.jpg"):
        (tmp_path / name).touch()
    order = [path.stem[:3] for path in find_images(tmp_path)]
    assert order == ["٣", "007", "7", "999", "100"]


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
def test_a_pattern_gives_the_images_that_match_in_natural_order(photos, pattern, expected):
    assert names(match_images(photos / pattern), photos) == expected
    assert names(match_images(str(photos / pattern)), photos) == expected


@pytest.mark.parametrize("pattern", ["**", "**/*"])
def test_two_stars_search_all_folders_and_give_each_image_once(photos, pattern):
    expected = ["a.png", "anna/deep/2.jpg", "anna/1.jpg", "ben/3.png", "img2.jpg", "IMG3.JPG",
                "img10.jpg", "trip [2020]/8.jpg", "trip [2020]/9.png"]  # fmt: skip
    assert names(match_images(photos / pattern), photos) == expected


def test_a_pattern_may_be_relative(photos, monkeypatch):
    monkeypatch.chdir(photos)
    assert match_images("*.jpg") == match_images("./*.jpg") == [Path("img2.jpg"), Path("img10.jpg")]
    monkeypatch.chdir(photos / "anna")
    assert match_images("../ben/*") == [Path("../ben/3.png")]


def test_a_pattern_ends_at_loops_of_links(photos):
    (photos / "anna" / "loop").symlink_to(photos)
    (photos / "anna" / "deep" / "loop").symlink_to(photos)
    assert names(match_images(photos / "anna" / "**"), photos) == ["anna/deep/2.jpg", "anna/1.jpg"]


def test_a_broken_link_that_matches_is_kept_and_a_pipe_is_not(photos):
    (photos / "gone.jpg").symlink_to(photos / "nothing.jpg")
    os.mkfifo(photos / "pipe.jpg")
    assert names(match_images(photos / "[gp]*.jpg"), photos) == ["gone.jpg"]


def test_a_file_with_brackets_in_its_name_is_no_pattern(photos):
    path = photos / "photo[1].jpg"
    assert is_pattern(path)
    path.touch()
    assert not is_pattern(path)
    assert not is_pattern("http://host/photo.jpg?size=9")
    assert not is_pattern(photos)


@pytest.mark.parametrize("pattern", ["**.jpg", "a**/b.jpg"])
def test_two_stars_beside_other_characters_are_refused(photos, pattern):
    with pytest.raises(InputError, match=r"`pattern` must have \*\* alone between slashes"):
        match_images(photos / pattern)


def test_a_path_that_no_system_accepts_is_refused():
    for path in ("a" * 5000 + "/*.jpg", "a\0/*.jpg"):
        with pytest.raises(InputError, match=r"`sources?` must be"):
            images_at(path)


def test_a_path_is_a_folder_or_a_pattern_or_neither(photos):
    assert names(images_at(photos), photos) == ["a.png", "img2.jpg", "IMG3.JPG", "img10.jpg"]
    assert names(images_at(photos / "*.png"), photos) == ["a.png"]
    assert images_at(photos / "a.png") is images_at(photos / "none.png") is None


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"`sources` must be a folder with images. .*\*\*' to"):
        images_at(tmp_path)


def test_a_pattern_without_a_match_is_refused(tmp_path):
    with pytest.raises(InputError, match="`sources` must be a pattern that matches images"):
        images_at(tmp_path / "*.jpg")


def test_a_walk_goes_by_name_and_comes_to_links_last(tmp_path):
    for name in ("c/1", "b/2", "b/a/3", "d"):
        (tmp_path / "real" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "real" / name).touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "4").touch()
    (tmp_path / "real" / "a").symlink_to(tmp_path / "elsewhere")
    found = [name for name, _ in walk_files(tmp_path / "real", recursive=True)]
    assert found == ["d", "b/2", "b/a/3", "c/1", "a/4"]
