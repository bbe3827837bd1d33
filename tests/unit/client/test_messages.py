"""What the clients send, and what they make of the answers."""

import httpx
import pytest

from emopy.client.messages import Requests, to_result
from emopy.types import Box


def requests(**options):
    given = {"api_key": None, "timeout_s": 1.0, "retries": 3, **options}
    return Requests("http://127.0.0.1:8000/", **given)


@pytest.mark.parametrize(
    "options, query",
    [
        ({}, {}),
        ({"emotions": "all"}, {"emotions": "all"}),
        ({"emotions": ["calm", "anger"]}, {"emotions": "calm,anger"}),
        ({"emotions": iter(("calm", "anger"))}, {"emotions": "calm,anger"}),
        ({"prior": "uniform", "min_confidence": None}, {"prior": "uniform"}),
        ({"prior": {"anger": 0.25, "fear": 1e-9}}, {"prior": "anger=0.25,fear=1e-09"}),
        ({"min_confidence": 0, "views": 2}, {"min_confidence": "0", "views": "2"}),
    ],
)
def test_options_become_the_query_of_each_request(options, query):
    sent = requests(**options)
    assert [sent.query(), sent.query()] == [query, query]


def test_boxes_keep_all_their_digits():
    faces = [Box(0.1, 1 / 3, 1e7, 2.5), (1, 2, 3, 4)]
    boxes = requests().query(faces)["boxes"]
    assert boxes == "0.1,0.3333333333333333,10000000.0,2.5;1.0,2.0,3.0,4.0"
    assert requests().query([])["boxes"] == ""


@pytest.mark.parametrize(
    "status, header, attempt, seconds",
    [
        (200, None, 0, None),
        (422, "1", 0, None),
        (504, "1", 0, None),
        (429, "7", 0, 7),
        (503, "7", 2, 7),
        (429, "7", 3, None),
        (429, "9999999", 0, 10),
        (429, "-1", 0, 0.5),
        (429, "Wed, 21 Oct 2026 07:28:00 GMT", 1, 1),
        (429, None, 0, 0.5),
        (503, None, 2, 2),
    ],
)
def test_only_a_busy_service_is_asked_again_and_for_a_bounded_time(
    status, header, attempt, seconds
):
    headers = {} if header is None else {"Retry-After": header}
    assert requests().wait_s(httpx.Response(status, headers=headers), attempt) == seconds


def test_the_key_is_in_a_header_and_the_address_has_no_slash_at_its_end():
    settings = requests(api_key="abc").settings
    assert settings["headers"] == {"Authorization": "Bearer abc"}
    assert settings["base_url"] == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    "emotion, probabilities",
    [
        ("fear", {"anger": 0.5, "fear": 0.5}),  # rounded from 0.5000001
        ("anger", {"anger": 0.5, "fear": 0.5}),
        (None, {"anger": 0.0, "fear": 1.0}),  # below a least confidence of 1
        (None, {"anger": 0.5, "fear": 0.5}),
    ],
)
def test_the_emotion_is_that_of_the_service_whatever_was_rounded(emotion, probabilities):
    face = {
        "box": {"left": 0, "top": 0, "right": 9, "bottom": 9},
        "score": 1.0,
        "landmarks": None,
        "emotion": emotion,
        "probabilities": probabilities,
    }
    record = {"error": None, "width": 9, "height": 9, "faces": [face]}
    (found,) = to_result(record, "a.jpg").faces
    assert found.emotion == emotion
    assert found.prediction.probabilities.tolist() == pytest.approx([*probabilities.values()])
