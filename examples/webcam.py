"""Predict the faces of a camera, live in the browser. Stop with Ctrl-C or the page's button.

    python examples/webcam.py              # the first camera
    python examples/webcam.py clip.mp4     # a video instead

`emopy webcam` does this too, and offers a window, a terminal view and recording.
"""

import sys
from contextlib import suppress

from emopy import FERModel
from emopy.live import Page, open_live, show_live


def main(arguments: list[str]) -> None:
    with open_live(arguments[0] if arguments else 0) as frames, Page() as page:
        print(f"Open {page.address} in a browser", flush=True)
        for result in show_live(FERModel(), frames, page):
            print(f"{result.time_s:.1f} s", *[(f.face.track, f.emotion) for f in result.faces])


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(sys.argv[1:])
