"""Run ONNX models with ONNX Runtime: threads, forks, execution providers, error messages."""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError, ModelError
from emopy.models.providers import (
    PROVIDERS,
    RUN_ALONE,
    as_names,
    available_providers,
    check_started,
    choose_providers,
    not_started,
)

# ONNX Runtime 1.29 and later sends data about models to its maker unless this is set before it is
# imported; the thread for that also keeps forked children from ending.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# ONNX Runtime carries no types.
_ort: Any = import_module("onnxruntime")
_ort_state: Any = import_module("onnxruntime.capi.onnxruntime_pybind11_state")

_uses_arena = ContextVar("_uses_arena", default=True)

_FATAL_ONLY = 4
_NOT_A_FOLDER = "no-weights-outside-the-file"

# The errors of ONNX Runtime have no common base class but Exception.
_ORT_ERRORS: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    *(
        kind
        for kind in cast("dict[str, object]", vars(_ort_state)).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ),
)


class OnnxSession:
    """An ONNX model with one input of free batch size and one output of logits. Thread-safe.

    Open only models that you trust. What a model returns is checked; how much time and memory it
    takes cannot be: a small file may hold a loop without an end, or a layer of terabytes.

    Args:
        path: The ONNX file.
        threads: CPU threads per run, 1 or more.
        providers: A name of `emopy.models.providers.PROVIDERS`, or several in order of preference;
            None is the CPU, which also runs what the others cannot.

    Attributes:
        input_name: Name of the graph's input.
        input_shape: Shape of one sample, without the batch; None where the graph leaves it free.
        outputs: Number of logits k per sample.
        providers: Names of the providers in use, in order of preference.

    Raises:
        ModelError: No such file, damaged, or not a graph of one input and one output.
        InputError: Bad `threads`; a provider that is unknown, unavailable or does not start.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        threads: int = 1,
        providers: str | Sequence[str] | None = None,
    ) -> None:
        self.path = Path(path)
        self._session = open_session(self.path, threads=threads, providers=providers)
        self.providers = as_names(cast("list[str]", self._session.get_providers()))
        self._turn = threading.Lock() if RUN_ALONE & {*self.providers} else nullcontext()
        self.input_name, self.input_shape = _check_input(self._session, self.path)
        self._output, self.outputs = _check_output(self._session, self.path)

    def run(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute logits.

        Args:
            tensor: (n, H, W, C) or (n, T, H, W, C) float32, from `to_tensor`.

        Returns:
            (n, k) float32.

        Raises:
            InputError: Another shape or type than the input of the model.
            ModelError: The model failed, or did not return finite logits of this shape.
        """
        fits = tensor.ndim == 1 + len(self.input_shape) and all(
            want in (None, got)
            for want, got in zip(self.input_shape, tensor.shape[1:], strict=True)
        )
        if not fits or tensor.dtype != np.float32:
            shape = ", ".join("any" if size is None else str(size) for size in self.input_shape)
            raise InputError(
                f"`tensor` must be float32 of shape (n, {shape}). "
                f"Received {tensor.dtype} of shape {tensor.shape}. Prepare crops with to_tensor."
            )
        if not len(tensor):
            return np.empty((0, self.outputs), np.float32)
        try:
            with self._turn:
                logits: Any = self._session.run([self._output], {self.input_name: tensor})[0]
        except _ORT_ERRORS as error:
            raise ModelError(f"{self.path} failed while running: {_reason(error)}.") from error
        # ONNX Runtime does not enforce the shapes that a graph declares.
        if logits.shape != (len(tensor), self.outputs) or logits.dtype != np.float32:
            raise ModelError(
                f"{self.path} must give float32 logits of shape {(len(tensor), self.outputs)}. "
                f"Received {logits.dtype} of shape {logits.shape}. Export the model again."
            )
        if not np.isfinite(logits).all():
            raise ModelError(
                f"{self.path} must give finite logits. Received NaN or infinity. "
                "Fetch or export the model again."
            )
        return logits


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float32]:
    """Probabilities from logits.

    Args:
        logits: (..., k), any finite numbers.
        temperature: Logits are divided by it; above 1 the probabilities become more even.

    Returns:
        (..., k) float32, each row sums to 1.

    Source:
        Guo et al. 2017, https://arxiv.org/abs/1706.04599 (temperature scaling).

    Example:
        >>> softmax(np.array([0.0, 0.0])).tolist()
        [0.5, 0.5]
    """
    # In double precision, so that subsets of the labels agree with all of them to the last digit.
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)


def open_session(
    path: str | Path, *, threads: int = 1, providers: str | Sequence[str] | None = None
) -> Any:
    """Open any ONNX file, whatever its inputs and outputs.

    Args:
        path: The ONNX file; weights in a second file are refused.
        threads: CPU threads that one call may use, 1 or more.
        providers: As for `OnnxSession`.

    Returns:
        The ``onnxruntime.InferenceSession``, which logs fatal errors only and survives a fork.

    Raises:
        ModelError: No such file, or damaged.
        InputError: Bad `threads`; a provider that is unknown, unavailable or does not start.
    """
    path = Path(path)
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"The weights must be a readable ONNX file. Received {path}: {error.strerror}."
        ) from error
    return open_graph(weights, str(path), threads=threads, providers=providers)


