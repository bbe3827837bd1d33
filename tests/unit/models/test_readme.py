import pytest

from emopy.models import InputSpec, ModelCard, card_text, find_model, readme_from_card
from emopy.models.readme import MAX_COLUMNS
from emopy.models.store import read_card

FULL = ModelCard(
    name="tiny",
    version="2.1",
    labels=("anger", "fear", "neutral"),
    input=InputSpec(48, 40),
    temperature=1.3,
    files={"model.onnx": "ab" * 32},
    data="Faces | drawn by hand.",
    licence="Apache-2.0; the drawings are public domain.",
    training={"network": "ResidualNN", "seed": 0, "label_prior": {"anger": 0.25, "fear": 0.75}},
    metrics={
        "valid": {
            "samples": 1234,
            "accuracy": 0.8456,
            "macro_f1": 0.5,
            "ece": 0.021,
            "recall": {"anger": 0.5, "fear": None},
            "accuracy_at_coverage": {"1.0": 0.8456, "0.8": 0.9},
            "confidence_at_coverage": {"1.0": 0.21, "0.8": 0.64},
            "labels": ["anger", "fear"],
            "confusion_matrix": [[5, 1], [0, 7]],
            "seeds": {"accuracy": [0.85, 0.83, 0.84], "macro F1": [0.5], "none": []},
            "corruptions": {"blurred": 0.7, "dark": 0.8},
        },
        "own faces": {"samples": 10, "accuracy": 1.0, "balanced_accuracy": 0.9},
    },
    intended_use="Drawings.",
    out_of_scope_use="Deciding about people.",
    limits="Only faces from the front.",
)


def test_the_readme_holds_what_the_card_holds():
    page = readme_from_card(FULL)
    for text in (
        "# tiny 2.1",
        "expressions a face shows: anger, fear or neutral.",
        "gray face crop of 40 × 48 pixels",
        'FERModel("all", model="tiny")',
        "## Out-of-scope use\n\nDeciding about people.",
        "Only faces from the front.",
        "Faces | drawn by hand.",
        "public domain",
        "| label_prior | anger 0.25, fear 0.75 |",
        "temperature 1.3",
        "## License\n\nApache-2.0; ",
        "| model.onnx | " + "ab" * 32 + " |",
    ):
        assert text in page


def test_metrics_are_in_tables_with_a_dash_for_missing_ones():
    page = readme_from_card(FULL)
    assert "| A | valid |\n| B | own faces |\n" in page
    assert "| metric | A | B |\n| --- | ---: | ---: |\n| faces | 1,234 | 10 |\n" in page
    assert "| accuracy | 84.6% | 100.0% |\n| balanced accuracy | – | 90.0% |\n" in page
    assert "| ECE | 2.1% | – |" in page
    assert "| expression | A |" in page
    assert "| anger | 50.0% |\n| fear | – |\n| neutral | – |" in page


def test_the_labels_that_are_no_standard_emotions_are_named_whatever_was_recorded_first():
    both = {"labels": ["calm", "anger"], "macro_labels": ["calm", "anger"], "macro_recall": 0.4}
    eight = {
        "labels": ["anger", "contempt"],
        "macro_labels": ["anger"],
        "macro_recall": 0.5,
        "balanced_accuracy": 0.6,
    }
    metrics = {"two": both | {"balanced_accuracy": 0.4, "recall": {"calm": 0.75}}, "all": eight}
    page = readme_from_card(FULL.changed(metrics=metrics))
    assert "which macro F1 averages too, are those without contempt." in page
    assert "| balanced accuracy, standard emotions | 40.0% | 50.0% |" in page
    assert "| neutral | 75.0% |" in page  # recorded under an alias
    page = readme_from_card(FULL.changed(metrics={"two": metrics["two"]}))
    assert "standard emotions" not in page


def test_a_name_with_quotes_is_correct_python():
    page = readme_from_card(FULL.changed(name='my "best" model'))
    assert r'model="my \"best\" model")' in page


