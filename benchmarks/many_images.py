"""`predict_many` over a thousand images: time grows linearly, memory stays flat."""

from __future__ import annotations

from benchmarks.environments import core_environment
from benchmarks.inputs import write_variants
from benchmarks.report import Figure, Section, Settings
from benchmarks.worker import Worker

IMAGES = 1000
MOST_SLOWDOWN, MOST_GROWTH = 1.1, 1.05


def measure(settings: Settings) -> Section:
    """Predict generated images; note time and memory at each quarter."""
    count = 100 if settings.quick else IMAGES
    marks = [count * quarter // 4 for quarter in (1, 2, 3, 4)]
    folder = write_variants(settings.scratch / "images", count)
    arguments = (str(folder), settings.model, *map(str, marks))
    rows: list[tuple[float, float, float, float]] = []
    with Worker(core_environment(), "emopy_worker.py", "many", *arguments) as worker:
        loaded = worker.resident_mb()
        for _ in marks:
            mark = worker.read()
            rows.append((mark["done"], mark["faces"], mark["time_s"], worker.resident_mb()))
            worker.send("continue")
    first, last = rows[0], rows[-1]
    slowdown, growth = (last[2] - rows[-2][2]) / first[2], last[3] / first[3]
    return Section(
        title="Many images",
        how=(
            f"`FERModel.predict_many` over {count} JPEG files of 640 × 480 pixels, each with one "
            "face, batches of 25, in its own process; resident memory is read by another process "
            "at each quarter."
        ),
        figures=[
            Figure("images per second", count / last[2], "/s"),
            Figure("last quarter ÷ first quarter, time", slowdown, "×", at_most=MOST_SLOWDOWN),
            Figure("end ÷ first quarter, resident memory", growth, "×", at_most=MOST_GROWTH),
            Figure("resident memory before the first image", loaded, "MB"),
        ],
        header=("images", "faces", "time, s", "resident memory, MB"),
        rows=[(done, faces, round(time, 2), round(rss)) for done, faces, time, rss in rows],
    )
