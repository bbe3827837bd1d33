import importlib.util
import io
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
METADATA = "Metadata-Version: 2.4\nName: emopy\nVersion: 1.0\n\n"


@pytest.fixture(scope="module")
def check():
    spec = importlib.util.spec_from_file_location("check_dist", ROOT / "scripts" / "check_dist.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def wheel(check, tmp_path):
    """wheel(version=…, **more): a wheel with what each must hold, and more files."""

    def write(*, version="1.0", **more):
        return write_wheel(tmp_path, check.REQUIRED, version, more)

    return write


def write_wheel(folder, names, version, more):
    path = folder / f"emopy-{version}-py3-none-any.whl"
    contents = dict.fromkeys(names, "") | {"emopy-1.0.dist-info/METADATA": METADATA} | more
    with zipfile.ZipFile(path, "w") as file:
        for name, content in contents.items():
            file.writestr(name, content)
    return path


def test_a_good_wheel_has_no_faults_and_is_listed(check, wheel, capsys):
    assert check.faults(wheel()) == []
    assert check.main([str(wheel())]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[1] for line in lines[: len(check.REQUIRED) + 1]]
    assert names == sorted([*check.REQUIRED, "emopy-1.0.dist-info/METADATA"])


@pytest.mark.parametrize(
    "name",
    [
        "emopy/samples/images/anna.png",
        "emopy/faces.npz",
        "emopy/models/bundled/emopy-base/train.npz",
        "emopy/__pycache__/errors.cpython-311.pyc",
        "tests/conftest.py",
        "emopy/web_page/main.js.map",
        "emopy/recipes/mine/secret.toml",
    ],
)
def test_other_files_are_found(check, wheel, name):
    (fault,) = check.faults(wheel(**{name: "x"}))
    assert fault.endswith(f"not allowed: {name}")


def test_paths_of_the_machine_are_found(check, wheel):
    path = "/".join(["", "home", "anna", "emopy"])
    (fault,) = check.faults(wheel(**{"emopy/errors.py": f"ROOT = {path!r}"}))
    assert f"holds the path {path.removesuffix('emopy')}" in fault


def test_a_missing_part_and_another_version_are_found(check, wheel):
    path = wheel(version="2.0")
    assert any("version 1.0 in a file named" in fault for fault in check.faults(path))
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("emopy-2.0.dist-info/METADATA", METADATA.replace("1.0", "2.0"))
    missing = {fault.rpartition("missing: ")[2] for fault in check.faults(path)}
    parts = ("index.html", "ort-wasm-bundled.wasm", "models/mtcnn/pnet.onnx", "samples/anger.png")
    assert {f"emopy/web_page/{part}" for part in parts} <= missing


def test_a_source_distribution_holds_no_tests(check, tmp_path):
    path = tmp_path / "emopy-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("emopy-1.0/pyproject.toml", "emopy-1.0/tests/conftest.py"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    assert check.faults(path) == ["emopy-1.0.tar.gz: not allowed: tests/conftest.py"]


def test_all_files_of_the_package_are_allowed(check):
    command = ["git", "ls-files", "src"]
    tracked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name.removeprefix("src/") for name in tracked.stdout.splitlines()]
    assert len(names) > 200
    assert [name for name in names if not check.matches(name, check.PACKAGE)] == []
