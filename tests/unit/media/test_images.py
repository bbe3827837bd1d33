"""Decoding images to RGB uint8."""

import io
import os
import random
import struct
import subprocess
import sys
import threading
import types
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from emopy.errors import ImageWarning, InputError
from emopy.media import describe_source, read_image, take_image
from emopy.media.pillow import is_animation, quiet_pillow, quiet_tiff, without_stderr


def near(image, expected, tolerance=40):
    return (
        image.shape == expected.shape
        and np.abs(image.astype(int) - expected).mean() < tolerance / 10
        and image.dtype == np.uint8
        and image.flags.c_contiguous
        and image.flags.writeable
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM"])
def test_every_format_gives_the_same_image(scene, encode, kind):
    settings = {"JPEG": {"subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    assert near(read_image(encode(scene, kind, **settings)), scene)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_compressed_tiff_is_read(scene, encode, compression):
    assert near(read_image(encode(scene, "TIFF", compression=compression)), scene, 150)


def test_every_kind_of_source_gives_the_same_image(scene, encode, tmp_path):
    data = encode(scene, "PNG")
    path = tmp_path / "ä b.png"
    path.write_bytes(data)
    sources = [path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data)]
    sources += [scene, Image.fromarray(scene), Image.open(io.BytesIO(data))]
    for source in sources:
        assert np.array_equal(read_image(source), scene), describe_source(source)
    with path.open("rb") as file:
        assert np.array_equal(read_image(file), scene)


def test_a_file_object_is_read_from_its_start(scene, encode):
    stream = io.BytesIO()
    stream.write(encode(scene, "PNG"))
    assert np.array_equal(read_image(stream), scene)


def test_a_pipe_is_read(scene, encode, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(encode(scene, "PNG"),))
    writer.start()
    assert np.array_equal(read_image(pipe), scene)
    writer.join()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(scene, encode, orientation, kind):
    stored = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.transpose(1, 0, 2),
        6: np.rot90,
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    settings = {"lossless": True} if kind == "WEBP" else {}
    data = encode(np.ascontiguousarray(stored(scene)), kind, exif=exif, **settings)
    assert near(read_image(data), scene, 150)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_gray_is_scaled_not_clipped(encode, kind):
    ramp = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
    image = read_image(encode(ramp, kind))
    assert np.array_equal(image, np.repeat((ramp // 257)[:, :, None], 3, axis=2))


def test_sixteen_bit_rgb_png_is_scaled():
    rows = b"".join(b"\0" + struct.pack(">3H", value, 0, 65535) for value in (0, 32896, 65535))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 1, 3, 16, 2, 0, 0, 0))]
    parts += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )
    assert read_image(data)[:, 0].tolist() == [[0, 0, 255], [128, 0, 255], [255, 0, 255]]


def test_transparency_is_composited_on_white(encode):
    pixel = np.array([[[0, 0, 0, 0], [0, 0, 0, 255], [0, 0, 0, 128]]], np.uint8)
    for image in (read_image(encode(pixel, "PNG")), read_image(pixel)):
        assert image[0, :, 0].tolist() == [255, 0, 127]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "La", "P", "PA", "RGBA", "RGBa", "CMYK", "YCbCr"])
def test_every_pil_mode_is_read(scene, mode):
    gray = Image.fromarray(scene).convert("L")
    if mode in {"La", "RGBa"}:
        image = Image.fromarray(scene).convert(mode.upper()).convert(mode)
    elif mode == "PA":
        image = Image.fromarray(scene).convert("P").convert("PA")
    else:
        image = Image.fromarray(scene).convert(mode, dither=Image.Dither.NONE)
    if mode == "1":
        gray = gray.point(lambda value: 255 * (value > 127))
    expected = gray.convert("RGB") if mode in {"1", "L", "LA", "La"} else Image.fromarray(scene)
    assert near(read_image(image), np.array(expected), 150)


