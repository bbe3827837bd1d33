"""Write docs/api.md: every public name, room by room, with the first line of its docstring.

The sources are read and not imported: no optional dependency is needed, and the page is the same
under every Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "api.md"
_ROOMS = (
    *(
        "labels",
        "types",
        "result_table",
        "media",
        "faces",
        "models",
        "pipeline",
        "explain",
        "video",
        "present",
        "live",
        "serve",
        "client",
        "batch",
    ),
    *("data", "samples", "nets", "recipes", "train", "evaluate", "testing", "errors"),
)
ROOMS = ("emopy", *(f"emopy.{room}" for room in _ROOMS))
LONGEST = 72
"""Characters of a signature; of longer ones the last arguments are left out."""

HEAD = """\
# Python reference

Each name links to its source. The docstring there has the shapes, units, errors and examples; in a
Python shell, use `help(emopy.FERModel)`. Arguments after `*` are keyword-only; `…` stands for more
arguments.
"""

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Definition: TypeAlias = Function | ast.ClassDef | ast.Assign | ast.AnnAssign


class Entry(NamedTuple):
    """A definition, its docstring, and the file it stands in."""

    node: Definition
    text: str
    path: Path


def source(module: str) -> Path:
    """File of a module or of a package."""
    path = ROOT / "src" / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def tree(path: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def definitions(path: Path) -> dict[str, Entry]:
    """What a file defines at its top level, by name; a constant's docstring stands below it."""
    body = tree(path).body
    found: dict[str, Entry] = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, Function | ast.ClassDef):
            found[node.name] = Entry(node, ast.get_docstring(node) or "", path)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            below = after.value if isinstance(after, ast.Expr) else None
            text = below.value if isinstance(below, ast.Constant) else ""
            if isinstance(target, ast.Name):
                found[target.id] = Entry(node, str(text), path)
    return found


def public_names(module: str) -> list[str]:
    """Names in `__all__`; without one, those without an underscore, in the order of the file."""
    found = definitions(source(module))
    names: Iterable[str] = found
    if (listed := found.get("__all__")) and isinstance(listed.node, ast.Assign):
        names = ast.literal_eval(listed.node.value)
    return [name for name in names if not name.startswith("_")]


def find(module: str, name: str) -> Entry:
    """Follow a name through the imports to where it is defined.

    Raises:
        KeyError: The module neither defines nor imports it.
    """
    path = source(module)
    if (entry := definitions(path).get(name)) is not None:
        return entry
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return find(node.module, alias.name)
    raise KeyError(f"{module} has no {name}")


def arguments(function: Function) -> list[str]:
    """Names of a function's arguments, with `*` as in a call's help."""
    given = function.args
    names = [argument.arg for argument in (*given.posonlyargs, *given.args)]
    if given.vararg:
        names.append(f"*{given.vararg.arg}")
    elif given.kwonlyargs:
        names.append("*")
    names += [argument.arg for argument in given.kwonlyargs]
    return [*names, f"**{given.kwarg.arg}"] if given.kwarg else names


def methods(entry: Entry) -> dict[str, Function]:
    """Methods of a class and of its bases in the same file."""
    found: dict[str, Function] = {}
    if isinstance(entry.node, ast.ClassDef):
        near = definitions(entry.path)
        for base in entry.node.bases:
            if isinstance(base, ast.Name) and base.id in near:
                found |= methods(near[base.id])
        found |= {node.name: node for node in entry.node.body if isinstance(node, Function)}
    return found


def makers(entry: Entry, node: ast.ClassDef) -> list[str] | None:
    """What makes a class: arguments of `__init__`, or fields; None where nobody makes one."""
    if (start := methods(entry).get("__init__")) is not None:
        return arguments(start)[1:]
    marks = " ".join(map(ast.unparse, (*node.decorator_list, *node.bases)))
    if not re.search("dataclass|NamedTuple|TypedDict", marks):
        return None if node.bases else []
    fields = [
        line.target.id
        for line in node.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
        if not re.search(r"ClassVar|init=False", ast.unparse(line))
    ]
    return ["*", *fields] if "kw_only=True" in marks else fields


def signature(name: str, entry: Entry) -> str:
    """Name and arguments, cut where they are many."""
    given = None
    if isinstance(entry.node, Function):
        given = arguments(entry.node)
    elif isinstance(entry.node, ast.ClassDef):
        given = makers(entry, entry.node)
    if given is None:
        return name
    shown = f"{name}({', '.join(given)})"
    while len(shown) > LONGEST:
        given = given[:-1]
        shown = f"{name}({', '.join(given)}, …)"
    return shown


def callable_methods(entry: Entry) -> Iterator[str]:
    """Public methods, without properties."""
    for name, node in methods(entry).items():
        marks = " ".join(map(ast.unparse, node.decorator_list))
        if not name.startswith("_") and "property" not in marks and "setter" not in marks:
            yield f"`{name}`"


def first_line(text: str) -> str:
    """The summary of a docstring, as one cell of a table."""
    summary = " ".join(text.strip().split("\n\n")[0].split())
    summary = re.split(r"(?<=[.:])\s", summary)[0] if len(summary) > 2 * LONGEST else summary
    return summary.replace("``", "`").replace("|", "\\|").removesuffix("::")


def row(module: str, name: str) -> str:
    """One line of a room's table."""
    entry = find(module, name)
    said = first_line(entry.text)
    if offered := ", ".join(callable_methods(entry)):
        said += f" Methods: {offered}."
    link = Path("..", entry.path.relative_to(ROOT)).as_posix()
    return f"| [`{signature(name, entry)}`]({link}) | {said} |"


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for module in ROOMS:
        rows = "\n".join(row(module, name) for name in public_names(module))
        said = first_line(ast.get_docstring(tree(source(module))) or "")
        parts.append(f"\n## {module}\n\n{said}\n\n| name | what it is |\n| --- | --- |\n{rows}\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
