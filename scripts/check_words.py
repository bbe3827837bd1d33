"""Check that code, texts and file names use the field's terms: `python scripts/check_words.py`.

Prints `file:line: term → what to write` for each term of the table below and exits with 1 if there
is one. Identifiers are split into words first: `mean_recall` and `MeanRecall` are "mean recall".
`--rooms` prints counts per folder instead.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
SUFFIXES = {
    *(".py", ".pyi", ".ipynb", ".md", ".toml", ".html", ".js", ".mjs", ".css", ".json", ".txt"),
    ".yml",
}
EXCLUDED = (
    "src/emopy/legacy/",  # the old names
    "src/EmoPy.py",
    "tests/unit/legacy/",
    "tests/e2e/test_old_listing.py",
    "docs/decisions/",  # history
    "CHANGELOG.md",
    "scripts/check_words.py",
)

ALLOWED = (
    r"docs/pictures|\bpictures/|/ \"pictures\"",  # the folder of the documentation's images
    r"</?picture\b",  # HTML
    r"time_delay\.py|run\(.time_delay|time-delay|runs/time-delay",  # TimeDelayConvNN
    r"package\.origin|location\.origin|\bOrigin\b",  # Python, HTTP
    r"same-origin|cross-origin|--allow-origin|-origin:",  # HTTP, CSS
    r"\"origin\"",  # a title of a column that users write
    r"flex-shrink",
    r"decisions/[-\w]+\.md",  # links to history
    r"shares_memory|guessed_rate|get_origin",  # NumPy, PyAV, typing
    r"ShareAlike|share-alike|/share/",
)
"""Text of other projects' interfaces that contains a term."""

ALLOWED_IN = {
    r"src/emopy/(?:cli/)?serve|docs/(?:serve|cli|http)\.md|tests/\S*serve": (
        r"(?<!\w)[oO]rigins?(?!\w)|_origins?\b|ORIGIN"
    ),
}
"""The same, in some files only: HTTP names the scheme, host and port of a web page its origin."""

WORDS = {
    # general
    r"pictures?": "image",
    r"shares?": "proportion, probability (or: use the same …)",
    r"beliefs?": "probability, posterior",
    r"judg(?:e[ds]?|ing|e?ments?)": "predict, evaluate",
    r"reads? (?:a |the |each |every |all |these |those )?faces?": "predict",
    r"what (?:a|the|each|every|this) faces? shows?": "predicted expression",
    r"networks? (?:alone )?(?:says?|sees?|reads?|answers?|judges?|knows?)": "model …",
    r"make small|shrinks?|shrunk|shrinking": "quantize",
    r"in integers|integer (?:models?|networks?)": "int8",
    r"learnt": "trained, learned",
    r"taught": "distilled, trained",
    r"told": "specified, given",
    r"type(?:d|s)? (?:it |this |the (?:same )?(?:line|command) )?again": "rerun",
    r"mend(?:s|ed|ing)?": "fix",
    r"lack(?:s|ed|ing)?": "missing, does not have",
    r"wish(?:es|ed)?": "(say it literally)",
    r"whoever": "(name the person or part)",
    r"of one's own": "own",
    r"(?:go|goes|went|gone) on(?: from| with)?": "resume, continue",
    # data
    r"(?:training|test|validation|calibration|held out) parts?": "split",
    r"(?:near|exact) (?:repeats?|copies)": "near-duplicates, exact duplicates",
    r"other versions? of": "near-duplicates of",
    r"fingerprints?": "content hash",
    r"origins?": "source",
    r"time delay(?! (?:conv|nn|net))": "num_frames",
    r"random changes?": "data augmentation",
    r"votes? for no emotion": '"unknown" votes',
    # train
    r"models join|joined (?:models?|networks?|pairs?)|answers? together": "ensemble",
    r"final rate": "min_lr_ratio",
    r"release rate": "finetune_lr_ratio",
    r"(?P<fine>target )?sharpening": "target_sharpening",
    r"class balance": "class-balanced sampling",
    r"watch(?:ed|ers?)": "callbacks",
    r"lessons?": "(gone)",
    r"by heart": "overfits",
    r"surer than right": "overconfident",
    r"flatter(?:s|ing)?": "optimistic",
    # evaluate
    r"guess(?:es|ed|ing)?": "predicted, prediction",
    r"(?P<fine>expected )?calibration errors?": "expected calibration error (ECE)",
    r"surest": "accuracy at N % coverage",
    r"(?:mean )?recall of seven": "balanced accuracy",
    r"worse (?:pictures|images)": "corruptions",
    r"stead(?:y|ied|ies|iness|ily|ying)": "smooth, smoothed, stable, stability",
    r"misuse": "out-of-scope use",
    # faces
    r"likeness(?:es)?": "cosine similarity",
    r"cheapest pairs": "linear assignment",
    r"min face px": "min_face_size",
    # video
    r"films?": "annotated video",
    r"rhythm": "FPS meter",
    # American spelling
    r"(?:un|mis)?labell(?:ed|ing)": "labeled, labeling",
    r"colou(?:r|rs|red)|grey": "color, gray",
    r"neighbour(?:s|ing)?|behaviours?|favou(?:r|rs|red)": "neighbor, behavior, favor",
    r"centre[ds]?|artefacts?|analys(?:e|ed|es)": "center, artifact, analyze",
    r"(?:re)?(?:normal|recogn|standard|regular|minim|optim|local|initial|quant|summar|organ|general)"
    r"is(?:e|ed|es|ing|ation)": "-ize, -ization",
    # benchmarks
    r"hardships?": "degradation",
}
"""Pattern over lower-case words → what to write instead. With what `fine` matches, it is fine."""

