"""Blocks of the documentation as tests run them, and what no test runs, with the reason."""

import re
import shlex
import shutil
from pathlib import Path
from textwrap import dedent

from emopy.cli.main import main

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *sorted(p.relative_to(ROOT).as_posix() for p in ROOT.glob("docs/**/*.md"))]
ELSEWHERE = {"docs/serve.md": "tests/e2e/test_serve_examples.py"}
"""Pages whose blocks other tests run."""

OTHER_PROGRAMS = {
    "#SBATCH": "a line for Slurm",
    "export": "sets what a bucket needs",
    "make": "builds and tests a clone",
    "pip": "installs packages",
    "python": "measures for minutes to hours, or needs faces that are not in the package",
    "ray": "starts a cluster",
    "sbatch": "needs Slurm",
    "source": "changes a terminal",
    "tensorboard": "serves until it is ended",
}
"""Programs other than `emopy` in the blocks for the shell: none of them is run."""

_FER = "needs the two files of FER+, or the models trained on them"
_SLURM, _BUCKET = "runs in a job of Slurm, or after it", "needs a bucket"
NOT_RUN = {
    "emopy batch run /data/photos /data/results": _SLURM,
    "emopy batch status /data/results": _SLURM,
    "emopy batch merge /data/results": _SLURM,
    "emopy batch run s3://": _BUCKET,
    "emopy batch merge s3://": _BUCKET,
    "import ray\n": _BUCKET,
    "schema = ": "needs Spark",
    "emopy data prepare ferplus": _FER,
    "emopy train fer2013-labels": _FER,
    "emopy calibrate runs/fer2013-s0": _FER,
    "emopy evaluate runs/fer2013-s0": _FER,
    "emopy models ensemble runs/fer2013-s0": _FER,
    "emopy train research/ablation.toml": _FER,
    "emopy predict photos/ --provider cuda": "needs a GPU",
    "emopy web\n": "serves until it is ended; tests/e2e/test_web_command.py",
    "emopy webcam": "needs a camera",
}
"""Start of a block in Python, or of a command → why no test of the pages runs it."""
if not shutil.which("dot"):
    NOT_RUN["from emopy.train import draw_graph\n\ndraw_graph("] = "needs Graphviz"

FEWER_EPOCHS = ["--set", "fit.epochs=1", "--set", "fit.patience=0"]
EXECUTED: set[str] = set()
"""What `run` has run: blocks in Python, and commands."""


def text_of(page: str) -> str:
    """A page, by its path in the repository."""
    return (ROOT / page).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """The text under a heading, as far as the next."""
    return re.split(r"^## ", page.split(f"{heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and content of each marked block, in order; of a list too."""
    found = re.findall(r"^ *```(\w+)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [(language, dedent(block)) for language, block in found]


def lines(block: str) -> list[list[str]]:
    """The words of each line for the shell."""
    whole = block.replace("\\\n", " ").splitlines()
    return [words for line in whole if (words := shlex.split(line, comments=True))]


def commands(block: str) -> list[list[str]]:
    """The words after `emopy` of each of its lines."""
    return [words[1:] for words in lines(block) if words[0] == "emopy"]


def units(text: str) -> list[str]:
    """What can be run: blocks in Python, and commands as one line."""
    found: list[str] = []
    for language, block in blocks(text):
        if language == "python":
            found.append(block)
        elif language == "sh":
            found += [" ".join(words) for words in lines(block) if words[0] == "emopy"]
    return found


def reason(unit: str) -> str | None:
    """Why a block or a command is not run; None if it is."""
    return next((why for start, why in NOT_RUN.items() if f"{unit}\n".startswith(start)), None)


def run(text: str, names: dict | None = None) -> dict:
    """Run all blocks of a text but those of `NOT_RUN`, with common Python names."""
    names = {} if names is None else names
    for language, block in blocks(text):
        if language == "python" and reason(block) is None:
            quick = re.sub(r"epochs=\d+", "epochs=1", block)
            exec(compile(quick, "page", "exec"), names)
            EXECUTED.add(block)
        for words in commands(block) if language == "sh" else ():
            line = " ".join(["emopy", *words])
            if reason(line) is not None:
                continue
            extra = FEWER_EPOCHS if words[0] == "train" else []
            if words[:2] in (["train", "time-delay"], ["train", "convolutional-dropout"]):
                extra = [*extra, "--set", "net.settings.filters=8"]
            assert main([*words, *extra]) == 0, words
            EXECUTED.add(line)
    return names
