import pytest

from emopy.cli.webcam import VIEWS as OFFERED
from emopy.errors import InputError
from emopy.live import Page, Terminal, open_view
from emopy.live.views import VIEWS
from emopy.present.window import Window, has_windows


def test_each_view_has_a_name():
    assert isinstance(open_view("page"), Page)
    assert isinstance(open_view("terminal"), Terminal)
    assert isinstance(open_view("window"), Window)


def test_the_best_view_is_a_window_where_there_are_windows_else_the_page():
    assert isinstance(open_view("auto"), Window if has_windows() else Page)


def test_the_port_is_that_of_the_page():
    assert ":8123/" in open_view("page", port=8123).address


def test_another_name_is_an_error_that_lists_the_right_ones():
    with pytest.raises(InputError, match="Did you mean 'terminal'"):
        open_view("terminel")


def test_the_command_line_offers_the_same_views():
    assert OFFERED == VIEWS
