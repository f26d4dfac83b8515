# Each target sets up what it needs. LAKE=DIR moves the lake; ARGS adds options to `run` and `bench`.
PYTHON ?= python3
BIN := .venv/bin
export TEXTMILL_LAKE ?= lake
export OMP_WAIT_POLICY ?= PASSIVE

.DEFAULT_GOAL := help
.PHONY: help setup run test test-long check docs up bench

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
	$(BIN)/pytest -n 2 --dist loadgroup

test-long: setup  ## the tests that take long: kill -9, real server
	$(BIN)/pytest -m long

check: setup  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup  ## docs/datasets.md and docs/contracts.json from the contracts
	$(BIN)/python -m pipelines.dictionary

up: setup  ## Prefect server and UI with the deployments and a worker
	$(BIN)/textmill up

# With shared data beside the peers, which have an environment of their own.
bench: setup $(if $(TEXTMILL_SHARED_DATA),.venv-peers/.ready)  ## the benchmarks; see docs/benchmarks.md
	$(if $(TEXTMILL_SHARED_DATA),TEXTMILL_PEERS=$${TEXTMILL_PEERS:-.venv-peers/bin/python} )$(BIN)/python -m benchmarks $(ARGS)

.venv-peers/.ready: benchmarks/peers.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check --upgrade 'pip>=24'
	.venv-peers/bin/pip install --quiet --disable-pip-version-check -r benchmarks/peers.txt
	@touch .venv-peers/.ready
