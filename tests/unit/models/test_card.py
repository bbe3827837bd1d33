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
        (changed(input={"height": 48, "width": 48, "std": 0}), "`input.std` must be a number of"),
        (
            changed(input={"height": 48, "width": 48, "mean": "x"}),
            "`input.mean` in the card must be",
        ),
        (changed(labels="abc"), "must be a list, each item a string. Received 'abc'"),
        (changed(labels=["anger"]), "two or more different names"),
        (changed(labels=["happy", "joy"]), "two or more different names"),
        (changed(output="probabilities"), "`output` must be 'logits'"),
        (changed(temperature=0), "`temperature` must be a number of 0.01 to 100. Received 0"),
        (changed(temperature="warm"), "`temperature` in the card must be a finite number"),
        (changed(name=" "), "`name` must hold names of printable characters, not empty"),
    ],
)
def test_a_bad_card_is_refused_with_the_reason_and_its_source(text, reason):
    with pytest.raises(ModelError) as caught:
        card_from_json(text, "folder/card.json")
    assert reason in str(caught.value)
    assert "folder/card.json" in str(caught.value)


SIZE = {"height": 48, "width": 48}


def with_input(**changes):
    return changed(input={**SIZE, **changes})


def with_metrics(**metrics):
    return changed(metrics={"valid": metrics})


HUGE = "9" * 5000


@pytest.mark.parametrize(
    "text",
    [
        *(changed(**{name: "\x1b[31mred"}) for name in ("name", "version", "data", "limits")),
        changed(labels=["anger", "\x1b]0;renamed\x07"]),
        changed(labels=["anger", "two\nlines"]),
        changed(labels=["anger", " "]),
        changed(name="\u202eback to front"),
        changed(labels=["anger", "\ud800"]),
        changed(training={"\ud800": 1}),
        changed(temperature=1).replace('"temperature": 1', f'"temperature": {HUGE}'),
        changed(training={"seed": 1}).replace('"seed": 1', f'"seed": {HUGE}'),
        changed(training={"seed": 1}).replace('"seed": 1', '"seed": 1' + "0" * 400),
        changed(training={"seed": 1}).replace('"seed": 1', '"seed": Infinity'),
        changed(training={"seed": 1}).replace('"seed": 1', '"seed": 1e999'),
        changed(temperature=10**400),
        changed(temperature=float("nan")),
        changed(training={"a": "DEEP"}).replace('"DEEP"', "[" * 40 + "]" * 40),
        changed(training={"a": "DEEP"}).replace('"DEEP"', "[" * 100_000 + "]" * 100_000),
        *(changed(**{name: value}) for name in ("name", "data", "limits") for value in (5, ["a"])),
        *(
            changed(**{name: value})
            for name in ("files", "training", "metrics", "input")
            for value in (5, "x", ["a"], None)
        ),
        changed(files={"model.onnx": 5}),
        changed(temperature=5e-324),
        changed(temperature=1e12),
        changed(temperature=True),
        *(with_input(margin=value) for value in (-5, -0.5, 1e10, True, "0")),
        *(with_input(**{name: v}) for name in ("scale", "std") for v in (0, -1, 1e-300, 1e10)),
        with_input(mean=-1e12),
        with_input(height=10**9),
        with_input(frames=10**9),
        *(
            changed(training={"label_prior": value})
            for value in ("x", ["a"], 1, None, {"anger": "x"}, {"anger": -1}, {"anger": 5})
        ),
        changed(metrics={"valid": 5}),
        with_metrics(accuracy="good"),
        with_metrics(ece={}),
        with_metrics(recall=[0.5]),
        with_metrics(recall={"anger": "all"}),
        with_metrics(macro_labels=5),
        with_metrics(accuracy_at_coverage={"half": 0.5}),
        with_metrics(accuracy_at_coverage={"1.0": "x"}),
        with_metrics(labels=["anger"], confusion_matrix=[[1, 2]]),
        with_metrics(confusion_matrix=[[1]]),
        with_metrics(labels=["anger"], confusion_matrix="x"),
        with_metrics(seeds={"accuracy": 0.5}),
        with_metrics(seeds=[1]),
        with_metrics(corruptions={"dark": None}),
        with_metrics(corruptions=3),
        with_metrics(accuracy=7.0),
        with_metrics(brier=2.5),
        with_metrics(recall={"anger": -3}),
        with_metrics(corruptions={"dark": 1.5}),
    ],
    ids=lambda text: text[:40] if len(text) < 40 else "",
)
def test_types_ranges_and_texts_are_checked_when_a_card_is_read(text):
    with pytest.raises(ModelError) as caught:
        card_from_json(text, "card.json")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_card_of_many_metrics_is_accepted_with_others_that_it_does_not_know():
    metrics = {
        "accuracy": 1,
        "ece": None,
        "recall": {"anger": 0.5, "fear": None},
        "accuracy_at_coverage": {"1.0": 0.5, "0.95": None},
        "labels": ["anger", "fear"],
        "confusion_matrix": [[1, 2], [3, 4]],
        "seeds": {"accuracy": [0.5, 1]},
        "own": {"nested": [1, "two", {"three": None}]},
    }
    assert card_from_json(with_metrics(**metrics), "card.json").metrics["valid"] == metrics


def test_a_card_of_any_script_is_accepted():
    labels = ["می\u200cخندد", "幸福", "colère", "👨\u200d👩\u200d👧", "a\xa0b"]
    assert card_from_json(changed(labels=labels), "card.json").labels == tuple(labels)


def test_a_card_without_a_needed_key_is_refused():
    raw = json.loads(CARD.to_json())
    del raw["labels"], raw["name"]
    with pytest.raises(ModelError, match="`name`, `labels` must be given"):
        card_from_json(json.dumps(raw), "card.json")


def test_the_shape_of_a_sample_has_frames_only_for_clips():
    assert InputSpec(48, 40).shape == (48, 40, 1)
    assert InputSpec(48, 40, channels=3, frames=5).shape == (5, 48, 40, 3)
