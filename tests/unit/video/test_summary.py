"""Summaries of videos, per face."""

import json

import pytest

from emopy.errors import InputError
from emopy.labels import STANDARD_EMOTIONS
from emopy.present import summary_text
from emopy.types import FacePrediction, ImageResult, Prediction
from emopy.video import Episode, Summary
from emopy.video.episodes import merge_short_episodes


def summed(results, **settings):
    summary = Summary(STANDARD_EMOTIONS, **settings)
    for result in results:
        summary.add(result)
    return summary


def episodes_of(track):
    return [(round(e.start_s, 2), round(e.end_s, 2), e.emotion) for e in track.episodes]


def test_a_summary_has_seconds_proportions_and_episodes(clip):
    one, two = summed(clip).tracks
    assert (one.track, one.frames, one.first_s, one.last_s) == (1, 75, 0.0, pytest.approx(4.0))
    assert one.seen_s == pytest.approx(3.0)
    assert one.proportions["happiness"] == pytest.approx(1 / 3)
    assert one.proportions["fear"] == pytest.approx(2 / 3)
    assert one.mean_probabilities["fear"] == pytest.approx((0.05 + 2 * 0.7) / 3)
    assert (one.emotion, one.not_sure) == ("fear", 0.0)
    assert episodes_of(one) == [(0, 1, "happiness"), (1, 1.52, "fear"), (2.52, 4, "fear")]
    assert (two.track, episodes_of(two), two.emotion) == (2, [(1.6, 4, "neutral")], "neutral")


def test_faces_that_are_visible_for_less_than_the_minimum_are_left_out_and_counted(clip):
    summary = summed(clip, min_duration_s=2.5)
    (one,) = summary.tracks
    assert one == summed(clip).tracks[0]
    assert (summary.left_out, len(summary.to_dict()["tracks"])) == (1, 1)
    assert "left out: 1 face, seen for less than 2.5 s" in summary_text(summary)
    assert [track.track for track in summed(clip, min_duration_s=2.4).tracks] == [1, 2]
    assert summed(clip).left_out == 0
    assert "left out" not in summary_text(summed(clip))


def test_a_frame_counts_until_the_next_one_at_any_rate(shown):
    times = [0.0, 0.1, 0.5, 0.6, 1.2]
    emotions = ["fear", "anger", "fear", "anger", "anger"]
    results = [shown(t, {1: e}) for t, e in zip(times, emotions, strict=True)]
    (track,) = summed([*results, shown(1.3, {})]).tracks
    assert track.seen_s == pytest.approx(1.3)
    assert track.proportions["fear"] == pytest.approx(0.2 / 1.3)
    assert track.last_s == pytest.approx(1.3)


def test_a_gap_in_the_frames_does_not_count(shown):
    times = [*(i / 25 for i in range(25)), *(60 + i / 25 for i in range(25))]
    summary = summed([shown(t, {1: "fear"}) for t in times])
    (track,) = summary.tracks
    assert track.seen_s == pytest.approx(summary.seconds) == pytest.approx(2.96, abs=0.1)
    assert [round(e.start_s) for e in track.episodes] == [0, 60]


@pytest.mark.parametrize("place", [1, 2, 5, 9])
def test_a_gap_counts_one_second_wherever_it_is(shown, place):
    times = [i / 25 + (6 if i >= place else 0) for i in range(10)]
    summary = summed([shown(t, {1: "fear"}) for t in times])
    (track,) = summary.tracks
    assert track.seen_s == pytest.approx(summary.seconds) == pytest.approx(9 / 25 + 1, abs=0.13)
    assert summary.span_s == (0, pytest.approx(6 + 10 / 25, abs=0.13))


def test_two_frames_count_as_a_video_that_is_rarely_read(shown):
    assert summed([shown(t, {1: "fear"}) for t in (0, 6)]).seconds == 12
    assert summed([shown(0, {1: "fear"})]).seconds == 0
    assert summed([shown(0, {1: "fear"}), shown(0, {1: "fear"}), shown(1, {})]).seconds == 2


def test_rarely_read_frames_count_in_full(shown):
    (track,) = summed([shown(5.0 * i, {1: "fear"}) for i in range(10)]).tracks
    assert track.seen_s == pytest.approx(50)


def test_flicker_is_merged_and_short_losses_are_bridged(shown):
    def at(i):
        faces = {} if i in (40, 41) else {1: "fear" if i in (10, 11, 60) else "happiness"}
        return shown(i / 25, faces)

    (track,) = summed(map(at, range(100))).tracks
    assert episodes_of(track) == [(0, 4, "happiness")]
    assert track.seen_s == pytest.approx(98 / 25)
    assert track.proportions["fear"] == pytest.approx(3 / 98)
    (raw,) = summed(map(at, range(100)), min_episode_s=0).tracks
    assert [e for _, _, e in episodes_of(raw)] == ["happiness", "fear", "happiness"] * 2


