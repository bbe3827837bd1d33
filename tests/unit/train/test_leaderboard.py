import csv
import json
import shutil
import statistics

import pytest

from emopy.cli.main import main
from emopy.errors import RecipeError
from emopy.evaluate import evaluate, record
from emopy.train import compare_runs, export, fit, leaderboard
from emopy.train.recipe import FitSettings

SMALL = {"widths": (4, 8), "blocks": (1, 1), "squeeze": 0.0, "dropout": 0.0}


@pytest.fixture(scope="module")
def runs(tmp_path_factory, splits):
    """One recipe with two seeds, recorded, and one whose steps are far too small to learn."""
    folder = tmp_path_factory.mktemp("runs")
    for name, rate, seed in (("good-0", 5e-3, 0), ("good-1", 5e-3, 1), ("slow", 1e-6, 0)):
        settings = FitSettings(epochs=3, batch_size=32, learning_rate=rate, seed=seed)
        run = fit("ResidualNN", splits, settings=settings, folder=folder / name, net_settings=SMALL)
        if name != "slow":
            model = export(run, folder / name / "model")
            record(model, "stripes", evaluate(model, splits.validation))
    return folder


def last_accuracy(folder):
    with (folder / "metrics.csv").open(newline="") as stream:
        return float(list(csv.DictReader(stream))[-1]["val_accuracy"])


def test_runs_that_differ_in_their_seed_only_are_one_entry_and_the_best_comes_first(runs):
    good, slow = compare_runs(runs)
    assert [path.name for path in good.folders] == ["good-0", "good-1"]
    assert [path.name for path in slow.folders] == ["slow"]
    assert good.metrics["val_accuracy"] == tuple(map(last_accuracy, good.folders))
    assert good.score > slow.score
    assert good.epochs == (3, 3)


def test_only_differing_settings_are_listed(runs):
    good, slow = compare_runs(runs)
    assert good.differs == {"fit.learning_rate": 5e-3}
    assert slow.differs == {"fit.learning_rate": 1e-6}


@pytest.mark.parametrize("text", ["{", "[" * 10**5, "[]", "9" * 5000, '{"metrics": 3}'])
def test_a_damaged_card_costs_its_metrics_only(runs, tmp_path, text):
    shutil.copytree(runs, tmp_path / "runs")
    (tmp_path / "runs" / "good-0" / "model" / "card.json").write_text(text)
    good, _ = compare_runs(tmp_path / "runs")
    assert len(good.metrics["val_accuracy"]) == 2
    assert len(good.metrics["stripes: accuracy"]) == 1


def test_metrics_on_the_card_are_listed_after_those_of_the_training(runs):
    good, slow = compare_runs(runs)
    cards = [json.loads((path / "model" / "card.json").read_text()) for path in good.folders]
    recorded = tuple(card["metrics"]["stripes"]["accuracy"] for card in cards)
    assert good.metrics["stripes: accuracy"] == recorded
    assert "stripes: accuracy" not in slow.metrics


def test_the_leaderboard_shows_mean_and_deviation(runs, capsys):
    assert main(["train", "--compare", str(runs)]) == 0
    text = capsys.readouterr().out
    assert text.strip() == leaderboard(compare_runs(runs)).strip()
    scores = [last_accuracy(runs / name) for name in ("good-0", "good-1")]
    mean, spread = statistics.fmean(scores), statistics.stdev(scores)
    assert f"{mean:.4f} ± {spread:.4f}" in text.splitlines()[1]
    assert "[1] recorded on stripes" in text
    assert "2. slow: fit.learning_rate=1e-06" in text


def test_the_best_epoch_of_an_early_stopped_run_counts(tmp_path, splits):
    settings = FitSettings(epochs=6, batch_size=32, learning_rate=0.05, patience=6)
    fit("ResidualNN", splits, settings=settings, folder=tmp_path / "run", net_settings=SMALL)
    with (tmp_path / "run" / "metrics.csv").open(newline="") as stream:
        lowest = min(float(row["val_loss"]) for row in csv.DictReader(stream))
    (entry,) = compare_runs(tmp_path)
    assert entry.metrics["val_loss"] == (lowest,)


def test_an_unfinished_run_is_an_entry_of_its_own(runs, tmp_path):
    for name in ("good-0", "good-1"):
        shutil.copytree(runs / name, tmp_path / name)
    (tmp_path / "good-1" / "model.keras").unlink()
    entries = {row.finished: row for row in compare_runs(tmp_path)}
    assert [path.name for path in entries[True].folders] == ["good-0"]
    assert [path.name for path in entries[False].folders] == ["good-1"]
    text = leaderboard(compare_runs(tmp_path))
    assert "good-1, unfinished" in text
    assert "good-0, unfinished" not in text


@pytest.mark.parametrize("name", [".old", "@eaDir", "__MACOSX"])
def test_runs_in_hidden_and_system_folders_are_left_out(runs, tmp_path, name):
    for place in ("good-0", name):
        shutil.copytree(runs / "good-0", tmp_path / place)
    (entry,) = compare_runs(tmp_path)
    assert [path.name for path in entry.folders] == ["good-0"]


@pytest.mark.parametrize("content", ["", "epoch,loss\n1,\n", "epoch\nx\n"])
def test_a_run_that_cannot_be_read_hides_no_other(runs, tmp_path, content, capsys):
    for place in ("good-0", "bad"):
        shutil.copytree(runs / "good-0", tmp_path / place)
    (tmp_path / "bad" / "metrics.csv").write_text(content)
    assert main(["train", "--compare", str(tmp_path)]) == 1
    shown = capsys.readouterr()
    assert "1. good-0" in shown.out
    assert f"Received {tmp_path / 'bad' / 'metrics.csv'}" in shown.err
    with pytest.raises(RecipeError, match=r"metrics\.csv"):
        compare_runs(tmp_path)


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="emopy train RECIPE --out runs/first"):
        compare_runs(tmp_path)


@pytest.mark.parametrize("both", [True, False])
def test_a_recipe_and_a_comparison_exclude_each_other(runs, both, capsys):
    recipe = str(runs / "slow" / "recipe.toml")
    assert main(["train", recipe, "--compare", str(runs)] if both else ["train"]) == 2
    assert "either a recipe, or --list, or --compare" in capsys.readouterr().err


@pytest.mark.parametrize("option", [("--set", "fit.epochs=3"), ("--out", "elsewhere")])
def test_options_without_effect_on_a_comparison_are_refused(runs, option, capsys):
    assert main(["train", "--compare", str(runs), *option]) == 2
    assert "leave out --set and --out" in capsys.readouterr().err
