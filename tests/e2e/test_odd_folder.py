"""A folder as people have them: good images of every kind among everything that can be wrong."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from emopy.cli.main import main

GOOD_SUFFIXES = ("jpg", "png", "webp", "bmp", "tiff", "gif")


@pytest.fixture(scope="module")
def odd_folder(tmp_path_factory, astronaut):
    """Fifty files: 36 good ones, 12 bad ones with an image's name, a text and a hidden file."""
    folder = tmp_path_factory.mktemp("odd")
    small = Image.fromarray(astronaut).resize((256, 256))
    _write_good(folder, small)
    jpeg = (folder / "rgb.jpg").read_bytes()
    png = (folder / "rgb.png").read_bytes()
    bad = {
        "empty.jpg": b"",
        "empty.png": b"",
        "truncated.jpg": jpeg[: len(jpeg) // 3],
        "truncated.png": png[: len(png) // 2],
        "truncated.gif": (folder / "rgb.gif").read_bytes()[:200],
        "truncated.webp": (folder / "rgb.webp").read_bytes()[:300],
        "text.jpg": b"I am not an image.",
        "web-page.png": b"<!doctype html><title>404</title>",
        "noise.bmp": np.random.default_rng(0).bytes(5000),
        "head-only.tiff": b"II*\0",
        "head-only.png": png[:20],
    }
    for name, content in bad.items():
        (folder / name).write_bytes(content)
    Image.new("1", (20_000, 10_000)).save(folder / "too-large.png")
    (folder / "notes.txt").write_text("not an image and not called one")
    shutil.copy(folder / "rgb.jpg", folder / ".hidden.jpg")
    (folder / "loop").symlink_to(folder)
    assert len([path for path in folder.iterdir() if path.is_file()]) == 50
    return folder, {*bad, "too-large.png"}


def _write_good(folder, photo):
    modes = {
        "rgb": photo,
        "gray": photo.convert("L"),
        "palette": photo.convert("P", palette=Image.Palette.ADAPTIVE),
    }
    for name, image in modes.items():
        for suffix in GOOD_SUFFIXES:
            flat = image if suffix in ("png", "gif", "bmp", "tiff") else image.convert("RGB")
            flat.save(folder / f"{name}.{suffix}")
    alpha = photo.copy()
    alpha.putalpha(200)
    for suffix in ("png", "webp", "tiff"):
        alpha.save(folder / f"alpha.{suffix}")
    for suffix in ("jpg", "tiff"):
        photo.convert("CMYK").save(folder / f"cmyk.{suffix}")
    deep = np.asarray(photo.convert("L")).astype(np.uint16) * 257
    for suffix in ("png", "tiff"):
        Image.fromarray(deep).save(folder / f"deep.{suffix}")
    for orientation in range(1, 9):
        exif = photo.getexif()
        exif[0x0112] = orientation
        photo.save(folder / f"exif-{orientation}.jpg", exif=exif)
    for name, size in {"tiny": (1, 1), "wide": (900, 3), "tall": (3, 900)}.items():
        Image.new("RGB", size, "gray").save(folder / f"{name}.png")


@pytest.mark.parametrize("output_format", ["csv", "jsonl"])
def test_every_file_has_a_row_or_an_error_and_the_exit_code_is_1(odd_folder, output_format, capfd):
    folder, bad = odd_folder
    assert main(["predict", str(folder), "--recursive", "--format", output_format]) == 1
    out, err = capfd.readouterr()

    images = {
        path.name
        for path in folder.iterdir()
        if path.is_file() and path.suffix != ".txt" and not path.name.startswith(".")
    }
    for name in images:
        assert name in out, name
    assert "notes.txt" not in out
    assert ".hidden" not in out
    complaints = err.strip().splitlines()
    assert all(line.startswith("emopy: ") for line in complaints), "only EmoPy speaks on stderr"
    assert {name for name in images if name in err} == bad
    assert complaints[-1] == f"emopy: {len(bad)} of {len(images)} images could not be read."


def test_the_good_images_show_the_same_face_however_they_are_kept(odd_folder, capsys):
    folder, _ = odd_folder
    main(["predict", str(folder), "--format", "json"])
    results = json.loads(capsys.readouterr().out)
    kept = ("rgb.", "alpha.", "exif-1")
    shown = {
        result["source"]: [face["emotion"] for face in result["faces"]]
        for result in results
        if not result["error"] and any(name in result["source"] for name in kept)
    }
    assert len(shown) == 10
    assert set(map(tuple, shown.values())) == {("happiness",)}
