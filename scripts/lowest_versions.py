"""Print the lowest versions of the dependencies that pyproject.toml allows, as pip constraints.

Of ``opencv>=4.10`` that is the last bug-fix release of 4.10: ``opencv==4.10.*``.
"""

import re
import tomllib
from pathlib import Path

PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]

LOWEST = re.compile(r"([\w-]+)(?:\[.*\])?\s*>=\s*([\w.]+)")


def main() -> None:
    """Print one line ``name==version.*`` per dependency with a lower bound."""
    extras = PROJECT["optional-dependencies"].values()
    for requirement in sorted(
        {*PROJECT["dependencies"], *(item for extra in extras for item in extra)}
    ):
        if match := LOWEST.match(requirement):
            print("{}=={}.*".format(*match.groups()))


if __name__ == "__main__":
    main()
