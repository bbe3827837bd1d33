import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"

ROOMS_OF_LIBRARIES = {
    "keras": {"nets", "train"},
    "tensorflow": {"nets", "train"},
    "tf2onnx": {"train"},
    "onnxruntime": {"models", "faces"},
    "cv2": {"media", "faces", "models", "present", "explain", "samples", "data", "live"},
    "av": {"media", "present"},
    "pandas": {"present"},
    "jinja2": {"evaluate", "present"},
    "click": {"cli"},
}


def module_name(path: Path) -> str:
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted((SRC / "emopy").rglob("*.py"))}


def imported(path: Path) -> set[str]:
    """Names that a file imports anywhere, in functions too; not those for type checkers only."""
    names = set()
    open_nodes = [ast.parse(path.read_text(encoding="utf-8"))]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            open_nodes += node.orelse
            continue
        open_nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def dependencies(name: str) -> set[str]:
    """Files of EmoPy that a file imports."""
    found = set()
    for full in imported(MODULES[name]):
        file = full if full in MODULES else full.rpartition(".")[0]
        if file in MODULES and file != name:
            found.add(file)
    return found


def test_no_files_import_each_other_in_a_cycle():
    graph = {name: dependencies(name) for name in MODULES}
    # The methods of a result that present it import what they need when they are called.
    graph["emopy.types"] -= {
        "emopy.present",
        "emopy.present.draw",
        "emopy.present.notebook",
    }
    graph["emopy.explain.explanation"] -= {"emopy.explain.draw"}
    assert graph["emopy.cli.main"]
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize("library", ROOMS_OF_LIBRARIES)
def test_a_library_is_imported_only_in_its_rooms(library):
    rooms = {
        name.split(".")[1]
        for name, path in MODULES.items()
        if any(full.split(".")[0] == library for full in imported(path))
    }
    assert rooms - {"legacy"} <= ROOMS_OF_LIBRARIES[library]
