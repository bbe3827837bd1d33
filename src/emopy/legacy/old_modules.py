"""Make the old import paths work, such as ``EmoPy.src.fermodel``, each with a warning."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType

_AUGMENT = "from emopy.data.augment import Augmentation, augment"
_GENERATOR = "from emopy.train.data_generator import DataGenerator"
_NETWORKS = (
    *("ConvolutionalLstmNN", "ConvolutionalNN", "ConvolutionalNNDropout"),
    *("TimeDelayConvNN", "TransferLearningNN"),
)


@dataclass(frozen=True, slots=True)
class OldModule:
    """An old module and what replaces it.

    Attributes:
        replacement: The line to write today.
        names: Its public names → adapter, as module and name in `emopy.legacy`.
        removed: Public names without an adapter → the line to write today.
    """

    replacement: str
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    removed: Mapping[str, str] = field(default_factory=dict[str, str])


PACKAGES = ("src", "library", "models")

OLD_MODULES: Mapping[str, OldModule] = {
    "models": OldModule("emopy models list"),
    "src.callback": OldModule(
        "emopy.train.fit(..., folder='runs/mine')  # draws curves.png",
        {"PlotLosses": "training.PlotLosses"},
    ),
    "src.csv_data_loader": OldModule(
        "from emopy.data import CSVDataLoader", {"CSVDataLoader": "data.CSVDataLoader"}
    ),
    "src.data_generator": OldModule(_GENERATOR, {"DataGenerator": "training.DataGenerator"}),
    "src.data_loader": OldModule(
        "from emopy.data import Loader", {"_DataLoader": "data.DataLoader"}
    ),
    "src.dataset": OldModule("from emopy.data import Dataset", {"Dataset": "data.Dataset"}),
    "src.directory_data_loader": OldModule(
        "from emopy.data import DirectoryDataLoader",
        {"DirectoryDataLoader": "data.DirectoryDataLoader"},
    ),
    "src.featureextractor": OldModule(
        "from emopy.data.features import FeatureExtractor",
        {"FeatureExtractor": "data.FeatureExtractor"},
    ),
    "src.fermodel": OldModule("from emopy import FERModel", {"FERModel": "fermodel.FERModel"}),
    "src.imageprocessor": OldModule(
        _AUGMENT,
        removed={
            "ImageProcessor": f"{_AUGMENT}  # emopy.models.to_tensor resizes, converts to gray",
            "ImageWrapper": _AUGMENT,
        },
    ),
    "src.neuralnets": OldModule(
        "from emopy.train import export, fit  # run = fit('ConvolutionalNN', splits)",
        {"_FERNeuralNet": "networks.FERNeuralNet"} | {n: f"networks.{n}" for n in _NETWORKS},
    ),
    "library.image": OldModule(
        _AUGMENT,
        removed={
            "ImageDataGenerator": (
                f"{_GENERATOR}  # and DataGenerator().use_augmentation(Augmentation(...))"
            ),
            "Iterator": _GENERATOR,
            "NumpyArrayIterator": _GENERATOR,
            "apply_transform": _AUGMENT,
            "flip_axis": f"{_AUGMENT}  # Augmentation(flip=1.0)",
            "random_channel_shift": f"{_AUGMENT}  # Augmentation(channel_shift=0.1)",
            "resize_sample": "from emopy.models import to_tensor",
            "transform": _AUGMENT,
            "transform_matrix_offset_center": _AUGMENT,
        },
    ),
}
"""The old modules, by their name in ``EmoPy``."""


def install() -> None:
    """Let Python find the old modules."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


def warn_of_old_name(old: str, replacement: str, *, stacklevel: int = 3) -> None:
    """Warn that a name is old. By default the warning points at the caller of the caller."""
    text = f"`{old}` is an old name. Type: {replacement}"
    warnings.warn(text, DeprecationWarning, stacklevel=stacklevel)


class _OldModuleFinder(MetaPathFinder, Loader):
    """Finds and builds the modules of `OLD_MODULES`."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if package != "EmoPy" or name not in (*PACKAGES, *OLD_MODULES):
            return None
        return spec_from_loader(fullname, self, is_package=name in PACKAGES)

    def exec_module(self, module: ModuleType) -> None:
        old = OLD_MODULES.get(module.__name__.partition(".")[2])
        if old is None:
            return
        for name, adapter in old.names.items():
            file, _, attribute = adapter.partition(".")
            setattr(module, name, getattr(import_module(f"emopy.legacy.{file}"), attribute))
        vars(module)["__all__"] = list(old.names)
        vars(module)["__getattr__"] = lambda name: _refuse(module.__name__, old, name)
        warn_of_old_name(module.__name__, old.replacement)


def _refuse(module: str, old: OldModule, name: str) -> object:
    # Unlike AttributeError, ImportError reaches `from module import name` with its text.
    if name in old.removed:
        raise ImportError(f"`{module}.{name}` is no more. Type: {old.removed[name]}")
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


_FINDER = _OldModuleFinder()
