"""Write the software bill of materials of a wheel: `python scripts/write_sbom.py dist/*.whl`.

The wheel is installed into an empty environment; cyclonedx-bom lists what that holds, in the format
of CycloneDX 1.6. What the wheel itself contains of others, and the models in it, are added.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

import check_dist

ROOT = Path(__file__).parents[1]
NOT_OURS = {"pip", "setuptools"}
"""What every environment has before anything is installed."""

IN_THE_PAGE = ("onnxruntime-web", "onnxruntime-common")
"""npm packages whose code is in the page that predicts in the browser."""

Record = dict[str, Any]


def environment_bom(wheel: Path, folder: Path) -> Record:
    """What an environment holds in which the wheel was installed."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", str(wheel)]
    subprocess.run(install, check=True)
    listing = [sys.executable, "-m", "cyclonedx_py", "environment", str(python)]
    listing += ["--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "library"]
    listing += ["--spec-version", "1.6", "--output-reproducible", "-o", "-"]
    return json.loads(subprocess.run(listing, check=True, stdout=subprocess.PIPE).stdout)


def npm_component(name: str) -> Record:
    """A component for an npm package of web/package-lock.json."""
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))
    about = lock["packages"][f"node_modules/{name}"]
    return {
        "type": "library",
        "bom-ref": f"npm-{name}",
        "name": name,
        "version": about["version"],
        "purl": f"pkg:npm/{name}@{about['version']}",
        "licenses": [{"license": {"id": about["license"]}}],
        "description": "Part of the page that predicts in the browser, emopy/web_page.",
    }


def model_component(name: str, contents: dict[str, bytes]) -> Record:
    """A component for a bundled model."""
    folder = f"emopy/models/bundled/{name}"
    card = json.loads(contents[f"{folder}/card.json"])
    digest = hashlib.sha256(contents[f"{folder}/model.onnx"]).hexdigest()
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model-{name}",
        "name": name,
        "version": card["version"],
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "description": card["data"],
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def complete(bom: Record, wheel: Path) -> Record:
    """Add version and contents of the wheel; leave out the tools of the environment."""
    contents = check_dist.read_package(wheel)
    root = bom["metadata"]["component"]
    root["version"] = wheel.name.split("-")[1]
    parts = [npm_component(name) for name in IN_THE_PAGE]
    names = sorted({Path(path).parts[3] for path in contents if "/models/bundled/" in path})
    parts += [model_component(name, contents) for name in names]
    left_out = {part["bom-ref"] for part in bom["components"] if part["name"] in NOT_OURS}
    bom["components"] = [p for p in bom["components"] if p["bom-ref"] not in left_out] + parts
    bom["dependencies"] = [each for each in bom["dependencies"] if each["ref"] not in left_out]
    bom["dependencies"] += [{"ref": part["bom-ref"]} for part in parts]
    for each in bom["dependencies"]:
        if each["ref"] == root["bom-ref"]:
            each["dependsOn"] = sorted([*each.get("dependsOn", []), *(p["bom-ref"] for p in parts)])
    return bom


def check(text: str) -> None:
    """Stop where the text is not valid CycloneDX."""
    validation: Any = importlib.import_module("cyclonedx.validation.json")
    schema: Any = importlib.import_module("cyclonedx.schema")
    if fault := validation.JsonStrictValidator(schema.SchemaVersion.V1_6).validate_str(text):
        raise SystemExit(f"not valid: {fault}")


def main(wheel: Path) -> None:
    """Write the bill of materials beside the wheel."""
    with tempfile.TemporaryDirectory() as folder:
        bom = complete(environment_bom(wheel, Path(folder)), wheel)
    text = json.dumps(bom, indent=2, ensure_ascii=False) + "\n"
    check(text)
    target = wheel.with_name(f"emopy-{wheel.name.split('-')[1]}.cdx.json")
    target.write_text(text, encoding="utf-8")
    print(f"{target.name}: {len(bom['components'])} components")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
