"""Try the Dockerfile where there is no Docker: `python scripts/check_container.py`, as root.

Its stages become folders of Debian 13 under local/container: the official image of Python is made
of it too; Python itself is Debian's. The RUN lines run there with `chroot`. Then ENTRYPOINT and CMD
run as the image's user, with a read-only root, an empty /tmp in memory, no capabilities and no
network but loopback, and so does HEALTHCHECK. Needs `debootstrap`, `unshare`, `nsenter` and
`setpriv`; with `caddy`, the Caddyfile is tried in front of the service as well.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
WORK = ROOT / "local" / "container"
PACKAGES = "ca-certificates,python3,python3-venv"
KEY = "a-key-for-this-check-only"
SAMPLES = ROOT / "src" / "emopy" / "samples" / "images"
_IMAGE, _VIDEO = "/emopy-check.png", "/emopy-check.avi"
_HOME = str(Path.home())
_PIP_FILES = ("/etc/pip.conf", f"{_HOME}/.config/pip/pip.conf", "/etc/resolv.conf")
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


@dataclass
class Stage:
    """One stage of a Dockerfile, as a folder.

    Attributes:
        root: Its root.
        environment: What ENV lines set.
        instructions: The last ENTRYPOINT, CMD, USER and HEALTHCHECK, as they stand there.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    instructions: dict[str, str] = field(default_factory=dict)
    folder: str = "/"

    def words(self, instruction: str) -> list[str]:
        """The words of an instruction in its JSON form."""
        return json.loads(re.search(r"\[.*\]", self.instructions[instruction])[0])  # type: ignore[index]


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield the instructions of a Dockerfile with their arguments."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, rest = line.partition(" ")
        yield name.upper(), rest.strip()


def context(folder: Path) -> None:
    """Copy what `.dockerignore` leaves of the repository: the lines with ``!``."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name in (line[1:] for line in lines if line.startswith("!")):
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, target)


def build(base: Path) -> Stage:
    """Carry out the Dockerfile; return its last stage."""
    stages: dict[str, Stage] = {}
    stage = Stage(base)
    for name, rest in instructions((ROOT / "Dockerfile").read_text(encoding="utf-8")):
        print(f"{name} {rest}", file=sys.stderr)
        match name:
            case "ARG" | "EXPOSE":
                pass
            case "FROM":
                label = rest.partition(" AS ")[2] or "last"
                stage = stages[label] = Stage(WORK / label)
                subprocess.run(["cp", "-a", str(base), str(stage.root)], check=True)
            case "WORKDIR":
                stage.folder = rest
                inside(stage, rest).mkdir(parents=True, exist_ok=True)
            case "ENV":
                stage.environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
            case "COPY" if rest.startswith("--from="):
                label, source, target = rest.removeprefix("--from=").split()
                copied = inside(stages[label], source)
                subprocess.run(["cp", "-a", str(copied), str(inside(stage, target))], check=True)
            case "COPY":
                context(inside(stage, stage.folder))
            case "RUN":
                run_in(stage, rest)
            case "USER" | "ENTRYPOINT" | "CMD" | "HEALTHCHECK":
                stage.instructions[name] = rest
            case _:
                raise SystemExit(f"The check does not know {name}.")
    return stage


def inside(stage: Stage, path: str) -> Path:
    """A path of a stage, seen from outside."""
    return stage.root / path.lstrip("/")


def run_in(stage: Stage, line: str) -> None:
    """Run a line as RUN does, with the package index and the certificates of this machine."""
    for name in (*_PIP_FILES, _CERTIFICATES):
        if Path(name).exists():
            inside(stage, name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, inside(stage, name))
    script = f"cd {shlex.quote(stage.folder)} && {line}"
    passed = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": _HOME, **passed}
    command = [shutil.which("chroot") or "chroot", str(stage.root), "sh", "-c", script]
    subprocess.run(command, check=True, env={**environment, **stage.environment})


def start(stage: Stage, arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Run ENTRYPOINT with arguments, restricted as compose.yaml says."""
    user, group = stage.instructions["USER"].split(":")
    words = [*stage.words("ENTRYPOINT"), *arguments]
    script = (
        'ip link set lo up 2>/dev/null; mount --bind "$1" "$1" && mount -t tmpfs tmp "$1/tmp" && '
        'mount --bind /dev "$1/dev" && mount -t proc proc "$1/proc" && '
        'mount -o remount,bind,ro "$1" && cd "$1" && shift && exec "$@"'
    )
    drop = ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", "--no-new-privs"]
    drop += ["--bounding-set", "-all", "--inh-caps", "-all"]
    apart = [
        "unshare",
        "--mount",
        "--net",
        "sh",
        "-c",
        script,
        "sh",
        str(stage.root),
        "chroot",
        ".",
    ]
    environment = [f"{name}={value}" for name, value in stage.environment.items()]
    with log.open("wb") as file:
        return subprocess.Popen(
            [*apart, *drop, "env", "-i", *environment, "HOME=/", *words],
            stderr=file,
        )


