"""Paths: the images at a path or of a pattern, formats by suffix, errors for unreadable paths."""

from __future__ import annotations

import os
import re
import stat
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from emopy.errors import InputError, naming

# `Path` makes one slash of two. A single letter before the colon is a drive of Windows.
_URL = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)

_WILDCARD = re.compile(r"[*?[]")

IMAGE_FORMATS: dict[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png",),
    "WebP": (".webp",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "GIF": (".gif",),
    "PPM": (".pbm", ".pgm", ".ppm", ".pnm"),
    "AVIF": (".avif",),
    "HEIC": (".heic", ".heif"),
}
"""Formats that `read_image` decodes, and their suffixes in lower case. AVIF needs Pillow 11.3 or
later, HEIC the package ``pillow-heif``."""

IMAGE_SUFFIXES = frozenset[str]().union(*IMAGE_FORMATS.values())
"""Suffixes, in lower case, of the files in a folder that count as images."""

VIDEO_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".qt", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".m2v", ".mts",
    ".m2ts", ".ts", ".wmv", ".asf", ".flv", ".f4v", ".3gp", ".3g2", ".ogv", ".vob", ".mxf",
    ".mjpeg", ".mjpg", ".dv",
})  # fmt: skip
"""Suffixes, in lower case, of the files in a folder that count as videos."""

_SYSTEM_NAMES = frozenset({
    "__macosx", "icon\r", "lost+found",
    "$recycle.bin", "recycler", "system volume information", "thumbs.db", "ehthumbs.db",
    "desktop.ini",
    "@eadir", "@recycle", "@recently-snapshot", "@tmp", "#recycle", "#snapshot",
})  # fmt: skip
"""Names, in lower case, of entries that systems and file servers add and do not hide."""


def is_system_entry(name: str) -> bool:
    """Return whether a file or folder is hidden, or was added by a system and not by a person.

    Such entries, among them ``__MACOSX``, ``@eaDir``, ``$RECYCLE.BIN`` and ``._a.jpg``, are left
    out wherever a folder is searched. They often hold copies, previews or rests of images.

    Args:
        name: Name of the file or folder, without its path.
    """
    return name.startswith(".") or name.lower() in _SYSTEM_NAMES


