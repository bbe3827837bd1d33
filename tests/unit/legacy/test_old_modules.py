import importlib
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest

from emopy.legacy import old_modules

OLD_NAMES = {
    "src.callback": {"PlotLosses"},
    "src.csv_data_loader": {"CSVDataLoader"},
    "src.data_generator": {"DataGenerator"},
    "src.data_loader": {"_DataLoader"},
    "src.dataset": {"Dataset"},
    "src.directory_data_loader": {"DirectoryDataLoader"},
    "src.featureextractor": {"FeatureExtractor"},
    "src.fermodel": {"FERModel"},
    "src.imageprocessor": set(),
    "src.neuralnets": {
        "ConvolutionalLstmNN",
        "ConvolutionalNN",
        "ConvolutionalNNDropout",
        "TimeDelayConvNN",
        "TransferLearningNN",
    },
    "library.image": set(),
    "models": set(),
    "examples": set(),
}
NEED_KERAS = {"src.callback", "src.data_generator"}
HERE = [name for name in OLD_NAMES if name not in NEED_KERAS or find_spec("keras")]


@pytest.mark.parametrize("module", HERE)
def test_an_old_module_warns_once_and_has_its_names(module, afresh):
    with pytest.warns(
        DeprecationWarning, match=rf"`EmoPy\.{module}` is an old name\. Type: "
    ) as caught:
        found = importlib.import_module(f"EmoPy.{module}")
    assert len(caught) == 1
    assert all(hasattr(found, name) for name in OLD_NAMES[module])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.import_module(f"EmoPy.{module}")


def test_every_old_module_is_tested_here():
    assert {*old_modules.OLD_MODULES, "examples"} == set(OLD_NAMES)


def test_the_warning_points_at_the_line_that_imports(afresh):
    with pytest.warns(DeprecationWarning, match="from emopy.data import Dataset") as caught:
        import EmoPy.src.dataset  # noqa: F401
    assert Path(caught[0].filename) == Path(__file__)


def test_the_old_package_has_fermodel_with_a_warning(afresh):
    with pytest.warns(DeprecationWarning, match="from emopy import FERModel") as caught:
        from EmoPy import FERModel
    assert len(caught) == 1
    assert Path(caught[0].filename) == Path(__file__)
    assert FERModel.POSSIBLE_EMOTIONS[2] == "calm"


def test_the_old_package_imports_no_heavy_modules(afresh):
    code = "import sys, EmoPy; print({'numpy', 'keras', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_networks_are_imported_without_keras(afresh):
    code = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from EmoPy.src.neuralnets import ConvolutionalNN; print('keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_unknown_name_of_the_old_package_is_an_attribute_error(afresh):
    import EmoPy

    with pytest.raises(AttributeError, match="FERModle"):
        _ = EmoPy.FERModle


@pytest.mark.parametrize(
    ("module", "name", "line"),
    [
        ("library.image", "ImageDataGenerator", "emopy.train.data_generator import DataGenerator"),
        ("library.image", "flip_axis", r"Augmentation\(flip=1\.0\)"),
        ("src.imageprocessor", "ImageProcessor", "emopy.data.augment import Augmentation"),
    ],
)
@pytest.mark.filterwarnings("ignore:`EmoPy:DeprecationWarning")
def test_a_removed_name_names_its_replacement(module, name, line, afresh):
    with pytest.raises(ImportError, match=rf"EmoPy\.{module}\.{name}` is no more\. Type: .*{line}"):
        exec(f"from EmoPy.{module} import {name}")
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = importlib.import_module(f"EmoPy.{module}").nothing_like_it
