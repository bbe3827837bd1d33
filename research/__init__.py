"""The studies behind the bundled models: `python -m research.flagship`, and others.

README.md lists what each asks, what it needs and where its result stands.
"""

from pathlib import Path

from benchmarks.environments import ROOT

RESULTS = Path(__file__).parent / "results"

__all__ = ["RESULTS", "ROOT"]
