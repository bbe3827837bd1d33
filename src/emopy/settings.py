"""The one checker of settings from files: model cards, recipes and CSV settings."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from numbers import Real
from pathlib import Path
from reprlib import Repr
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints, is_typeddict

from emopy.errors import EmoPyError, naming, nearest
from emopy.escaping import escape_undecodable

Record = TypeVar("Record")

_RULES: Mapping[object, str] = {
    int: "a whole number",
    float: "a finite number",
    str: "a string",
    bool: "true or false",
}

_MAX_SHOWN = 80
"""Characters of a value or key in an error."""

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = _MAX_SHOWN

_MAX_DEPTH = 20
"""Lists and sections within each other."""

_MAX_WHOLE = 2**63
"""Whole numbers are smaller, as in TOML 1.0 and NumPy."""


def store_floats(record: Any) -> None:
    """Store numbers as floats in the fields of a frozen dataclass whose defaults are floats.

    Settings read from TOML are floats there: 8 and 8.0 must be one setting.
    """
    for item in fields(record):
        value = getattr(record, item.name)
        if isinstance(item.default, float) and isinstance(value, Real):
            object.__setattr__(record, item.name, float(value))


def read_toml(path: Path, error: type[EmoPyError], *, example: str = "") -> dict[str, Any]:
    """Read a TOML file.

    Args:
        path: The file.
        error: The class of the errors to raise.
        example: Something to type, at the end of the error.

    Raises:
        EmoPyError: It cannot be read, or is not TOML; as `error`.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as reason:
        raise error(f"{path} must be a file that can be read. Received: {reason.strerror}.") from (
            reason
        )
    except RecursionError as reason:
        raise error(f"{path} must be TOML. Received lists nested too deep.{example}") from reason
    except ValueError as reason:  # not TOML, not UTF-8, or a number with thousands of digits
        raise error(f"{path} must be TOML. Received: {reason}.{example}") from reason


def from_mapping(
    kind: type[Record],
    values: Mapping[str, Any],
    where: str,
    error: type[EmoPyError],
    *,
    option: str = "",
) -> Record:
    """Build a dataclass or typed dictionary from parsed JSON or TOML.

    Keys and types are checked against the annotations: int (of 64 bits), float (finite, whole
    numbers are converted), str, bool, literals, tuples, mappings, unions and nested dataclasses.
    Ranges are left to the `__post_init__` of the dataclass. Values that no file could hold are
    refused under any key: nested more than 20 deep, or text that is not UTF-8.

    Args:
        kind: The dataclass or `TypedDict`.
        values: What was parsed.
        where: What holds the values, for error messages, such as ``"the recipe"``.
        error: The class of the errors to raise.
        option: Option that sets a value in the shell, for examples, such as ``"--set"``.

    Raises:
        EmoPyError: An unknown or missing key, or a value of a wrong type; as `error`.
    """
    _refuse_unusable(values, where, error)
    return _Checker(where, error, option).record(kind, values, "")


def _refuse_unusable(values: Mapping[str, Any], where: str, error: type[EmoPyError]) -> None:
    """Refuse values that cannot be converted or written down, whatever their key."""
    waiting: list[tuple[str, object, int]] = [("", values, 0)]
    while waiting:
        name, found, depth = waiting.pop()
        reason = _unusable(found, depth)
        if reason:
            raise error(f"`{ascii(name)[1:-1]}` in {where} must not hold {reason}.")
        if isinstance(found, Mapping):
            items = {str(key): inner for key, inner in found.items()}
            waiting += [(name, key, depth) for key in items]
            waiting += [
                (f"{name}.{key}".lstrip("."), inner, depth + 1) for key, inner in items.items()
            ]
        elif isinstance(found, list | tuple):
            waiting += [(name, inner, depth + 1) for inner in found]


def _unusable(value: object, depth: int) -> str:
    if depth > _MAX_DEPTH:
        return f"lists or sections nested more than {_MAX_DEPTH} deep"
    if isinstance(value, int) and abs(value) >= _MAX_WHOLE:
        return "a whole number of more than 64 bits"
    if isinstance(value, str) and escape_undecodable(value) != value:
        return "text that is not UTF-8. Rename the file or folder that it names"
    return ""


class _WrongType(Exception):  # noqa: N818 - never leaves this file
    """A value does not have the annotated type."""


