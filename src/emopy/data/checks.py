"""`check`: faults that make a figure lie, found before anyone trains on the data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np

from emopy.data.dataset import Dataset
from emopy.data.duplicates import DuplicateGroup, find_duplicates, find_near_duplicates
from emopy.data.split import Splits
from emopy.labels import canonical

_EXAMPLES = 3

Kind: TypeAlias = Literal[
    "leak",
    "near-leak",
    "contradiction",
    "person",
    "blank",
    "spelling",
    "similar",
    "repeat",
    "near-repeat",
    "missing",
    "single",
]
"""What `check` can find; see `Finding`."""

_WORTH_KNOWING = ("near-leak", "similar", "repeat", "near-repeat", "missing", "single")
_ALIKE = 0.85
"""Share of letters in common from which two labels may be one that was mistyped."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault.

    Attributes:
        kind: Serious: ``leak``, ``contradiction``, ``person``, ``blank``, ``spelling``. Probable:
            ``near-leak``. Worth knowing: ``similar``, ``repeat``, ``near-repeat``, ``missing``,
            ``single``.
        message: What was found, with its number.
        examples: Where: up to three places.
    """

    kind: Kind
    message: str
    examples: tuple[str, ...] = ()

    @property
    def serious(self) -> bool:
        """Whether figures measured on the data would be wrong."""
        return self.kind not in _WORTH_KNOWING

    def __str__(self) -> str:
        mark = "✗" if self.serious else "?" if self.kind == "near-leak" else "·"
        lines = [f"{mark} {self.message}"]
        return "\n".join(lines + [f"    {example}" for example in self.examples])


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` found.

    Attributes:
        samples: Number of samples per dataset.
        findings: Serious ones first; empty when all is well.
    """

    samples: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing serious was found."""
        return not any(finding.serious for finding in self.findings)

    def __str__(self) -> str:
        sizes = ", ".join(f"{name} {count:,}" for name, count in self.samples.items())
        verdict = "No fault found." if self.ok else "Repair what is marked ✗ before training."
        if self.ok and any(finding.kind == "near-leak" for finding in self.findings):
            verdict = "No certain fault found. Look at what is marked ?"
        return "\n".join([f"Samples: {sizes}", *map(str, self.findings), verdict])


def check(data: Dataset | Splits | Mapping[str, Dataset]) -> CheckReport:
    """Look for faults in a dataset, or within and across the parts of a split.

    Serious: the same image in two parts, or with two labels; a person in two parts; blank
    images; one emotion under two spellings. Probable, and worth a look: another version of a
    image in another part, resized, brightened, compressed anew or mirrored
    (`find_near_duplicates`). Worth knowing: labels that differ by a letter or so, duplicates
    inside one split, labels with no sample or a single one.

    Args:
        data: A dataset, the parts of a split, or datasets by name.
    """
    named = by_name(data)
    repeats, near = find_duplicates(named), find_near_duplicates(named)
    found = [
        *_leaks(repeats),
        *_near_leaks(near),
        *_contradictions(repeats),
        *_people(named),
        *_blanks(named),
        *_spellings(named),
        *_similar(named),
        *_inner_repeats(repeats),
        *_inner_near(near),
        *_scarce(named),
    ]
    return CheckReport({name: len(part) for name, part in named.items()}, tuple(found))


def by_name(data: Dataset | Splits | Mapping[str, Dataset]) -> Mapping[str, Dataset]:
    """Datasets by name; a single one is called ``data``."""
    if isinstance(data, Dataset):
        return {"data": data}
    return dict(data.items())


def _leaks(repeats: Iterable[DuplicateGroup]) -> Iterable[Finding]:
    groups = [group for group in repeats if len(group.splits) > 1]
    if groups:
        yield Finding(
            "leak",
            f"{len(groups):,} images are in more than one part: what is measured is partly "
            "what was learnt.",
            _places(groups),
        )


def _near_leaks(near: Iterable[DuplicateGroup]) -> Iterable[Finding]:
    groups = [group for group in near if len(group.splits) > 1]
    if groups:
        yield Finding(
            "near-leak",
            f"{len(groups):,} images seem to be in more than one part in another version: "
            "resized, brightened, compressed anew or mirrored. A new split keeps them together.",
            _places(groups, "≈"),
        )


def _contradictions(repeats: Iterable[DuplicateGroup]) -> Iterable[Finding]:
    groups = [group for group in repeats if len(group.labels) > 1]
    if groups:
        yield Finding(
            "contradiction",
            f"{len(groups):,} images occur with different labels.",
            _places(groups),
        )


def _people(named: Mapping[str, Dataset]) -> Iterable[Finding]:
    homes: dict[str, list[str]] = {}
    for name, part in named.items():
        for person in np.unique(part.subject_ids):
            if person:
                homes.setdefault(str(person), []).append(name)
    shared = {person: splits for person, splits in homes.items() if len(splits) > 1}
    if shared:
        yield Finding(
            "person",
            f"{len(shared):,} people are in more than one part. Split the data again.",
            tuple(f"{person}: {', '.join(splits)}" for person, splits in shared.items())[
                :_EXAMPLES
            ],
        )


def _blanks(named: Mapping[str, Dataset]) -> Iterable[Finding]:
    places: list[str] = []
    for name, part in named.items():
        inside = tuple(range(1, part.images.ndim))
        blank = part.images.max(axis=inside) == part.images.min(axis=inside)
        rows = np.flatnonzero(blank)
        places += [f"{name} row {row}: {part.sources[row]}" for row in rows]
    if places:
        yield Finding(
            "blank",
            f"{len(places):,} images are blank: every pixel has the same value.",
            tuple(places[:_EXAMPLES]),
        )


def _inner_repeats(repeats: Iterable[DuplicateGroup]) -> Iterable[Finding]:
    groups = [group for group in repeats if len(group.members) > len(group.splits)]
    if groups:
        surplus = sum(len(group.members) - len(group.splits) for group in groups)
        yield Finding(
            "repeat",
            f"{len(groups):,} images repeat inside one part ({surplus:,} surplus copies).",
            _places(groups),
        )


def _inner_near(near: Iterable[DuplicateGroup]) -> Iterable[Finding]:
    groups = [group for group in near if len(group.members) > len(group.splits)]
    if groups:
        torn = sum(len(group.labels) > 1 for group in groups)
        yield Finding(
            "near-repeat",
            f"{len(groups):,} images have other versions inside one part; the labels of the "
            f"versions differ for {torn:,}.",
            _places(groups, "≈"),
        )


def _spellings(named: Mapping[str, Dataset]) -> Iterable[Finding]:
    labels = sorted({label for part in named.values() for label in part.labels})
    spelled: dict[str, list[str]] = {}
    for label in labels:
        spelled.setdefault(canonical(label), []).append(label)
    twice = [" = ".join(words) for words in spelled.values() if len(words) > 1]
    if twice:
        yield Finding(
            "spelling",
            f"{len(twice):,} emotions have more than one spelling: the network learns each as "
            "a label of its own.",
            tuple(twice[:_EXAMPLES]),
        )


def _similar(named: Mapping[str, Dataset]) -> Iterable[Finding]:
    labels = sorted({canonical(label) for part in named.values() for label in part.labels})
    pairs = [f"{one} ~ {other}" for one, other in combinations(labels, 2) if _alike(one, other)]
    if pairs:
        yield Finding(
            "similar",
            f"{len(pairs):,} pairs of labels are nearly alike. Rename one where it was mistyped.",
            tuple(pairs[:_EXAMPLES]),
        )


def _alike(one: str, other: str) -> bool:
    # Labels that differ in a number only, such as level 1 and level 2, are meant so.
    if re.sub(r"\d+", "", one) == re.sub(r"\d+", "", other):
        return False
    return SequenceMatcher(None, one, other).ratio() >= _ALIKE


def _scarce(named: Mapping[str, Dataset]) -> Iterable[Finding]:
    for name, part in named.items():
        counts = part.counts()
        if missing := [label for label, count in counts.items() if not count]:
            yield Finding("missing", f"{name} has no sample of {', '.join(missing)}.")
        if single := [label for label, count in counts.items() if count == 1]:
            yield Finding(
                "single",
                f"{name} has a single sample of {', '.join(single)}: what is learnt from it "
                "cannot be judged.",
            )


def _places(groups: list[DuplicateGroup], sign: str = "=") -> tuple[str, ...]:
    return tuple(_place(group, sign) for group in groups[:_EXAMPLES])


def _place(group: DuplicateGroup, sign: str) -> str:
    """Where a group is: one member of each part and label, and how many more there are."""
    differing = {(member.part, member.label): member for member in reversed(group.members)}
    shown = [member for member in group.members if member in differing.values()]
    shown = shown if len(shown) > 1 else list(group.members[:2])
    places = f" {sign} ".join(
        f"{member.part} row {member.row} ({member.label}, {member.source})" for member in shown
    )
    more = len(group.members) - len(shown)
    return f"{places}, and {more} more" if more else places
