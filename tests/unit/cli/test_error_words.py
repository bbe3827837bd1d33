"""Errors in the shell name options, never Python's arguments or calls: tried on every verb."""

import ast
import re
import shutil
import socket
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import emopy
from emopy.cli.main import VERBS, main
from emopy.data import Dataset
from emopy.labels import ALL_EMOTIONS

QUICK = "--model {model} --detector full-image"
ERRORS = [
    "demo --emotions anger",
    "demo --emotions anger,angry",
    "demo --model nowhere",
    "demo --draw text.png",
    "predict none.png",
    "predict text.png",
    "predict empty.png",
    "predict clip.avi",
    "predict photo.png --emotions joyful,anger",
    "predict photo.png --emotions anger",
    "predict photo.png --emotions anger,anger",
    "predict photo.png --emotions x",
    "predict photo.png --prior often",
    "predict photo.png --prior anger=1",
    "predict photo.png --prior anger=1,fear=-1 --emotions anger,fear",
    "predict photo.png --prior sleep=1",
    "predict photo.png --prior uniform --model {model}",
    "predict photo.png --min-confidence nan",
    "predict photo.png --detector mtcn",
    "predict photo.png --detector full-image --min-face-size 20",
    "predict photo.png --detector full-image --min-face-score 0.9",
    "predict photo.png --min-face-score 1.5",
    "predict photo.png --detector yunet",
    "predict photo.png --model empty",
    "predict photo.png --model {clip_model}",
    "predict photo.png --out t.xlsx",
    "predict photo.png --out faces.npz",
    "predict photo.png --out text.png/t.csv",
    "predict photo.png --out photo.png",
    "predict photo.png --draw text.png/drawn",
    "predict photo.png --draw .",
    "predict photo.png --format parquet",
    "predict photo.png --boxes none.csv",
    "predict photo.png --boxes text.csv",
    "predict photo.png --boxes numbers.csv",
    "predict photo.png --boxes boxes.csv",
    "predict none/**.png",
    "predict photo.png --model {model} --out t.csv --format nothing",
    "explain none.png",
    "explain photo.png --of joyful --model {model} --detector full-image",
    "explain photo.png --of anger --emotions calm,fear",
    "explain photo.png --model {clip_model}",
    "explain photo.png --out maps.csv",
    "explain photo.png --out photo.png --format json",
    "explain photo.png --draw text.png/drawn --model {model} --detector full-image",
    "video none.mp4",
    "video photo.png",
    "video text.mp4",
    "video empty",
    "video clip.avi --format parquet",
    "video clip.avi --every 2 --fps 5",
    "video clip.avi --fps -1",
    "video clip.avi --fps nan",
    "video clip.avi --start 2 --end 1",
    f"video clip.avi --start 1000 {QUICK}",
    f"video clip.avi --start 0.01 --end 0.02 {QUICK}",
    f"video clip.avi --smoothing nan {QUICK}",
    "video clip.avi --emotions anger",
    "video clip.avi --out t.xlsx",
    "video clip.avi --draw d.wmv",
    "video clip.avi --plot p.bmp",
    f"video clip.avi --out text.png/t.csv {QUICK}",
    f"video clip.avi --draw text.png/d.mp4 {QUICK}",
    f"video clip.avi --plot text.png/p.png {QUICK}",
    f"video clip.avi --summary text.png/s.json {QUICK}",
    f"video clip.avi --out faces.npz {QUICK}",
    "webcam none.mp4",
    "webcam photo.png --view terminal",
    "webcam --camera 97 --view terminal",
    "webcam clip.avi --out t.xlsx",
    f"webcam clip.avi --out text.png/t.csv --view terminal {QUICK}",
    f"webcam clip.avi --view page --port {{port}} {QUICK}",
    "webcam clip.avi --emotions anger --view terminal",
    "web --port {port}",
    f"webcam clip.avi --smoothing nan --view terminal {QUICK}",
    "models show nowhere",
    "models show empty",
    "models check nowhere",
    "models check empty",
    "models check damaged",
    "models fetch nothing",
    "models fetch yunet --url ftp://x --folder kept",
    "models fetch yunet --url http://127.0.0.1:{port}/x --folder text.png/x",
    "models quantize nowhere faces.npz --out q",
    "models quantize {model} none.npz --out q",
    "models quantize {model} faces.npz --out faces",
    "models quantize {model} faces.npz --out text.png/q",
    "models ensemble {model} --out e",
    "models ensemble {model} nowhere --out e",
    "models ensemble {model} {clip_model} --out e",
    "models ensemble {model} {model} --out faces",
    "train text.toml",
    "train odd.toml",
    "train empty.toml",
    "train empty.toml --set fit.epochs",
    "train empty.toml --set fit.epochs=x",
    "train empty.toml --set fit.epochs=-1",
    "train empty.toml --set nonsense.x=1",
    "train empty.toml --set data.train=none.npz",
    "train empty.toml --set data.train=faces.npz --set net.name=Nothing",
    "train empty.toml --set data.train=faces.npz --set data.validation=none.npz",
    "train empty.toml --set data.train=faces --set data.num_frames=9",
    "train --compare empty",
    "train --compare none",
    "evaluate nowhere faces.npz",
    "evaluate {model} none.npz",
    "evaluate {model} empty",
    "evaluate {model} text.csv",
    "evaluate {model} faces.npz --emotions anger",
    "evaluate {model} faces.npz --emotions joyful,anger",
    "evaluate {model} faces.npz --prior often",
    "evaluate {model} faces.npz --groups none.csv",
    "evaluate {model} faces.npz --groups text.csv",
    "evaluate {model} faces.npz --html text.png/p.html",
    "evaluate {model} faces.npz --html empty",
    "evaluate emopy-base faces.npz --record x",
    "evaluate {model} other.npz",
    "evaluate {clip_model} faces",
    "calibrate nowhere faces.npz",
    "calibrate emopy-base faces.npz",
    "calibrate {model} none.npz",
    "calibrate {model} other.npz",
    "calibrate {model} faces.npz --prior often",
    "data describe none.npz",
    "data describe text.csv",
    "data describe numbers.csv",
    "data describe empty",
    "data describe damaged.npz",
    "data describe faces --num-frames 9",
    "data describe faces.npz --image p.bmp",
    "data describe faces.npz --image text.png/p.png",
    "data check none.npz",
    "data check settings.csv",
    "data show faces.npz --out s.bmp",
    "data show faces.npz --out text.png/s.png",
    "data show faces.npz --recipe missing.toml",
    "data show faces.npz --recipe odd.toml",
    "data split faces.npz out --test 0.9 --validation 0.9",
    "data split two.npz out",
    "data split faces out --subject-regex (",
    "data split faces.npz out --subject-regex x",
    "data split faces.npz text.png/out",
    "data prepare ferplus none.csv none.csv out",
    "data prepare ferplus text.csv text.csv out",
    "data prepare ckplus empty out",
    "data prepare ckplus none out",
    "data prepare ckplus empty out --detector nothing",
    "data samples faces",
    "data samples text.png/x",
    "serve --host 0.0.0.0",
    "serve --host x --no-auth",
    "serve --port {port}",
    "serve --api-key-file none.txt",
    "serve --api-key-file empty.png",
    "serve --allow-origin example",
    "serve --allow-host http://example.org",
    "serve --emotions anger",
    "serve --model damaged",
    "serve --prior often",
    "serve --detector mtcn",
    "serve --min-confidence nan",
    "serve --timeout nan",
    "serve --timeout inf",
    "serve --drain inf",
    "batch run none out",
    "batch run empty out",
    "batch run numbers.csv out",
    "batch run faces text.png/out",
    "batch run faces ftp://x",
    "batch run faces out --shard 3/2",
    "batch run faces out --shard x",
    "batch run faces out --address auto",
    "batch run faces out --emotions anger",
    "batch run faces out --model damaged",
    "batch run faces out --every 3 --fps 2",
    "batch run faces out --start 5 --end 2",
    "batch status empty",
    "batch status none",
    "batch merge empty t.parquet",
    "batch merge empty t.csv",
]
NO_ERROR = {"doctor"}
"""Takes nothing that could be wrong."""


