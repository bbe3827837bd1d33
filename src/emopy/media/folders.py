"""`find_images`: the images that files and folders on a command line stand for."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

IMAGE_SUFFIXES: frozenset[str] = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff"}
    | {".gif", ".pbm", ".pgm", ".ppm", ".pnm"}
    # Not readable here, but images all the same: the reader says how to convert them.
    | {".heic", ".heif", ".avif"}
)
"""Endings, in lower case, by which an image in a folder is known."""


def find_images(
    paths: Iterable[str | os.PathLike[str]] | str | os.PathLike[str], *, recursive: bool = False
) -> list[Path]:
    """List the images that some paths stand for, without opening any.

    A folder stands for the images in it, in natural order (``img2`` before ``img10``). Hidden
    entries and files without an image's suffix are left out. Every other path stays as given,
    even with an odd suffix or when nothing is there: the reader reports it as one failed input,
    and the others are not lost. So does a folder that may not be listed.

    Args:
        paths: One path or several.
        recursive: Also look into folders within folders. A folder reached twice through
            symbolic links is listed once, so that loops end.

    Returns:
        Paths in the order given, folders replaced by their images. A folder without images
        adds nothing.

    Example:
        >>> find_images(["portrait.jpg"])[0].name
        'portrait.jpg'
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    found: list[Path] = []
    for path in map(Path, given):
        if os.path.isdir(path):  # noqa: PTH112  Path.is_dir raises where it may not look
            found += sorted(_images_in(path, recursive=recursive), key=_natural_key)
        else:
            found.append(path)
    return found


def _images_in(folder: Path, *, recursive: bool) -> Iterator[Path]:
    """Walk breadth first, real folders before linked ones: their names are the better ones."""
    seen: set[tuple[int, int]] = set()
    waiting = deque([folder])
    while waiting:
        here = waiting.popleft()
        try:
            identity = here.stat()
            if (identity.st_dev, identity.st_ino) in seen:
                continue
            seen.add((identity.st_dev, identity.st_ino))
            with os.scandir(here) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            yield here
            continue
        for entry in listed:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                if recursive:
                    add = waiting.append if entry.is_symlink() else waiting.appendleft
                    add(Path(here, entry.name))
            elif _is_image(entry):
                yield Path(here, entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_image(entry: os.DirEntry[str]) -> bool:
    if os.path.splitext(entry.name)[1].lower() not in IMAGE_SUFFIXES:  # noqa: PTH122
        return False
    try:
        # A link that leads nowhere is kept, to be reported; a pipe or socket would block.
        return entry.is_file() or entry.is_symlink()
    except OSError:
        return True


def _natural_key(path: Path) -> list[tuple[list[tuple[int, str]], str]]:
    """Compare runs of digits as numbers, the rest without regard to case, part by part."""
    return [(_natural_pieces(part), part) for part in path.parts]


def _natural_pieces(name: str) -> list[tuple[int, str]]:
    # Only ASCII digits: int() refuses some characters that count as digits elsewhere. A text
    # piece sorts as number -1 so that pieces always compare, whatever their kind. No leading
    # zeros and no int(): a name may hold more digits than Python converts.
    pieces: list[tuple[int, str]] = []
    for text, digits in re.findall(r"([^0-9]+)|([0-9]+)", name.casefold()):
        if digits:
            number = digits.lstrip("0")
            pieces.append((len(number), number))
        else:
            pieces.append((-1, text))
    return pieces
