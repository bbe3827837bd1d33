"""The package that `npm pack` makes, in a plain page and in a project of Vite."""

import shutil
import socket
import tarfile
from pathlib import Path

import pytest

from emopy.samples import sample_images

WEB = Path(__file__).parents[2] / "web"
VITE = WEB / "node_modules/vite/bin/vite.js"

PREDICT = """async (model_or_url) => {
  while (!globalThis.FERModel) await new Promise((resolve) => setTimeout(resolve, 10));
  const model = await FERModel.load({ model: model_or_url ?? "emopy-tiny" });
  const { faces } = await model.predict(await (await fetch("./surprise.png")).blob());
  model.close();
  return faces.map((face) => face.emotion);
}"""
PAGE = '<!doctype html><meta charset="utf-8" /><title>Page</title><script type="module"{}</script>'


@pytest.fixture(scope="module")
def packed(node, tmp_path_factory):
    """The unpacked package."""
    folder = tmp_path_factory.mktemp("packed")
    done = node.npm("pack", "--offline", "--ignore-scripts", "--pack-destination", folder)
    assert done.returncode == 0, done.stderr
    (archive,) = folder.glob("emopy-*.tgz")
    with tarfile.open(archive) as content:
        content.extractall(folder, filter="data")
    return folder / "package"


def test_a_plain_page_can_use_it(packed, opened, tmp_path):
    shutil.copytree(packed / "dist", tmp_path / "emopy")
    shutil.copy(sample_images()["surprise"], tmp_path / "surprise.png")
    script = '> import { FERModel } from "./emopy/emopy.js"; globalThis.FERModel = FERModel;'
    (tmp_path / "index.html").write_text(PAGE.format(script), encoding="utf-8")
    page = opened(tmp_path)
    assert page.evaluate(PREDICT) == ["surprise"]
    assert page.evaluate(PREDICT, "./emopy/models/emopy-base/") == ["surprise"]


@pytest.fixture
def project(packed, tmp_path):
    """A project of Vite that has the package."""
    shutil.copytree(packed, tmp_path / "node_modules" / "emopy")
    (tmp_path / "public").mkdir()
    shutil.copy(sample_images()["surprise"], tmp_path / "public" / "surprise.png")
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    script = 'import { FERModel } from "emopy";\nglobalThis.FERModel = FERModel;\n'
    (tmp_path / "main.js").write_text(script, encoding="utf-8")
    (tmp_path / "index.html").write_text(PAGE.format(' src="/main.js">'), encoding="utf-8")
    return tmp_path


def test_a_project_of_vite_can_use_it(node, project, opened):
    done = node(VITE, "build", project, "--logLevel", "warn")
    assert done.returncode == 0, done.stderr
    assert opened(project / "dist").evaluate(PREDICT) == ["surprise"]


def test_the_development_server_of_vite_can_use_it(node, project, browser):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--host", "127.0.0.1", "--port", str(port), "--strictPort"]
    with node.start(VITE, project, *options) as server:
        try:
            assert any(str(port) in line for line in server.stdout)  # it is ready
            tab = browser.new_page()
            tab.goto(f"http://127.0.0.1:{port}/")
            assert tab.evaluate(PREDICT) == ["surprise"]
            tab.close()
        finally:
            server.terminate()


def test_it_has_types_and_no_sources_of_tests(packed):
    assert "class FERModel" in (packed / "dist/npm/types/fermodel.d.ts").read_text(encoding="utf-8")
    assert (packed / "README.md").is_file()
    assert (packed / "LICENSE").read_text(encoding="utf-8").lstrip().startswith("Apache License")
    for name in ("ort-wasm-bundled.wasm", "npm/ort-wasm-simd-threaded.wasm"):
        assert (packed / "dist" / name).stat().st_size > 1_000_000
    assert not (packed / "tests").exists()
    assert not (packed / "node_modules").exists()
