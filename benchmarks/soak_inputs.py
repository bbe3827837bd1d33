"""What the mixed load sends: images, a video, and requests that must be refused."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from benchmarks.inputs import FRAME_SIZE, Pixels, walkers, write_clip
from emopy.samples import scene

JPEG = "image/jpeg"
_CLIP_SIZE, _CLIP_S = (320, 240), 1.0
_HUGE_SIDE = 9_900


@dataclass(frozen=True, slots=True)
class Request:
    """One request, and the statuses that may answer it.

    Attributes:
        path: Path and query.
        body: What is posted; None for GET.
        kind: Content type of the body.
        expected: Statuses of a right answer.
        headers: More headers.
    """

    path: str
    body: bytes | None
    kind: str = JPEG
    expected: Sequence[int] = (200,)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Encoded images and a video.

    Attributes:
        image: A JPEG file of 640 × 480 pixels with one face.
        clip: A video of one second with one face.
        bad: Requests that must be refused, by what is wrong with them.
    """

    image: bytes
    clip: bytes
    bad: Mapping[str, Request]


def one_face() -> Pixels:
    """The first frame of a generated scene: 640 × 480 RGB, one face."""
    frame, _ = next(scene(walkers(1, FRAME_SIZE, 1.0), size=FRAME_SIZE, seconds=1.0))
    return frame.image


def jpeg(image: Pixels) -> bytes:
    """Encode an RGB image as JPEG with quality 90."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=90)
    return file.getvalue()


def write_inputs(folder: Path) -> Inputs:
    """Generate everything that is sent."""
    image = jpeg(one_face())
    clip = folder / "clip.mp4"
    write_clip(clip, walkers(1, _CLIP_SIZE, _CLIP_S), size=_CLIP_SIZE, seconds=_CLIP_S)
    return Inputs(image, clip.read_bytes(), _bad_requests(image))


def form(files: Mapping[str, bytes], boundary: str = "emopy-soak") -> tuple[str, bytes]:
    """Return content type and body of a form with files."""
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n%s\r\n" % (boundary.encode(), name.encode(), content)
        for name, content in files.items()
    ]
    return f"multipart/form-data; boundary={boundary}", b"".join(parts) + f"--{boundary}--".encode()


def image_json(image: bytes) -> bytes:
    """Return the JSON body of an image as a data URL."""
    url = f"data:image/jpeg;base64,{base64.b64encode(image).decode()}"
    return json.dumps({"image": url}).encode()


def _bad_requests(image: bytes) -> dict[str, Request]:
    predict, as_json = "/v1/predict", "application/json"
    kind, body = form({"a.jpg": image})
    refused = (422,)
    return {
        "half a JPEG file": Request(predict, image[: len(image) // 2], expected=refused),
        "no image": Request(predict, b"no image " * 1000, expected=refused),
        "empty body": Request(predict, b"", expected=refused),
        "98 megapixels in a small file": Request(
            predict, _huge_png(), "image/png", expected=refused
        ),
        "text": Request(predict, b"hello", "text/plain", expected=(415,)),
        "damaged JSON": Request(predict, b'{"image": ', as_json, expected=(400,)),
        "an address": Request(
            predict, b'{"image": "http://127.0.0.1/a.jpg"}', as_json, expected=refused
        ),
        "damaged form": Request(predict, body[:-200], kind, expected=(400, 422)),
        "unknown name in the query": Request(f"{predict}?x=1", image, expected=refused),
        "no number": Request(f"{predict}?min_confidence=nan", image, expected=refused),
        "unknown emotion": Request(f"{predict}?emotions=joyful,x", image, expected=refused),
        "unknown path": Request("/v1/../../etc/passwd", image, expected=(404,)),
        "wrong method": Request(predict, None, expected=(405,)),
        "another name": Request(
            predict, image, expected=(421,), headers={"Host": "rebind.example"}
        ),
        "another page": Request(
            predict, image, expected=(403,), headers={"Origin": "https://other.example"}
        ),
        "no video": Request("/v1/video", b"no video " * 1000, "video/mp4", expected=refused),
    }


def _huge_png() -> bytes:
    file = io.BytesIO()
    Image.new("1", (_HUGE_SIDE, _HUGE_SIDE)).save(file, "PNG", compress_level=9)
    return file.getvalue()
