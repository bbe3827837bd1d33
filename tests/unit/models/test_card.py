import json

import pytest

from emopy.errors import ModelError
from emopy.models import InputSpec, ModelCard
from emopy.models.card import card_from_json

CARD = ModelCard(
    name="tiny",
    version="1",
    labels=("anger", "fear", "own label"),
    input=InputSpec(48, 40, channels=3, mean=0.5, std=0.2),
    temperature=1.25,
    files={"model.onnx": "ab" * 32},
    metrics={"valid": {"accuracy": 0.5}},
)


def changed(**changes):
    raw = json.loads(CARD.to_json())
    raw.update(changes)
    return json.dumps(raw)


def test_a_card_survives_being_written_and_read():
    assert card_from_json(CARD.to_json(), "card.json") == CARD


@pytest.mark.parametrize(
    "text, reason",
    [
        ("{", "must be JSON"),
        ("[]", "must hold a JSON object. Received list"),
        ("{}", '"format": 2'),
        (changed(format=1), '"format": 2. Received 1'),
        (changed(temprature=2), "Unknown key `temprature` in the card. Did you mean 'temperature'"),
        (changed(input=3), "`input` in the card must be a mapping. Received 3"),
        (changed(input={"height": 48}), "`input.width` must be given"),
        (changed(input={"height": 48, "width": 48, "heigth": 1}), "Unknown key `input.heigth`"),
        (changed(input={"height": 48.5, "width": 48}), "whole number. Received 48.5"),
        (changed(input={"height": 4, "width": 48}), "≥ 8"),
        (changed(input={"height": 48, "width": 48, "channels": 2}), "channels 1 or 3"),
        (changed(input={"height": 48, "width": 48, "std": 0}), "std and scale positive"),
        (
            changed(input={"height": 48, "width": 48, "mean": "x"}),
            "`input.mean` in the card must be",
        ),
        (changed(labels="abc"), "must be a list, each item a string. Received 'abc'"),
        (changed(labels=["anger"]), "two or more different names"),
        (changed(labels=["happy", "joy"]), "two or more different names"),
        (changed(output="probabilities"), "`output` must be 'logits'"),
        (changed(temperature=0), "`temperature` must be positive"),
        (changed(temperature="warm"), "`temperature` in the card must be a finite number"),
        (changed(name=" "), "`name` must not be empty"),
    ],
)
def test_a_bad_card_is_refused_with_the_reason_and_its_source(text, reason):
    with pytest.raises(ModelError) as caught:
        card_from_json(text, "folder/card.json")
    assert reason in str(caught.value)
    assert "folder/card.json" in str(caught.value)


def test_a_card_without_a_needed_key_is_refused():
    raw = json.loads(CARD.to_json())
    del raw["labels"], raw["name"]
    with pytest.raises(ModelError, match="`name`, `labels` must be given"):
        card_from_json(json.dumps(raw), "card.json")


def test_the_shape_of_a_sample_has_frames_only_for_clips():
    assert InputSpec(48, 40).shape == (48, 40, 1)
    assert InputSpec(48, 40, channels=3, frames=5).shape == (5, 48, 40, 3)