def test_short_episodes_are_merged_into_the_longer_neighbor_and_a_lone_one_is_kept():
    runs = [Episode(0, 1, "a"), Episode(1, 1.2, "b"), Episode(1.2, 4, "c"), Episode(4, 4.1, "a")]
    assert merge_short_episodes(runs, 0.25) == [Episode(0, 1, "a"), Episode(1, 4.1, "c")]
    assert merge_short_episodes(runs[1:2], 0.25) == runs[1:2]


def test_permanent_flicker_gives_few_episodes_that_cover_all_time(shown):
    results = (shown(i / 25, {1: ("fear", "anger")[i % 2]}) for i in range(2000))
    (track,) = summed(results).tracks
    assert len(track.episodes) <= 2000 / 25 / 0.25
    assert (track.episodes[0].start_s, track.episodes[-1].end_s) == (0, pytest.approx(80))
    pairs = zip(track.episodes, track.episodes[1:], strict=False)
    assert all(a.end_s == b.start_s and a.emotion != b.emotion for a, b in pairs)


def test_not_sure_is_counted_separately(shown):
    def unsure(result):
        (face,) = result.faces
        prediction = Prediction(face.prediction.labels, face.prediction.probabilities, 0.9)
        return ImageResult("a", (640, 480), (FacePrediction(face.face, prediction),), result.time_s)

    frames = [shown(i / 25, {1: "fear"}) for i in range(50)]
    (track,) = summed([unsure(f) if f.time_s >= 1.2 else f for f in frames]).tracks
    assert track.not_sure == pytest.approx(0.4)
    assert sum(track.proportions.values()) + track.not_sure == pytest.approx(1)
    assert [e for _, _, e in episodes_of(track)] == ["fear", None]
    text = summary_text(summed(map(unsure, frames)))
    assert "▶ not sure" in text
    assert "0:00.0–0:02.0 not sure" in text


def test_one_frame_has_proportions_but_no_duration(shown):
    (track,) = summed([shown(7.0, {3: "fear"})]).tracks
    assert (track.track, track.frames, track.seen_s, track.proportions["fear"]) == (3, 1, 0.0, 1.0)
    assert episodes_of(track) == [(7, 7, "fear")]


def test_reading_tracks_early_changes_nothing(clip):
    summary = Summary(STANDARD_EMOTIONS)
    for result in clip:
        summary.add(result)
        assert len(summary.tracks) <= 2
    assert summary.tracks == summed(clip).tracks


def test_the_object_is_json_with_the_same_numbers(clip):
    summary = summed(clip)
    record = json.loads(json.dumps(summary.to_dict(), allow_nan=False))
    assert (record["source"], record["frames"], record["seconds"]) == ("clip.mp4", 100, 4.0)
    one = record["tracks"][0]
    assert (one["seen_s"], one["emotion"], one["proportions"]["fear"]) == (3.0, "fear", 0.666667)
    assert one["episodes"][1] == {"start_s": 1.0, "end_s": 1.52, "emotion": "fear"}


@pytest.mark.parametrize("width", [60, 72, 100])
def test_the_text_fits_the_width_and_names_time_emotions_and_episodes(clip, width):
    text = summary_text(summed(clip), width=width)
    assert text.startswith("clip.mp4 · 4.0 s · 100 frames · 2 faces\n")
    assert max(map(len, text.splitlines())) <= width
    assert "track 1 · seen for 3.0 s in 0:00–0:04" in text
    assert "▶ neutral    100.0 %" in text
    assert "0:00.0–0:01.0 happiness · 0:01.0–0:01.5 fear" in text


def test_the_text_names_eight_faces_longest_first_and_counts_the_rest(shown):
    results = [shown(i / 25, dict.fromkeys(range(1, 1 + min(i, 11)), "fear")) for i in range(30)]
    text = summary_text(summed(results))
    assert [f"track {n} " in text for n in range(1, 12)] == [True] * 8 + [False] * 3
    assert text.endswith("and 3 more, seen for less time")
    assert "no face found" in summary_text(Summary(STANDARD_EMOTIONS))


def test_frames_out_of_order_without_time_track_or_labels_are_refused(clip, found):
    summary = summed(clip[:9])
    with pytest.raises(InputError, match="order of time"):
        summary.add(clip[3])
    with pytest.raises(InputError, match="with a time"):
        summary.add(ImageResult("a.jpg", (9, 9)))
    with pytest.raises(InputError, match="track numbers"):
        summary.add(ImageResult("a", (9, 9), (found((0, 0, 5, 5)),), 9.0))
    with pytest.raises(InputError, match="must have the labels"):
        Summary(("anger", "fear")).add(clip[0])
    with pytest.raises(InputError, match="min_episode_s"):
        Summary(STANDARD_EMOTIONS, min_episode_s=-1)
    with pytest.raises(InputError, match=r"`min_duration_s` must be zero or more.* Received nan"):
        Summary(STANDARD_EMOTIONS, min_duration_s=float("nan"))
    assert summary.frames == 9
