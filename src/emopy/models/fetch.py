"""Download known models and detectors by URL and SHA-256, on request only.

``emopy models fetch NAME`` downloads; a file with another checksum is not kept.
"""

from __future__ import annotations

import http.client
import os
import re
import ssl
import sys
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urljoin

from emopy.errors import InputError, ModelError, ModelNotFoundError, nearest
from emopy.escaping import one_line
from emopy.files import atomic_file, atomic_folder, is_empty, sha256_of
from emopy.models.card import CARD_FILE, MODEL_FILES, has_card

TIMEOUT_S = 30.0
"""Seconds without data after which a download fails."""

MAX_BYTES = 2_000_000_000
"""Largest download in bytes."""

MIN_BYTES_PER_S = 1000
"""Slowest download, in bytes per second after the first `TIMEOUT_S`."""

_BLOCK_BYTES = 1 << 16
_WEB = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Download:
    """A file that can be fetched.

    Attributes:
        url: Address, http or https.
        sha256: SHA-256, 64 hexadecimal digits.
        file: File name to keep it under. ``.zip`` marks a packed model folder, which is unpacked
            and found by the name of the model.
        licence: License of the file.
    """

    url: str
    sha256: str
    file: str
    licence: str

    @property
    def is_packed(self) -> bool:
        """Whether the file is a packed model folder."""
        return self.file.endswith(".zip")


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
"""Downloads of ``emopy models fetch``, by name."""


def user_folder() -> Path:
    """Folder of fetched files: ``EMOPY_HOME``, or ``emopy`` in the platform's cache folder.

    Raises:
        ModelError: The home directory is not known.
    """
    if chosen := os.environ.get("EMOPY_HOME"):
        return _expanded(chosen)
    if sys.platform == "win32":
        cache = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        cache = "~/Library/Caches"
    else:
        cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return _expanded(cache) / "emopy"


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ModelError(
            f"The home directory must be known for {path}. Received none. "
            "Set EMOPY_HOME to a folder that you may write to."
        ) from error


def models_folder() -> Path:
    """Folder of fetched models, one folder per name."""
    return user_folder() / "models"


def fetched_path(name: str) -> Path:
    """Path of a fetched file or model folder.

    Args:
        name: A name of `KNOWN`.

    Returns:
        The file, its checksum verified; or the model folder.

    Raises:
        ModelNotFoundError: Unknown name, or not fetched yet.
        ModelError: A damaged file.
    """
    path = _target(name, None)
    try:
        exists, is_sound = path.exists(), _is_there(path, KNOWN[name])
    except OSError as error:
        raise ModelError(
            f"{path} must be readable. Received: {error.strerror}. Change its permissions, or set "
            "EMOPY_HOME to another folder."
        ) from error
    if not exists:
        raise ModelNotFoundError(
            f"{name} must be fetched before it is used. Received no file at {path}. "
            f"Type: emopy models fetch {name}"
        )
    if not is_sound:
        raise ModelError(
            f"{path} must have the SHA-256 {KNOWN[name].sha256}. Received another: the file "
            f"is damaged. Type: emopy models fetch {name}"
        )
    return path


def fetch(name: str, *, url: str | None = None, folder: str | Path | None = None) -> Path:
    """Download a known file or model, unless it is already there.

    Args:
        name: A name of `KNOWN`.
        url: A mirror to download the same file from.
        folder: Folder to put it in; `user_folder` by default.

    Returns:
        The file, or the folder of an unpacked model.

    Raises:
        ModelNotFoundError: Unknown name.
        ModelError: No connection, an HTTP error, a redirect to something else than http or https,
            an incomplete or very slow download, another checksum, or a folder that cannot be
            written. An older file is left as it was.
        InputError: A URL that is not http or https.
    """
    target = _target(name, folder)
    download = KNOWN[name]
    source = url or download.url
    if not source.lower().startswith(_WEB):
        raise InputError(f"`url` must start with http:// or https://. Received {source!r}.")
    try:
        if _is_there(target, download):
            return target
        if target.is_dir() and (not download.is_packed or not is_empty(target)):
            raise ModelError(
                f"{target} must be free for the download. Received a folder there. "
                "Move it away or choose another `folder`."
            )
        if download.is_packed:
            with atomic_folder(target) as folder:
                archive = folder / download.file
                _download(source, archive, download.sha256)
                _unpack(archive, folder)
                archive.unlink()
        else:
            with atomic_file(target) as partial:
                _download(source, partial, download.sha256)
    except (OSError, InputError) as error:
        reason = error if isinstance(error, OSError) else error.__cause__
        if not isinstance(reason, OSError):
            raise
        raise ModelError(
            f"`folder` must be writable. Received {target.parent}: {reason.strerror or reason}. "
            "Free space there, or set EMOPY_HOME to another folder."
        ) from error
    return target


