"""Images to read, made on the spot."""

import io
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def scene():
    """(24, 40, 3) uint8: four flat quarters, so that lossy codecs keep them."""
    image = np.zeros((24, 40, 3), np.uint8)
    image[:12, :20] = (255, 0, 0)
    image[:12, 20:] = (0, 255, 0)
    image[12:, :20] = (0, 0, 255)
    image[12:, 20:] = (255, 255, 255)
    return image


@pytest.fixture(scope="session")
def encode():
    """Encode a PIL image or array: encode(image, "PNG", **settings) -> bytes."""
    Image.init()

    def encode(pixels, kind, **settings):
        if kind not in Image.SAVE:
            pytest.skip(f"this version of Pillow does not write {kind}")
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        stream = io.BytesIO()
        image.save(stream, kind, **settings)
        return stream.getvalue()

    return encode


@pytest.fixture(scope="session")
def place_shown():
    """Read which frame of a `clip` an image is: eight bars, white for a 1."""

    def place_shown(image):
        height, width, _ = image.shape
        bars = image[height // 2, width // 16 :: width // 8, 1]
        return sum(int(bar > 127) << bit for bit, bar in enumerate(bars))

    return place_shown


@pytest.fixture(scope="session")
def clip():
    """Write a video of 160 × 120 whose frames show their place, with a red corner at top left.

    clip(path, "libx264", times_ms=..., format_options={...}, codec_options={...}) -> path
    """
    import av

    def drawn(place):
        image = np.zeros((120, 160, 3), np.uint8)
        for bit in range(8):
            image[:, bit * 20 : bit * 20 + 20] = 255 * (place >> bit & 1)
        image[:40, :60] = (255, 0, 0)
        image[:40, 100:] = (0, 0, 255)
        image[80:, 100:] = (0, 255, 0)
        return image

    def clip(path, codec="libx264", *, times_ms=range(0, 3000, 50), **options):
        with av.open(str(path), "w", options=options.get("format_options", {})) as container:
            stream = container.add_stream(
                codec, rate=20, options=options.get("codec_options", {"g": "15"})
            )
            stream.codec_context.thread_count = 3  # the same bytes on any number of cores
            stream.width, stream.height = 160, 120
            pixels = {"gif": "rgb8", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
            stream.pix_fmt = pixels
            if "aspect" in options:
                stream.codec_context.sample_aspect_ratio = options["aspect"]
            if codec != "gif":
                stream.codec_context.time_base = Fraction(1, options.get("ticks", 1000))
            for place, time_ms in enumerate(times_ms):
                frame = av.VideoFrame.from_ndarray(drawn(place), format="rgb24")
                frame = frame.reformat(format=pixels)
                tick = Fraction(1, 20) if codec == "gif" else stream.codec_context.time_base
                frame.time_base = tick
                frame.pts = round(Fraction(time_ms, 1000) / tick)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return clip
