"""Faces of a camera or a video, read while they move.

    python examples/webcam.py                     # camera 0; Esc or q ends it
    python examples/webcam.py clip.avi --frames 50

Where OpenCV has no windows (`opencv-python-headless`, a server) the last frame is written to a
file instead. For windows: `pip uninstall opencv-python-headless`, `pip install opencv-python`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2

from emopy import FERModel
from emopy.present import draw_faces, save_image


def main(arguments: Sequence[str] | None = None) -> None:
    options = read_options(arguments)
    model = FERModel(model=options.model)
    source = int(options.source) if options.source.isdecimal() else options.source
    capture = cv2.VideoCapture(source)
    if not capture.isOpened():
        sys.exit(f"`source` must be a camera's number or a video file. Received {options.source}.")
    has_windows = bool(cv2.currentUIFramework())
    number, drawn = 0, None
    while options.frames is None or number < options.frames:
        is_read, frame = capture.read()
        if not is_read:  # the end of the file, or the camera is gone
            break
        number += 1
        image = frame[:, :, ::-1].copy()  # OpenCV has blue first, EmoPy red
        result = model.predict(image)
        drawn = draw_faces(image, result)
        shown = ", ".join(f"{face.emotion} {face.confidence:.0%}" for face in result.faces)
        print(f"frame {number}: {shown or 'no face'} ({1000 * (result.time_s or 0):.0f} ms)")
        if has_windows:
            cv2.imshow("EmoPy", drawn[:, :, ::-1])
            if cv2.waitKey(1) in (27, ord("q")):
                break
    capture.release()
    if drawn is not None and not has_windows:
        print(f"no window here; the last frame is {save_image(drawn, options.out)}")


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Read the faces of a camera or a video.")
    parser.add_argument("source", nargs="?", default="0", help="a camera's number or a video file")
    parser.add_argument("--frames", type=int, help="stop after so many; by default at the end")
    parser.add_argument("--out", type=Path, default=Path("last.png"), help="for the last frame")
    parser.add_argument("--model", default="emopy-base", help="a name or a model folder")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