def arguments() -> set[str]:
    """Names of all arguments of EmoPy's functions that cannot be mistaken for plain words."""
    names = set()
    for path in Path(emopy.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.arguments):
                names |= {each.arg for each in (*node.args, *node.kwonlyargs)}
    return names


ARGUMENTS = arguments() - set(ALL_EMOTIONS)


@pytest.fixture(scope="module")
def place(tmp_path_factory, linear_model, astronaut_file):
    """A folder with good and bad files of every kind."""
    place = tmp_path_factory.mktemp("place")
    rng = np.random.default_rng(0)
    shutil.copy(astronaut_file, place / "photo.png")
    for name in ("text.png", "text.mp4", "text.csv", "text.toml", "damaged.npz"):
        (place / name).write_text("neither = this, nor that = [")
    (place / "empty.png").touch()
    (place / "empty.toml").touch()
    (place / "empty").mkdir()
    (place / "odd.toml").write_text("[fit]\nepoch = 3\n")
    (place / "numbers.csv").write_text(f"label,pixels\n9,{'1 ' * 64}\n8,{'2 ' * 64}\n")
    (place / "boxes.csv").write_text("source,left,top,right,bottom\nphoto.png,-9,0,-1,1\n")
    (place / "settings.csv").write_text(f"label,pixels\n9,{'1 ' * 64}\n")
    (place / "settings.csv.toml").write_text('delimiter = ";;"\n')
    for label in ("fear", "happiness"):
        for number in range(3):
            path = place / "faces" / label / "one" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (48, 48), np.uint8)).save(path)
            shutil.copy(path, path.parents[1] / f"{number}.png")
    for name, labels, count in (
        ("faces.npz", ALL_EMOTIONS, 32),
        ("two.npz", ALL_EMOTIONS[:2], 2),
        ("other.npz", ("sleepy", "awake"), 4),
    ):
        images = rng.integers(0, 256, (count, 48, 48, 1), dtype=np.uint8)
        targets = np.eye(len(labels), dtype=np.float32)[np.arange(count) % len(labels)]
        names = np.arange(count).astype(str)
        Dataset(images, targets, labels, np.full(count, ""), names).save(place / name)
    shutil.copytree(linear_model, place / "model")
    shutil.copytree(linear_model, place / "damaged")
    (place / "damaged" / "model.onnx").write_bytes(b"nothing")
    writer = cv2.VideoWriter(str(place / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 64))
    for _ in range(10):
        writer.write(rng.integers(0, 256, (64, 64, 3), np.uint8))
    writer.release()
    return place


