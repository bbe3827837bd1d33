"""Downloads: known files by URL and SHA-256, first under a temporary name, then renamed.

Nothing is downloaded unless the user asks for it (``emopy models fetch NAME``), and nothing
whose checksum differs is kept.
"""

from __future__ import annotations

import http.client
import os
import shutil
import sys
import urllib.error
import urllib.request
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from emopy.errors import InputError, ModelError, ModelNotFoundError, nearest
from emopy.files import sha256_of
from emopy.models.card import (
    CARD_FILE,
    GOLDEN_FILE,
    NETWORK_FILE,
    README_FILE,
    WEIGHTS_FILE,
)

TIMEOUT_S = 30.0
"""A server that is silent for so long counts as gone."""

MAX_BYTES = 2_000_000_000
"""No model is larger; what goes on and on is cut off before it fills the disk."""

_BLOCK_BYTES = 1 << 16
_PACKED = ".zip"
_PARTS = (CARD_FILE, WEIGHTS_FILE, GOLDEN_FILE, NETWORK_FILE, README_FILE)


@dataclass(frozen=True, slots=True)
class Download:
    """A file that can be fetched.

    Attributes:
        url: Where it lies, http or https.
        sha256: What it must hash to, 64 hexadecimal digits.
        file: Name it is kept under. A name ending in ``.zip`` is a packed model folder: its
            parts are unpacked and found by the model's name from then on.
        licence: Rights of the file.
    """

    url: str
    sha256: str
    file: str
    licence: str


KNOWN: dict[str, Download] = {
    "yunet": Download(
        url=(
            "https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/"
            "face_detection_yunet_2023mar.onnx"
        ),
        sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        file="face_detection_yunet_2023mar.onnx",
        licence="MIT",
    ),
}
"""What ``emopy models fetch`` knows, by name."""


def user_folder() -> Path:
    """Folder of fetched files: ``EMOPY_HOME``, or ``emopy`` in the platform's cache folder."""
    if chosen := os.environ.get("EMOPY_HOME"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        cache = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        cache = "~/Library/Caches"
    else:
        cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "emopy"


def models_folder() -> Path:
    """Folder of fetched models, one folder per name."""
    return user_folder() / "models"


def fetched_path(name: str) -> Path:
    """Give the path of a file that was fetched before.

    Args:
        name: A name of `KNOWN`.

    Returns:
        The file, or the model folder, with its checksum verified where it is a file.

    Raises:
        ModelNotFoundError: Unknown name, or not fetched yet; says what to type.
        ModelError: The file was changed since.
    """
    path = _target(name, None)
    if not path.exists():
        raise ModelNotFoundError(
            f"{name} must be fetched before it is used. Received no file at {path}. "
            f"Type: emopy models fetch {name}"
        )
    if path.is_file() and sha256_of(path) != KNOWN[name].sha256:
        raise ModelError(
            f"{path} must have the SHA-256 {KNOWN[name].sha256}. Received another: the file "
            f"is damaged. Type: emopy models fetch {name}"
        )
    return path


def fetch(name: str, *, url: str | None = None, folder: str | Path | None = None) -> Path:
    """Download a known file, unless it is already there.

    Args:
        name: A name of `KNOWN`.
        url: Another place to take the same file from (a mirror); the checksum stays.
        folder: Where to put it; None is the user's folder.

    Returns:
        The file, or the folder of an unpacked model.

    Raises:
        ModelNotFoundError: Unknown name.
        ModelError: No answer, an error answer, a broken download or another checksum. What was
            there before is left as it was.
        InputError: A URL that is not http or https.
    """
    target = _target(name, folder)
    download = KNOWN[name]
    source = url or download.url
    if not source.lower().startswith(("http://", "https://")):
        raise InputError(f"`url` must start with http:// or https://. Received {source!r}.")
    if target.is_dir() and not _is_packed(download):
        raise ModelError(
            f"{target} must be free for the download. Received a folder there. "
            "Move it away or choose another `folder`."
        )
    if _is_there(target, download):
        return target
    partial = target.with_name(f".{download.file}.{uuid4().hex}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _download(source, partial)
        _verify(partial, download, source)
        if _is_packed(download):
            _unpack(partial, target)
        else:
            partial.replace(target)
    except OSError as error:
        raise ModelError(
            f"`folder` must be writable. Received {target.parent}: {error.strerror or error}. "
            "Free space there, or set EMOPY_HOME to another folder."
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return target


def _target(name: str, folder: str | Path | None) -> Path:
    if name not in KNOWN:
        raise ModelNotFoundError(
            f"`name` must be something that can be fetched. Received {name!r}. "
            + nearest(name, KNOWN)
        )
    download = KNOWN[name]
    if _is_packed(download):
        return (Path(folder) if folder is not None else models_folder()) / name
    return (Path(folder) if folder is not None else user_folder()) / download.file


def _is_packed(download: Download) -> bool:
    return download.file.endswith(_PACKED)


def _is_there(target: Path, download: Download) -> bool:
    if _is_packed(download):
        return (target / CARD_FILE).is_file()
    return target.is_file() and sha256_of(target) == download.sha256


def _download(url: str, partial: Path) -> None:
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "emopy"})
        with (
            urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer,
            partial.open("wb") as out,
        ):
            announced = answer.headers.get("Content-Length")
            received = 0
            while block := answer.read(_BLOCK_BYTES):
                received += len(block)
                if received > MAX_BYTES:
                    raise _failed(url, f"more than {MAX_BYTES:,} bytes")
                out.write(block)
    except urllib.error.HTTPError as error:
        with error:
            raise _failed(url, f"HTTP {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise _failed(url, f"no connection ({error.reason})") from error
    except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
        raise _failed(url, f"a broken connection ({error or type(error).__name__})") from error
    except ValueError as error:
        raise InputError(f"`url` must be an address. Received {url!r}: {error}.") from error
    if announced is not None and received != int(announced):
        raise _failed(url, f"{received:,} of {int(announced):,} bytes")


def _failed(url: str, received: str) -> ModelError:
    return ModelError(
        f"The download must be complete. Received {received} from {url}. "
        "Check the network and try again, or fetch it elsewhere and give its address with `url`."
    )


def _verify(partial: Path, download: Download, source: str) -> None:
    received = sha256_of(partial)
    if received != download.sha256:
        raise ModelError(
            f"The download must have the SHA-256 {download.sha256}. Received {received} from "
            f"{source}. The file was not kept; try again or choose another `url`."
        )


def _unpack(packed: Path, target: Path) -> None:
    """Unpack a model folder: its known parts only, so that no name can lead elsewhere."""
    partial = target.with_name(f".{target.name}.{uuid4().hex}.partial")
    partial.mkdir()
    try:
        with zipfile.ZipFile(packed) as archive:
            for part in set(_PARTS) & set(archive.namelist()):
                with archive.open(part) as source, (partial / part).open("wb") as out:
                    shutil.copyfileobj(source, out)
        if not (partial / CARD_FILE).is_file():
            raise ModelError(
                f"A packed model must hold {CARD_FILE}. Received an archive without it."
            )
        partial.rename(target)
    except zipfile.BadZipFile as error:
        raise ModelError(f"A packed model must be a zip archive. Received: {error}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
