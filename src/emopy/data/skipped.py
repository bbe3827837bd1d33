"""`Problem`: one file or row that a loader could not use; the others are not lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emopy.errors import DataError


@dataclass(frozen=True, slots=True)
class SkippedSample:
    """Something that a loader left out.

    Attributes:
        source: Path of the file.
        reason: Why it was left out.
        line: Line in the file, the first is 1; None where the whole file is meant.
    """

    source: str
    reason: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}, line {self.line}"
        return f"{place}: {self.reason}"


def refuse(skipped: Sequence[SkippedSample], what: str) -> None:
    """Refuse data with problems; with none, do nothing.

    Args:
        skipped: What was found.
        what: ``"rows"`` or ``"files"``, for the message.

    Raises:
        DataError: There is a problem.
    """
    if skipped:
        first = "\n".join(f"  {skipped_sample}" for skipped_sample in skipped[:5])
        more = f"\n  … and {len(skipped) - 5} more" if len(skipped) > 5 else ""
        raise DataError(
            f"`strict=True` must have no bad {what}. Received {len(skipped)}:\n{first}{more}\n"
            "Repair them, or leave `strict` out to load the rest."
        )
