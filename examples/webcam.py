"""The faces before a camera, live on a page of this machine; Ctrl-C or its Stop ends it.

    python examples/webcam.py              # the first camera
    python examples/webcam.py clip.mp4     # a video in its place

`emopy webcam` does the same and more: a window, a terminal view, a recording.
"""

import sys
from contextlib import suppress

from emopy import FERModel
from emopy.live import Page, open_live, watch


def main(arguments: list[str]) -> None:
    with open_live(arguments[0] if arguments else 0) as frames, Page() as page:
        print(f"Look at {page.address}", flush=True)
        for result in watch(FERModel(), frames, page):
            print(f"{result.time_s:.1f} s", *[(f.face.track, f.emotion) for f in result.faces])


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(sys.argv[1:])
