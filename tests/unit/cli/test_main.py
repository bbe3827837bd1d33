import click
import pytest

from emopy.cli.main import VERBS, _take_debug, emopy, main
from emopy.cli.options import parse_emotions
from emopy.errors import DataError


@pytest.mark.parametrize(
    "words, rest, debug",
    [
        (["predict", "a.jpg"], ["predict", "a.jpg"], False),
        (["predict", "--debug", "a.jpg"], ["predict", "a.jpg"], True),
        (["--debug", "demo"], ["demo"], True),
        (["predict", "--", "--debug"], ["predict", "--", "--debug"], False),
    ],
)
def test_debug_is_taken_from_anywhere_but_from_behind_two_dashes(words, rest, debug):
    assert _take_debug(words) == (rest, debug)


@pytest.mark.parametrize(
    "typed, meant",
    [
        ("standard", "standard"),
        ("all", "all"),
        ("anger,fear", ["anger", "fear"]),
        (" anger , fear ,", ["anger", "fear"]),
        ("anger", ["anger"]),
        ("", []),
    ],
)
def test_emotions_are_words_between_commas(typed, meant):
    context = click.Context(click.Command("predict"))
    assert parse_emotions(context, click.Option(["--emotions"]), typed) == meant


@pytest.fixture
def failing(monkeypatch):
    def fail(_):
        raise DataError("`other` must be good. Received bad. Fix it.")

    monkeypatch.setattr("emopy.cli.main.emopy.invoke", fail)


def test_an_error_for_the_user_is_one_line(failing, capsys):
    assert main(["demo"]) == 2
    assert capsys.readouterr().err == "emopy: `other` must be good. Received bad. Fix it.\n"


def test_the_trace_comes_before_the_line_on_request(failing, capsys):
    assert main(["demo", "--debug"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("Traceback")
    assert err.endswith("Fix it.\n")


def test_an_error_of_the_program_itself_is_not_hidden(monkeypatch):
    def fail(_):
        raise ZeroDivisionError

    monkeypatch.setattr("emopy.cli.main.emopy.invoke", fail)
    with pytest.raises(ZeroDivisionError):
        main(["demo"])


@pytest.mark.parametrize(
    "words, command",
    [
        (["nothing"], "emopy"),
        (["predict"], "emopy predict"),
        (["predict", "a.jpg", "--format", "x"], "emopy predict"),
        (["data", "show", "--no-such-option"], "emopy data show"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_help(words, command, capsys):
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("emopy: ")
    assert error.endswith(f" (help: {command} --help)\n")
    assert error.count("\n") == 1


def test_a_command_line_without_a_verb_prints_the_help(capsys):
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("Usage: emopy")


@pytest.mark.parametrize("columns", [40, 60, 80])
@pytest.mark.parametrize("group", [[], ["models"], ["data"], ["data", "prepare"]])
def test_the_help_of_no_command_is_cut(group, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    command = emopy
    for word in group:
        command = command.get_command(click.Context(emopy), word)
    assert main([*group, "--help"]) == 0
    _, _, commands = capsys.readouterr().out.partition("Commands:")
    assert "..." not in commands
    words = " ".join(commands.split())
    for name in command.list_commands(click.Context(emopy)):
        first = command.get_command(click.Context(emopy), name).help.split("\n")[0]
        assert f"{name} {first.strip()}" in words


def test_the_help_names_every_verb(capsys):
    assert main(["-h"]) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {verb} " in out for verb in VERBS)
