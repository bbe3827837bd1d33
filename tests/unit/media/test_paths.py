"""Finding images at paths."""

import os

import pytest

from emopy.media import find_images


@pytest.fixture
def folder(tmp_path):
    for name in ("img10.JPG", "img2.jpg", "Img1.png", ".hidden.jpg", "notes.txt", "b/x.webp"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def names(paths, root):
    return [str(path.relative_to(root)) for path in paths]


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
