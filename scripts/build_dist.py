"""Build a release into dist/: wheel and source distribution, checked and reproducible.

They are built from an export of the last commit, with the page that `make web` built, twice in
different folders; both builds must be equal byte for byte. `SOURCE_DATE_EPOCH`, the time of all
files, is that of the commit.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import check_dist

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
PAGE = Path("web", "dist")


def git(*words: str) -> bytes:
    """What a command of git prints."""
    return subprocess.run(["git", *words], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout


def export(folder: Path) -> None:
    """Write the last commit, and the built page, into a folder."""
    with tarfile.open(fileobj=io.BytesIO(git("archive", "HEAD"))) as archive:
        archive.extractall(folder, filter="data")
    others = shutil.ignore_patterns("npm", "*.map")  # what only the npm package needs
    shutil.copytree(ROOT / PAGE, folder / PAGE, ignore=others)


def build(folder: Path) -> dict[str, bytes]:
    """Build in a folder; file name → content of the source distribution and its wheel."""
    export(folder)
    environment = {
        **os.environ,
        "SOURCE_DATE_EPOCH": git("log", "-1", "--format=%ct").decode().strip(),
    }
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", "out"]
    subprocess.run(command, cwd=folder, check=True, env=environment, stdout=subprocess.DEVNULL)
    return {path.name: path.read_bytes() for path in sorted((folder / "out").iterdir())}


def main() -> int:
    """Build twice, compare, check, and write dist/; 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--allow-changes", action="store_true", help="build beside uncommitted changes"
    )
    options = parser.parse_args()
    changed = git("status", "--porcelain").decode()
    if changed and not options.allow_changes:
        print(
            f"Commit these changes first; a release is built from a commit:\n{changed}",
            file=sys.stderr,
        )
        return 1
    if not (ROOT / PAGE / "index.html").is_file():
        print("Build the page first: make web", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        packages = build(Path(first, "a"))
        again = build(Path(second, "another-folder"))
    if packages != again:
        different = [name for name in packages if packages[name] != again.get(name)]
        print(f"Two builds differ: {', '.join(different)}", file=sys.stderr)
        return 1
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    for name, content in packages.items():
        (DIST / name).write_bytes(content)
        print(f"{hashlib.sha256(content).hexdigest()}  {name}")
    paths = [str(DIST / name) for name in packages]
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *paths], check=True)
    return check_dist.main(paths)


if __name__ == "__main__":
    sys.exit(main())
