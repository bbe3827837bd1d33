from emopy.models import InputSpec, ModelCard, readme_from_card

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
        "**anger**, **fear** or **neutral**",
        "gray face crop of 40 × 48 pixels",
        'FERModel("all", model="tiny")',
        "## Out-of-scope use\n\nDeciding about people.",
        "Only faces from the front.",
        "Faces | drawn by hand.",
        "public domain",
        "| label_prior | anger 0.25, fear 0.75 |",
        "temperature 1.3",
        "Expected calibration error on valid: 2.1%.",
        "`" + "ab" * 32 + "`",
    ):
        assert text in page


def test_metrics_are_in_tables_with_a_dash_for_missing_ones():
    page = readme_from_card(FULL)
    assert "| data | faces | accuracy | balanced accuracy | macro F1 |" in page
    assert "| valid | 1,234 | 84.6% | – | 0.500 | 2.1% |" in page
    assert "| own faces | 10 | 100.0% | 90.0% | – | – |" in page
    assert "| expression | valid |" in page
    assert "| anger | 50.0% |\n| fear | – |\n| neutral | – |" in page


def test_coverage_confusion_matrix_seeds_and_corruptions_have_a_table_each():
    page = readme_from_card(FULL)
    assert "| data |  | 100% | 80% |\n| --- | ---: | ---: | ---: |\n" in page
    assert "| valid | accuracy | 84.6% | 90.0% |\n" in page
    assert "|  | `min_confidence` | 0.210 | 0.640 |" in page
    assert "| anger | 5 | 1 |\n| fear | 0 | 7 |" in page
    assert "| metric | run 1 | run 2 | run 3 | mean | std |" in page
    assert "| accuracy | 0.850 | 0.830 | 0.840 | 0.840 | 0.010 |" in page
    assert "| macro F1 | 0.500 | – | – | 0.500 | – |\n| none | – | – | – | – | – |" in page
    assert "| blurred | 70.0% |\n| dark | 80.0% |\n| mean | 75.0% |" in page


def test_tables_have_as_many_cells_in_each_row():
    blocks = readme_from_card(FULL).split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("|")]
    assert len(tables) == 8
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
    assert "| a\\|b | 100.0% |" in readme_from_card(card)
