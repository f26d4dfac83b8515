# Each target sets up what it needs. LAKE=DIR moves the lake; ARGS adds options to `textmill run`.
PYTHON ?= python3
BIN := .venv/bin
export TEXTMILL_LAKE ?= lake
export OMP_WAIT_POLICY ?= PASSIVE

.DEFAULT_GOAL := help
.PHONY: help setup run test test-long check up bench

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready  ## make .venv from the lock

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch .venv/.ready

run: setup  ## the whole job on the embedded Wikipedia sample
	$(BIN)/textmill run $(ARGS)

test: setup  ## the default test suite
	$(BIN)/pytest

test-long: setup  ## the tests that take long: kill -9, real server
	$(BIN)/pytest -m long

check: setup  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

up: setup  ## Prefect server and UI with the deployments and a worker
	$(BIN)/textmill up

bench: setup  ## the benchmarks
	@for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python $$file; done
