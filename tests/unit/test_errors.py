import pytest

from emopy import errors
from emopy.errors import EmoPyError, MissingExtraError, alternatives, nearest, with_article


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("InputError", ValueError),
        ("LabelError", ValueError),
        ("DataError", ValueError),
        ("RecipeError", ValueError),
        ("ModelNotFoundError", LookupError),
        ("MissingExtraError", ImportError),
    ],
)
def test_each_error_is_ours_and_the_builtin_that_people_catch(name, builtin):
    assert issubclass(getattr(errors, name), (EmoPyError,))
    assert issubclass(getattr(errors, name), builtin)


def test_a_missing_extra_says_what_to_type():
    assert "pip install 'emopy[train]'" in str(MissingExtraError("Training", "train"))


def test_the_nearest_names_come_first_and_all_are_listed():
    assert (
        nearest("sadnes", ["anger", "sadness"]) == "Did you mean 'sadness'? Known: anger, sadness."
    )
    assert nearest("xyz", ["anger"]) == "Known: anger."


def test_types_have_their_article_and_choices_end_with_or():
    nouns = ["ImageResult", "int", "AVIF", "list", "uint8", "FailedInput"]
    assert [with_article(noun).split()[0] for noun in nouns] == ["an", "an", "an", "a", "a", "a"]
    assert [alternatives(names) for names in (["a"], ["a", "b"], "abc")] == [
        *("a", "a or b", "a, b or c"),
    ]


def test_the_middle_of_a_very_long_message_is_left_out():
    text = str(EmoPyError(f"`x` must be short. Received {'a' * 100_000}. Type y."))
    assert len(text) < 5000
    assert text.startswith("`x` must be short.")
    assert text.endswith("Type y.")
