"""Check the whole road of the detector `yunet`: served, fetched, verified, opened, used.

The tests download nothing and the package does not carry YuNet's weights, so this check takes a
copy of the file, serves it on this machine, and fetches it from there:

    python scripts/check_yunet.py face_detection_yunet_2023mar.onnx
"""

from __future__ import annotations

import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from skimage.data import astronaut

from emopy.faces import YuNet
from emopy.models import fetch


def main(weights: Path) -> int:
    """Fetch the file from a local server and find the astronaut's face with it."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(weights.parent))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        address = f"http://127.0.0.1:{server.server_port}/{weights.name}"
        fetched = fetch("yunet", url=address, folder=Path(folder))
        faces = YuNet(fetched)(astronaut())
    server.shutdown()
    for face in faces:
        print(f"{face.box} score {face.score:.3f}")
    return 0 if len(faces) == 1 and faces[0].landmarks is not None else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
