import shutil
import sys

import pytest

from emopy.errors import ModelError, ModelNotFoundError
from emopy.models import find_model, list_models, load_model, store


@pytest.fixture
def bundled(linear_model, tmp_path, monkeypatch):
    """A folder of bundled models with one in it."""
    folder = tmp_path / "bundled"
    shutil.copytree(linear_model, folder / "happy-net")
    monkeypatch.setattr(store, "_BUNDLED", folder)
    return folder


@pytest.fixture
def package(linear_model, tmp_path, monkeypatch):
    """Installs a package with entry points of `emopy.models`."""

    def install(offers, code):
        site = tmp_path / "site"
        info = site / "shop-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1\n")
        lines = [f"{name} = {target}" for name, target in offers.items()]
        (info / "entry_points.txt").write_text("[emopy.models]\n" + "\n".join(lines))
        (site / "emopy_test_shop.py").write_text(code)
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, "emopy_test_shop", raising=False)

    return install


def test_a_folder_is_found_by_its_path(linear_model, monkeypatch):
    assert find_model(linear_model) == linear_model
    assert find_model(str(linear_model)) == linear_model
    monkeypatch.chdir(linear_model.parent)
    assert load_model(linear_model.name).card.name == "linear"


def test_a_bundled_model_is_found_by_its_name(bundled):
    assert find_model("happy-net") == bundled / "happy-net"
    assert "happy-net" in list_models()


def test_a_bundled_model_is_found_beside_an_unrelated_folder_of_its_name(
    bundled, tmp_path, monkeypatch
):
    (tmp_path / "happy-net").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_model("happy-net") == bundled / "happy-net"


def test_models_of_a_package_are_found_as_a_path_or_as_a_callable(package, linear_model):
    package(
        {"shop-path": "emopy_test_shop:PATH", "shop-call": "emopy_test_shop:path"},
        f"PATH = {str(linear_model)!r}\ndef path():\n    return PATH\n",
    )
    assert find_model("shop-path") == find_model("shop-call") == linear_model
    assert {"shop-path", "shop-call"} <= set(list_models())


def test_a_package_that_does_not_load_is_named(package):
    package({"shop": "emopy_test_shop:MISSING", "number": "emopy_test_shop:NUMBER"}, "NUMBER = 5\n")
    with pytest.raises(ModelError, match="entry point 'shop' must load"):
        find_model("shop")
    with pytest.raises(ModelError, match=r"must give the path of a model folder\. Received int"):
        find_model("number")


def test_a_fetched_model_is_found_by_its_name(linear_model):
    shutil.copytree(linear_model, store.models_folder() / "fetched-net")
    assert load_model("fetched-net").card.name == "linear"
    assert "fetched-net" in list_models()


def test_an_unknown_name_is_answered_with_the_nearest_one(bundled):
    with pytest.raises(ModelNotFoundError, match="Did you mean 'happy-net'"):
        find_model("hapy-net")


def test_an_unknown_path_is_said_to_be_no_folder(tmp_path):
    with pytest.raises(ModelNotFoundError, match="no such folder"):
        find_model(tmp_path / "none")


def test_a_folder_without_a_card_is_said_to_be_none(tmp_path):
    with pytest.raises(ModelError, match=r"must hold card\.json"):
        find_model(tmp_path)


def test_a_run_folder_is_answered_with_its_model_folder(linear_model, tmp_path):
    shutil.copytree(linear_model, tmp_path / "mine" / "model")
    with pytest.raises(ModelError, match=r"whose model is .*mine/model: give that"):
        find_model(tmp_path / "mine")


def test_the_name_of_a_detector_is_recognised():
    with pytest.raises(ModelNotFoundError, match="which is a face detector"):
        find_model("yunet")


def test_without_any_model_the_error_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_BUNDLED", tmp_path / "nothing")
    assert list_models() == ()
    with pytest.raises(ModelNotFoundError, match="No model is installed"):
        find_model("any")