@pytest.fixture(scope="module")
def port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.mark.parametrize("line", ERRORS)
def test_an_error_names_no_argument_and_no_call_of_python(
    line, place, port, clip_model, monkeypatch, capfd
):
    if line.startswith("train") and not find_spec("keras"):
        pytest.skip("needs the extra train")
    monkeypatch.chdir(place)
    words = line.format(model="model", clip_model=clip_model, port=port).split()
    code = main(words)
    error = capfd.readouterr().err
    assert code in (1, 2), error
    code_pieces = error.split("`")[1::2]
    named = [piece for piece in code_pieces if piece.partition("=")[0] in ARGUMENTS]
    assert not named, error
    assert not re.search(r"\b[a-z_.]+\w*\((?!s\))", error), error
    plain = " ".join(error.split("`")[::2])
    typed = re.findall(r"(?<![\w.,-])([a-z_]+)=['\"\[{(\d]", plain)
    assert not [name for name in typed if name in ARGUMENTS], error


@pytest.mark.parametrize(
    "line, expected",
    [
        ("predict clip.avi", "a video. Use `emopy video FILE`."),
        ("data describe damaged.npz", "written by `emopy data split or prepare`."),
        ("data split faces out --subject-regex (", "Received (: "),
        (
            "data split faces out --subject-regex zzz",
            "Received zzz, which matched none of 12 paths",
        ),
        ("predict photo.png --emotions anger", "Received anger. "),
        ("predict photo.png --format parquet", "--format parquet must go with --out."),
        ("video clip.avi --format parquet", "--format parquet must go with --out."),
    ],
)
def test_an_error_says_what_to_type(line, expected, place, monkeypatch, capfd):
    monkeypatch.chdir(place)
    assert main(line.split()) in (1, 2)
    assert expected in capfd.readouterr().err


def test_errors_of_every_verb_are_tried():
    assert {line.split()[0] for line in ERRORS} | NO_ERROR == set(VERBS)
