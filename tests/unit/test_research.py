import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDS = {
    "keras": {"research.sharpness_aware", "research.networks"},
    "torch": {"research.pretraining", "research.torch_network", "research.torch_training"},
}


@pytest.mark.parametrize("package", ["benchmarks", "research"])
def test_the_files_of_benchmarks_and_research_can_be_imported(package):
    files = sorted((ROOT / package).glob("*.py"))
    names = [f"{package}.{path.stem}" for path in files if not path.stem.startswith("__")]
    for needed, users in NEEDS.items():
        if not find_spec(needed):
            names = [name for name in names if name not in users]
    code = f"import importlib; [importlib.import_module(name) for name in {names!r}]"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert len(names) >= 8
    assert done.returncode == 0, done.stderr
