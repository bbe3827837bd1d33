"""Find recipes: by path, or by the name of a packaged one."""

from __future__ import annotations

import os
from pathlib import Path

from emopy.errors import RecipeError, nearest

_FOLDER = Path(__file__).parent


def list_recipes() -> dict[str, str]:
    """Return the packaged recipes: name → what it is for, the first comment line of the file.

    Example:
        >>> list_recipes()["transfer"]
        'Transfer learning from a pretrained network: the best choice for a small dataset.'
    """
    return {
        path.stem: path.read_text(encoding="utf-8").splitlines()[0].removeprefix("#").strip()
        for path in sorted(_FOLDER.glob("*.toml"), key=lambda path: path.stem)
    }


def find_recipe(recipe: str | Path) -> Path:
    """Find the file of a recipe; its content is checked by `emopy.train.load_recipe`.

    Args:
        recipe: Path of a TOML file, or the name of a packaged recipe. A file comes first.

    Raises:
        RecipeError: Neither a file nor a known name; the error lists the nearest names.

    Example:
        >>> find_recipe("transfer").name
        'transfer.toml'
    """
    if os.path.isfile(recipe):  # noqa: PTH113 - Path.is_file raises where the name is too long
        return Path(recipe)
    known = list_recipes()
    if os.fspath(recipe) in known:
        return _FOLDER / f"{recipe}.toml"
    state = "a folder" if os.path.isdir(recipe) else "no such file"  # noqa: PTH112 - as above
    raise RecipeError(
        "`recipe` must be a TOML file, or the name of a packaged recipe. "
        f"Received {str(recipe)!r}: {state}. {nearest(Path(recipe).stem, known)}"
    )
