"""Files that cost too much to decode are refused before they are decoded."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from emopy.errors import InputError
from emopy.media import read_image
from emopy.media.limits import MAX_SCANS, check_max_pixels, check_pixels


def png(width, height, rows=b""):
    """A gray PNG of any declared size."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [body, b"IDAT" + zlib.compress(rows), b"IEND"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )


def tiff(width, height, tile, *, samples=3, bits=8):
    """A TIFF in LZW with one tile of any declared size and no pixels."""
    entries = {
        256: width,
        257: height,
        259: 5,
        262: 2 if samples == 3 else 1,
        277: samples,
        322: tile,
        323: tile,
        324: 8,
        325: 8,
    }
    bits_at = 8 + 2 + 12 * (len(entries) + 1) + 4
    rows = {tag: struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items()}
    rows[258] = struct.pack("<HHII", 258, 3, samples, bits if samples == 1 else bits_at)
    directory = b"".join(rows[tag] for tag in sorted(rows))
    head = b"II*\0" + struct.pack("<IH", 8, len(rows)) + directory + bytes(4)
    return head + struct.pack(f"<{samples}H", *[bits] * samples) + bytes(64)


def scans_of(jpeg, count):
    """A progressive JPEG with its last scan repeated."""
    last, end = jpeg.rindex(b"\xff\xda"), jpeg.rindex(b"\xff\xd9")
    return jpeg[:end] + jpeg[last:end] * (count - jpeg.count(b"\xff\xda")) + jpeg[end:]


@pytest.mark.parametrize(
    "size", [(1, 100_000_000), (100_000_000, 1), (48, 1_769_520), (65_536, 100), (60_000, 5)]
)
def test_long_strips_are_refused(size):
    with pytest.raises(InputError, match=r"sides of at most 65535 pixels.*Cut it into parts"):
        read_image(png(*size))


def test_the_largest_sides_and_the_largest_aspect_are_accepted():
    assert read_image(png(65_535, 7, bytes(65_536 * 7))).shape == (7, 65_535, 3)
    with pytest.raises(InputError, match="damaged or truncated"):
        read_image(png(20, 20))


def test_the_pixel_limit_is_checked_before_decoding():
    with pytest.raises(InputError, match="at most 100 megapixels") as caught:
        read_image(png(20_000, 20_000))
    assert "20000 × 20000" in str(caught.value)
    with pytest.raises(InputError, match=r"at most 1 megapixels. Received 'a.png'"):
        check_pixels(1001, 1000, "a.png", 1_000_000, hint="Make it smaller.")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "AVIF"])
def test_the_way_out_that_the_error_names_works(scene, encode, kind):
    data = encode(scene, kind)
    for max_pixels in (959, 1):
        with pytest.raises(InputError, match="or raise the limit") as caught:
            read_image(data, max_pixels=max_pixels)
        named = str(caught.value).rpartition("`max_pixels=")[2].rstrip("`")
        assert read_image(data, max_pixels=int(named)).shape == scene.shape
    assert read_image(data, max_pixels=960).shape == scene.shape


def test_images_in_memory_have_no_limit(scene, encode):
    lazy = Image.open(io.BytesIO(encode(scene, "PNG")))
    with pytest.raises(InputError, match="megapixels"):
        read_image(lazy, max_pixels=10)
    lazy.load()
    strip = np.zeros((100_000, 2), np.uint8)
    for source in (lazy, scene, Image.fromarray(scene), strip, Image.fromarray(strip)):
        assert read_image(source, max_pixels=10).shape[2] == 3


def test_a_jpeg_of_many_scans_is_refused(scene, encode):
    jpeg = encode(scene, "JPEG", progressive=True)
    usual = jpeg.count(b"\xff\xda")
    assert 5 < usual < 15
    read_image(jpeg)
    read_image(scans_of(jpeg, MAX_SCANS))
    for count in (MAX_SCANS + 1, 305):
        for source in (scans_of(jpeg, count), Image.open(io.BytesIO(scans_of(jpeg, count)))):
            with pytest.raises(InputError, match=rf"at most {MAX_SCANS} scans.* of {count}\."):
                read_image(source)


def test_what_only_looks_like_a_scan_is_not_counted(scene, encode):
    jpeg, false = encode(scene, "JPEG"), b"\xff\xda" * 300
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(false)) + false
    for data in (jpeg[:2] + comment + jpeg[2:], jpeg + false):
        assert np.array_equal(read_image(data), read_image(jpeg))


@pytest.mark.parametrize("samples, bits", [(3, 8), (1, 16)])
def test_a_tiff_with_a_huge_tile_is_refused(samples, bits):
    with pytest.raises(InputError, match=r"at most 1\.1 GB of memory.* TIFF that takes .* GB"):
        read_image(tiff(64, 64, 60_000, samples=samples, bits=bits))
    with pytest.raises(InputError, match="damaged or truncated"):
        read_image(tiff(64, 64, 64, samples=samples, bits=bits))


@pytest.mark.parametrize("max_pixels", [0, -1, 1.5, "many", None, True])
def test_a_limit_that_is_no_number_of_pixels_is_refused(max_pixels):
    with pytest.raises(InputError, match="`max_pixels` must be a whole number of pixels"):
        check_max_pixels(max_pixels)
