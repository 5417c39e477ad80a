# Lodestone. `make` alone explains itself. Every target sets up what it needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

# the first of these that is new enough; name another with PYTHON=...
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
  && echo $$p && break; done || echo python3)
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
CYCLONEDX_VERSION := 7.5.0
PIP_AUDIT_VERSION := 2.10.1
SCENARIO ?= licence_shock_april_2025
ARGS ?=
PYTEST_ARGS ?= -n auto --dist loadgroup --no-loadscope-reorder
STAMP := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python

.PHONY: help setup run test test-slow refreeze lint format types bench docs scorecard lock wheel clean

help:  ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## virtual environment in .venv from the locked versions (done by itself where needed)

# The stamp is newer than the lock and the project file exactly when .venv matches them.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] <= (3, 13); \
	  ok or print("Lodestone needs Python 3.11, 3.12 or 3.13; %s is %s. Try: make setup PYTHON=python3.12" \
	  % (sys.executable, sys.version.split()[0]), file=sys.stderr); sys.exit(0 if ok else 1)'
	@echo "setting up $(VENV) (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if $(PIP) "uv==$(UV_VERSION)" 2>/dev/null && $(UV) --require-hashes -r requirements.lock 2>/dev/null; then \
	  $(UV) --no-deps --no-build-isolation -e . ; \
	else \
	  echo "uv cannot be used here, going on with pip (slower) ..."; \
	  $(PIP) --require-hashes -r requirements.lock && $(PIP) --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

run: $(STAMP)  ## run SCENARIO (default licence_shock_april_2025) against its reference, with report
	@$(BIN)/lodestone run $(SCENARIO) $(ARGS)

test: $(STAMP)  ## the tests, without the slow ones
	@$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

test-slow: $(STAMP)  ## the slow tests
	@$(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

refreeze: $(STAMP)  ## freeze the numbers of tests/regression anew and print which moved
	@$(BIN)/python -m tests.regression

lint: $(STAMP)  ## style: ruff check and ruff format --check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(STAMP)  ## rewrite the style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(STAMP)  ## static types: mypy
	@mkdir -p $(VENV)/types && ln -sfn "$(CURDIR)/sim" $(VENV)/types/lodestone
	@MYPYPATH=$(VENV)/types $(BIN)/mypy

bench: $(STAMP)  ## time a world against plain SimPy, start-up and memory
	@$(BIN)/python -m benchmarks $(ARGS)

docs: $(STAMP)  ## write docs/interventions.md anew, check that README.md and docs/ are alive
	@$(BIN)/python docs/build.py
	@$(BIN)/python -m pytest tests/cli -k "readme or docs" -q

scorecard: $(STAMP)  ## replay history and write docs/scorecard.md with its figures
	@$(BIN)/lodestone backcast --write docs $(ARGS)

lock: $(STAMP)  ## resolve requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --all-extras --custom-compile-command "make lock" \
	  pyproject.toml -o requirements.lock

sbom: $(STAMP)  ## software bill of materials (CycloneDX) of the locked versions, into dist/sbom.json
	@mkdir -p dist
	@$(BIN)/uvx --quiet --from cyclonedx-bom==$(CYCLONEDX_VERSION) cyclonedx-py requirements requirements.lock \
	  --output-reproducible --of JSON -o dist/sbom.json
	@echo dist/sbom.json

audit: $(STAMP)  ## locked versions against known vulnerabilities (skipped where no service answers)
	@mkdir -p dist
	@$(BIN)/uvx --quiet pip-audit==$(PIP_AUDIT_VERSION) -r requirements.lock --require-hashes --disable-pip \
	  --progress-spinner off --format json -o dist/audit.json >/dev/null 2>&1 || true
	@touch dist/audit.json && $(BIN)/python .ci/audit.py dist/audit.json

wheel: $(STAMP)  ## build the wheel and the source distribution into dist/
	@$(BIN)/hatchling build -d dist

clean:  ## remove the environment, caches and builds (results/ stays)
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
