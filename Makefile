# Each target sets up what it needs: a virtual environment in .venv, pinned by constraints.txt.
PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/.installed
# The build that is tested; pyproject.toml leaves the choice to whoever installs, for a GPU has builds of its own.
TORCH := torch==2.13.0

.DEFAULT_GOAL := help
.PHONY: help search check test format constraints clean

help:  ## list the targets
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

search: $(INSTALLED)  ## search NARM's hyperparameters on ml-100k; more options: make search ARGS="--help"
	$(VENV)/bin/python -m experiments.search $(ARGS)

check: $(INSTALLED)  ## lint, types and the quick unit tests
	$(VENV)/bin/tox run-parallel --fail-fast --parallel-no-spinner -e lint,type,unit

test: $(INSTALLED)  ## lint, types and all tests
	$(VENV)/bin/tox run-parallel --fail-fast --parallel-no-spinner -e lint,type,tests

format: $(INSTALLED)  ## format the code and fix what can be fixed
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'error: Python 3.11 or newer is needed; name one with make PYTHON=python3.12' >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

constraints:  ## pin the newest versions that pyproject.toml admits beside TORCH (without the local tag of its build)
	rm -rf build/pin
	$(PYTHON) -m venv build/pin
	build/pin/bin/python -m pip install --quiet '.[dev]' '$(TORCH)'
	build/pin/bin/python -m pip freeze --exclude narm-search | sed 's/+cpu$$//' > constraints.txt
	rm -rf build/pin

clean:  ## remove the environment and every cache
	rm -rf $(VENV) .tox build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
