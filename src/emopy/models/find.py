"""Where models are found: a folder, a bundled name, an installed package, a fetched name."""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from emopy.errors import ModelError, ModelNotFoundError, nearest
from emopy.models.card import CARD_FILE
from emopy.models.fetch import KNOWN, models_folder

DEFAULT_MODEL = "emopy-base"
"""The model that is used where none is named."""

ENTRY_POINTS = "emopy.models"
"""Packages offer models under this entry point group: a path, or a callable that gives one."""

_BUNDLED = Path(__file__).with_name("bundled")


def find_model(model: str | Path) -> Path:
    """Find a model folder.

    Args:
        model: Path of a model folder, or a name: of a bundled model, of one that an installed
            package offers, or of a fetched one; looked for in this order.

    Returns:
        The folder; its content is checked by `load_model`.

    Raises:
        ModelNotFoundError: Neither a folder nor a known name.
        ModelError: An installed package offers it, but gives no folder.
    """
    path = Path(model)
    if (path / CARD_FILE).is_file():
        return path
    name = os.fspath(model)
    if name in _names_in(_BUNDLED):
        return _BUNDLED / name
    if offer := _offered().get(name):
        return _resolve(offer)
    if name in _names_in(models_folder()):
        return models_folder() / name
    if path.is_dir():
        raise ModelError(
            f"A model folder must hold {CARD_FILE}. Received {path}, which does not. "
            + which_folder(path)
        )
    raise ModelNotFoundError(_not_found(name))


def list_models() -> tuple[str, ...]:
    """Names of all models here: bundled ones, then those of packages, then fetched ones."""
    names = [*_names_in(_BUNDLED), *sorted(_offered()), *_names_in(models_folder())]
    return tuple(dict.fromkeys(names))


def is_bundled(folder: Path) -> bool:
    """Whether a model folder is one of those that come with EmoPy."""
    return folder.resolve().is_relative_to(_BUNDLED.resolve())


def which_folder(path: Path) -> str:
    """What to give in place of a folder that is no model."""
    inner = path / "model"
    if (inner / CARD_FILE).is_file():
        return f"It is the folder of a training, whose model is {inner}: give that."
    return "Give the folder of a model that `emopy train` wrote, or the name of a model."


def _names_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(
        item.name
        for item in folder.iterdir()
        if (item / CARD_FILE).is_file() and not item.name.startswith(".")
    )


def _offered() -> dict[str, EntryPoint]:
    return {offer.name: offer for offer in entry_points(group=ENTRY_POINTS)}


def _resolve(offer: EntryPoint) -> Path:
    try:
        found = offer.load()
    except (ImportError, AttributeError) as error:
        raise ModelError(
            f"The entry point {offer.name!r} must load. Received: {error}. "
            f"Install the package that offers {offer.value!r} again."
        ) from error
    if callable(found):
        found = found()
    if not isinstance(found, str | os.PathLike):
        raise ModelError(
            f"The entry point {offer.name!r} must give the path of a model folder. "
            f"Received {type(found).__name__} from {offer.value!r}."
        )
    return Path(os.fspath(found))


def _not_found(name: str) -> str:
    known = list_models()
    text = "`model` must be the path of a model folder or the name of a model. "
    text += f"Received {name!r}"
    if os.sep in name or "/" in name:
        return text + ": no such folder. Check the path."
    if name in KNOWN:
        return text + ", which is a face detector. Give it as `detector`."
    text += ". " + (nearest(name, known) if known else "No model is installed.")
    return text + " Type: emopy models list"
