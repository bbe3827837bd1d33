"""Recipes: everything that decides how a training comes out, in one TOML file."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

import tomli_w

from emopy.data.augment import Augmentation
from emopy.errors import RecipeError, nearest
from emopy.train.sections import CardSettings, DataSettings, FitSettings, NetSettings


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training, whole: data, network, augmentation, learning and the card's words."""

    name: str = "my-model"
    data: DataSettings = field(default_factory=DataSettings)
    net: NetSettings = field(default_factory=NetSettings)
    augment: Augmentation = field(default_factory=Augmentation)
    fit: FitSettings = field(default_factory=FitSettings)
    card: CardSettings = field(default_factory=CardSettings)

    def to_toml(self) -> str:
        """The recipe as TOML text, every setting spelled out."""
        return tomli_w.dumps(asdict(self))

    @property
    def sha256(self) -> str:
        """Fingerprint of what decides the result: all but the name and the card's words.

        A setting left at its default does not count: one that is added some day leaves the
        content_hashes of earlier trainings alone. A default must therefore never change.
        """
        content = _chosen(replace(self, name="", card=CardSettings()))
        content.pop("name", None)
        return hashlib.sha256(tomli_w.dumps(content).encode()).hexdigest()


def load_recipe(path: str | Path, settings: Iterable[str] = ()) -> Recipe:
    """Read a recipe and change single settings.

    Args:
        path: TOML file.
        settings: Changes such as ``"fit.epochs=3"``; values are written as in TOML, bare
            words are taken as text.

    Raises:
        RecipeError: Missing file, not TOML, unknown key, bad value.
    """
    path = Path(path)
    if not path.is_file():
        raise RecipeError(f"`path` must be a recipe in TOML. Received {path}: no such file.")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} must be TOML. Received: {error}.") from error
    for setting in settings:
        _apply(raw, setting)
    return _build(Recipe, raw, "")


def _chosen(record: Any) -> dict[str, Any]:
    """The settings of a record, its sections included, that differ from their defaults."""
    default, chosen = type(record)(), dict[str, Any]()
    for item in fields(record):
        value = getattr(record, item.name)
        if value != getattr(default, item.name):
            chosen[item.name] = _chosen(value) if is_dataclass(value) else value
    return chosen


def _apply(raw: dict[str, Any], setting: str) -> None:
    key, equals, value = setting.partition("=")
    if not equals or not key.strip():
        raise RecipeError(
            f"`--set` must be KEY=VALUE. Received {setting!r}. Type for example: --set fit.epochs=3"
        )
    *sections, last = key.strip().split(".")
    for section in sections:
        raw = raw.setdefault(section, {})
        if not isinstance(raw, dict):
            raise RecipeError(f"`{key.strip()}` must name a setting: `{section}` is no section.")
    try:
        raw[last] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        raw[last] = value.strip()


def _build(record: type, raw: Mapping[str, Any], where: str) -> Any:
    known = get_type_hints(record)
    for key in raw:
        if key not in known:
            raise RecipeError(f"Unknown key `{where}{key}` in the recipe. {nearest(key, known)}")
    values: dict[str, Any] = {}
    for item in fields(record):
        if item.name not in raw:
            continue
        wanted, value = known[item.name], raw[item.name]
        if is_dataclass(wanted) and isinstance(wanted, type):
            if not isinstance(value, dict):
                raise RecipeError(f"`{where}{item.name}` must be a section. Received {value!r}.")
            values[item.name] = _build(wanted, value, f"{where}{item.name}.")
        else:
            values[item.name] = _checked(value, wanted, f"{where}{item.name}")
    return record(**values)


def _checked(value: Any, wanted: Any, key: str) -> Any:
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted == tuple[str, ...]:
        if not isinstance(value, list):
            words = [word.strip(" \"'") for word in str(value).strip("[]").split(",")]
            typed = json.dumps([word for word in words if word] or ["first", "second"])
            raise RecipeError(
                f"`{key}` must be a list. Received {value!r}. Type for example in a recipe: "
                f"{key.rpartition('.')[2]} = {typed}, in a shell: --set '{key}={typed}'"
            )
        return tuple(str(entry) for entry in value)
    plain = wanted if wanted in (int, float, str) else dict
    if not isinstance(value, plain) or isinstance(value, bool):
        raise RecipeError(f"`{key}` must be {plain.__name__}. Received {value!r}.")
    return value
