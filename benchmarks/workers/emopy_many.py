"""EmoPy reads a folder of images: `emopy_many.py FOLDER MODEL MARK MARK …`."""

import json
import sys
import time
from pathlib import Path

from emopy import FERModel, ImageResult

WARM_UP = 50
BATCH_SIZE = 25  # divides the marks: results come batch by batch


def main(folder: str, model: str, *marks: str) -> None:
    """Time `FERModel.predict_many`; at each mark say the time, and wait for a line on stdin."""
    reader = FERModel(model=model)
    images = sorted(Path(folder).iterdir())
    for _ in reader.predict_many(images[:WARM_UP], batch_size=BATCH_SIZE):
        pass
    print(json.dumps({"images": len(images)}), flush=True)
    stops = {int(mark) for mark in marks}
    faces = 0
    waited = 0.0
    start = time.perf_counter()
    for done, result in enumerate(reader.predict_many(images, batch_size=BATCH_SIZE), 1):
        faces += len(result.faces) if isinstance(result, ImageResult) else 0
        if done in stops:
            now = time.perf_counter()
            print(json.dumps({"done": done, "faces": faces, "time_s": now - start - waited}))
            sys.stdout.flush()
            sys.stdin.readline()
            waited += time.perf_counter() - now


if __name__ == "__main__":
    main(*sys.argv[1:])