def test_cmyk_jpeg_and_transparent_palette_are_read(scene, encode):
    cmyk = Image.fromarray(scene).convert("CMYK")
    assert near(read_image(encode(cmyk, "JPEG", quality=95)), scene, 150)
    palette = Image.fromarray(scene).convert("P", palette=Image.Palette.ADAPTIVE)
    clear = palette.getpixel((0, 0))
    expected = scene.copy()
    expected[:12, :20] = 255
    assert near(read_image(encode(palette, "PNG", transparency=clear)), expected)
    assert near(read_image(encode(palette, "PNG", transparency=bytes([255] * 4))), scene)


def test_an_animation_gives_its_first_frame(scene, encode):
    others = [Image.new("RGB", (40, 24), "black")]
    data = encode(scene, "GIF", save_all=True, append_images=others)
    assert near(read_image(data), scene)


def test_arrays_of_every_accepted_kind_agree():
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    expected = np.repeat(gray[:, :, None], 3, axis=2)
    kinds = [gray, gray[:, :, None], expected, gray.astype(np.uint16) * 257]
    kinds += [(gray.astype(np.uint16) * 257).astype(">u2"), gray / 255.0]
    kinds += [(gray / 255.0).astype(np.float32), expected[::-1][::-1]]
    for array in kinds:
        array.flags.writeable = False
        assert np.array_equal(read_image(array), expected), array.dtype


def test_the_result_is_a_new_array(scene):
    image = scene.copy()
    read_image(image)[:] = 7
    assert np.array_equal(image, scene)


@pytest.mark.parametrize(
    "array, hint",
    [
        (np.zeros((3, 40, 40), np.uint8), "transpose(1, 2, 0)"),
        (np.zeros((2, 8, 8, 3), np.uint8), "predict_many"),
        (np.zeros((8, 8, 2), np.uint8), "shape (8, 8, 2)"),
        (np.zeros(8, np.uint8), "shape (8,)"),
        (np.zeros((0, 8), np.uint8), "at least one pixel"),
        (np.zeros((8, 8), np.int64), "astype(np.uint8)"),
        (np.zeros((8, 8), bool), "* 255"),
        (np.zeros((8, 8), object), "object"),
        (np.full((8, 8), np.nan), "nan_to_num"),
        (np.full((8, 8), np.inf), "finite"),
        (np.full((8, 8), 200.0), "Divide by 255"),
        (np.full((8, 8), -0.5), "Scale them to 0–1"),
    ],
)
def test_a_wrong_array_is_refused_with_a_hint(array, hint):
    with pytest.raises(InputError, match="`source` must") as caught:
        read_image(array)
    assert hint in str(caught.value)


def test_bad_paths_are_refused_by_name(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "notes.jpg").write_text("no image at all, but long enough to be one")
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "dangling.jpg").symlink_to("nowhere.jpg")
    cases = {
        "missing.jpg": "no such file",
        "empty.jpg": "zero bytes",
        "notes.jpg": "not an image",
        "phone.heic": "pip install pillow-heif, or convert it to JPEG",
        "loop.jpg": "readable file",
        "dangling.jpg": "a link to 'nowhere.jpg', which does not exist",
        "x" * 300: "readable file",
        "zero\0byte": "readable file",
        "": "folder",
    }
    for name, part in cases.items():
        with pytest.raises(InputError) as caught:
            read_image(f"{tmp_path}/{name}")
        assert part in str(caught.value)
        assert repr(str(tmp_path))[1:-1] in str(caught.value)
    for url in ("https://example.org/face.jpg", Path("https://example.org/face.jpg")):
        with pytest.raises(InputError, match=r"the URL 'https:.*Download it first"):
            read_image(url)
    with pytest.raises(InputError, match="device"):
        read_image("/dev/zero")
    with pytest.raises(InputError, match="no such file"):
        read_image("")


def test_a_folder_that_may_not_be_listed_is_called_that(tmp_path, monkeypatch):
    def refuse(path):  # root may list every folder
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match="permission denied"):
        read_image(tmp_path)


