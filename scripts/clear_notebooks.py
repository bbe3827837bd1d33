"""Clear the notebooks in examples/notebooks: `python scripts/clear_notebooks.py`.

Removes outputs, execution counts and what Jupyter adds about the machine, so that a change of a
notebook is a change of its text or code.
"""

from __future__ import annotations

import json
from pathlib import Path

from emopy.files import atomic_file

FOLDER = Path(__file__).parents[1] / "examples" / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def cleared(text: str) -> str:
    """Return the JSON of a notebook (nbformat 4.5) without outputs and traces of a machine."""
    book = json.loads(text)
    for cell in book["cells"]:
        cell["metadata"] = {}
        if cell["cell_type"] == "code":
            cell |= {"execution_count": None, "outputs": []}
    book["metadata"] = METADATA
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write each notebook that is not clear."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        before = path.read_text(encoding="utf-8")
        after = cleared(before)
        if after != before:
            with atomic_file(path) as partial:
                partial.write_text(after, encoding="utf-8")
            print(f"cleared {path.name}")


if __name__ == "__main__":
    main()
