import re
import sys

import pytest

from emopy.errors import DataError
from emopy.escaping import (
    escape_controls,
    escape_undecodable,
    one_line,
    quote_csv_text,
    unquote_csv_text,
)

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


RISKY = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=cmd|' /C calc'!A0", "-", "="]
PLAIN = ["", "'", "''", "'twas", "anger", "1-2", " =1", "a=b", "'a=", "…", "0"]


@pytest.mark.parametrize(
    "text", [*RISKY, *("'" + text for text in RISKY), *("''" + t for t in RISKY)]
)
def test_what_a_spreadsheet_would_compute_is_quoted_and_comes_back(text):
    quoted = quote_csv_text(text)
    assert quoted == f"'{text}"
    assert unquote_csv_text(quoted) == text


@pytest.mark.parametrize("text", PLAIN)
def test_other_texts_are_neither_quoted_nor_unquoted(text):
    assert quote_csv_text(text) == text
    assert unquote_csv_text(text) == text


@pytest.mark.parametrize("text", [*RISKY, *PLAIN, *(f"'{text}" for text in RISKY)])
def test_the_documented_rule_takes_the_apostrophe_off(text):
    assert re.sub(r"^'(?='*[=+\-@\t\r\n])", "", quote_csv_text(text)) == text
