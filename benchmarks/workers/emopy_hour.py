"""EmoPy reads a long video: `emopy_hour.py CLIP MODEL FOLDER SECOND SECOND …`."""

import json
import sys
import time
from pathlib import Path

from emopy import FERModel
from emopy.present import Summary, TimelinePlot, open_timeline


def main(clip: str, model: str, folder: str, *marks: str) -> None:
    """Read it into a table, a summary and a plot; at each mark wait for a line on stdin."""
    reader = FERModel(model=model)
    summary, plot = Summary(reader.labels), TimelinePlot(reader.labels)
    stops = [float(mark) for mark in marks]
    frames, faces, waited, last_s = 0, 0, 0.0, 0.0
    print(json.dumps({"ready": True}), flush=True)
    start = time.perf_counter()
    with open_timeline(Path(folder) / "timeline.csv", reader.labels) as table:
        for result in reader.predict_video(clip):
            last_s = result.time_s or 0.0
            if stops and last_s >= stops[0]:
                waited += _pause({"at_s": stops.pop(0)})
            summary.add(result)
            plot.add(result)
            table.write(result)
            frames += 1
            faces += len(result.faces)
        time_s = time.perf_counter() - start - waited
        _pause(
            {
                "at_s": last_s,
                "frames": frames,
                "faces": faces,
                "tracks": len(summary.tracks),
                "time_s": time_s,
            }
        )
    plot.save(Path(folder) / "timeline.png")


def _pause(said: dict[str, float]) -> float:
    """Say something and wait; how long it took."""
    begin = time.perf_counter()
    print(json.dumps(said), flush=True)
    sys.stdin.readline()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main(*sys.argv[1:])
