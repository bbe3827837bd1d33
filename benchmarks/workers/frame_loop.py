"""The loop that both sides of the comparison share: warm up, then time what is asked for."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

WARM_UP = 5


def serve(read_frame: Callable[[], object], about: dict[str, Any]) -> None:
    """Answer each number on stdin with the seconds of that many readings.

    Args:
        read_frame: One frame, from pixels to emotions.
        about: Said once, when everything is warm.
    """
    for _ in range(WARM_UP):
        read_frame()
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        read_frame()  # the first after the other side's turn finds cold caches
        times: list[float] = []
        for _ in range(int(line)):
            start = time.perf_counter()
            read_frame()
            times.append(time.perf_counter() - start)
        print(json.dumps({"seconds": times}), flush=True)
