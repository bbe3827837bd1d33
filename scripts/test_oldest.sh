#!/usr/bin/env bash
# Runs the whole suite with the lowest version of every dependency that pyproject.toml allows.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3.11} venv=local/oldest
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" scripts/lowest_versions.py >local/lowest-versions.txt
"$venv/bin/python" -m pip install --quiet --editable '.[test]' --constraint local/lowest-versions.txt
"$venv/bin/python" -m pip list | tail -n +3 | tr -s ' ' '=' | tr '\n' ' '
"$venv/bin/python" -m pytest -n auto --dist loadfile --no-loadscope-reorder
