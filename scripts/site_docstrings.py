"""Extension of Griffe, which reads the docstrings for the site: sections that it does not know.

Our docstrings have the section `Example`, with `>>>` lines or, after two colons, plain code; and
`Source`. Griffe knows `Examples`, fenced code, and titled notes.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

import griffe

_CODE = re.compile(r"^(?P<title>[^\n]*):: *\n(?P<code>(?:\n|[ ]+[^\n]*\n)+)", re.MULTILINE)


class Sections(griffe.Extension):
    """Rewrites the docstring of each object before it is parsed."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object."""
        if obj.docstring is not None:
            obj.docstring.value = rewritten(obj.docstring.value)


def rewritten(text: str) -> str:
    """The docstring with sections that Griffe knows."""
    text = _CODE.sub(_fenced, text + "\n").rstrip("\n")
    return re.sub(r"^Example:$", "Examples:", text, flags=re.MULTILINE)


def _fenced(match: re.Match[str]) -> str:
    code = textwrap.dedent(match["code"]).strip("\n")
    block = f"```python\n{code}\n```"
    if match["title"] == "Example":
        return f"Examples:\n{textwrap.indent(block, '    ')}\n\n"
    return f"{match['title']}:\n\n{block}\n\n"
