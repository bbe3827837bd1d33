"""The loops of both sides of a comparison: warm up, then time what is asked for on stdin."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

WARM_UP = 5


def serve_frames(predict: Callable[[], object], about: dict[str, Any]) -> None:
    """Answer each number on stdin with the seconds of that many predictions.

    Args:
        predict: One frame, from pixels to emotions.
        about: Printed once, when everything is warm.
    """
    for _ in range(WARM_UP):
        predict()
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        predict()  # the first after the other side's turn finds cold caches
        times: list[float] = []
        for _ in range(int(line)):
            start = time.perf_counter()
            predict()
            times.append(time.perf_counter() - start)
        print(json.dumps({"seconds": times}), flush=True)


def serve_clips(predict: Callable[[str], Sequence[int]], about: dict[str, Any]) -> None:
    """Answer each path on stdin with seconds, frames and faces of that video.

    Args:
        predict: Predicts a video file; returns the number of faces of each frame.
        about: Printed once, when everything is loaded.
    """
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        faces = predict(line.rstrip("\n"))
        seconds = time.perf_counter() - start
        found = {"seconds": seconds, "frames": len(faces), "faces": sum(faces)}
        print(json.dumps(found), flush=True)


def wait_for_line(message: dict[str, Any]) -> float:
    """Print a message and wait for a line on stdin; the seconds that it took."""
    start = time.perf_counter()
    print(json.dumps(message), flush=True)
    sys.stdin.readline()
    return time.perf_counter() - start