def test_bad_objects_are_refused(scene, encode):
    closed = io.BytesIO(encode(scene, "PNG"))
    closed.close()
    cases = {
        "text file": io.StringIO("x"),
        "closed file": closed,
        "cv2.imread": None,
        "Received a list of numbers": [[1]],
        "Received a list. Use FERModel.predict_many": ["a.jpg", "b.jpg"],
        "Received a tuple. Use FERModel.predict_many": (scene, scene),
        "Received a generator": (image for image in [scene]),
        "Received int": 5,
    }
    for part, source in cases.items():
        with pytest.raises(InputError, match=part):
            read_image(source)
    with pytest.raises(InputError, match="zero bytes"):
        read_image(b"")


class Failing:
    """A file object whose reading fails."""

    def __init__(self, error):
        self.error = error

    def read(self):
        raise self.error


@pytest.mark.parametrize(
    "error, reason",
    [
        (RuntimeError("connection lost"), "connection lost"),
        (AssertionError(), "AssertionError"),
        (KeyError("blob"), "blob"),
        (EOFError(), "EOFError"),
        (TimeoutError("timed out"), "timed out"),
    ],
)
def test_whatever_a_file_object_raises_is_the_reason(error, reason):
    with pytest.raises(InputError, match=rf"readable file object. Received <file>: .*{reason}"):
        read_image(Failing(error))


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_stopping_the_program_while_a_file_object_is_read_stops_it(stop):
    with pytest.raises(stop):
        read_image(Failing(stop()))


@pytest.mark.parametrize("content", [None, "text", 7])
def test_a_file_object_must_give_bytes(content):
    source = Failing(None)
    source.read = lambda: content
    with pytest.raises(InputError, match=f"one that gives {type(content).__name__}"):
        read_image(source)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "PPM", "AVIF"])
def test_a_pil_image_closed_before_it_was_loaded_says_so(scene, encode, tmp_path, kind):
    path = tmp_path / "a.image"
    path.write_bytes(encode(scene, kind, **({"lossless": True} if kind == "WEBP" else {})))
    with Image.open(path) as late:
        pass
    other = Image.open(path)
    other.close()
    for closed in (late, other):
        try:
            assert near(read_image(closed), scene, 150)  # some formats are loaded when opened
        except InputError as error:
            assert "<PIL image>" in str(error)  # noqa: PT017
            assert "closed before its pixels were loaded" in str(error)  # noqa: PT017
    with Image.open(path) as loaded:
        loaded.load()
    assert near(read_image(loaded), scene, 150)


def test_threads_may_read_one_lazy_pil_image(encode):
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    data = encode(noise, "PNG")
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            lazy = Image.open(io.BytesIO(data))
            for image in pool.map(read_image, [lazy] * 4):
                assert np.array_equal(image, noise)


def test_a_taken_image_does_not_change_with_its_source(scene, encode):
    array, file = scene.copy(), io.BytesIO(encode(scene, "PNG"))
    image = Image.open(io.BytesIO(encode(scene, "PNG")))
    readers = [take_image(source) for source in (array, file, image)]
    array[:] = 0
    file.close()
    image.close()
    for read in readers:
        assert np.array_equal(read(), scene)


@pytest.mark.parametrize("kind", ["uint16 array", "PIL mode I", "PIL mode I;16", "PNG"])
def test_sixteen_bits_with_the_values_of_eight_are_read_as_dark_with_a_warning(kind, encode):
    dim = np.arange(256, dtype=np.uint16).reshape(16, 16)
    source = {
        "uint16 array": dim,
        "PIL mode I": Image.fromarray(dim.astype(np.int32)),
        "PIL mode I;16": Image.fromarray(dim),
        "PNG": encode(dim, "PNG"),
    }[kind]
    with pytest.warns(ImageWarning, match=r"no value above 255: it is read as almost black"):
        assert read_image(source).max() == 1
    read_image(np.zeros((4, 4), np.uint16))  # black is black: no warning
    read_image(dim + 1)


