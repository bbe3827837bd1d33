import pytest

from emopy.tables import markdown_table, text_table


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
