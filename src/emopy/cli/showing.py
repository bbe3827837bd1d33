"""A live view: what may be asked of it, and the way from its first frame to its end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

from emopy.cli.interruption import interruption
from emopy.errors import InputError
from emopy.present import Table
from emopy.types import Frame, ImageResult


def check_wishes(
    file: Path | None,
    camera: int | None,
    *,
    loop: bool,
    out: Path | None,
    overwrite: bool,
    seconds: float,
) -> None:
    """Refuse wishes that do not go together, and a recording over something that is there.

    Raises:
        InputError: It names the options to change.
    """
    if file is not None and camera is not None:
        raise InputError("FILE must not be given with --camera. Received both. Leave one out.")
    if loop and file is None:
        raise InputError(
            "--loop must be given with FILE. Received a camera, which has no end. "
            "Leave --loop out, or name a video."
        )
    if not seconds > 0:
        raise InputError(
            f"--seconds must be a number above 0. Received {seconds}. "
            "Leave it out to go on without end."
        )
    if out is not None and file is not None and out.resolve() == file.resolve():
        raise InputError(f"--out must not be FILE. Received {out} for both. Name a new file.")
    if out is not None and out.is_file() and not overwrite:
        raise InputError(
            f"--out must be a new file. Received {out}, which is there already. "
            "Name another one, or type --overwrite."
        )


def play(
    watched: Callable[[Iterable[Frame]], Generator[ImageResult]],
    frames: Iterable[Frame],
    recording: AbstractContextManager[Table] | None,
    *,
    seconds: float,
) -> tuple[int, bool]:
    """Show frames until they end, the time is over, or Ctrl-C asks for the end.

    Args:
        watched: Shows frames, and gives their results.
        frames: As they come.
        recording: Opens the table of what was shown; None for no table.
        seconds: Time of the last frame.

    Returns:
        How many there were, and whether they ended by themselves.
    """
    count = 0
    with (
        interruption() as end,
        recording or nullcontext() as table,
        closing(watched(end.ending(frames))) as results,
    ):
        for result in results:
            count += 1
            if table is not None:
                table.write(result)
            if (result.time_s or 0.0) >= seconds:
                return count, False
    return count, not end.was_made
