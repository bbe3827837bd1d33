import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
STUDIES = [
    path for name in ("benchmarks", "research") for path in sorted((ROOT / name).rglob("*.py"))
]
MODULES = sorted((ROOT / "web" / "src").rglob("*.js"))
PRINTING_ROOMS = {"present", "cli", "legacy"}

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_PARAMETERS = 7


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    doc = (first.end_lineno - first.lineno + 1) if documented else 0
    return function.end_lineno - function.lineno + 1 - doc


def test_there_are_sources_to_check():
    assert len(SOURCES) > 20
    assert len(MODULES) > 20


@pytest.mark.parametrize("path", SOURCES + STUDIES + MODULES, ids=name_of)
def test_no_file_is_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", SOURCES + STUDIES, ids=name_of)
def test_no_function_is_long_or_takes_many_parameters(path):
    for function in functions(path):
        assert code_lines(function) <= MAX_FUNCTION_LINES, function.name
        arguments = function.args
        names = [
            *(argument.arg for argument in arguments.posonlyargs + arguments.args),
            *(argument.arg for argument in arguments.kwonlyargs),
        ]
        counted = [name for name in names if name not in ("self", "cls")]
        # The options of a command are its parameters; the old names keep their signatures.
        is_command = "cli" in path.parts and bool(function.decorator_list)
        if not is_command and "legacy" not in path.parts:
            # FERModel has all settings of prediction, a client those of its requests, and the
            # bundled network those of its layers.
            more = {"fermodel.py": 2, "clients.py": 1, "residual.py": 1}
            limit = MAX_PARAMETERS + more.get(path.name, 0)
            assert len(counted) <= limit, function.name


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_these_rooms_print(path):
    if PRINTING_ROOMS & set(path.parts):
        return
    calls = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert not calls


@pytest.mark.parametrize("path", SOURCES + MODULES, ids=name_of)
def test_every_file_is_named_after_one_thing(path):
    assert path.stem not in {"utils", "util", "common", "helpers", "base", "misc"}


def test_no_tracked_text_names_a_place_on_one_machine():
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    text_kinds = {
        ".py",
        ".ipynb",
        ".md",
        ".toml",
        ".json",
        ".txt",
        ".cfg",
        ".yml",
        ".yaml",
        ".js",
        "",
    }
    here = re.compile(
        "|".join((r"/ho" r"me/\w+", r"/Us" r"ers/\w+", r"/wo" r"rk/\w+", r"/ro" r"ot/"))
    )
    named = [
        name
        for name in done.stdout.splitlines()
        if Path(name).suffix in text_kinds
        and (ROOT / name).is_file()
        and here.search((ROOT / name).read_text(encoding="utf-8", errors="replace"))
    ]
    assert not named