@dataclass(frozen=True, slots=True)
class _Checker:
    where: str
    error: type[EmoPyError]
    option: str

    def record(self, kind: type[Record], values: Mapping[str, Any], prefix: str) -> Record:
        known = get_type_hints(kind)
        for key in values:
            if key not in known:
                raise self.error(
                    f"Unknown key `{prefix}{str(key)[:_MAX_SHOWN]}` in {self.where}. "
                    f"{nearest(str(key), known)}"
                )
        if missing := [f"`{prefix}{key}`" for key in _required(kind) if key not in values]:
            raise self.error(f"{', '.join(missing)} must be given in {self.where}. Received none.")
        converted = {
            key: self.value(known[key], found, prefix + key) for key, found in values.items()
        }
        with naming(**{key: prefix + key for key in values}):
            return kind(**converted)

    def value(self, wanted: Any, found: object, key: str) -> object:
        """The value in the annotated type."""
        try:
            return self._convert(wanted, found, key)
        except _WrongType:
            raise self.error(
                f"`{key}` in {self.where} must be {_rule(wanted)}. Received {_shown(found)}."
                + self._list_example(wanted, found, key)
            ) from None

    def _convert(self, wanted: Any, found: object, key: str) -> object:
        if _is_record(wanted) and isinstance(found, Mapping):
            return self.record(wanted, found, f"{key}.")
        generic = get_origin(wanted) or wanted
        if generic is Literal and any(_is_same(choice, found) for choice in get_args(wanted)):
            return found
        if generic in (Union, UnionType):
            return self._convert_to_any(get_args(wanted), found, key)
        if generic is tuple and isinstance(found, list | tuple):
            types = _types_of_items(get_args(wanted), len(found))
            return tuple(self._convert(*pair, key) for pair in zip(types, found, strict=True))
        if generic in (dict, Mapping) and isinstance(found, Mapping):
            _, item = get_args(wanted) or (str, Any)
            return {str(name): self._convert(item, entry, key) for name, entry in found.items()}
        return _scalar(wanted, found)

    def _convert_to_any(self, wanted: tuple[Any, ...], found: object, key: str) -> object:
        for choice in wanted:
            try:
                return self._convert(choice, found, key)
            except _WrongType:
                continue
        raise _WrongType

    def _list_example(self, wanted: Any, found: object, key: str) -> str:
        """How to write a list, for a string where a list is needed."""
        if get_origin(wanted) is not tuple or not isinstance(found, str):
            return ""
        words = [word.strip(" \"'") for word in found.strip("[]").split(",")]
        items = json.dumps([word for word in words if word] or ["first", "second"])
        shell = f", in a shell: {self.option} '{key}={items}'" if self.option else ""
        return f" Type for example: {key.rpartition('.')[2]} = {items}{shell}"


def _shown(found: object) -> str:
    """What was found, for an error: long texts and lists are cut, not written out first."""
    try:
        return _SHORT.repr(found)
    except ValueError:  # Python does not write whole numbers of more than 4,300 digits
        return "a whole number of thousands of digits"


def _is_same(choice: object, found: object) -> bool:
    return type(choice) is type(found) and choice == found


def _scalar(wanted: Any, found: Any) -> object:
    if wanted is Any or (wanted in (None, NoneType) and found is None):
        return found
    if wanted in (int, str, bool) and type(found) is wanted:
        return found
    if wanted is float and isinstance(found, int | float) and not isinstance(found, bool):
        try:
            number = float(found)
        except OverflowError:  # a whole number of more than 308 digits
            raise _WrongType from None
        if math.isfinite(number):
            return number
    raise _WrongType


def _is_record(wanted: Any) -> bool:
    return isinstance(wanted, type) and (is_dataclass(wanted) or is_typeddict(wanted))


def _required(kind: Any) -> list[str]:
    if is_typeddict(kind):
        return sorted(kind.__required_keys__)
    return [
        item.name
        for item in fields(kind)
        if item.default is MISSING and item.default_factory is MISSING
    ]


def _types_of_items(types: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    """The annotated type of each item of a tuple."""
    if len(types) == 2 and types[1] is ...:
        return (types[0],) * count
    if len(types) != count:
        raise _WrongType
    return types


def _rule(wanted: Any) -> str:
    """The rule that an annotation stands for, to follow "must be"."""
    types, generic = get_args(wanted), get_origin(wanted) or wanted
    if generic is Literal:
        return " or ".join(map(repr, types))
    if generic in (Union, UnionType):
        return " or ".join(_rule(choice) for choice in types if choice is not NoneType)
    if generic is tuple and types[-1] is ...:
        return f"a list, each item {_rule(types[0])}"
    if generic is tuple:
        return f"a list of {len(types)} values, each {_rule(types[0])}"
    if generic in (dict, Mapping) and types and types[1] in _RULES:
        return f"a mapping, each value {_RULES[types[1]]}"
    return _RULES.get(wanted, "a mapping")


def differences(made: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Return in words what differs from the settings with which something was made; or nothing."""
    names = [name for name in {**made, **settings} if made.get(name) != settings.get(name)]
    return "; ".join(_difference(name, made, settings) for name in names)


def _difference(name: str, made: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    if not name.startswith("--"):
        return f"another {name}"
    before, now = (
        "none" if each.get(name) is None else str(each[name]) for each in (made, settings)
    )
    return f"{name} {before} instead of {now}"
