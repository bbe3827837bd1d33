"""Whole inputs of every kind, generated: what the mutations start from."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from emopy.models.store import find_model
from emopy.recipes import find_recipe, list_recipes
from emopy.samples import sample_stills

CODECS = {
    "mp4": "libx264",
    "mov": "mpeg4",
    "mkv": "libx264",
    "webm": "libvpx",
    "avi": "mjpeg",
    "ts": "mpeg2video",
    "gif": "gif",
    "flv": "flv1",
}


def images() -> dict[str, bytes]:
    """Small images in every format that is read, plain and with what cameras add."""
    rng = np.random.default_rng(1)
    ramp = np.linspace(0, 255, 40)[None, :, None] * np.ones((32, 1, 3))
    rgb = Image.fromarray((ramp * 0.7 + rng.integers(0, 60, (32, 40, 3))).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turned by 90°
    profile = bytes(range(200)) * 2
    written = {
        "plain.png": (rgb, {}),
        "alpha.png": (rgb.convert("RGBA"), {}),
        "palette.png": (rgb.convert("P"), {"transparency": 3}),
        "gray16.png": (Image.fromarray(rng.integers(0, 65536, (20, 20)).astype(np.uint16)), {}),
        "interlaced.gif": (rgb.convert("P"), {"interlace": 1}),
        "moving.gif": (rgb, {"save_all": True, "append_images": [rgb.rotate(90)] * 2}),
        "baseline.jpg": (rgb, {"exif": exif, "icc_profile": profile}),
        "progressive.jpg": (rgb, {"progressive": True}),
        "cmyk.jpg": (rgb.convert("CMYK"), {}),
        "plain.webp": (rgb, {}),
        "lossless.webp": (rgb.convert("RGBA"), {"lossless": True}),
        "plain.bmp": (rgb, {}),
        "raw.tif": (rgb, {}),
        "deflate.tif": (rgb, {"compression": "tiff_deflate"}),
        "lzw.tif": (rgb.convert("L"), {"compression": "tiff_lzw"}),
        "jpeg.tif": (rgb, {"compression": "jpeg"}),
        "float.tif": (Image.fromarray(rng.random((9, 9), np.float32)), {}),
        "plain.ppm": (rgb, {}),
        "plain.jp2": (rgb, {}),
        "plain.ico": (rgb, {}),
        "plain.tga": (rgb, {}),
    }
    files = {}
    for name, (image, options) in written.items():
        kind = {"jpg": "JPEG", "tif": "TIFF", "jp2": "JPEG2000"}.get(name[-3:], name.split(".")[1])
        stream = io.BytesIO()
        image.save(stream, kind.upper(), **options)
        files[name] = stream.getvalue()
    return files


def videos(folder: Path) -> dict[str, bytes]:
    """Clips of 12 frames, 64 × 48, in eight containers."""
    import av

    files = {}
    for kind, codec in CODECS.items():
        path = folder / f"clip.{kind}"
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=10)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = 64, 48
            stream.pix_fmt = {"gif": "rgb8", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
            stream.gop_size = 4
            for i in range(12):
                pixels = np.full((48, 64, 3), 20 * i, np.uint8)
                pixels[10:30, 4 * i : 4 * i + 12] = 255 - 20 * i
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        files[path.name] = path.read_bytes()
    return files


def model_files() -> dict[str, bytes]:
    """The files of the smallest bundled model."""
    return {path.name: path.read_bytes() for path in find_model("emopy-tiny").iterdir()}


def data_sets(folder: Path) -> dict[str, bytes]:
    """A .npz data set of 32 faces."""
    path = folder / "faces.npz"
    stills = sample_stills()
    stills.take(np.arange(0, len(stills.images), len(stills.images) // 32)).save(path)
    return {path.name: path.read_bytes()}


def tables() -> dict[str, bytes]:
    """CSV files: FER2013's layout with numbers, words for labels, one column per pixel."""
    rng = np.random.default_rng(2)
    pixels = [" ".join(map(str, rng.integers(0, 256, 64))) for _ in range(12)]
    numbers = [f"{i % 7},{text},Training" for i, text in enumerate(pixels)]
    words = [f"{text};{('anger', 'happy')[i % 2]}" for i, text in enumerate(pixels)]
    wide = [
        f"{('sad', 'neutral')[i % 2]}," + text.replace(" ", ",") for i, text in enumerate(pixels)
    ]
    columns = ",".join(f"pixel{i}" for i in range(64))
    written = {
        "fer2013.csv": ["emotion,pixels,Usage", *numbers],
        "words.csv": ["pixels;label", *words],
        "wide.csv": [f"emotion,{columns}", *wide],
    }
    return {name: "\n".join(lines).encode() for name, lines in written.items()}


def recipes() -> dict[str, bytes]:
    """The packaged recipes."""
    return {name: find_recipe(name).read_bytes() for name in list_recipes()}
