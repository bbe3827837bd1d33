"""Check that the tag of the last commit, such as v1.0.0, is the version: `make check-tag`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import emopy

ROOT = Path(__file__).parents[1]


def tags() -> list[str]:
    """The tag that GitHub Actions runs for, else those of the last commit."""
    if os.environ.get("GITHUB_REF_TYPE") == "tag":
        return [os.environ["GITHUB_REF_NAME"]]
    command = ["git", "tag", "--points-at", "HEAD"]
    return subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split()


def fault(found: Sequence[str], version: str) -> str | None:
    """What is wrong with the tags of a commit; None if one is that of the version."""
    if f"v{version}" in found:
        return None
    return f"The tag must be v{version}. Found: {', '.join(found) or 'none'}."


if __name__ == "__main__":
    sys.exit(fault(tags(), emopy.__version__))
