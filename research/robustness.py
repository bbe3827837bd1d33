"""How stable predictions are, and how accurate under corruption; labels over time.

    python -m research.robustness [--only stability]

Needs `pip install -e '.[test,bench]'` and, for `corruptions` and some of `stability`, labeled
faces (`--data FACES.npz`). Writes results/robustness.json and docs/robustness.md.
"""

from __future__ import annotations

import sys

from benchmarks.runner import Measurement, run
from research import RESULTS, ROOT, corruptions, smoothing, stability

STUDIES: dict[str, Measurement] = {
    "stability": stability.measure,
    "corruptions": corruptions.measure,
    "smoothing": smoothing.measure,
}

if __name__ == "__main__":
    sys.exit(
        run(
            STUDIES,
            description="Measure how robust predictions are.",
            results=RESULTS / "robustness.json",
            page=ROOT / "docs" / "robustness.md",
        )
    )
