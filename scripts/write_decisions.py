"""Write docs/decisions/README.md: the list of all decisions."""

from __future__ import annotations

from pathlib import Path

from emopy.tables import markdown_table

FOLDER = Path(__file__).parents[1] / "docs" / "decisions"
PAGE = FOLDER / "README.md"

HEAD = """\
# Decisions

Choices that are hard to reverse, each with its context, measurements and consequences
([why](0001-record-decisions.md)).

"""


def titles() -> dict[str, str]:
    """File → title, such as "1. Record decisions"."""
    return {
        path.name: path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        for path in sorted(FOLDER.glob("[0-9]*.md"))
    }


def page() -> str:
    """The whole page."""
    numbered = ((name, *title.split(". ", 1)) for name, title in titles().items())
    rows = [[number, f"[{title}]({name})"] for name, number, title in numbered]
    return HEAD + markdown_table(["number", "decision"], rows, "rl") + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
