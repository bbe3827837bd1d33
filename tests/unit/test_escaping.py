import sys

import pytest

from emopy.errors import DataError
from emopy.escaping import escape_controls, escape_undecodable, one_line

CONTROLS = [*map(chr, (*range(32), *range(127, 160))), "\u2028", "\u202e", "\u2066", "\udcff"]


@pytest.mark.parametrize("control", CONTROLS)
def test_no_control_character_is_left(control):
    escaped = one_line(f"a{control}b")
    assert escaped.isprintable()
    assert escaped.startswith("a\\")
    assert escape_controls(f"a{control}b") == (escaped if control not in "\n\t" else f"a{control}b")
    assert str(DataError(f"a{control}b")) == escape_controls(f"a{control}b")


@pytest.mark.parametrize(
    "text", ["colère", "می\u200cخندد", "👨\u200d👩\u200d👧", "5.00\u202fPM.png", "a\xa0b", "幸福"]
)
def test_words_of_any_script_stay_as_they_are(text):
    assert one_line(text) == escape_controls(text) == escape_undecodable(text) == text


def test_an_undecodable_name_becomes_text_that_utf8_can_hold():
    name = b"\xff.png".decode(sys.getfilesystemencoding(), "surrogateescape")
    assert escape_undecodable(name) == one_line(name) == "\\udcff.png"
