import re

import pytest

from emopy.tables import markdown_table, quote_csv_text, text_table, unquote_csv_text


def test_cells_cannot_break_a_markdown_table():
    assert markdown_table(["a|b", "n"], [["two\nlines", "1"]]) == (
        "| a\\|b | n |\n| --- | ---: |\n| two lines | 1 |"
    )


def test_columns_of_a_text_table_line_up_and_lines_end_without_spaces():
    table = text_table(["name", "n", "note"], [["long name", "1", ""], ["x", "10", "y"]], "lrl")
    assert table.splitlines() == ["name        n  note", "long name   1", "x          10  y"]


@pytest.mark.parametrize("write", [markdown_table, text_table])
def test_a_table_may_have_no_rows(write):
    assert "model" in write(["model", "MB"], [])


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
