"""Execution providers that this machine does not have, by a stand-in for ONNX Runtime.

The stand-in computes on the CPU with the real ONNX Runtime, and answers as a build with another
provider does: it starts, raises an error, or is left out without a word.
"""

import json
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from emopy import FERModel
from emopy.cli.doctor import check_packages, check_providers
from emopy.cli.main import main
from emopy.cli.records import _as_typed
from emopy.errors import InputError, ModelError
from emopy.models import OnnxSession, session
from emopy.models.providers import PROVIDERS

OTHERS = {
    "cuda": ("onnxruntime-gpu", "cuDNN"),
    "coreml": ("onnxruntime", "macOS"),
    "directml": ("onnxruntime-directml", "DirectX 12"),
    "openvino": ("onnxruntime-openvino", "Intel"),
}
"""Provider → its package, and what else its errors name."""

CPU = PROVIDERS["cpu"]
real = session._ort


@pytest.fixture
def build(monkeypatch):
    """build(name, how): ONNX Runtime with one more provider, that starts, raises or is silent."""

    def build(name, how="starts"):
        long_name = PROVIDERS[name]
        opened = []

        class Session:
            def __init__(self, graph, options, *, providers, enable_fallback):
                assert not enable_fallback
                if how == "raises" and long_name in providers:
                    raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : no device was found.")
                self._real = real.InferenceSession(graph, options, providers=[CPU])
                self._providers = [each for each in providers if each == CPU or how == "starts"]
                self.at_once, self.most_at_once = 0, 0
                opened.append(self)

            def get_providers(self):
                return self._providers

            def run(self, *arguments):
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                time.sleep(0.02)
                self.at_once -= 1
                return self._real.run(*arguments)

            def __getattr__(self, attribute):
                return getattr(self._real, attribute)

        stand_in = SimpleNamespace(
            get_available_providers=lambda: [long_name, CPU],
            SessionOptions=real.SessionOptions,
            InferenceSession=Session,
        )
        monkeypatch.setattr(session, "_ort", stand_in)
        return opened

    return build


@pytest.mark.parametrize("name", OTHERS)
def test_a_provider_that_starts_is_used_with_the_cpu_behind_it(name, build, onnx_file):
    build(name)
    opened = OnnxSession(onnx_file(), providers=name)
    assert opened.providers == (name, "cpu")
    assert opened.run(np.zeros((2, 48, 48, 1), np.float32)).shape[0] == 2
    assert OnnxSession(onnx_file()).providers == ("cpu",)


@pytest.mark.parametrize("name", OTHERS)
def test_a_provider_that_is_not_installed_says_what_to_install(name, onnx_file):
    package, need = OTHERS[name]
    with pytest.raises(InputError, match=f"Received '{name}'.*pip install {package}.*{need}"):
        OnnxSession(onnx_file(), providers=[name, "cpu"])


@pytest.mark.parametrize("how", ["raises", "is left out"])
@pytest.mark.parametrize("name", OTHERS)
def test_a_provider_that_does_not_start_is_no_silent_cpu(name, how, build, onnx_file):
    build(name, how)
    package, need = OTHERS[name]
    wanted = f"Received '{name}', which does not.*pip install {package}.*{need}.*providers='cpu'"
    with pytest.raises(InputError, match=wanted) as caught:
        FERModel(providers=name)
    assert ("no device was found" in str(caught.value)) == (how == "raises")


def test_a_damaged_file_is_not_blamed_on_the_provider(build, tmp_path):
    build("cuda", "raises")
    (tmp_path / "net.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match="sound ONNX file"):
        OnnxSession(tmp_path / "net.onnx", providers="cuda")


def test_a_session_of_directml_runs_one_call_at_a_time(build, onnx_file):
    for name, most in (("directml", 1), ("cuda", 3)):
        opened = build(name)
        used = OnnxSession(onnx_file(), providers=name)
        crops = np.zeros((1, 48, 48, 1), np.float32)
        threads = [threading.Thread(target=used.run, args=(crops,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert opened[0].most_at_once == most


def test_the_shell_names_its_option(build, astronaut_file, capsys):
    build("cuda", "is left out")
    assert main(["predict", str(astronaut_file), "--provider", "cuda"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("emopy: `--provider` must be able to start. Received 'cuda'")
    assert "--provider cpu" in said


def test_the_record_of_a_run_has_the_providers_as_json_gives_them_back():
    recorded = _as_typed(("cuda", "cpu"))
    assert json.loads(json.dumps(recorded)) == recorded == "cuda,cpu"


def test_doctor_times_each_provider_and_says_how_to_install_the_others(build, capsys):
    build("openvino")
    assert check_providers() == []
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in said] == list(PROVIDERS)
    for line in said:
        name = line.split()[1]
        assert ("ms for one face" in line) == (name in ("cpu", "openvino"))
        assert ("pip install" in line) == (name not in ("cpu", "openvino"))


def test_doctor_reports_a_provider_that_does_not_start(build, capsys):
    build("cuda", "raises")
    (fault,) = check_providers()
    assert "no device was found" in fault
    assert "provider cpu" in capsys.readouterr().out


def test_doctor_accepts_another_package_of_onnx_runtime_and_refuses_two(monkeypatch, capsys):
    from emopy.cli import doctor

    usual, here = doctor.installed_version, {"onnxruntime-gpu": "1.0"}

    def installed(package):
        return here.get(package) if package.startswith("onnxruntime") else usual(package)

    monkeypatch.setattr(doctor, "installed_version", installed)
    assert check_packages() == []
    here["onnxruntime"] = "1.0"
    assert "Only one of onnxruntime, onnxruntime-gpu" in check_packages()[0]
    here.clear()
    assert check_packages() == [f"onnxruntime is not installed. {doctor.REINSTALL}"]
