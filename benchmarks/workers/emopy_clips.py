"""EmoPy's side: `emopy_clips.py MODEL`."""

import sys
from importlib.metadata import version

import cv2
from clip_loop import serve

from emopy import FERModel


def main(model: str) -> None:
    """Time `for result in model.predict_video(clip)`."""
    reader = FERModel(model=model)
    about = {
        "model": f"model {reader.card.name} {reader.card.version}",
        "threads": "networks 1 (the default), the decoder in a thread of its own",
        "versions": f"emopy {version('emopy')}, av {version('av')}, opencv {cv2.__version__}",
    }
    serve(lambda clip: [len(result.faces) for result in reader.predict_video(clip)], about)


if __name__ == "__main__":
    main(*sys.argv[1:])