def test_coverage_confusion_matrix_seeds_and_corruptions_have_a_table_each():
    page = readme_from_card(FULL)
    assert "| coverage | A |\n| --- | ---: |\n| 100% | 84.6% |\n| 80% | 90.0% |\n" in page
    assert "| coverage | A |\n| --- | ---: |\n| 100% | 0.210 |\n| 80% | 0.640 |\n" in page
    assert "| anger | 6 | 5 | fear 1 |\n| fear | 7 | 7 | – |\n" in page
    assert "| metric | runs | mean | std |" in page
    assert "| accuracy | 0.850, 0.830, 0.840 | 0.840 | 0.010 |" in page
    assert "| macro F1 | 0.500 | 0.500 | – |\n| none | – | – | – |" in page
    assert "| blurred | 70.0% |\n| dark | 80.0% |\n| mean | 75.0% |" in page


def test_a_single_evaluation_has_its_name_above_its_column():
    card = FULL.changed(metrics={"valid": FULL.metrics["valid"]})
    assert "| metric | valid |\n" in readme_from_card(card)


def many_evaluations(count):
    return FULL.changed(metrics={f"data {n}": FULL.metrics["valid"] for n in range(count)})


def test_no_table_is_wider_than_six_columns():
    for card in (FULL, many_evaluations(30)):
        page = readme_from_card(card)
        headers = [block.split("\n")[0] for block in page.split("\n\n") if block.startswith("|")]
        assert max(header.count(" | ") + 1 for header in headers) <= MAX_COLUMNS
    assert "| Z | data 25 |\n| A2 | data 26 |" in page


def test_the_plain_text_has_the_same_content_without_markup():
    page = card_text(FULL)
    assert page.startswith("tiny 2.1\n  Predicts which of 3 facial expressions")
    assert "\n\nOut-of-scope use\n  Deciding about people.\n\nMetrics\n  Evaluated on:\n" in page
    assert "\n  accuracy           84.6%  100.0%\n" in page
    assert "##" not in page
    assert "|" not in page.replace("Faces | drawn by hand.", "")
    words = readme_from_card(FULL).replace("`", "").split()
    assert {word for word in words if word.isalpha()} - {"python"} <= set(
        page.replace("`", "").split()
    ) | {"This", "page", "is", "generated", "edit", "not", "the"}


def test_long_texts_are_wrapped_to_the_width():
    prose = "Predicting expressions in images, in research and teaching. " * 5
    prior = {f"label {n}": 0.01 for n in range(40)}
    card = FULL.changed(limits=prose, training={"label_prior": prior}, files={})
    for width in (50, 72, 100):
        assert max(map(len, card_text(card, width=width).splitlines())) <= max(width, 72)


def test_tables_have_as_many_cells_in_each_row():
    blocks = readme_from_card(FULL).split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("|")]
    assert len(tables) == 10
    for table in tables:
        assert len({row.count("|") for row in table}) == 1


def test_a_bare_card_gives_a_readme_without_empty_sections():
    page = readme_from_card(ModelCard("bare", "1", ("anger", "fear"), InputSpec(48, 48)))
    assert "Not evaluated yet" in page
    assert "Not calibrated" in page
    assert "Intended use" not in page
    assert "\n\n\n" not in page
    assert page.endswith("\n")


def test_the_readme_of_a_clip_model_shows_predict_sequence():
    spec = InputSpec(48, 48, channels=3, frames=5)
    page = readme_from_card(ModelCard("clips", "1", ("anger", "fear"), spec))
    assert "clips of 5 RGB face crops" in page
    assert "predict_sequence(crops)" in page


def test_a_bar_in_a_name_does_not_break_a_table():
    card = ModelCard(
        "x", "1", ("anger", "fear"), InputSpec(48, 48), metrics={"a|b": {"accuracy": 1.0}}
    )
    assert "| metric | a\\|b |" in readme_from_card(card)


@pytest.mark.parametrize("name", ["emopy-base", "emopy-tiny"])
def test_the_readme_of_a_bundled_model_is_that_of_its_card(name):
    folder = find_model(name)
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert page == readme_from_card(read_card(folder))