def enter(process: subprocess.Popen[bytes], stage: Stage, *words: str) -> str:
    """Run a command beside the service, in its root and its network."""
    command = ["nsenter", "--mount", "--net", "--target", str(process.pid), "--root"]
    environment = [f"{name}={value}" for name, value in stage.environment.items()]
    done = subprocess.run(
        [*command, "env", "-i", *environment, *words], capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{words} failed: {done.stderr[-2000:]}")
    return done.stdout


def write_video(path: Path) -> None:
    """Write three frames with a face."""
    image = np.asarray(Image.open(SAMPLES / "happiness.png").convert("RGB"))[:, :, ::-1]
    height, width = image.shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5, (width, height))
    for _ in range(3):
        writer.write(image)
    writer.release()


def wait_until_healthy(process: subprocess.Popen[bytes], stage: Stage, log: Path) -> None:
    """Repeat HEALTHCHECK until it succeeds."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            enter(process, stage, *stage.words("HEALTHCHECK"))
        except SystemExit:
            time.sleep(0.5)
        else:
            return
    raise SystemExit(f"It does not become healthy: {log.read_text()[-2000:]}")


_ASK = """
import sys, json
from urllib.error import HTTPError
from urllib.request import Request, urlopen
url, key, image = sys.argv[1:]
headers = {"Content-Type": "image/png", **({"Authorization": "Bearer " + key} if key else {})}
try:
    with urlopen(Request(url, open(image, "rb").read() if image else None, headers)) as answer:
        print(answer.status, answer.read().decode())
except HTTPError as error:
    print(error.code, error.read().decode())
"""


def ask(process: subprocess.Popen[bytes], stage: Stage, path: str, key: str, image: str) -> str:
    """Send an image, or a GET request where there is none, from beside the service."""
    return enter(process, stage, "python", "-c", _ASK, path, key, image)


def check(holds: object, text: str) -> None:
    """Print what holds, or end."""
    if not holds:
        raise SystemExit(f"Not so: {text}")
    print(f"ok: {text}")


def try_service(stage: Stage, *more: str) -> None:
    """Start the service as the image does, ask it, and stop it."""
    log = WORK / "log.txt"
    process = start(stage, [*stage.words("CMD"), *more], log)
    try:
        wait_until_healthy(process, stage, log)
        label = f"with {' '.join(more)}: " if more else ""
        print(f"ok: {label}HEALTHCHECK succeeds")
        address = "http://127.0.0.1:8000"
        answer = ask(process, stage, f"{address}/v1/predict", KEY, _IMAGE)
        check(answer.startswith("200") and '"happiness"' in answer, f"{label}an image is predicted")
        rows = ask(process, stage, f"{address}/v1/video", KEY, _VIDEO)
        check(rows.count('"happiness": ') == rows.count('"track": 1') == 3, f"{label}a video too")
        refused = ask(process, stage, f"{address}/v1/predict", "", _IMAGE)
        check(refused.startswith("401"), f"{label}without a key the status is 401")
        if shutil.which("caddy"):
            try_caddy(process, stage)
        process.send_signal(signal.SIGTERM)
        check(process.wait(40) == 0, f"{label}SIGTERM ends it with exit status 0")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def try_caddy(process: subprocess.Popen[bytes], stage: Stage) -> None:
    """Run the Caddyfile, without HTTPS, in front of the service."""
    environment = {"DOMAIN": "http://127.0.0.1:8081", "EMOPY": "127.0.0.1:8000", "HOME": str(WORK)}
    beside = ["nsenter", "--net", "--target", str(process.pid)]
    caddy = subprocess.Popen(
        [*beside, "caddy", "run", "--config", str(ROOT / "Caddyfile")],
        env={"PATH": os.environ["PATH"], **environment},
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(8)  # until it has asked /readyz
        address = "http://127.0.0.1:8081"
        answer = ask(process, stage, f"{address}/v1/predict", KEY, _IMAGE)
        check(answer.startswith("200"), "through Caddy an image is predicted")
        hidden = ask(process, stage, f"{address}/metrics", KEY, "")
        check(hidden.startswith("404"), "through Caddy there is no /metrics")
    finally:
        caddy.terminate()
        caddy.wait()


def main() -> None:
    """Build, and try with one process and with two."""
    parser = argparse.ArgumentParser(description="Try the Dockerfile without Docker, as root.")
    parser.add_argument("--base", type=Path, help="a folder of Debian 13 with Python, to be copied")
    base = parser.parse_args().base
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    if base is None:
        base = WORK / "debian13"
        words = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "trixie", str(base)]
        subprocess.run(words, check=True, stdout=sys.stderr)
    link = base / "usr" / "local" / "bin" / "python"  # the official image has this name
    if not link.is_symlink():
        link.symlink_to("/usr/bin/python3")
    stage = build(base)
    keys = inside(stage, stage.words("CMD")[1])
    keys.parent.mkdir(parents=True, exist_ok=True)
    keys.write_text(f"{KEY}\n", encoding="utf-8")
    shutil.copy(SAMPLES / "happiness.png", inside(stage, _IMAGE))
    write_video(inside(stage, _VIDEO))
    try_service(stage)
    try_service(stage, "--workers", "2")


if __name__ == "__main__":
    main()
