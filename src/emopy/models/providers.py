"""Execution providers of ONNX Runtime: which are here, which are used, how to install others."""

from __future__ import annotations

from collections.abc import Sequence

from emopy.errors import InputError, nearest

PROVIDERS: dict[str, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
"""Execution providers: name in EmoPy → name in ONNX Runtime."""

DEFAULT_PROVIDERS = ("cpu",)
"""Providers where none is named: results are then the same on every machine."""

PACKAGES: dict[str, str] = {
    "cpu": "onnxruntime",
    "cuda": "onnxruntime-gpu",
    "coreml": "onnxruntime",
    "directml": "onnxruntime-directml",
    "openvino": "onnxruntime-openvino",
}
"""Provider → the package of ONNX Runtime that has it. Only one of these may be installed."""

_NEEDS: dict[str, str] = {
    "cuda": "an NVIDIA GPU with its driver, and the versions of CUDA and cuDNN of that package",
    "coreml": "macOS",
    "directml": "Windows, and a GPU with DirectX 12",
    "openvino": "a processor or GPU of Intel",
}
"""What a provider needs besides its package."""

RUN_ALONE = frozenset({"directml"})
"""Providers whose sessions run one call at a time. Source:
https://onnxruntime.ai/docs/execution-providers/DirectML-ExecutionProvider.html."""


def available_providers(long_names: Sequence[str]) -> tuple[str, ...]:
    """Return the providers that the installed package has, which may still fail to start.

    Args:
        long_names: What ``onnxruntime.get_available_providers()`` returns.
    """
    return tuple(name for name, long_name in PROVIDERS.items() if long_name in long_names)


def how_to_install(name: str) -> str:
    """Return what to install for a provider, and what it needs, as a sentence."""
    package = PACKAGES[name]
    replaced = "" if package == "onnxruntime" else "pip uninstall onnxruntime, then "
    needs = f" It needs {_NEEDS[name]}." if name in _NEEDS else ""
    return f"To install it: {replaced}pip install {package}.{needs}"


def asked_providers(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return one name or several as a tuple; None: `DEFAULT_PROVIDERS`."""
    if names is None:
        return DEFAULT_PROVIDERS
    return (names,) if isinstance(names, str) else tuple(names)


def choose_providers(
    names: str | Sequence[str] | None, available: Sequence[str]
) -> tuple[str, ...]:
    """Return the providers to use, the CPU last: it computes what the others cannot.

    Args:
        names: One name or several, in order of preference; None: `DEFAULT_PROVIDERS`.
        available: Providers that the installed package has.

    Raises:
        InputError: None, an unknown one, or one that this package does not have.
    """
    wanted = asked_providers(names)
    here = ", ".join(available)
    if not wanted:
        raise InputError(f"`providers` must not be empty. Available: {here}.")
    for name in wanted:
        if name not in PROVIDERS:
            raise InputError(
                f"`providers` must be names of providers. Received {name!r}. "
                + nearest(name, PROVIDERS)
            )
        if name not in available:
            raise InputError(
                f"`providers` must be available on this machine. Received {name!r}. "
                f"{how_to_install(name)} Available: {here}."
            )
    return tuple(dict.fromkeys([*wanted, "cpu"]))


def check_started(wanted: Sequence[str], running: Sequence[str]) -> None:
    """Refuse a session without a provider that was asked for: ONNX Runtime leaves it out silently.

    Args:
        wanted: Providers that were asked for.
        running: Long names of those that the session has.
    """
    for name in wanted:
        if PROVIDERS[name] not in running:
            raise not_started(name)


def not_started(name: str, reason: str = "") -> InputError:
    """Return the error of a provider that is installed and does not start.

    Args:
        name: The provider.
        reason: What ONNX Runtime says, if it says anything.
    """
    said = f": {reason}" if reason else ""
    return InputError(
        f"`providers` must be able to start. Received {name!r}, which does not{said}. "
        f"{how_to_install(name)} Without it: `providers='cpu'`"
    )


def as_names(long_names: Sequence[str]) -> tuple[str, ...]:
    """Return the names in EmoPy of providers of a session, in the order of the session."""
    short = {long_name: name for name, long_name in PROVIDERS.items()}
    return tuple(short[name] for name in long_names if name in short)
