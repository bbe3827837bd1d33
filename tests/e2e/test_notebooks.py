"""Each notebook in `examples/notebooks` runs from top to bottom and finds what it says."""

import json
import os
import re
import runpy
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import nbformat
import pytest
from nbclient import NotebookClient

import emopy
from emopy.data.dataset import load_dataset
from emopy.evaluate import evaluate
from emopy.labels import STANDARD_EMOTIONS
from emopy.models import check_model_folder
from emopy.result_table import row_columns
from emopy.samples import sample_images

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(path.stem for path in (EXAMPLES / "notebooks").glob("*.ipynb"))
OWN = re.compile(r"^(\w+) = .+\n# Your own: (\1 = .+)$", re.MULTILINE)
"""The line that is replaced to use own files, and what it is replaced by."""

CLEAR = "type: python scripts/clear_notebooks.py"


def notebook(name):
    return nbformat.read(EXAMPLES / "notebooks" / f"{name}.ipynb", as_version=4)


def code_of(name):
    return {cell.id: cell.source for cell in notebook(name).cells if cell.cell_type == "code"}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a notebook in an empty folder; returns its outputs and values of its variables.

    The kernel is this Python with this EmoPy. Nothing of the user's Jupyter is read or written.
    """
    here = {name: str(tmp_path / "jupyter") for name in ("CONFIG_DIR", "RUNTIME_DIR", "PATH")}
    for name, folder in here.items():
        monkeypatch.setenv(f"JUPYTER_{name}", folder)
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")  # jupyter_core warns where it is not set
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    kernel = tmp_path / "jupyter" / "kernels" / "this-python" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    package = str(Path(emopy.__file__).parents[1])
    paths = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    kernel.write_text(
        json.dumps(
            {
                "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                "display_name": "this Python",
                "language": "python",
                "env": {"PYTHONPATH": paths},
            }
        ),
        encoding="utf-8",
    )
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")

    def call(name, values):
        book = notebook(name)
        values = {**values, "package": "__import__('emopy').__file__"}
        pairs = ", ".join(f"{key!r}: {value}" for key, value in values.items())
        question = f"import json; print(json.dumps({{{pairs}}}))"
        book.cells.append(nbformat.v4.new_code_cell(question, id="values"))
        client = NotebookClient(
            book,
            timeout=300,
            kernel_name="this-python",
            resources={"metadata": {"path": str(Path.cwd())}},
        )
        client.execute()
        outputs = {cell.id: cell.outputs for cell in book.cells if cell.cell_type == "code"}
        found = json.loads(outputs.pop("values")[0].text)
        assert found["package"] == emopy.__file__
        return outputs, found

    return call


def has(outputs, kind):
    return any(kind in output.get("data", {}) for output in outputs)


# What every notebook owes


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_stored_without_outputs_and_without_traces_of_a_machine(name):
    book = notebook(name)
    nbformat.validate(book)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert book.metadata == {"kernelspec": kernel, "language_info": {"name": "python"}}, CLEAR
    assert [cell.metadata for cell in book.cells] == [{}] * len(book.cells), CLEAR
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    stored = [(cell.outputs, cell.execution_count) for cell in code]
    assert stored == [([], None)] * len(code), CLEAR


def test_a_notebook_that_was_run_is_cleared_by_the_script(tmp_path):
    clear = runpy.run_path(str(EXAMPLES.parent / "scripts" / "clear_notebooks.py"))["cleared"]
    stored = (EXAMPLES / "notebooks" / f"{NOTEBOOKS[0]}.ipynb").read_text(encoding="utf-8")
    book = json.loads(stored)
    book["metadata"]["language_info"] |= {"version": "3.11.7"}
    cell = next(cell for cell in book["cells"] if cell["cell_type"] == "code")
    output = {"output_type": "stream", "name": "stdout", "text": ["done"]}
    cell |= {"execution_count": 3, "outputs": [output], "metadata": {"collapsed": True}}
    assert clear(json.dumps(book)) == stored


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_in_the_table_and_names_the_one_line_to_replace(name):
    line = f"[{name}.ipynb](notebooks/{name}.ipynb)"
    assert line in (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert len(OWN.findall("\n".join(code_of(name).values()))) == 1


def test_every_notebook_is_run_here():
    assert len(NOTEBOOKS) == 4
    text = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in NOTEBOOKS if f'run("{name}"' not in text] == []


# On the packaged samples


def test_images_become_a_table_with_the_columns_of_all_results(run):
    values = {
        "columns": "list(table)",
        "emotions": "dict(zip(table['image'], table['emotion'].fillna('')))",
        "errors": "table['error'].notna().tolist()",
        "saved": "open('faces.csv').readline().strip().split(',')",
    }
    outputs, found = run("images_to_table", values)
    assert found["columns"] == found["saved"] == ["image", *row_columns(STANDARD_EMOTIONS)]
    assert list(found["emotions"]) == [*(f"{name}.png" for name in sample_images()), "missing.jpg"]
    shown = [found["emotions"][f"{name}.png"] == name for name in STANDARD_EMOTIONS]
    assert sum(shown) >= 5
    assert found["errors"] == [False] * 8 + [True]
    assert has(outputs["predict"], "text/html")
    assert has(outputs["show"], "image/png")
    assert has(outputs["plot"], "image/png")


def test_a_video_becomes_episodes_and_a_plot(run):
    values = {
        "episodes": "episodes[['track', 'emotion', 'start_s', 'seconds']].values.tolist()",
        "frames": "summary.frames",
        "sums": "curves[list(model.labels)].sum(axis=1).tolist()",
        "saved": "len(pd.read_csv('episodes.csv'))",
    }
    outputs, found = run("video_to_episodes", values)
    first = [row for row in found["episodes"] if row[0] == 1]
    assert [row[1] for row in first] == ["neutral", "happiness", "surprise", "neutral"]
    assert [row[1] for row in found["episodes"] if row[0] == 2] == ["anger", "sadness"]
    assert [row[2] for row in first] == pytest.approx([0, 1.5, 4, 6], abs=0.8)  # as generated
    assert found["saved"] == len(found["episodes"]) == 6
    assert found["frames"] == 40
    assert found["sums"] == pytest.approx([1] * len(found["sums"]), abs=1e-5)
    assert re.match(r"An hour of such a video takes about \d+ minutes", outputs["read"][0].text)
    assert "track 2 · seen for 6.0 s" in outputs["summary"][0].text
    assert has(outputs["plot"], "image/png")
    assert Path("timeline.png").is_file()


def test_not_sure_makes_fewer_but_better_decisions(run):
    values = {
        "least": "min_confidence",
        "coverage": "float(answered.mean())",
        "all": "float(correct.mean())",
        "answered": "float(correct[answered].mean())",
        "same": "bool((answered == [p.confidence >= min_confidence for p in predictions]).all())",
        "emotions": "answered_of",
    }
    outputs, found = run("calibrated_decisions", values)
    assert 0.3 < found["least"] < 0.95
    assert found["coverage"] == pytest.approx(0.8, abs=0.1)
    assert found["answered"] > found["all"] + 0.05
    assert found["same"]
    assert set(found["emotions"]) == set(STANDARD_EMOTIONS)
    assert min(found["emotions"].values()) < found["coverage"] < max(found["emotions"].values())
    assert has(outputs["reliability"], "image/png")
    assert has(outputs["coverage"], "image/png")
    assert "not sure" in "".join(output.text for output in outputs["use"])


if find_spec("keras"):

    def test_own_faces_become_a_calibrated_model(run):
        values = {
            "faces": "{name: len(part) for name, part in splits.items()}",
            "accuracy": "report.accuracy",
            "temperature": "model.card.temperature",
            "saved": "str(splits.test.save('test.npz'))",
            "emotion": "model.predict(sample_images()['happiness']).faces[0].emotion",
        }
        outputs, found = run("train_on_your_faces", values)
        assert sum(found["faces"].values()) == 448
        assert found["accuracy"] > 0.6  # chance is 0.14
        assert found["emotion"] == "happiness"
        assert found["temperature"] != 1
        assert has(outputs["check"], "image/png")
        assert has(outputs["use"], "text/html")
        check_model_folder("my-model")
        test = load_dataset("test.npz")
        assert evaluate("my-model", test).accuracy == pytest.approx(found["accuracy"])


# On own files: the line is replaced as the notebook says


def run_on_own_files(name, last_cell):
    """Run the cells up to one, with the replaced line, and return the variables."""
    names = {}
    for cell, source in code_of(name).items():
        exec(compile(OWN.sub(r"\2", source), f"{name}: {cell}", "exec"), names)
        if cell == last_cell:
            break
    else:
        pytest.fail(f"no cell {last_cell}")
    plt.close("all")
    return names


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    return tmp_path


def test_own_images_are_found_by_a_pattern(own, astronaut):
    for name in ("photos/one.jpg", "photos/more/two.jpg"):
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(own / name), astronaut[:, :, ::-1])
    names = run_on_own_files("images_to_table", "save")
    assert sorted(names["table"]["image"]) == ["one.jpg", "two.jpg"]
    assert (own / "faces.csv").is_file()


def test_an_own_video_is_read(own):
    image = cv2.imread(str(sample_images()["happiness"]))
    writer = cv2.VideoWriter("interview.mp4", cv2.VideoWriter.fourcc(*"mp4v"), 5, (320, 320))
    assert writer.isOpened()
    for _ in range(8):
        writer.write(image)
    writer.release()
    names = run_on_own_files("video_to_episodes", "save")
    assert names["episodes"]["emotion"].tolist() == ["happiness"]
    assert names["episodes"]["seconds"].tolist() == pytest.approx([1.6])


def test_own_faces_are_loaded(own, sample_files):
    shutil.copytree(sample_files / "stills" / "test", own / "faces", copy_function=os.link)
    names = run_on_own_files("calibrated_decisions", "emotions")
    assert len(names["measured_on"]) == 56
    report = evaluate("emopy-base", names["measured_on"], prior=names["PRIOR"])
    assert names["correct"].mean() == pytest.approx(report.accuracy)
    if find_spec("keras"):
        assert len(run_on_own_files("train_on_your_faces", "load")["data"]) == 112