def find_images(
    paths: Iterable[str | os.PathLike[str]] | str | os.PathLike[str], *, recursive: bool = False
) -> list[Path]:
    """List the images at some paths, without opening any.

    A folder is replaced by the images in it, in natural order (``img2`` before ``img10``). Hidden
    and system entries (`is_system_entry`) and files without an image suffix are left out. Every
    other path is kept, also one with an unknown suffix, a missing file or a folder that may not be
    listed: reading it then gives one failed input, and the other images are not lost.

    Args:
        paths: One path or several.
        recursive: Also search folders within folders. A folder reached twice through symbolic
            links is listed once, so that loops end.

    Returns:
        Paths in the order given, folders replaced by their images. A folder without images
        adds nothing.

    Example:
        >>> find_images(["portrait.jpg"])[0].name
        'portrait.jpg'
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else paths
    found: list[Path] = []
    for path in map(Path, given):
        if os.path.isdir(path):  # noqa: PTH112  Path.is_dir raises where permission is denied
            found += sorted(_images_in(path, recursive=recursive), key=_natural_order)
        else:
            found.append(path)
    return found


def is_pattern(path: str | os.PathLike[str]) -> bool:
    """Return whether a path has wildcards (``*``, ``?``, ``[…]``, ``**``) and is no existing file.

    Example:
        >>> is_pattern("photos/*.jpg"), is_pattern("photos")
        (True, False)
    """
    text = os.fsdecode(path)
    return "://" not in text and bool(_WILDCARD.search(text)) and not os.path.lexists(text)


def match_images(pattern: str | os.PathLike[str], *, recursive: bool = False) -> list[Path]:
    r"""List the images that match a pattern, in natural order, without opening any.

    ``*`` stands for any characters of a name, ``?`` for one, ``[abc]`` for one of these, and ``**``
    for folders within folders. A folder that matches is replaced by the images in it. Hidden and
    system entries (`is_system_entry`) are left out unless the pattern names them, and files without
    an image suffix unless it ends in another suffix, such as ``*.dat``. ``**`` does not follow
    symbolic links.

    Args:
        pattern: Path with wildcards. Its first folders are taken literally where they exist.
        recursive: Also search the folders within folders that match.

    Returns:
        Each image once; an empty list if nothing matches.

    Raises:
        InputError: ``**`` together with other characters in one part, or no valid path.

    Example:
        >>> match_images("nowhere/*.jpg")
        []
    """
    root, parts = _split(Path(pattern))
    if any("**" in part and part != "**" for part in parts):
        raise InputError(
            f"`pattern` must have ** alone between slashes. Received {os.fsdecode(pattern)!r}. "
            "Type for example: photos/**/*.jpg"
        )
    parts += ["*"] if parts[-1] == "**" else []
    named = [part for part in parts if is_system_entry(part)]
    keeps_any = not _WILDCARD.search(os.path.splitext(parts[-1])[1] or parts[-1])  # noqa: PTH122
    found: dict[Path, None] = {}
    with explain_os_errors(os.fsdecode(pattern)):
        for path in root.glob("/".join(parts)):
            if any(_is_left_out(name, named) for name in path.relative_to(root).parts):
                continue
            if os.path.isdir(path):  # noqa: PTH112  Path.is_dir raises where permission is denied
                linked = "**" in parts and path.is_symlink()
                found |= {} if linked else dict.fromkeys(find_images(path, recursive=recursive))
            elif keeps_any or path.suffix.lower() in IMAGE_SUFFIXES:
                # A broken link is kept, to be reported; a pipe or socket would block.
                found |= {path: None} if os.path.isfile(path) or path.is_symlink() else {}  # noqa: PTH113
    return sorted(found, key=_natural_order)


def images_at(path: str | os.PathLike[str]) -> list[Path] | None:
    """List the images of a folder, or those that match a pattern; None for another path.

    Args:
        path: Folder, whose subfolders are not searched, or pattern.

    Raises:
        InputError: There are none.
    """
    name = os.fsdecode(path)
    if os.path.isdir(name):  # noqa: PTH112
        if found := find_images(name):
            return found
        raise InputError(
            f"`sources` must be a folder with images. Received {name!r}, which has none. "
            f"Type {os.path.join(name, '**')!r} to search its subfolders."  # noqa: PTH118
        )
    if not is_pattern(name):
        return None
    with naming(pattern="sources"):
        found = match_images(name)
    if found:
        return found
    raise InputError(
        f"`sources` must be a pattern that matches images. Received {name!r}, which matches none. "
        "Check the folder and the suffix; capital letters count."
    )


def find_videos(folder: str | os.PathLike[str]) -> list[Path]:
    """List the videos in a folder in natural order, by their suffix, without opening any.

    Hidden and system entries (`is_system_entry`) and folders within the folder are left out.
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not _is_folder(entry)]
    except OSError:  # opening it gives the reason
        return []
    found = [
        Path(folder, name)
        for name in names
        if not is_system_entry(name) and Path(name).suffix.lower() in VIDEO_SUFFIXES
    ]
    return sorted(found, key=_natural_order)


def walk_files(
    folder: str | os.PathLike[str], *, recursive: bool
) -> Iterator[tuple[str, os.DirEntry[str] | OSError]]:
    """Yield what is in a folder, without folders and system entries (`is_system_entry`).

    The entries of a folder come in the order of names, then those of the folders in it. Real
    folders come before linked ones, whose paths are longer; a folder that is reached twice is
    searched once.

    Args:
        folder: The folder.
        recursive: Whether the folders in it are searched too.

    Returns:
        For each entry its path within the folder, with slashes, and the entry itself; for a folder
        that cannot be listed its path and the error.
    """
    seen: set[tuple[int, int]] = set()
    waiting = deque([""])
    while waiting:
        here = waiting.popleft()
        path = os.path.join(folder, here)  # noqa: PTH118  Path("") would be the current folder
        try:
            identity = os.stat(path)  # noqa: PTH116
            if (identity.st_dev, identity.st_ino) in seen:
                continue
            seen.add((identity.st_dev, identity.st_ino))
            with os.scandir(path) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield here, error
            continue
        folders: list[str] = []
        for entry in listed:
            name = f"{here}/{entry.name}" if here else entry.name
            if is_system_entry(entry.name):
                continue
            if not _is_folder(entry):
                yield name, entry
            elif recursive and entry.is_symlink():
                waiting.append(name)
            elif recursive:
                folders.append(name)
        waiting.extendleft(reversed(folders))