def open_graph(
    graph: bytes,
    source: str,
    *,
    threads: int = 1,
    providers: str | Sequence[str] | None = None,
) -> Any:
    """Open the content of an ONNX file, as `open_session` opens a file.

    Args:
        graph: The content.
        source: What it is called in error messages.
        threads: As for `open_session`.
        providers: As for `open_session`.

    Raises:
        ModelError: Damaged.
        InputError: Bad `threads`; a provider that is unknown, unavailable or does not start.
    """
    if threads < 1:
        raise InputError(f"`threads` must be 1 or more. Received {threads}. Type for example: 1")
    chosen, uses_arena = choose_providers(providers, installed_providers()), _uses_arena.get()

    def open_with(names: Sequence[str]) -> Any:
        # The fallback of ONNX Runtime prints to stdout; ours is the CPU at the end of `chosen`.
        long_names = [PROVIDERS[name] for name in names]
        options = _options(threads)
        options.enable_cpu_mem_arena = uses_arena
        return _ort.InferenceSession(graph, options, providers=long_names, enable_fallback=0)

    def open_once() -> Any:
        try:
            session = open_with(chosen)
        except _ORT_ERRORS as error:
            if chosen == ("cpu",):
                raise
            open_with(("cpu",))  # raises the error of the file, if it is not that of the provider
            raise not_started(chosen[0], _reason(error)) from error
        check_started(chosen, cast("list[str]", session.get_providers()))
        return session

    try:
        return ForkedSession(open_once, threads=threads)
    except InputError:  # a provider
        raise
    except _ORT_ERRORS as error:
        raise ModelError(
            f"The weights must be a sound ONNX file. Received {source}: {_reason(error)}. "
            "Fetch or export the model again."
        ) from error


@contextmanager
def without_arena() -> Generator[None]:
    """Open the sessions of the block without ONNX Runtime's arena on the CPU.

    The arena keeps the most that runs at the same time ever took, for the next ones. Without it the
    memory of a run is free after it, and a run takes hardly longer.
    """
    token = _uses_arena.set(False)
    try:
        yield
    finally:
        _uses_arena.reset(token)


def installed_providers() -> tuple[str, ...]:
    """Names of the providers that the installed package of ONNX Runtime has."""
    return available_providers(cast("list[str]", _ort.get_available_providers()))


def _options(threads: int) -> Any:
    options = _ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    # Weights in a second file would not be covered by the checksum: refuse them.
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", _NOT_A_FOLDER
    )
    return options


def _only(kind: str, nodes: Sequence[Any], path: Path) -> tuple[str, list[int | str | None]]:
    """Name and shape of the one float input or output."""
    try:
        received = [(node.name, node.type, node.shape) for node in nodes]
    except UnicodeDecodeError as error:
        raise ModelError(
            f"The weights must be a sound ONNX file. Received {path}: "
            f"a name of an {kind} is not UTF-8. Fetch or export the model again."
        ) from error
    if len(received) != 1 or received[0][1] != "tensor(float)":
        found = ", ".join(f"{name}: {type_name}" for name, type_name, _ in received) or "none"
        raise ModelError(f"{path} must have one float {kind}. Received {kind}s {found}.")
    name, _, shape = received[0]
    return name, shape


def _check_input(session: Any, path: Path) -> tuple[str, tuple[int | None, ...]]:
    name, shape = _only("input", session.get_inputs(), path)
    if len(shape) < 2 or isinstance(shape[0], int):
        raise ModelError(
            f"{path} must have an input with free batch size. Received shape {shape}. "
            "Export the model again."
        )
    sample = tuple(size if isinstance(size, int) else None for size in shape[1:])
    return name, sample


def _check_output(session: Any, path: Path) -> tuple[str, int]:
    name, shape = _only("output", session.get_outputs(), path)
    if len(shape) != 2 or not isinstance(shape[1], int):
        raise ModelError(
            f"{path} must have an output of shape (n, number of labels). Received shape {shape}."
        )
    return name, shape[1]


def _reason(error: Exception) -> str:
    """The message of an ONNX Runtime error without the error code."""
    return str(error).rpartition(" : ")[2].strip().rstrip(".") or type(error).__name__


_sessions: weakref.WeakSet[ForkedSession] = weakref.WeakSet()


class ForkedSession:
    """A session that a forked child opens again where it must; thread-safe.

    A child has none of the threads of a session, and a lock of a run in another thread stays locked
    in it for ever. A session with one thread, and without a run at that moment, works on in the
    child. It has the attributes of the session that it opens.

    Args:
        open_session: Returns an ``onnxruntime.InferenceSession``.
        threads: CPU threads of that session.
    """

    def __init__(self, open_session: Callable[[], Any], *, threads: int) -> None:
        self._open = open_session
        self._session = open_session()
        self._has_threads = threads > 1
        self._running: set[int] = set()  # threads that run the model at this moment
        _sessions.add(self)

    def run(self, *arguments: Any) -> Any:
        """Run the model, as ``InferenceSession.run``."""
        session = self._opened()
        thread = threading.get_ident()
        self._running.add(thread)
        try:
            return session.run(*arguments)
        finally:
            self._running.discard(thread)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened(), name)

    def _opened(self) -> Any:
        session = self._session
        if session is None:
            session = self._session = self._open()
        return session

    def forget_parent(self) -> None:
        """Open the session anew at its next use, if that of the parent cannot work."""
        if self._has_threads or self._running:
            # Never destroyed: that would wait for threads that do not exist.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._session))
            self._session = None
            self._running.clear()


def _forget_all() -> None:
    for session in list(_sessions):
        session.forget_parent()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget_all)
