import json
import subprocess
import sys

import pytest

HEAVY = {
    *("keras", "tensorflow", "torch", "jax", "ray", "matplotlib", "tf2onnx", "onnx"),
    *("flask", "fastapi", "starlette", "uvicorn", "rich", "scipy", "skimage", "sklearn"),
}


def loaded_after(code: str) -> set[str]:
    listing = "import json, sys; print(json.dumps([name.split('.')[0] for name in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{listing}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_emopy_loads_nothing_heavy():
    loaded = loaded_after("import emopy")
    assert not loaded & (HEAVY | {"cv2", "onnxruntime", "click", "jinja2"})


@pytest.mark.parametrize("name", ["evaluate", "data", "fermodel", "present"])
def test_the_core_rooms_load_no_framework(name):
    assert not loaded_after(f"import emopy.{name}") & HEAVY


def test_the_help_of_the_command_line_loads_no_image_library():
    loaded = loaded_after("from emopy.cli.main import main; main(['--help'])")
    assert not loaded & (HEAVY | {"cv2", "onnxruntime", "numpy", "jinja2"})


def test_predicting_loads_no_framework(linear_model, astronaut_file):
    words = ["predict", str(astronaut_file), "--model", str(linear_model), "--format", "json"]
    loaded = loaded_after(f"from emopy.cli.main import main; assert main({words!r}) == 0")
    assert "onnxruntime" in loaded
    assert not loaded & (HEAVY | {"jinja2"})