@contextmanager
def explain_os_errors(name: str) -> Generator[None]:
    """Turn the system's errors about the file `name` into errors that say what to do.

    Raises:
        InputError: Instead of any OSError or ValueError inside.
    """
    try:
        yield
    except FileNotFoundError as error:
        if _URL.match(name):
            raise InputError(
                f"`source` must be a file on this computer. Received the URL {name!r}. "
                "Download it first, then give its path."
            ) from error
        kind = "no match" if set(name) & set("*?") else "no such file"
        if os.path.islink(name):  # noqa: PTH114  `name` may be no valid path
            kind = f"a link to {os.readlink(name)!r}, which does not exist"  # noqa: PTH115
        raise InputError(
            f"`source` must be an existing file. Received {name!r}: {kind}. Check its spelling."
        ) from error
    except PermissionError as error:
        raise InputError(
            f"`source` must be readable. Received {name!r}: permission denied. "
            "Change the permissions of the file or its folder."
        ) from error
    except InputError:
        raise
    except (OSError, ValueError) as error:  # name too long, zero byte, link to itself
        raise InputError(
            f"`source` must be a readable file. Received {name!r}: {error}. Check its spelling."
        ) from error


def is_pipe(path: str | os.PathLike[str], name: str, *, wanted: str, instead: str) -> bool:
    """Return whether a path is a pipe and not a regular file.

    Args:
        path: The path.
        name: The path for error messages.
        wanted: What the file must be, such as ``"an image"``.
        instead: What to do when it is a folder.

    Raises:
        InputError: It is a folder, a device or a socket.
        OSError: No such file, or permission denied, also to list a folder.
    """
    kind = os.stat(path).st_mode  # noqa: PTH116  Path("") would be the current folder
    if stat.S_ISDIR(kind):
        with os.scandir(path):  # the error of one that may not be listed is another
            pass
        raise InputError(f"`source` must be {wanted}. Received the folder {name!r}. {instead}")
    if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind)):
        raise InputError(f"`source` must be a file. Received the device or socket {name!r}.")
    return stat.S_ISFIFO(kind)


def _images_in(folder: Path, *, recursive: bool) -> Iterator[Path]:
    for name, found in walk_files(folder, recursive=recursive):
        if isinstance(found, OSError) or _is_image(found):
            yield Path(folder, name)


def _split(pattern: Path) -> tuple[Path, list[str]]:
    """Folder at which the search starts, and the parts of the pattern below it."""
    parts = list(pattern.parts)
    root = Path()
    while len(parts) > 1 and not (
        _WILDCARD.search(parts[0]) and not os.path.lexists(root / parts[0])
    ):
        root /= parts.pop(0)
    return root, parts


def _is_left_out(name: str, named: list[str]) -> bool:
    """Whether a system entry is not among those that a pattern names, such as ``.*``."""
    return is_system_entry(name) and not any(fnmatchcase(name, part) for part in named)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_image(entry: os.DirEntry[str]) -> bool:
    if os.path.splitext(entry.name)[1].lower() not in IMAGE_SUFFIXES:  # noqa: PTH122
        return False
    try:
        # A broken link is kept, to be reported; a pipe or socket would block.
        return entry.is_file() or entry.is_symlink()
    except OSError:
        return True


def _natural_order(path: Path) -> list[tuple[list[tuple[int, str]], str]]:
    """Sort key that compares runs of digits as numbers and ignores case, part by part."""
    return [(_natural_pieces(part), part) for part in path.parts]


@lru_cache(maxsize=1000)  # the folders of a hundred thousand images are the same
def _natural_pieces(name: str) -> list[tuple[int, str]]:
    # ASCII digits only: int() refuses some characters that count as digits elsewhere. A text
    # piece sorts as number -1 so that pieces of both kinds compare. Numbers are compared by length
    # without leading zeros, then as text: a name may hold more digits than int() converts.
    pieces: list[tuple[int, str]] = []
    for text, digits in re.findall(r"([^0-9]+)|([0-9]+)", name.casefold()):
        if digits:
            number = digits.lstrip("0")
            pieces.append((len(number), number))
        else:
            pieces.append((-1, text))
    return pieces
