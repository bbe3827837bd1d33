"""Names for files in a folder, none twice."""

from __future__ import annotations


class FreeNames:
    """Tells apart what has the same name: clip, clip-2, clip-3."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def give(self, stem: str) -> str:
        """The stem, or the stem with the first number that is free."""
        name, number = stem, 1
        while name.casefold() in self._taken:  # some disks do not tell upper from lower case
            number += 1
            name = f"{stem}-{number}"
        self._taken.add(name.casefold())
        return name
