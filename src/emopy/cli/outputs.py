"""Which files are written for which input, and which of them are finished already.

No file is replaced unasked. In a folder of outputs, `RECORD_FILE` says how each file was made, so
that a run over many videos can be resumed: finished files with the same settings are kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from emopy.cli.inputs import Source
from emopy.cli.partial import partial_folder
from emopy.cli.records import Settings
from emopy.cli.terminal import echo
from emopy.errors import InputError, naming
from emopy.files import atomic_file, file_name, sync
from emopy.locks import folder_lock
from emopy.settings import differences

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.types import ImageResult

RECORD_FILE = ".emopy-outputs.json"
"""Name of the record in a folder of outputs."""

SUFFIXES = {"draw": "mp4", "plot": "png", "summary": "json", "episodes": "csv"}
"""Suffixes of the files in a folder; that of a table is its format."""

JOINED = ("out", "plot", "summary", "episodes")
"""Options that may name one file for several videos."""

RESULTS = "results"
"""In place of an option: the results of one of several videos, from which joined files are made."""

_COMPLETE_FILE = ".complete.json"

_record_lock = threading.Lock()


# Images


def protect_inputs(sources: Sequence[Source], *, out: Path | None, draw: Path | None) -> None:
    """Refuse to write over the images that are read, or into a folder that holds one."""
    real_folder = lru_cache(os.path.realpath)  # a hundred thousand images may lie in one
    images: set[str] = set()
    folders: set[str] = set()
    for source in (source for source in sources if isinstance(source, str)):
        folder, name = os.path.split(source)
        is_link = os.path.islink(source)  # noqa: PTH114  a `Path` is slow to make
        image = os.path.realpath(source) if is_link else os.path.join(real_folder(folder), name)  # noqa: PTH118
        images.add(image)
        folders.add(os.path.split(image)[0])
    if out and _is_among(out, images):
        raise InputError(f"--out must not be one of the images. Received {out}. Name a new file.")
    if draw and _is_among(draw, folders):
        raise InputError(
            f"--draw must be another folder than that of the images. Received {draw}. "
            "Type for example: --draw drawn"
        )


def _is_among(path: Path, paths: Iterable[str]) -> bool:
    """Return whether a path is one of several real ones, also where case makes no difference."""
    real = os.path.realpath(path)
    alike = (other for other in paths if other.casefold() == real.casefold())
    return any(other == real or _is_same(real, other) for other in alike)


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)  # noqa: PTH121
    except OSError:  # one of them is not there
        return False


def refuse_existing(files: Mapping[str, Iterable[Path]], *, overwrite: bool) -> None:
    """Refuse to replace files, unless asked to.

    Args:
        files: For each option or argument, as it is typed, the files to write.
        overwrite: Whether they may be replaced.
    """
    for option, paths in files.items():
        for path in paths:
            if not overwrite and path.is_file():
                raise InputError(
                    f"{option} must not replace a file. Received {path}, which exists. "
                    "Choose another name, or add --overwrite."
                )


def drawing_files(folder: Path, sources: Sequence[Source]) -> list[Path]:
    """Return the PNG file for each image, named after it; names that differ in case only, too."""
    names: dict[str, str] = {}
    last: dict[str, int] = {}  # number of the last drawing of a stem
    for source in sources:
        given = source if isinstance(source, str) else getattr(source, "name", "-")
        stem = "stdin" if given == "-" else Path(given).stem
        name, number = file_name(stem, ".png"), last.get(stem.casefold(), 1)
        while name.casefold() in names:
            number += 1
            name = file_name(stem, f"-{number}.png")
        names[name.casefold()] = name
        last[stem.casefold()] = number
    return [folder / name for name in names.values()]


def draw_result(
    source: Source,
    result: ImageResult,
    file: Path,
    *,
    max_pixels: int | None = None,
    **options: Any,
) -> None:
    """Write an annotated image, with the options of `draw_faces`."""
    from emopy.media import DEFAULT_MAX_PIXELS, read_image
    from emopy.present import draw_faces, save_image

    with naming(path="--draw"):
        image = read_image(source, max_pixels=max_pixels or DEFAULT_MAX_PIXELS)
        save_image(draw_faces(image, result, **options), file)


# Videos


@dataclass(frozen=True)
class VideoOutputs:
    """The files to write for one video; None for those not asked for, or finished already.

    `in_folder` names those that lie in a folder of outputs, with a record.
    """

    out: Path | None = None
    draw: Path | None = None
    plot: Path | None = None
    summary: Path | None = None
    episodes: Path | None = None
    results: Path | None = None
    in_folder: frozenset[str] = field(default=frozenset())

    @property
    def files(self) -> dict[str, Path]:
        """Option, without dashes, → file."""
        found = {name: getattr(self, name) for name in ("out", *SUFFIXES, RESULTS)}
        return {name: file for name, file in found.items() if file}

    def only(self, names: Iterable[str]) -> VideoOutputs:
        """Return the outputs of some options."""
        return VideoOutputs(**{name: self.files[name] for name in names}, in_folder=self.in_folder)


def joined_files(
    videos: Sequence[str], wanted: Mapping[str, Path | None], *, overwrite: bool
) -> dict[str, Path]:
    """Return which of the wanted files, by their options, hold what is found in several videos.

    Raises:
        InputError: One that is named twice, is a video, or would be replaced.
    """
    found = {
        option: path
        for option in JOINED
        if (path := wanted[option]) and path.suffix and not path.is_dir()
    }
    # In any case of the letters: some file systems make no difference.
    taken = {os.path.realpath(video).casefold(): "is an input" for video in videos}
    for path in found.values():
        if reason := taken.get(os.path.realpath(path).casefold()):
            raise InputError(f"{path} must not be replaced: it {reason}. Name another file.")
        taken[os.path.realpath(path).casefold()] = "would be written twice"
    own = _read_complete(partial_folder(found.values())) if found else []
    for option, path in found.items():
        if os.path.realpath(path) not in own:
            refuse_existing({f"--{option}": [path]}, overwrite=overwrite)
    return found


def note_complete(files: Mapping[str, Path], folder: Path) -> None:
    """Note in the folder of partial results that joined files will appear now.

    A run that is killed before it has removed the folder may then replace them.
    """
    folder.mkdir(exist_ok=True)
    with atomic_file(folder / _COMPLETE_FILE) as temporary:
        text = json.dumps([*map(os.path.realpath, files.values())])
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _read_complete(folder: Path) -> list[str]:
    try:
        return json.loads((folder / _COMPLETE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []


def plan_video_outputs(
    videos: Sequence[str], wanted: Mapping[str, Path | None], *, table: str | None
) -> list[VideoOutputs]:
    """Return which files belong to which video.

    `wanted` has what was typed for out, draw, plot, summary and episodes: a file, or a folder in
    which each video has a file of its name; and the folder for `RESULTS`, if need be. `table` is
    the format of tables; None for that of their suffix.

    Raises:
        InputError: Several videos and a file, videos of one name and a folder, or a video that
            would be replaced.
    """
    suffixes = {"out": table or "csv", **SUFFIXES}
    given = {option: path for option, path in wanted.items() if path is not None}
    folders = frozenset(
        option
        for option, path in given.items()
        if option == RESULTS or _is_folder(path, option, len(videos))
    )
    planned: list[VideoOutputs] = []
    for video in videos:
        stem = _stem(video)
        inside = {
            option: given[option] / file_name(stem, f".{suffixes[option]}")
            for option in folders - {RESULTS}
        }
        if RESULTS in folders:  # videos of one name have different ones
            digits = hashlib.sha256(os.fsencode(video)).hexdigest()[:8]
            inside[RESULTS] = given[RESULTS] / file_name(stem, f"-{digits}.jsonl")
        planned.append(VideoOutputs(**given | inside, in_folder=folders))
    sources = {Path(video).resolve() for video in videos}
    taken: set[str] = set()
    for file in (file for outputs in planned for file in outputs.files.values()):
        place = str(file.resolve())
        if file.resolve() in sources:
            raise InputError(f"{file} must not be replaced: it is an input. Name another file.")
        if place.casefold() in taken:
            raise InputError(
                f"{file} would be written twice. Process videos of the same name one at a time, "
                "each with its own folder."
            )
        taken.add(place.casefold())
    return planned


def _stem(video: str) -> str:
    """Return the name of a video without its suffix: a path, or an address."""
    if "://" not in video:
        return Path(video).stem
    address = urlsplit(video)
    return Path(address.path).stem or address.hostname or "video"


def _is_folder(path: Path, option: str, videos: int) -> bool:
    if path.is_dir() or not (path.suffix or path.exists()):
        return True
    if videos > 1:
        raise InputError(
            f"--{option} must be a folder for several videos. Received {path}. "
            f"Type for example: --{option} {path.with_suffix('')}"
        )
    return False


def unfinished(
    outputs: VideoOutputs, settings: Mapping[str, Settings], *, overwrite: bool
) -> tuple[VideoOutputs, list[str]]:
    """Return the outputs without those that are finished, and the shortfalls of the latter.

    Raises:
        InputError: A file exists that was made with other settings, or without a record.
    """
    to_do: list[str] = []
    shortfalls: list[str] = []
    for option, file in outputs.files.items():
        if option not in outputs.in_folder:
            refuse_existing({f"--{option}": [file]}, overwrite=overwrite)
            to_do.append(option)  # new, or a device or pipe
            continue
        entry = _read_record(file.parent).get(file.name)
        # What a run that replaces files has finished is kept where nothing else can be there.
        is_own = option == RESULTS and entry is not None and entry["settings"] == settings[option]
        if not file.exists() or (overwrite and not is_own):
            to_do.append(option)
            continue
        _check_recorded(file, option, entry, settings[option])
        if not entry or not entry.get("finished", True):
            to_do.append(option)
            continue
        shortfalls += [entry["shortfall"]] if entry.get("shortfall") else []
        shown = file if option != RESULTS else settings[option]["video"]
        echo(f"emopy: {shown} is finished already.", err=True)
    return outputs.only(to_do), list(dict.fromkeys(shortfalls))


def _check_recorded(
    file: Path, option: str, entry: dict[str, Any] | None, settings: Settings
) -> None:
    if entry is None:
        raise InputError(
            f"--{option} must not replace a file. Received a folder with {file}, and no record of "
            "how it was made. Name another folder, or add --overwrite."
        )
    if differ := differences(entry.get("settings", {}), settings):
        raise InputError(
            f"{file} must have been made in the same way to be kept. Received one with {differ}. "
            "Rerun the command with the same options to resume it, name another place, or add "
            "--overwrite to replace it."
        )


def begin_outputs(outputs: VideoOutputs, settings: Mapping[str, Settings]) -> None:
    """Record that the files in folders are being made; those that a killed run leaves are not kept.

    Args:
        outputs: The files that will be written.
        settings: For each of them, how it is made.
    """
    _write_records(outputs, settings, {"finished": False})


def abandon_outputs(outputs: VideoOutputs) -> None:
    """Remove the records of files in folders that were begun and will not be finished."""
    for option in outputs.in_folder & outputs.files.keys():
        file = outputs.files[option]
        with _record_lock, folder_lock(file.parent):
            entries = _read_record(file.parent)
            if not entries.get(file.name, {}).get("finished", True):
                del entries[file.name]
                _write_record(file.parent, entries)


def record_outputs(
    outputs: VideoOutputs, settings: Mapping[str, Settings], shortfall: str | None
) -> None:
    """Record how the finished files in folders were made.

    Args:
        outputs: The files that were written.
        settings: For each of them, how it was made.
        shortfall: Why the end of the video is missing in them; None if they are complete.
    """
    for file in outputs.files.values():
        if file.is_file():
            sync(file)  # else the power may fail when the record is there and the file is not
    _write_records(outputs, settings, {"shortfall": shortfall})


def typed(option: str) -> str:
    """Return an option of `VideoOutputs` as it is typed."""
    return "--out" if option == RESULTS else f"--{option}"


def _write_records(
    outputs: VideoOutputs, settings: Mapping[str, Settings], more: dict[str, Any]
) -> None:
    for option in outputs.in_folder & outputs.files.keys():
        file = outputs.files[option]
        with naming(path=typed(option)):
            with suppress(OSError):  # `atomic_file` says why
                file.parent.mkdir(parents=True, exist_ok=True)
            with _record_lock, folder_lock(file.parent):
                entries = _read_record(file.parent)
                entries[file.name] = {"settings": settings[option], **more}
                _write_record(file.parent, entries)


def _write_record(folder: Path, entries: dict[str, Any]) -> None:
    if not entries:
        (folder / RECORD_FILE).unlink(missing_ok=True)
        return
    with atomic_file(folder / RECORD_FILE) as temporary:
        text = json.dumps(dict(sorted(entries.items())), indent=1)  # a name may not be UTF-8
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")
        sync(temporary)


def _read_record(folder: Path) -> dict[str, Any]:
    """Return the entries of a folder; none if the record is missing or damaged."""
    try:
        entries = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}
