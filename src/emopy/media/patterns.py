"""Images at a path: those of a folder, or those that match a pattern such as ``photos/*.jpg``."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase
from pathlib import Path

from emopy.errors import InputError, naming
from emopy.media.paths import (
    IMAGE_SUFFIXES,
    explain_os_errors,
    find_images,
    is_system_entry,
    natural_order,
)

_WILDCARD = re.compile(r"[*?[]")


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
    return sorted(found, key=natural_order)


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
