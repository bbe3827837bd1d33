"""Kill `emopy predict` and `emopy video` at random moments, rerun them, and compare the results.

    python -m tests.fuzz.interruptions --moments 20 --images 500

Every result must be byte for byte that of a run without interruption: the table, the annotated
images, the errors and the exit code. `kill -9` gives a process no chance to clean up.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from emopy.present import VideoSink
from emopy.samples import sample_images, scene
from emopy.types import ImageResult

FORMATS = ("csv", "jsonl", "json", "txt", "parquet")


def make_images(folder: Path, count: int, *, seed: int = 0) -> Path:
    """Write noisy sample faces; every tenth file is damaged."""
    rng = np.random.default_rng(seed)
    faces = [np.asarray(Image.open(path).convert("RGB")) for path in sample_images().values()]
    folder.mkdir()
    for number in range(count):
        face = faces[number % len(faces)].astype(float) + rng.normal(0, 8, faces[0].shape)
        path = folder / f"{number}.png"
        Image.fromarray(face.clip(0, 255).astype(np.uint8)).resize((96, 96)).save(path)
        if number % 10 == 7:
            path.write_bytes(path.read_bytes()[:100])
    return folder


def make_videos(folder: Path, count: int) -> Path:
    """Write generated scenes of two seconds; one more file is damaged."""
    folder.mkdir()
    for number in range(count):
        with VideoSink(folder / f"{number}.mp4", size=(320, 240)) as sink:
            for frame, _ in scene(seconds=2, fps=10):
                image = frame.image[:240, 10 * number : 10 * number + 320].copy()
                sink.write(image, ImageResult("", (320, 240), (), frame.time_s))
    (folder / "damaged.mp4").write_text("no video")
    return folder


def run(
    words: list[str], folder: Path, *, kill_after_s: float | None = None
) -> tuple[int, str, float]:
    """Run a command in a folder, and kill it some seconds after it wrote its first file.

    Returns:
        Its exit code, -9 if it was killed; what it wrote to stderr; the seconds since its first
        file.
    """
    folder.mkdir(exist_ok=True)
    before = _sizes(folder)
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "emopy", *words],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,  # so that its own processes are killed with it
        )
        while process.poll() is None and _sizes(folder) == before:
            time.sleep(0.02)
        begun = time.monotonic()
        try:
            process.wait(kill_after_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        errors.seek(0)
        return code, errors.read(), time.monotonic() - begun


def _sizes(folder: Path) -> dict[str, int] | None:
    """Size of every file in a folder; None if it changes meanwhile."""
    try:
        return {str(path): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    except FileNotFoundError:
        return None


def contents(folder: Path) -> dict[str, bytes]:
    """Every file in a folder, by its path in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def interrupt(words: list[str], folder: Path, moments: int, *, seed: int = 0) -> list[str]:
    """Run a command without interruption, then kill and rerun it, and return what differs.

    Args:
        words: The command; what it writes lies in the current folder.
        folder: A new folder for all that is written.
        moments: How often it is killed, each time in a new folder.
        seed: Seed of the moments.
    """
    rng = random.Random(seed)
    folder.mkdir()
    code, errors, seconds = run(words, folder / "expected")
    expected = contents(folder / "expected")
    faults: list[str] = []
    for number in range(moments):
        place, after_s = folder / str(number), rng.uniform(0, seconds)
        while run(words, place, kill_after_s=after_s)[0] != -signal.SIGKILL or (
            contents(place) == expected  # all was done but the end of the process
        ):
            shutil.rmtree(place)
            after_s /= 2  # it was faster than the first
        resumed, said, _ = run(words, place)
        found = contents(place)
        unsaid = set(errors.splitlines()) - set(said.splitlines())
        if (resumed, found) != (code, expected) or unsaid:
            both = {**expected, **found}
            names = [name for name in both if expected.get(name) != found.get(name)]
            faults.append(f"killed after {after_s:.2f} s: exit code {resumed}, {names}, {said}")
    return faults


def main() -> int:
    """Run from the shell. Returns 1 if a result differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        images = make_images(Path(name) / "images", options.images, seed=options.seed)
        commands = {
            suffix: ["predict", str(images), "--out", f"faces.{suffix}"] for suffix in FORMATS
        }
        for suffix in FORMATS[1::2]:
            commands[suffix] += ["--draw", "drawn"]
        videos = make_videos(Path(name) / "videos", 6)
        files = ["--out", "all.csv", "--summary", "all.json", "--plot", "plots", "--draw", "drawn"]
        commands["videos"] = ["video", str(videos), "--workers", "2", *files]
        for number, (kind, words) in enumerate(commands.items()):
            count = len(range(number, options.moments, len(FORMATS)))
            if kind == "videos":
                count = options.moments
            found = interrupt(words, Path(name) / f"runs-{kind}", count, seed=options.seed + number)
            print(f"{kind}: {count} moments, {len(found)} faults", *found, sep="\n  ", flush=True)
            faults += found
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
