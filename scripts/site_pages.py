"""Hooks of MkDocs: pages and files of the site that are not in docs/ (`make site`).

The pages of docs/ are plain Markdown, to be read in the repository too. For the site

* files elsewhere in the repository (`OUTSIDE`) get a place in it, and links lead there;
* each room of the package gets a page of reference, made from its docstrings;
* options in code stay on one line;
* the page that predicts in the browser, `web/dist`, is put into the folder `try`, if it was built.
"""

from __future__ import annotations

import ast
import logging
import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))
import site_docstrings
import write_api
import write_decisions

ROOT = Path(__file__).parents[1]
WEB_PAGE = ROOT / "web" / "dist"
NPM_ONLY = "npm"
"""Folder of `WEB_PAGE` with what only the npm package needs."""
TRY_IT = "try/index.html"
TRY_MARK = "<!-- try it -->"
"""Place of the button that opens the page in the browser."""

OUTSIDE = {
    "CHANGELOG.md": "changelog.md",
    "CITATION.cff": "citation.txt",
    "Caddyfile": "caddyfile.txt",
    "CODE_OF_CONDUCT.md": "conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "license.txt",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
    "compose.yaml": "compose.yaml",
    "research/README.md": "research.md",
    "web/README.md": "browser-package.md",
    "web/page/icon.svg": "assets/icon.svg",
}
"""File of the repository → place in the site."""

OUTSIDE_PATTERNS = (
    "examples/*.md",
    "examples/*.py",
    "examples/notebooks/*.ipynb",
    "examples/serve/*",
)
"""Files that have the same place in the site as in the repository."""

RECIPES = "src/emopy/recipes/*.toml"

MODULES_PAGE = "api.md"
DECISIONS_PAGE = "decisions/README.md"

_LINK = re.compile(r"(\]\()(?!\w+:)([^)#\s]+)((?:#[^)\s]*)?\))")
_NAME = re.compile(r"\[`(\w+)([^`]*)`\]\(\.\./src/[^)]*\)")
_CODE = re.compile(r"(<code>)([^<]*)")
_OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")
_HEADING = re.compile(r"^## (emopy\S*)$", re.MULTILINE)
_log = logging.getLogger("mkdocs.hooks.site_pages")


def outside_files() -> dict[str, str]:
    """File of the repository → place in the site, for all that is not in docs/."""
    found = dict(OUTSIDE)
    for pattern in OUTSIDE_PATTERNS:
        for path in sorted(ROOT.glob(pattern)):
            place = path.relative_to(ROOT).as_posix()
            found[place] = place
    for path in sorted(ROOT.glob(RECIPES)):
        found[path.relative_to(ROOT).as_posix()] = f"recipes/{path.name}"
    return found


def reference_place(module: str) -> str:
    """Place of the reference of a room."""
    return f"reference/{module.removeprefix('emopy.')}.md"


def reference_page(module: str) -> str:
    """Directives that mkdocstrings turns into the reference of a room."""
    said = ast.get_docstring(write_api.tree(write_api.source(module))) or ""
    names = "".join(
        f"\n::: {reference_path(module, name)}\n" for name in write_api.public_names(module)
    )
    return f"# {module}\n\n{site_docstrings.rewritten(said)}\n{names}"


def reference_path(module: str, name: str) -> str:
    """Path of a public name in the reference.

    Where a file of the room has the same name, it is the path of the definition.
    """
    folder = write_api.source(module).parent
    if (folder / f"{name}.py").is_file() and write_api.source(module).name == "__init__.py":
        return ".".join([module, name, name])
    return f"{module}.{name}"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the rooms and the decisions to the navigation."""
    added = {
        MODULES_PAGE: [{room: reference_place(room)} for room in write_api.ROOMS],
        DECISIONS_PAGE: [
            {title: f"decisions/{name}"} for name, title in write_decisions.titles().items()
        ],
    }
    assert config.nav is not None
    extend(config.nav, added)
    return config


def extend(nav: list[Any], added: dict[str, list[Any]]) -> None:
    """Add entries to the lists that hold certain pages, at every depth."""
    for entry in list(nav):
        if isinstance(entry, str):
            nav += added.get(entry, [])
        else:
            for below in entry.values():
                if isinstance(below, list):
                    extend(below, added)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the files that are not in docs/."""
    for source, place in outside_files().items():
        path = ROOT / source
        if path.suffix == ".md":
            text = path.read_text(encoding="utf-8")
            files.append(File.generated(config, place, content=text))
        else:
            files.append(File.generated(config, place, abs_src_path=str(path)))
    for module in write_api.ROOMS:
        place = reference_place(module)
        files.append(File.generated(config, place, content=reference_page(module)))
    if (WEB_PAGE / "index.html").is_file():
        for path in sorted(WEB_PAGE.rglob("*")):
            place = path.relative_to(WEB_PAGE)
            if path.is_file() and place.parts[0] != NPM_ONLY and path.suffix != ".map":
                source = str(path)
                files.append(File.generated(config, f"try/{place.as_posix()}", abs_src_path=source))
    else:
        _log.info("the page that predicts in the browser is left out: make web builds it")
    return files


def on_page_markdown(markdown: str, *, page: Page, files: Files, **_: Any) -> str:
    """Let links lead to the places of the site."""
    place = page.file.src_uri
    source = {to: path for path, to in outside_files().items()}.get(place, f"docs/{place}")
    if place == MODULES_PAGE:
        markdown = linked_to_reference(markdown)
    button = ""
    if files.get_file_from_path(TRY_IT) is not None:
        target = posixpath.relpath(TRY_IT, posixpath.dirname(place))
        button = f"[Try it here: nothing is sent]({target}){{ .md-button .md-button--primary }}"
    markdown = markdown.replace(TRY_MARK, button)
    return _LINK.sub(lambda match: match[1] + moved(match[2], source, place) + match[3], markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Mark the options in code, so that a narrow window does not break them at their hyphens."""
    return _CODE.sub(
        lambda match: match[1] + _OPTION.sub(r'<span class="option">\g<0></span>', match[2]), html
    )


def moved(target: str, source: str, place: str) -> str:
    """A link's path, from a file of the repository, as it is in the site.

    Args:
        target: Path relative to the file that has the link.
        source: That file, relative to the repository.
        place: Its place in the site.
    """
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if (ROOT / path).is_dir():
        path += "/README.md"
    to = "README.md" if path == "README.md" else outside_files().get(path)
    return posixpath.relpath(to or path.removeprefix("docs/"), posixpath.dirname(place) or ".")


def linked_to_reference(markdown: str) -> str:
    """The list of all names, each linked to its entry in the reference instead of its file."""
    parts = _HEADING.split(markdown)
    for index in range(1, len(parts), 2):
        module = parts[index]
        parts[index] = f"## [{module}]({reference_place(module)})"
        parts[index + 1] = _NAME.sub(
            lambda match, module=module: (
                f"[`{match[1]}{match[2]}`][{reference_path(module, match[1])}]"
            ),
            parts[index + 1],
        )
    return "".join(parts)
