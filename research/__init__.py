"""The studies behind the bundled models: `python -m research.flagship`, and others.

README.md lists what each asks, what it needs and where its result stands.
"""

import json
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT
from benchmarks.report import write_between
from emopy.files import atomic_file

RESULTS = Path(__file__).parent / "results"

__all__ = ["RESULTS", "ROOT", "read_results", "write_results"]


def read_results(study: str) -> dict[str, Any]:
    """What an earlier run of a study measured; empty where there was none."""
    file = RESULTS / f"{study}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def write_results(study: str, results: dict[str, Any], page: str, table: str) -> None:
    """Write results as JSON, and their table between the markers of the study in a page of docs."""
    with atomic_file(RESULTS / f"{study}.json") as partial:
        partial.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write_between(ROOT / "docs" / page, (f"<!-- {study} -->", f"<!-- /{study} -->"), table)
