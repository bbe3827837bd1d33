import pytest

from emopy.cli.main import emopy, main
from emopy.cli.wording import in_shell_words


@pytest.mark.parametrize(
    ("words", "said", "heard"),
    [
        (
            ["predict", "x.png"],
            "`target_emotions` must hold two. Type for example: ['anger', 'fear']",
            "`--emotions` must hold two. Type for example: anger,fear",
        ),
        (
            ["predict", "x.png"],
            "`prior` must have shares. Type for example: prior={'anger': 0.5, 'fear': 0.5}",
            "`--prior` must have shares. Type for example: anger=0.5,fear=0.5",
        ),
        (["evaluate", "mine", "faces"], "`model` must be a model", "`MODEL` must be a model"),
        (["calibrate", "mine", "faces"], "`model_folder` is mine", "`MODEL` is mine"),
        (["data", "show", "faces"], "`path` must be a recipe", "`path` must be a recipe"),
        (
            ["models", "ensemble", "a", "b"],
            "`model` must be a model",
            "`model` must be a model",
        ),
        (["train", "a.toml"], "`fit.epochs` must be int", "`fit.epochs` must be int"),
        (["predict", "x.png"], "`other` stays. Type: ['x']", "`other` stays. Type: ['x']"),
        (["nonsense"], "`model` stays", "`model` stays"),
    ],
)
def test_an_error_names_what_the_verb_has(words, said, heard):
    assert in_shell_words(said, emopy, words) == heard


def test_what_is_typed_wrongly_is_told_in_the_words_of_the_shell(capsys):
    assert main(["predict", "x.png", "--emotions", "anger"]) == 2
    told = capsys.readouterr().err
    assert "`--emotions` must hold two or more labels" in told
    assert "Type for example: anger,contempt" in told
