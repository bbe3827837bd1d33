#!/usr/bin/env bash
# Installs the wheel in dist/ into a new environment and uses it in an empty folder, without the
# repository: demo, images, video, the page in the browser, three steps of a
# training. The argument is a Python: test_dist.sh python3.12
set -euo pipefail
wheel=$(ls "$(cd "$(dirname "$0")/.." && pwd)"/dist/*.whl)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${1:-python3}" -m venv "$folder/venv"
cd "$folder"
unset PYTHONPATH
export TF_CPP_MIN_LOG_LEVEL=2 TF_ENABLE_ONEDNN_OPTS=0
PATH="$folder/venv/bin:$folder/venv/Scripts:$PATH"
python -m pip install --quiet "$wheel"
mkdir work && cd work

emopy doctor
emopy demo
emopy data samples samples >/dev/null
emopy predict samples/stills/test/happiness --recursive --out photos.csv
[ "$(wc -l <photos.csv)" -gt 5 ]
python - <<'PYTHON'
from pathlib import Path

import emopy
from emopy.live import WebPage
from emopy.samples import sample_images

assert "venv" in Path(emopy.__file__).parts, emopy.__file__
(face,) = emopy.FERModel().predict(sample_images()["happiness"])
assert face.emotion == "happiness"
with WebPage(0) as page:
    print("the page is at", page.address)
PYTHON

python -m pip install --quiet "$wheel[tables,train,video]"
emopy video samples/scene.avi --out scene.parquet --plot scene.png --draw scene.mp4
emopy data split samples/stills/train splits
emopy train convolutional --out run --set data.train=splits/train.npz --set data.validation=splits/validation.npz \
  --set fit.epochs=1 --set fit.batch_size=96
emopy predict samples/stills/test/happiness --recursive --model run/model >predictions.txt
emopy doctor
echo "The wheel works on $(python --version)."
