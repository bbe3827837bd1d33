"""`emopy models` and `emopy doctor` with damaged folders among the installed models."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emopy.cli.main import main
from emopy.files import sha256_of
from emopy.models import find_model, list_models, update_card
from emopy.models.store import read_card

RED = "\x1b[31mred"


def damage(folder, name, content):
    """Replace a file of a model folder, and the checksum on its card."""
    (folder / name).write_bytes(content)
    if name != "card.json":
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        change(folder, files=card["files"] | {name: sha256_of(folder / name)})


def change(folder, **changes):
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    (folder / "card.json").write_text(json.dumps(card | changes), encoding="utf-8")


BAD = {
    "no-json": lambda folder: damage(folder, "card.json", b"{"),
    "no-text": lambda folder: damage(folder, "card.json", b"\xff\xfe{}"),
    "nested": lambda folder: damage(folder, "card.json", b"[" * 100_000),
    "types": lambda folder: change(folder, files=5),
    "temperature": lambda folder: change(folder, temperature=5e-324),
    "red-name": lambda folder: change(folder, name=RED),
    RED: lambda folder: change(folder, labels=[RED, "fear"]),
    "no-weights": lambda folder: (folder / "model.onnx").unlink(),
    "weights": lambda folder: damage(folder, "model.onnx", b"no network"),
    "golden": lambda folder: damage(folder, "golden.npz", b"PK\x03\x04 no archive"),
    "golden-pickle": lambda folder: damage(folder, "golden.npz", b"\x93NUMPY\x01\x00\xff\xff{"),
    "missing-golden": lambda folder: (folder / "golden.npz").unlink(),
}


@pytest.fixture
def bad_models(linear_model):
    """Damaged models among the fetched ones, and a good one, in `EMOPY_HOME`."""
    home = Path(os.environ["EMOPY_HOME"], "models")
    for name, spoil in BAD.items():
        spoil(shutil.copytree(linear_model, home / name))
    shutil.copytree(linear_model, home / "good")
    return home


def test_bad_folders_hide_no_other_model(bad_models, capsys):
    assert main(["models", "list"]) == 0
    listed = capsys.readouterr()
    rows = {line.split()[0]: line.split()[1:] for line in listed.out.splitlines() if line}
    assert {"emopy-base", "emopy-tiny", "good", "nested"} <= set(rows)
    assert rows["nested"] == rows["no-weights"] == ["–"] * 6
    assert rows["good"][1:4] == ["8", "–", "–"]
    assert listed.err.startswith("emopy: cannot be read: ")
    assert "nested" in listed.err
    assert "\x1b" not in listed.out + listed.err


def test_the_list_has_size_labels_and_the_metrics_of_the_last_evaluation(capsys):
    assert main(["models", "list"]) == 0
    out, err = capsys.readouterr()
    assert not err
    lines = out.splitlines()
    assert lines[0].split() == ["model", "MB", "labels", "accuracy", "ECE", "parameters", "faces/s"]
    assert max(map(len, lines)) <= 100
    speeds: list[float] = []
    for name in ("emopy-base", "emopy-tiny"):
        folder = find_model(name)
        card = read_card(folder)
        data, metrics = list(card.metrics.items())[-1]
        (line,) = [line for line in lines if re.match(rf"{name}(?: \*)? ", line)]
        *figures, speed = re.findall(r"[\d.,]+", line)
        speeds.append(float(speed.replace(",", "")))
        assert figures == [
            f"{(folder / 'model.onnx').stat().st_size / 1e6:.1f}",
            str(len(card.labels)),
            f"{100 * metrics['accuracy']:.1f}",
            f"{100 * metrics['ece']:.1f}",
            f"{card.training['parameters'] / 1e6:.2f}",
        ]
        assert f"  {name}: {data} ({metrics['samples']:,} faces)" in lines
    assert 0 < speeds[0] < speeds[1], "the small model is the faster one"


def test_each_bad_folder_is_reported_in_one_line_and_the_others_are_checked(bad_models, capsys):
    assert main(["models", "check"]) == 1
    captured = capsys.readouterr()
    good = {line.partition(":")[0] for line in captured.out.splitlines()}
    assert good == {"emopy-base", "emopy-tiny", "good"}
    assert len(captured.err.splitlines()) == len(BAD)
    assert "\x1b" not in captured.err
    assert "Error:" not in captured.err


def test_the_doctor_reports_each_bad_folder_and_continues(bad_models, capsys):
    assert main(["doctor"]) == 1
    captured = capsys.readouterr()
    assert captured.out.count("  damaged\n") == len(BAD)
    assert "model good  good\n" in captured.out
    assert "sample prediction  happiness" in captured.out
    assert f"To fix: {len(BAD)}\n" in captured.err
    assert "\x1b" not in captured.out + captured.err


def test_an_error_that_nobody_expected_stops_neither(bad_models, monkeypatch, capsys):
    def fail(name):
        if name == "good":
            raise ZeroDivisionError("never seen before")
        return 0.0

    monkeypatch.setattr("emopy.models.check_model_folder", fail)
    assert main(["models", "check"]) == 1
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == len(list_models()) - 1
    assert captured.err == "good: ZeroDivisionError: never seen before\n"


def test_an_unknown_name_is_wrong_usage_and_the_others_are_checked(linear_model, tmp_path, capsys):
    damaged = shutil.copytree(linear_model, tmp_path / "damaged")
    (damaged / "model.onnx").write_bytes(b"")
    assert main(["models", "check", str(damaged), "nomodel", str(linear_model)]) == 2
    captured = capsys.readouterr()
    assert "Received 'nomodel'" in captured.err
    assert f"{linear_model}: good" in captured.out


def test_a_card_as_json_is_whole_on_any_stdout(linear_model, tmp_path):
    folder = shutil.copytree(linear_model, tmp_path / "model")
    update_card(folder, lambda card: card.changed(name="表情", limits="20° – 25°"))
    done = subprocess.run(
        [sys.executable, "-m", "emopy", "models", "show", folder, "--format", "json"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["name"] == "表情"
    assert json.loads(done.stdout)["limits"] == "20° – 25°"


def test_a_card_is_shown_as_plain_text(linear_model, capsys):
    assert main(["models", "show", str(linear_model)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("linear 1\n  Predicts which of 8 facial expressions")
    assert "\n\nIntended use\n  tests\n" in text
    assert "##" not in text
    assert "|" not in text