def test_many_bands_of_rows_make_the_same_image(encode, monkeypatch):
    noise = np.random.default_rng(1).integers(0, 256, (37, 23, 4), np.uint8)
    rgba = Image.fromarray(noise)
    exif = Image.Exif()
    exif[0x0112] = 6
    float_gray = Image.fromarray(noise[..., 0] / np.float32(255))
    wide_gray = Image.fromarray(noise[..., 0].astype(np.int32) * 257)
    palette = Image.fromarray(noise[..., :3]).convert("P")
    palette.info["transparency"] = 3
    sources = [rgba, rgba.convert("RGB"), rgba.convert("CMYK"), palette, float_gray, wide_gray]
    sources += [encode(noise[..., :3].copy(), "PNG", exif=exif), rgba.convert("LA")]
    whole = [read_image(source) for source in sources]
    monkeypatch.setattr("emopy.media.arrays._BAND_PIXELS", 60)
    for source, expected in zip(sources, whole, strict=True):
        assert np.array_equal(read_image(source), expected)


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "PNG", "AVIF"])
def test_of_an_animation_the_first_image_is_read(scene, encode, kind):
    others = [Image.fromarray(scene // part) for part in (2, 3)]
    settings = {"lossless": True} if kind == "WEBP" else {}
    data = encode(scene, kind, save_all=True, append_images=others, duration=100, **settings)
    assert Image.open(io.BytesIO(data)).n_frames == 3
    assert near(read_image(data), scene, 150)


@pytest.mark.parametrize("settings", [{}, {"icc_profile": bytes(400)}, {"dpi": (300, 300)}])
@pytest.mark.parametrize("frames", [1, 2])
def test_an_animated_png_is_recognized_whatever_stands_before_its_frames(
    scene, encode, tmp_path, settings, frames
):
    others = (
        {"save_all": True, "append_images": [Image.fromarray(scene // 2)]} if frames > 1 else {}
    )
    path = tmp_path / "a.png"
    path.write_bytes(encode(scene, "PNG", **others, **settings))
    assert is_animation(str(path)) == (frames > 1)


def test_missing_memory_is_not_taken_for_damage(scene, encode, monkeypatch):
    def fails(*_):
        raise MemoryError

    data = encode(scene, "PNG")
    monkeypatch.setattr(PngImageFile, "load", fails)
    with pytest.raises(InputError, match="must fit into the free memory"):
        read_image(data)


def test_avif_is_read_upright(scene, encode):
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.ascontiguousarray(np.rot90(scene))
    assert near(read_image(encode(stored, "AVIF", exif=exif)), scene, 150)
    with pytest.raises(InputError, match="an AVIF image that is damaged"):
        read_image(encode(scene, "AVIF")[:60])


def test_heic_is_read_where_pillow_heif_is_installed(scene, encode, monkeypatch):
    heic = b"\0\0\0\x18ftypmif1\0\0\0\0heicmif1" + encode(scene, "PNG")
    with pytest.raises(InputError, match="needs the package pillow-heif"):
        read_image(heic)

    class HeifImageFile(PngImageFile):
        format = "HEIF"

        def _open(self):
            self.fp = io.BytesIO(self.fp.read()[24:])
            super()._open()

    package = types.ModuleType("pillow_heif")
    package.register_heif_opener = lambda: Image.register_open("HEIF", HeifImageFile)
    monkeypatch.setitem(sys.modules, "pillow_heif", package)
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    assert np.array_equal(read_image(heic), scene)
    with pytest.raises(InputError, match="a HEIC image that is damaged"):
        read_image(heic[:40])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM"])
def test_a_truncated_file_is_refused_wherever_it_ends(encode, kind):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encode(noise, kind)
    for length in (3, 12, 40, len(data) // 2, len(data) * 9 // 10):
        with pytest.raises(InputError, match=r"damaged|truncated|not an image"):
            read_image(data[:length])


def test_damaged_files_print_nothing_on_standard_error(scene, encode, capfd):
    settings = [("TIFF", {"compression": c}) for c in ("tiff_lzw", "tiff_adobe_deflate", "jpeg")]
    settings += [("PNG", {}), ("JPEG", {}), ("WEBP", {}), ("GIF", {})]
    rng = random.Random(0)
    refused = 0
    for kind, options in settings:
        whole = encode(scene, kind, **options)
        for _ in range(60):
            data = bytearray(whole)
            for _ in range(4):
                data[rng.randrange(8, len(data))] = rng.randrange(256)
            try:
                read_image(bytes(data), max_pixels=1_000_000)
            except InputError:
                refused += 1
    assert refused > 100
    assert capfd.readouterr() == ("", "")


def test_pillows_log_does_not_reach_standard_error(tmp_path, encode, scene):
    data = bytearray(encode(scene, "TIFF"))
    entry = data.index(struct.pack("<HH", 277, 3))  # samples per pixel
    data[entry + 8 : entry + 10] = struct.pack("<H", 2048)
    path = tmp_path / "odd.tif"
    path.write_bytes(data)
    code = (
        "import sys\nfrom emopy.media import read_image\nfrom emopy.errors import InputError\n"
        "try:\n    read_image(sys.argv[1])\nexcept InputError:\n    print('refused')\n"
    )
    source = str(Path(__file__).parents[3] / "src")
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": source},
    )
    assert (run.stdout, run.stderr) == ("refused\n", "")


def test_standard_error_is_discarded_inside_and_restored(capfd):
    with without_stderr():
        os.write(2, b"hidden")
    os.write(2, b"shown")
    assert capfd.readouterr().err == "shown"


@pytest.mark.parametrize("quiet", [quiet_pillow, quiet_tiff])
def test_process_wide_settings_are_restored_after_an_error(quiet):
    before = (Image.MAX_IMAGE_PIXELS, list(warnings.filters))

    def fail():
        with quiet():
            warnings.warn("not shown", stacklevel=1)
            assert Image.MAX_IMAGE_PIXELS is None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert before == (Image.MAX_IMAGE_PIXELS, list(warnings.filters))


def test_pillows_own_limit_is_neither_used_nor_changed(scene, encode, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    filters = list(warnings.filters)
    for kind in ("PNG", "TIFF", "GIF"):
        assert read_image(encode(scene, kind)).shape == scene.shape
    assert Image.MAX_IMAGE_PIXELS == 10
    assert warnings.filters == filters


def test_many_threads_read_at_once(scene, encode):
    images = [encode(scene, kind) for kind in ("PNG", "TIFF", "GIF")] * 20
    filters, limit = list(warnings.filters), Image.MAX_IMAGE_PIXELS
    right = []
    threads = [
        threading.Thread(target=lambda d=data: right.append(near(read_image(d), scene)))
        for data in images
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 60
    assert (warnings.filters, Image.MAX_IMAGE_PIXELS) == (filters, limit)


def test_each_source_has_a_name(tmp_path):
    assert describe_source(tmp_path / "a.jpg") == str(tmp_path / "a.jpg")
    assert describe_source("a.jpg") == "a.jpg"
    assert describe_source(memoryview(b"")) == "<bytes>"
    assert describe_source(np.zeros(1)) == "<array>"
    assert describe_source(Image.new("L", (1, 1))) == "<PIL image>"
    assert describe_source(io.BytesIO()) == "<file>"
    (tmp_path / "a.jpg").touch()
    with (tmp_path / "a.jpg").open("rb") as file:
        assert describe_source(file) == str(tmp_path / "a.jpg")
    assert describe_source(None) == "<NoneType>"


@pytest.mark.parametrize(
    "start", [b"\0\0\0\x20ftypisom", b"RIFF\0\0\1\0AVI LIST", b"\x1a\x45\xdf\xa3\x9fB\x86\x81"]
)
def test_a_video_is_recognized(start):
    with pytest.raises(InputError, match=r"a video\. .*predict_video"):
        read_image(start + bytes(40))
