r"""Escape what must not reach a terminal, a UTF-8 file or a spreadsheet as it is.

Names of files, labels and texts of model cards, and what a server sends may hold any character,
also the sequences that move the cursor of a terminal or rename its window.
"""

from __future__ import annotations

import re
import unicodedata

_JOINERS = "\u200c\u200d"  # part of Persian and Indic words, and of emoji

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
"""Start of a text that a spreadsheet would take for a formula, or that was quoted for that."""


def escape_undecodable(text: str) -> str:
    r"""Return text that UTF-8 can encode: undecodable bytes of a file name become ``\udcff``."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def one_line(text: str) -> str:
    r"""Return text without control characters: ``\x1b``, ``\n`` and the like are escaped.

    Example:
        >>> print(one_line("red\x1b[31m\n"))
        red\x1b[31m\n
    """
    return "".join(letter if _is_shown(letter) else _escaped(letter) for letter in text)


def escape_controls(text: str) -> str:
    r"""Return text without control characters except line ends and tabs.

    Example:
        >>> print(escape_controls("one\ntwo\x07"))
        one
        two\x07
    """
    return "".join(
        letter if letter in "\n\t" or _is_shown(letter) else _escaped(letter) for letter in text
    )


def quote_csv_text(text: str) -> str:
    """Return the text for a cell of a CSV file, so that no spreadsheet takes it for a formula.

    An apostrophe is put before a text that begins with ``= + - @``, a tab or a line end, or with
    apostrophes and one of these. `unquote_csv_text` takes it off again.

    Source: https://owasp.org/www-community/attacks/CSV_Injection.

    Example:
        >>> quote_csv_text("=1+1.jpg"), quote_csv_text("'twas.jpg")
        ("'=1+1.jpg", "'twas.jpg")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unquote_csv_text(text: str) -> str:
    """Return the text of a cell that `quote_csv_text` wrote; others are unchanged.

    Example:
        >>> unquote_csv_text("'=1+1.jpg"), unquote_csv_text("'twas.jpg")
        ('=1+1.jpg', "'twas.jpg")
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _is_shown(letter: str) -> bool:
    return letter.isprintable() or letter in _JOINERS or unicodedata.category(letter) == "Zs"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
