"""`check`: find leaks, duplicates and wrong labels before training."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np

from emopy.data.csv_layout import CSV_SUFFIXES
from emopy.data.dataset import Dataset
from emopy.data.duplicates import DuplicateGroup, find_duplicates, find_near_duplicates
from emopy.data.split import Splits, by_name
from emopy.labels import canonical, probable_emotion

_MAX_EXAMPLES = 3

Kind: TypeAlias = Literal[
    "leak",
    "near-leak",
    "misspelt",
    "contradiction",
    "subject",
    "blank",
    "spelling",
    "similar",
    "duplicate",
    "near-duplicate",
    "missing",
    "single",
]
"""Kinds of problems that `check` finds; see `Finding`."""

_PROBABLE = ("near-leak", "misspelt")
_NOT_SERIOUS = (*_PROBABLE, "similar", "duplicate", "near-duplicate", "missing", "single")

_MIN_SIMILARITY = 0.85
"""Proportion of letters in common from which one of two labels may be a typing error."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of problem.

    Attributes:
        kind: Serious: ``leak``, ``contradiction``, ``subject``, ``blank``, ``spelling``. Probable:
            ``near-leak``, ``misspelt``. Minor: ``similar``, ``duplicate``, ``near-duplicate``,
            ``missing``, ``single``.
        message: What was found, and how often.
        examples: Up to three samples, or pairs of labels.
    """

    kind: Kind
    message: str
    examples: tuple[str, ...] = ()

    @property
    def serious(self) -> bool:
        """Whether metrics measured on the data would be wrong."""
        return self.kind not in _NOT_SERIOUS

    def __str__(self) -> str:
        mark = "✗" if self.serious else "?" if self.kind in _PROBABLE else "·"
        lines = [f"{mark} {self.message}"]
        return "\n".join(lines + [f"    {example}" for example in self.examples])


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` found.

    Attributes:
        samples: Number of samples per dataset.
        findings: Serious ones first; empty if there is no problem.
    """

    samples: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether no serious problem was found."""
        return not any(finding.serious for finding in self.findings)

    def __str__(self) -> str:
        sizes = ", ".join(f"{name} {count:,}" for name, count in self.samples.items())
        verdict = "No problem found." if self.ok else "Fix what is marked ✗ before training."
        if self.ok and any(finding.kind in _PROBABLE for finding in self.findings):
            verdict = "No certain problem found. Look at what is marked ?"
        return "\n".join([f"Samples: {sizes}", *map(str, self.findings), verdict])


def check(data: Dataset | Splits | Mapping[str, Dataset]) -> CheckReport:
    """Check a dataset, or datasets within and across each other.

    Serious: an image in two splits, or with two labels; a subject in two splits; blank images; an
    emotion in two spellings. Probable: an image that is in another split resized, brightened,
    recompressed or mirrored (`find_near_duplicates`); a label that is an emotion misspelt or with a
    number. Minor: other labels that differ by a letter or so, duplicates inside one split, labels
    without a sample or with a single one.

    Args:
        data: A dataset, the splits, or datasets by name.
    """
    named = by_name(data)
    duplicates, near = find_duplicates(named), find_near_duplicates(named)
    found = [
        *_leaks(duplicates),
        *_near_leaks(near),
        *_contradictions(duplicates),
        *_shared_subjects(named),
        *_blank_images(named),
        *_misspelt_labels(named),
        *_spellings(named),
        *_similar_labels(named),
        *_duplicates_inside(duplicates),
        *_near_duplicates_inside(near),
        *_scarce_labels(named),
    ]
    return CheckReport({name: len(dataset) for name, dataset in named.items()}, tuple(found))


def _leaks(duplicates: Iterable[DuplicateGroup]) -> Iterable[Finding]:
    groups = [group for group in duplicates if len(group.splits) > 1]
    if groups:
        yield Finding(
            "leak",
            f"{len(groups):,} images are in more than one split: metrics would be measured partly "
            "on training data.",
            _places(groups),
        )


def _near_leaks(near: Iterable[DuplicateGroup]) -> Iterable[Finding]:
    groups = [group for group in near if len(group.splits) > 1]
    if groups:
        yield Finding(
            "near-leak",
            f"{len(groups):,} images seem to have near-duplicates in another split: resized, "
            "brightened, recompressed or mirrored. A new split keeps them together.",
            _places(groups, "≈"),
        )


def _contradictions(duplicates: Iterable[DuplicateGroup]) -> Iterable[Finding]:
    groups = [group for group in duplicates if len(group.labels) > 1]
    if groups:
        yield Finding(
            "contradiction",
            f"{len(groups):,} images occur with different labels.",
            _places(groups),
        )


def _shared_subjects(named: Mapping[str, Dataset]) -> Iterable[Finding]:
    splits_of: dict[str, list[str]] = {}
    for name, dataset in named.items():
        for subject in np.unique(dataset.subject_ids):
            if subject:
                splits_of.setdefault(str(subject), []).append(name)
    shared = {subject: names for subject, names in splits_of.items() if len(names) > 1}
    if shared:
        yield Finding(
            "subject",
            f"{len(shared):,} subjects are in more than one split. Split the data again.",
            tuple(f"{subject}: {', '.join(names)}" for subject, names in shared.items())[
                :_MAX_EXAMPLES
            ],
        )


def _blank_images(named: Mapping[str, Dataset]) -> Iterable[Finding]:
    places: list[str] = []
    for name, dataset in named.items():
        axes = tuple(range(1, dataset.images.ndim))
        blank = dataset.images.max(axis=axes) == dataset.images.min(axis=axes)
        rows = np.flatnonzero(blank)
        places += [f"{name}: {_place_of(str(dataset.sources[row]), int(row))}" for row in rows]
    if places:
        yield Finding(
            "blank",
            f"{len(places):,} images are blank: every pixel has the same value.",
            tuple(places[:_MAX_EXAMPLES]),
        )


def _duplicates_inside(duplicates: Iterable[DuplicateGroup]) -> Iterable[Finding]:
    groups = [group for group in duplicates if len(group.members) > len(group.splits)]
    if groups:
        surplus = sum(len(group.members) - len(group.splits) for group in groups)
        yield Finding(
            "duplicate",
            f"{len(groups):,} images have duplicates inside one split ({surplus:,} in all).",
            _places(groups),
        )


def _near_duplicates_inside(near: Iterable[DuplicateGroup]) -> Iterable[Finding]:
    groups = [group for group in near if len(group.members) > len(group.splits)]
    if groups:
        differing = sum(len(group.labels) > 1 for group in groups)
        yield Finding(
            "near-duplicate",
            f"{len(groups):,} images have near-duplicates inside one split; for {differing:,} the "
            "labels differ.",
            _places(groups, "≈"),
        )


def _spellings(named: Mapping[str, Dataset]) -> Iterable[Finding]:
    labels = sorted({label for dataset in named.values() for label in dataset.labels})
    spelled: dict[str, list[str]] = {}
    for label in labels:
        spelled.setdefault(canonical(label), []).append(label)
    twice = [" = ".join(words) for words in spelled.values() if len(words) > 1]
    if twice:
        yield Finding(
            "spelling",
            f"{len(twice):,} emotions have more than one spelling: each is trained as a separate "
            "label.",
            tuple(twice[:_MAX_EXAMPLES]),
        )


def _misspelt_labels(named: Mapping[str, Dataset]) -> Iterable[Finding]:
    labels = sorted({label for dataset in named.values() for label in dataset.labels})
    found = {label: emotion for label in labels if (emotion := probable_emotion(label))}
    if found:
        yield Finding(
            "misspelt",
            f"{len(found):,} labels are probably emotions under another name: each is trained as a "
            "label of its own. Rename them.",
            tuple(f"{label}: {emotion}?" for label, emotion in found.items())[:_MAX_EXAMPLES],
        )


def _similar_labels(named: Mapping[str, Dataset]) -> Iterable[Finding]:
    named_labels = {canonical(label) for data in named.values() for label in data.labels}
    labels = sorted(label for label in named_labels if not probable_emotion(label))
    pairs = [
        f"{one} ~ {other}" for one, other in combinations(labels, 2) if _is_similar(one, other)
    ]
    if pairs:
        yield Finding(
            "similar",
            f"{len(pairs):,} pairs of labels are similar. Rename one if it was mistyped.",
            tuple(pairs[:_MAX_EXAMPLES]),
        )


def _is_similar(one: str, other: str) -> bool:
    # Labels that differ in a number only, such as level 1 and level 2, are intended.
    if re.sub(r"\d+", "", one) == re.sub(r"\d+", "", other):
        return False
    return SequenceMatcher(None, one, other).ratio() >= _MIN_SIMILARITY


def _scarce_labels(named: Mapping[str, Dataset]) -> Iterable[Finding]:
    for name, dataset in named.items():
        counts = dataset.counts()
        if missing := [label for label, count in counts.items() if not count]:
            yield Finding("missing", f"{name} has no sample of {', '.join(missing)}.")
        if single := [label for label, count in counts.items() if count == 1]:
            yield Finding(
                "single",
                f"{name} has a single sample of {', '.join(single)}: it cannot be both trained "
                "and evaluated.",
            )


def _places(groups: list[DuplicateGroup], sign: str = "=") -> tuple[str, ...]:
    return tuple(_place(group, sign) for group in groups[:_MAX_EXAMPLES])


def _place(group: DuplicateGroup, sign: str) -> str:
    """One member of each split and label of a group, and how many more there are."""
    differing = {(member.split, member.label): member for member in reversed(group.members)}
    shown = [member for member in group.members if member in differing.values()]
    shown = shown if len(shown) > 1 else list(group.members[:2])
    places = f" {sign} ".join(
        f"{member.split}: {_place_of(member.source, member.row)} ({member.label})"
        for member in shown
    )
    more = len(group.members) - len(shown)
    return f"{places}, and {more} more" if more else places


def _place_of(source: str, row: int) -> str:
    """Where a sample is: its file and line, its file, or its place in the data, counted from 1."""
    file, colon, line = source.rpartition(":")
    if colon and line.isdecimal() and file.lower().endswith(CSV_SUFFIXES):
        return f"{file}, line {line}"
    return source or f"sample {row + 1}"
