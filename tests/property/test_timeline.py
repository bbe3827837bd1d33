"""Tables and summaries of any video."""

import csv
import io
import itertools
import json

import numpy as np
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from emopy.labels import ALL_EMOTIONS
from emopy.present import (
    TIMELINE_FORMATS,
    Summary,
    as_record,
    open_timeline,
    summary_text,
    timeline_columns,
    to_frame,
)
from emopy.types import Box, Face, FacePrediction, ImageResult, Prediction
from emopy.video.time_bins import TimeBins

TEXT = st.text(st.characters(), max_size=12)
EDGES = st.floats(-1e4, 1e4)
SIDES = st.floats(1, 1e4)
LABELS = st.permutations(ALL_EMOTIONS).flatmap(
    lambda names: st.integers(2, 8).map(lambda count: tuple(names[:count]))
) | st.just(("track", "source", "frame"))


@st.composite
def videos(draw):
    """Frames in the order of time, with tracks that come and go."""
    labels = draw(LABELS)
    source = draw(TEXT)
    steps = draw(st.lists(st.floats(0, 5) | st.just(0.04), max_size=12))
    times = np.cumsum([draw(st.floats(0, 1e5)), *steps]).tolist()
    return labels, [_frame(draw, labels, source, t, i) for i, t in enumerate(times)]


def _frame(draw, labels, source, time_s, number):
    faces = []
    for track in draw(st.lists(st.integers(1, 5), unique=True, max_size=3)):
        left, top = draw(EDGES), draw(EDGES)
        box = Box(left, top, left + draw(SIDES), top + draw(SIDES))
        count = len(labels)
        weights = np.array(draw(st.lists(st.floats(0, 1), min_size=count, max_size=count))) + 1e-6
        shares = (weights / weights.sum()).astype(np.float32)
        face = Face(box, draw(st.floats(0, 1)), track=track)
        faces.append(FacePrediction(face, Prediction(labels, shares, draw(st.floats(0, 1)))))
    return ImageResult(source, (640, 480), tuple(faces), time_s, number)


def written(results, labels, kind):
    stream = io.BytesIO() if kind == "parquet" else io.StringIO(newline="")
    with open_timeline(stream, labels, format=kind) as sink:
        for result in results:
            sink.write(result)
    stream.seek(0)
    return stream


def rows_in(stream, kind):
    if kind == "parquet":
        return pq.read_table(stream).to_pylist()
    if kind == "json":
        return json.load(stream)
    if kind == "jsonl":
        return [json.loads(line) for line in stream.getvalue().split("\n")[:-1]]
    return [_numbers(row) for row in csv.DictReader(stream)]


def _numbers(row):
    """The cells of a CSV row as the other formats give them."""
    kinds = {"source": str, "emotion": str, "frame": int, "track": int}
    return {
        name: cell if name == "source" else kinds.get(name, float)(cell) if cell else None
        for name, cell in row.items()
    }


@given(videos())
def test_every_format_gives_back_one_row_per_face_and_frame_in_order_of_time(video):
    labels, results = video
    known = rows_in(written(results, labels, "json"), "json")
    for kind in TIMELINE_FORMATS:
        rows = rows_in(written(results, labels, kind), kind)
        assert rows == known
        assert all(tuple(row) == timeline_columns(labels) for row in rows)
    assert len(known) == sum(max(1, len(result.faces)) for result in results)
    assert [row["time_s"] for row in known] == sorted(row["time_s"] for row in known)
    pairs = [(row["frame"], row["track"]) for row in known]
    assert len(set(pairs)) == len(pairs)


@given(videos())
def test_rows_hold_the_numbers_of_the_records(video):
    labels, results = video
    rows = iter(rows_in(written(results, labels, "jsonl"), "jsonl"))
    names = timeline_columns(labels)[9:-2]
    for result in results:
        record = as_record(result)
        for face in record["faces"]:
            row = next(rows)
            assert [row[name] for name in names] == list(face["probabilities"].values())
            assert {edge: row[edge] for edge in face["box"]} == face["box"]
            assert (row["emotion"], row["confidence"]) == (face["emotion"], face["confidence"])
        if not record["faces"]:
            assert next(rows)["track"] is None
        assert abs(record["time_s"] - result.time_s) <= 1e-6
    assert next(rows, None) is None


@given(videos())
def test_a_data_frame_has_the_same_cells(video):
    labels, results = video
    frame = to_frame(results, labels)
    rows = rows_in(written(results, labels, "json"), "json")
    assert tuple(frame.columns) == timeline_columns(labels)
    for name in frame.columns:
        cells = [
            None if missing else cell
            for cell, missing in zip(frame[name], frame[name].isna(), strict=True)
        ]
        assert cells == [row[name] for row in rows]


@given(videos(), st.sampled_from([0.0, 0.25, 3.0]))
def test_a_summary_agrees_with_itself_and_with_the_plot(video, shortest_s):
    labels, results = video
    summary, bins = Summary(labels, shortest_s=shortest_s), TimeBins()
    for result in results:
        summary.add(result)
        bins.add(result)
    seen = {face.face.track for result in results for face in result.faces}
    assert {track.track for track in summary.tracks} == seen
    assert set(bins.seen_s) == seen
    for track in summary.tracks:
        assert abs(sum(track.shares.values()) + track.unsure - 1) < 1e-6
        assert abs(sum(track.means.values()) - 1) < 1e-4
        assert track.seen_s <= track.last_s - track.first_s + 1e-6
        assert abs(track.seen_s - bins.seen_s[track.track]) < 1e-6
        assert track.seen_s <= summary.seconds + 1e-6
        episodes = track.episodes
        assert episodes[0].start_s == track.first_s
        assert abs(episodes[-1].end_s - track.last_s) < 1e-6
        assert all(a.end_s <= b.start_s + 1e-6 for a, b in itertools.pairwise(episodes))
        for curve in bins.curves(track.track):
            assert (np.diff(curve.times_s) >= 0).all()
            assert np.allclose(curve.shares.sum(axis=1), 1, atol=1e-5)
    assert summary_text(summary, width=80).count("\n  face ") == len(seen)
