"""Packaged recipes: found by name or path, and listed without Keras."""

import re

import pytest

from emopy.cli.main import main
from emopy.errors import RecipeError
from emopy.recipes import find_recipe, list_recipes


def test_each_packaged_recipe_says_in_one_sentence_what_it_is_for():
    purposes = list_recipes()
    assert {"transfer", "emopy-base"} <= set(purposes)
    assert list(purposes) == sorted(purposes)
    for name, purpose in purposes.items():
        assert re.fullmatch(r"[A-Z].*[.]", purpose), name
        text = find_recipe(name).read_text(encoding="utf-8")
        assert f"emopy train {name} " in text, name


def test_the_command_lists_name_and_purpose_in_lines_of_a_terminal(capsys):
    assert main(["train", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [tuple(re.split(r" {2,}", line)) for line in lines] == list(list_recipes().items())
    assert max(map(len, lines)) <= 120


def test_a_file_comes_before_a_name_and_a_folder_does_not(tmp_path, monkeypatch):
    packaged = find_recipe("transfer")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "transfer").mkdir()
    assert find_recipe("transfer") == packaged
    (tmp_path / "time-delay").write_text("")
    assert find_recipe("time-delay").read_text() == ""
    assert find_recipe(tmp_path / "time-delay") == tmp_path / "time-delay"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("transfr", "no such file. Did you mean 'transfer'"),
        ("recipes/transfer.toml", "no such file. Did you mean 'transfer'"),
        ("", "no such file. Known: "),
        ("x" * 5000, "no such file. Known: "),
        (".", "a folder. Known: "),
    ],
)
def test_an_unknown_recipe_lists_the_nearest(typed, reason, capsys):
    with pytest.raises(RecipeError, match="`recipe` must be a TOML file, or the name") as raised:
        find_recipe(typed)
    assert reason in str(raised.value)
    assert main(["train", typed]) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("words", ["", "transfer --list", "--list --compare .", "--list --out x"])
def test_listing_goes_with_nothing_else(words, capsys):
    assert main(["train", *words.split()]) == 2
    assert "--list" in capsys.readouterr().err