NAMES = {
    r"\bParts\b(?! of)": "Splits",
    r"\bpeople(?: ?=|: np)|\.people\b|[\"']people[\"']|--people\b": "subject_ids, --subject-regex",
    r"--clips\b": "--num-frames",
    r"smallest[-_]face": "min_face_size",
    r"\bProblems?\b(?=[(\[,.:])": "LoadError",
    r"\bchance(?: =|: np|\.\w|\()": "rng, seed",
    r"\bfit\.(?:start|balance|release|frozen)\b": "fit.init_from, fit.class_balanced_sampling, …",
    r"\bStandings?\b": "leaderboard entry",
    r"\bWhole(?:Picture|Image)\b|[\"']whole[\"']|--detector whole\b": "FullImage, full-image",
    r"\b(?:Looks|Cuts|Bins|Steps|Portraits)\b(?=[(\[])": "appearance, shot changes, time bins, …",
}
"""Pattern over the text as it is, for names whose words are ordinary English elsewhere."""


class Finding(NamedTuple):
    """A term that should not be there."""

    path: str
    line: int
    term: str
    instead: str

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.term} → {self.instead}"


def _pattern(words: str) -> re.Pattern[str]:
    """Whole words; a space matches line ends and comment signs between words too."""
    return re.compile(rf"\b(?:{words})\b".replace(" ", r"(?:[-\s]|[\"']\s+f?[\"']|\n\s*#)+"))


PATTERNS = [(_pattern(words), instead) for words, instead in WORDS.items()]
RAW_PATTERNS = [(re.compile(names), instead) for names, instead in NAMES.items()]
ALLOWED_TEXT = re.compile("|".join(ALLOWED))


def split_identifiers(text: str) -> str:
    """Lower-case text with the words of identifiers apart; lines stay where they are."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    return apart.replace("_", " ").lower()


def findings_in(path: str, text: str, first_line: int = 1) -> Iterator[Finding]:
    """Yield the terms of a text in the order of the table."""
    text = ALLOWED_TEXT.sub("", text)
    for files, names in ALLOWED_IN.items():
        if re.match(files, path):
            text = re.sub(names, "", text)
    words = split_identifiers(text)
    for patterns, where in ((PATTERNS, words), (RAW_PATTERNS, text)):
        for pattern, instead in patterns:
            for match in pattern.finditer(where):
                if match.groupdict().get("fine"):
                    continue
                line = first_line and first_line + where.count("\n", 0, match.start())
                yield Finding(path, line, " ".join(match.group().split()), instead)


def checked_files() -> list[str]:
    """Paths of all files in the clone that git does not ignore, but for those of `EXCLUDED`."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if not name.startswith(EXCLUDED)]


def findings() -> list[Finding]:
    """All terms in file names and texts, by file and line."""
    found: list[Finding] = []
    for name in checked_files():
        path = ROOT / name
        if not path.is_file():
            continue  # deleted, not committed yet
        found += findings_in(name, name, first_line=0)
        if path.suffix in SUFFIXES or path.name == "Makefile":
            found += findings_in(name, path.read_text(encoding="utf-8"))
    return sorted(found)


def main() -> int:
    """Print what was found; 1 if there is something."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rooms", action="store_true", help="count per folder instead")
    parser.add_argument("paths", nargs="*", help="only files whose path starts so")
    options = parser.parse_args()
    paths = tuple(options.paths) or ("",)
    found = [finding for finding in findings() if finding.path.startswith(paths)]
    if options.rooms:
        rooms = Counter("/".join(Path(finding.path).parts[:-1][:3]) for finding in found)
        for room, count in rooms.most_common():
            print(f"{count:5} {room or '.'}")
    else:
        print(*found, sep="\n")
    print(f"{len(found)} terms to replace", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
