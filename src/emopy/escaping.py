r"""Escape what must not reach a terminal or a UTF-8 file as it is: control characters and the like.

Names of files, labels and texts of model cards, and what a server sends may hold any character,
also the sequences that move the cursor of a terminal or rename its window.
"""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"  # part of Persian and Indic words, and of emoji


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


def _is_shown(letter: str) -> bool:
    return letter.isprintable() or letter in _JOINERS or unicodedata.category(letter) == "Zs"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