def _is_there(target: Path, download: Download) -> bool:
    """Whether the file or the folder is there and sound."""
    if download.is_packed:
        return has_card(target)
    return target.is_file() and sha256_of(target) == download.sha256


def _target(name: str, folder: str | Path | None) -> Path:
    if name not in KNOWN:
        raise ModelNotFoundError(
            f"`name` must be something that can be fetched. Received {name!r}. "
            + nearest(name, KNOWN)
        )
    if KNOWN[name].is_packed:
        return Path(models_folder() if folder is None else folder, name)
    return Path(user_folder() if folder is None else folder, KNOWN[name].file)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https only."""

    def http_error_302(
        self,
        req: urllib.request.Request,
        fp: Any,
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
    ) -> Any:
        target = urljoin(req.full_url, headers.get("Location") or headers.get("URI") or "")
        if not target.lower().startswith(_WEB):
            raise _failed(req.full_url, f"a redirect to {target[:200]!r}")
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _download(url: str, partial: Path, sha256: str) -> None:
    """Download a file and verify its checksum."""
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "emopy"})
        opener = urllib.request.build_opener(_Redirects)
    except ValueError as error:
        raise InputError(f"`url` must be an address. Received {url!r}: {error}.") from error
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer, partial.open("wb") as out:
            _receive(url, answer, out)
    except urllib.error.HTTPError as error:
        with error:
            meaning = http.client.responses.get(error.code, "unknown status")
            raise _failed(url, f"HTTP {error.code} {meaning}") from error
    except urllib.error.URLError as error:
        raise _failed(url, f"no connection ({error.reason}{_certificate_hint(error)})") from error
    except (TimeoutError, ConnectionError, http.client.HTTPException, ValueError) as error:
        reason = one_line(str(error).strip())[:200] or type(error).__name__
        raise _failed(url, f"a broken connection ({reason})") from error
    if (found := sha256_of(partial)) != sha256:
        raise ModelError(
            f"The download must have the SHA-256 {sha256}. Received {found} from {url}. The file "
            "was not kept; try again or choose another `url`."
        )


def _receive(url: str, answer: http.client.HTTPResponse, out: BinaryIO) -> None:
    """Write the body of an answer to a file, and check its length."""
    announced = answer.headers.get("Content-Length")
    if announced is not None and not re.fullmatch(r"[0-9]{1,18}", announced):
        raise _failed(url, f"the length {announced[:40]!r}")
    started_s, received = time.monotonic(), 0
    while block := _next_block(answer):
        received += len(block)
        if received > MAX_BYTES:
            raise _failed(url, f"more than {MAX_BYTES:,} bytes")
        slow_s = time.monotonic() - started_s - TIMEOUT_S
        if received < MIN_BYTES_PER_S * slow_s:
            raise _failed(url, f"less than {MIN_BYTES_PER_S:,} bytes per second")
        out.write(block)
    if announced is not None and received != int(announced):
        raise _failed(url, f"{received:,} of {int(announced):,} bytes")


def _next_block(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read1(_BLOCK_BYTES)
    except OSError as error:  # of the network, not of the file that is written
        raise ConnectionError(error.strerror or str(error)) from error


def _certificate_hint(error: urllib.error.URLError) -> str:
    """Return what to do where the Python of python.org for macOS has no certificates yet."""
    reason: object = vars(error)["reason"]  # its declared type is str
    if isinstance(reason, ssl.SSLCertVerificationError) and sys.platform == "darwin":
        return "; to install certificates, run Install Certificates.command in Python's folder"
    return ""


def _failed(url: str, received: str) -> ModelError:
    return ModelError(
        f"The download must be complete. Received {received} from {url}. "
        "Check the network and try again, or fetch it elsewhere and give its address with `url`."
    )


def _unpack(archive: Path, folder: Path) -> None:
    """Extract the known files of a model folder only, so that no name leads elsewhere."""
    try:
        with zipfile.ZipFile(archive) as packed:
            for name in set(MODEL_FILES) & set(packed.namelist()):
                packed.extract(name, folder)
    except OSError:
        raise
    except Exception as error:  # zipfile raises nearly anything for a damaged archive
        reason = str(error) or type(error).__name__
        raise ModelError(f"A packed model must be a zip archive. Received: {reason}.") from error
    if not (folder / CARD_FILE).is_file():
        raise ModelError(f"A packed model must hold {CARD_FILE}. Received an archive without it.")
