"""The command line from end to end; in this process where that shows the same."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from emopy import FERModel, __version__
from emopy.cli.main import VERBS, main
from emopy.data import Dataset
from emopy.labels import ALL_EMOTIONS, STANDARD_EMOTIONS
from emopy.media import read_image


def emopy(*words, **options):
    """Run a fresh process, as a shell does."""
    return subprocess.run(
        [sys.executable, "-m", "emopy", *map(str, words)], capture_output=True, **options
    )


@pytest.fixture
def predict(linear_model):
    """Run `emopy predict` with the quick model; each image is one face."""

    def run(*words):
        options = ["--model", str(linear_model), "--detector", "full-image"]
        return main(["predict", *map(str, words), *options])

    return run


@pytest.fixture
def folder(tmp_path, astronaut_file):
    """Good images among bad ones, some in a folder within."""
    images = tmp_path / "images"
    (images / "inner").mkdir(parents=True)
    shutil.copy(astronaut_file, images / "good1.png")
    shutil.copy(astronaut_file, images / "good2.png")
    shutil.copy(astronaut_file, images / "inner" / "good1.png")
    (images / "empty.jpg").touch()
    (images / "text.png").write_text("not an image")
    (images / "cut.png").write_bytes(astronaut_file.read_bytes()[:5000])
    return images


@pytest.fixture
def faces(tmp_path):
    """A small data set of random faces as one .npz file."""
    rng = np.random.default_rng(3)
    count = 4 * len(ALL_EMOTIONS)
    targets = np.eye(len(ALL_EMOTIONS), dtype=np.float32)[np.arange(count) % len(ALL_EMOTIONS)]
    return Dataset(
        rng.integers(0, 256, (count, 48, 48, 1), dtype=np.uint8),
        targets,
        ALL_EMOTIONS,
        np.array([""] * count),
        np.array([f"row {row}" for row in range(count)]),
    ).save(tmp_path / "faces.npz")


# Help and usage


def test_without_words_the_help_is_shown_and_the_exit_code_is_2(capsys):
    assert main([]) == 2
    assert "predict" in capsys.readouterr().err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert f"Usage: emopy {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "typed, meant", [(["predcit"], "predict"), (["models", "lst"], "list"), (["dat"], "data")]
)
def test_a_mistyped_command_is_answered_with_the_nearest(typed, meant, capsys):
    assert main(typed) == 2
    assert f"Did you mean '{meant}'" in capsys.readouterr().err


def test_an_unknown_option_is_wrong_usage(capsys):
    assert main(["predict", "a.jpg", "--hue", "red"]) == 2
    assert "--hue" in capsys.readouterr().err


def test_the_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"emopy {__version__}\n"


# predict


def test_the_astronaut_is_happy_in_the_shell_and_in_python_alike(astronaut_file):
    done = emopy("predict", astronaut_file, "--format", "json", check=True)
    (record,) = json.loads(done.stdout)
    (found,) = record["faces"]
    (face,) = FERModel().predict(astronaut_file).faces
    assert done.stderr == b""
    assert found["emotion"] == face.emotion == "happiness"
    assert found["probabilities"] == pytest.approx(face.probabilities, abs=1e-4)


def test_two_views_are_those_of_python(predict, astronaut_file, linear_model, capsys):
    one, two = (
        FERModel(model=linear_model, detector="full-image", views=views).predict(astronaut_file)
        for views in (1, 2)
    )
    assert predict(astronaut_file, "--views", 2, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == [two.to_dict()] != [one.to_dict()]


def test_text_marks_the_dominant_emotion_among_a_line_for_each(predict, astronaut_file, capsys):
    assert predict(astronaut_file) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(" % " in line for line in lines) == len(STANDARD_EMOTIONS)
    assert sum("▶" in line for line in lines) == 1


def test_bad_images_have_a_row_each_and_the_exit_code_is_1(predict, folder, capsys):
    assert predict(folder, "missing.jpg", "--format", "csv") == 1
    captured = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(captured.out)))
    failed = {row["source"].rsplit("/", 1)[-1] for row in rows if row["error"]}
    assert len(rows) == 6
    assert failed == {"empty.jpg", "text.png", "cut.png", "missing.jpg"}
    assert "4 of 6 images could not be read" in captured.err


def test_columns_and_rows_have_the_labels_as_they_were_typed(predict, astronaut_file, capsys):
    assert predict(astronaut_file, "--format", "csv", "--emotions", "calm,Angry") == 0
    reader = csv.DictReader(io.StringIO(capsys.readouterr().out))
    (row,) = reader
    assert row["emotion"] in {"calm", "Angry"}
    assert float(row["calm"]) + float(row["Angry"]) == pytest.approx(1, abs=1e-4)
    assert not {"neutral", "anger"} & set(reader.fieldnames or ())


def test_folders_within_folders_are_read_on_request(predict, folder, capsys):
    assert predict(folder / "inner", "--format", "jsonl") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert predict(folder, "--recursive", "--format", "jsonl") == 1
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_a_pattern_in_quotes_is_expanded(predict, folder, capsys):
    code, out = predict(str(folder / "*.png"), "--format", "jsonl"), capsys.readouterr().out
    assert code == predict(*map(str, sorted(folder.glob("*.png"))), "--format", "jsonl")
    assert out == capsys.readouterr().out != ""


def test_a_pattern_without_a_match_is_one_failed_input(predict, astronaut_file, capsys):
    assert predict(str(astronaut_file), "none/*.jpg", "--format", "jsonl") == 1
    captured = capsys.readouterr()
    assert "'none/*.jpg': no match. Check its spelling" in captured.err
    assert len(captured.out.splitlines()) == 2
    assert predict("none/**.jpg") == 2
    assert "`PATH` must have ** alone between slashes" in capsys.readouterr().err


def test_a_folder_without_images_is_mentioned_with_exit_code_1(predict, tmp_path, capsys):
    assert predict(tmp_path, "--format", "json") == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out) == []
    assert captured.err == (
        f"emopy: no images in {tmp_path}. Type --recursive to search its subfolders.\n"
    )


def test_a_folder_of_videos_is_for_another_command(predict, tmp_path, capsys):
    for name in ("b.avi", "a.mp4"):
        (tmp_path / name).write_bytes(b"")
    assert predict(tmp_path) == 1
    assert capsys.readouterr().err.startswith(
        f"emopy: no images in {tmp_path}, but 2 videos. Type: emopy video {tmp_path}\n"
    )


def test_a_folder_without_images_beside_others_is_only_mentioned(
    predict, astronaut_file, tmp_path, capsys
):
    assert predict(tmp_path, astronaut_file, "--format", "jsonl") == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1
    assert "no images in" in captured.err


@pytest.mark.parametrize("url", ["https://example.org/a.jpg", "http://x/%20", "s3://bucket/a.png"])
def test_a_url_is_one_failed_input_that_says_to_download_it(predict, astronaut_file, url, capsys):
    assert predict(url, astronaut_file, "--format", "json") == 1
    captured = capsys.readouterr()
    first, second = json.loads(captured.out)
    assert (first["source"], len(second["faces"])) == (url, 1)
    assert f"the URL {url!r}. Download it first" in captured.err.splitlines()[0]


def test_the_limit_of_pixels_is_an_option_that_its_error_names(
    predict, astronaut_file, tmp_path, capsys
):
    options = [astronaut_file, "--draw", tmp_path / "drawn", "--max-pixels"]
    assert predict(*options, 1000) == 1
    error = capsys.readouterr().err
    assert "or raise the limit: `--max-pixels 262144`" in error
    assert predict(*options, 262144) == 0
    assert [file.name for file in (tmp_path / "drawn").iterdir()] == ["astronaut.png"]


def test_images_with_long_names_are_drawn(predict, astronaut_file, tmp_path, capsys):
    images, drawn = tmp_path / "images", tmp_path / "drawn"
    images.mkdir()
    stems = ["写" * 80, "a" * 240, "b" * 251, "b" * 250 + "B", "z"]
    for stem in stems:
        Image.new("RGB", (64, 64)).save(images / f"{stem}.png")
    Image.new("RGB", (64, 64)).save(images / "none", "PNG")
    (images / "none").rename(images / ("c" * 255))
    assert predict(images, images / ("c" * 255), "--draw", drawn, "--format", "jsonl") == 0
    assert len(capsys.readouterr().out.splitlines()) == 6
    assert len(list(drawn.iterdir())) == 6
    for suffix in (".csv", ".json"):
        out = tmp_path / ("d" * (255 - len(suffix)) + suffix)
        assert predict(astronaut_file, "--out", out) == 0
        assert out.is_file()


def test_a_warning_about_an_image_is_one_line(linear_model, tmp_path):
    Image.fromarray(np.full((64, 64), 200, np.uint16)).save(tmp_path / "dim.png")
    words = ["--model", linear_model, "--detector", "full-image", "--draw", tmp_path / "drawn"]
    done = emopy("predict", tmp_path / "dim.png", *words, text=True, check=True)
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"emopy: {str(tmp_path / 'dim.png')!r} has 16 bits per channel")


def test_an_image_on_stdin_that_cannot_be_read_is_called_as_it_was_typed(linear_model):
    words = [
        "predict",
        "-",
        "--model",
        linear_model,
        "--detector",
        "full-image",
        "--format",
        "json",
    ]
    done = emopy(*words, input=b"no image")
    assert done.returncode == 1
    assert b"Received '-': not an image" in done.stderr
    assert b"<bytes>" not in done.stdout + done.stderr
    assert json.loads(done.stdout)[0]["source"] == "-"


def test_an_image_may_come_on_stdin(linear_model, astronaut_file, tmp_path):
    words = [
        "predict",
        "-",
        "--format",
        "json",
        "--model",
        linear_model,
        "--detector",
        "full-image",
    ]
    drawn = tmp_path / "drawn"
    done = emopy(*words, "--draw", drawn, input=astronaut_file.read_bytes(), check=True)
    (record,) = json.loads(done.stdout)
    assert (record["source"], record["width"], len(record["faces"])) == ("-", 512, 1)
    assert (drawn / "stdin.png").is_file()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_an_image_from_a_pipe_is_predicted_and_drawn(predict, astronaut_file, tmp_path, capsys):
    pipe, drawn = tmp_path / "pipe", tmp_path / "drawn"
    os.mkfifo(pipe)
    content = astronaut_file.read_bytes()
    threading.Thread(target=pipe.write_bytes, args=[content], daemon=True).start()
    assert predict(pipe, "--draw", drawn, "--format", "json") == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["source"], len(record["faces"])) == (str(pipe), 1)
    assert (drawn / "pipe.png").is_file()


def test_emotions_come_in_the_order_and_spelling_asked_for(predict, astronaut_file, capsys):
    assert predict(astronaut_file, "--emotions", "happy, calm,anger", "--format", "json") == 0
    (record,) = json.loads(capsys.readouterr().out)
    probabilities = record["faces"][0]["probabilities"]
    assert list(probabilities) == ["happy", "calm", "anger"]
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-4)


def test_all_emotions_include_contempt(predict, astronaut_file, capsys):
    assert predict(astronaut_file, "--emotions", "all", "--format", "json") == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert tuple(record["faces"][0]["probabilities"]) == ALL_EMOTIONS


@pytest.mark.parametrize(
    "name, first", [("a.csv", "source,"), ("a.json", "["), ("a.jsonl", '{"source"'), ("a.txt", "/")]
)
def test_the_suffix_of_the_file_chooses_the_format(predict, astronaut_file, tmp_path, name, first):
    assert predict(astronaut_file, "--out", tmp_path / name) == 0
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(first)


def test_a_table_may_be_parquet(predict, astronaut_file, tmp_path, capsys):
    pyarrow_parquet = pytest.importorskip("pyarrow.parquet")
    assert predict(astronaut_file, "--out", tmp_path / "t.parquet") == 0
    assert predict(astronaut_file, "--out", tmp_path / "t", "--format", "parquet") == 0
    tables = [pyarrow_parquet.read_table(tmp_path / name) for name in ("t.parquet", "t")]
    assert tables[0].equals(tables[1])
    assert len(tables[0]) == 1
    assert predict(astronaut_file, "--format", "parquet") == 2
    assert "--format parquet must go with --out" in capsys.readouterr().err


def test_drawn_images_of_one_name_do_not_overwrite_each_other(predict, folder, tmp_path):
    drawn = tmp_path / "drawn"
    assert predict(folder / "good1.png", folder / "inner" / "good1.png", "--draw", drawn) == 0
    assert {path.name for path in drawn.iterdir()} == {"good1.png", "good1-2.png"}
    assert read_image(drawn / "good1.png").ndim == 3


def test_an_existing_table_is_replaced_only_on_request(predict, astronaut_file, tmp_path, capsys):
    out = tmp_path / "t.csv"
    out.write_text("mine", encoding="utf-8")
    assert predict(astronaut_file, "--out", out) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "--out must not replace a file" in captured.err
    assert "--overwrite" in captured.err
    assert out.read_text(encoding="utf-8") == "mine"
    assert predict(astronaut_file, "--out", out, "--overwrite") == 0
    assert out.read_text(encoding="utf-8").startswith("source,")


def test_an_existing_drawing_is_replaced_only_on_request(predict, folder, tmp_path, capsys):
    drawn = tmp_path / "drawn"
    assert predict(folder / "good1.png", "--draw", drawn) == 0
    (drawn / "good1.png").write_bytes(b"mine")
    assert predict(folder / "good2.png", folder / "good1.png", "--draw", drawn) == 2
    assert "--draw must not replace a file" in capsys.readouterr().err
    assert [path.name for path in drawn.iterdir()] == ["good1.png"]
    assert (drawn / "good1.png").read_bytes() == b"mine"
    assert predict(folder / "good1.png", "--draw", drawn, "--overwrite") == 0
    assert read_image(drawn / "good1.png").ndim == 3


@pytest.mark.parametrize(
    "words, hint",
    [
        (["--emotions", "joyful,anger"], "Known:"),
        (["--emotions", "anger"], "two or more"),
        (["--model", "emopy-frist"], "emopy models list"),
        (["--detector", "mtcn"], "Did you mean 'mtcnn'"),
    ],
)
def test_a_wrong_name_is_one_line_on_stderr_and_exit_code_2(
    astronaut_file, linear_model, words, hint, capsys
):
    assert main(["predict", str(astronaut_file), "--model", str(linear_model), *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("emopy: ")
    assert captured.err.count("\n") == 1
    assert hint in captured.err


def test_debug_shows_the_trace_wherever_it_stands(capsys):
    assert main(["predict", "a.jpg", "--model", "nowhere", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err
    assert main(["--debug", "predict", "a.jpg", "--model", "nowhere"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_closed_pipe_ends_quietly(linear_model, astronaut_file):
    words = [
        "predict",
        *[astronaut_file] * 2000,
        "--model",
        linear_model,
        "--detector",
        "full-image",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "emopy", *map(str, words), "--format", "jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b"{")
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 0


def test_an_interrupted_run_exits_with_130(monkeypatch, linear_model, astronaut_file, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("emopy.fermodel.FERModel.predict_many", interrupt)
    assert main(["predict", str(astronaut_file), "--model", str(linear_model)]) == 130
    assert capsys.readouterr().err.strip() == "emopy: stopped."


def test_an_output_that_knows_no_blocks_gets_plain_bars(linear_model, astronaut_file):
    words = ["predict", astronaut_file, "--model", linear_model, "--detector", "full-image"]
    done = emopy(*words, env={"PYTHONIOENCODING": "ascii"}, check=True)
    assert b">" in done.stdout
    assert b"?" not in done.stdout


# The other verbs


def test_the_demo_predicts_its_sample_images(capsys, tmp_path):
    assert main(["demo", "--draw", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    for emotion in STANDARD_EMOTIONS:
        assert f"{emotion}.png" in captured.out
        assert (tmp_path / f"{emotion}.png").is_file()
    assert (tmp_path / "demo.png").is_file()
    assert "of 7 predicted as labeled" in captured.err


def test_models_are_listed_shown_and_checked(linear_model, capsys):
    assert main(["models", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("emopy-base *  ")
    assert main(["models", "show", str(linear_model)]) == 0
    assert capsys.readouterr().out.startswith("linear 1\n")
    assert main(["models", "show", str(linear_model), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "linear"
    assert main(["models", "check"]) == 0
    assert "emopy-base: good" in capsys.readouterr().out


def test_a_damaged_model_fails_its_check_and_the_others_are_done(linear_model, tmp_path, capsys):
    damaged = shutil.copytree(linear_model, tmp_path / "damaged")
    (damaged / "model.onnx").write_bytes(b"no network")
    assert main(["models", "check", str(damaged), str(linear_model)]) == 1
    captured = capsys.readouterr()
    assert "SHA-256" in captured.err
    assert f"{linear_model}: good" in captured.out


def test_a_download_with_another_checksum_is_refused(tmp_path, capsys):
    (tmp_path / "yunet.onnx").write_bytes(b"something else")

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=tmp_path)

        def log_message(self, format, *_):  # noqa: A002 - its name in the library
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/yunet.onnx"
        code = main(["models", "fetch", "yunet", "--url", url, "--folder", str(tmp_path / "kept")])
        server.shutdown()
    assert code == 2
    assert "SHA-256" in capsys.readouterr().err
    assert not list((tmp_path / "kept").glob("*"))


def test_a_model_is_calibrated_evaluated_and_its_card_remembers(
    linear_model, faces, tmp_path, capsys
):
    model = shutil.copytree(linear_model, tmp_path / "mine")
    assert main(["calibrate", str(model), str(faces)]) == 0
    assert float(capsys.readouterr().out.split()[-1]) > 1  # random weights are far too sure
    assert main(["evaluate", str(model), str(faces)]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert main(["evaluate", str(model), str(faces), "--format", "json", "--record", "noise"]) == 0
    figures = json.loads(capsys.readouterr().out)
    card = json.loads((model / "card.json").read_text(encoding="utf-8"))
    assert 0 <= figures["accuracy"] <= 1
    assert card["temperature"] > 1
    assert card["metrics"]["noise"]["accuracy"] == pytest.approx(figures["accuracy"])


def test_data_are_described_and_checked(faces, capsys):
    assert main(["data", "describe", str(faces)]) == 0
    assert "contempt" in capsys.readouterr().out
    assert main(["data", "check", str(faces)]) == 0
    copy = shutil.copy(faces, faces.with_name("copy.npz"))
    assert main(["data", "check", str(faces), str(copy)]) == 1
    assert "in more than one split" in capsys.readouterr().out


def test_data_that_are_not_there_are_named(tmp_path, capsys):
    assert main(["data", "describe", str(tmp_path / "none.npz")]) == 2
    assert "none.npz" in capsys.readouterr().err


def test_the_doctor_finds_all_well(capsys):
    assert main(["doctor"]) == 0
    captured = capsys.readouterr()
    assert "emopy-base  good" in captured.out
    assert "sample prediction  happiness" in captured.out
    assert "emopy models fetch yunet" in captured.out


def test_training_without_its_extra_says_what_to_type(tmp_path):
    (tmp_path / "recipe.toml").write_text("[fit]\nepochs = 1\n", encoding="utf-8")
    code = (
        "import sys; sys.modules.update(keras=None, tomli_w=None)\n"
        "from emopy.cli.main import main; sys.exit(main(['train', 'recipe.toml']))"
    )
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "pip install 'emopy[train]'" in done.stderr
    assert "Traceback" not in done.stderr
