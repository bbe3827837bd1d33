"""The loop that both sides of the comparison of videos share."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any


def serve(read_clip: Callable[[str], Sequence[int]], about: dict[str, Any]) -> None:
    """Answer each path on stdin with the seconds its reading took, frames and faces.

    Args:
        read_clip: Reads a video from its file; gives the number of faces of each frame.
        about: Said once, when everything is loaded.
    """
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        faces = read_clip(line.rstrip("\n"))
        seconds = time.perf_counter() - start
        found = {"seconds": seconds, "frames": len(faces), "faces": sum(faces)}
        print(json.dumps(found), flush=True)
