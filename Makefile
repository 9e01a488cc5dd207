# The two commands: `make run` and `make test`. `make check` is the gate besides the tests.
# They need Python 3.11 or newer, make and git; everything else is installed into .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STUDY ?= left-behind-2019

# A mirror of the published files beside the checkout is used where nothing else is set.
ifndef COMMONWEAL_MIRROR
ifneq ($(wildcard ../shared/mirror/INDEX.csv),)
export COMMONWEAL_MIRROR := $(abspath ../shared/mirror)
endif
endif
export TZ := UTC
# Hundreds of processes start in a run of the tests: each would compile the program for itself.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test test-fast fuzz check lint types imports docs serve bench size lock clean

run: .venv/run.stamp  ## Run the England study; the fictional demo where no data can be had
	$(BIN)/commonweal run $(STUDY) --or-demo

PYTEST := $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: .venv/dev.stamp  ## Run every test, the docs' examples and, where the mirror is, the real data
	$(PYTEST) $(TESTS)

test-fast: .venv/dev.stamp  ## Run what is quick, with few examples of each property: under 90 seconds
	$(PYTEST) -m "not slow" --hypothesis-profile fast $(TESTS)

CASES ?= 1000
SEED ?= 1

fuzz: .venv/dev.stamp  ## Try every reader with CASES broken inputs each, and print how they ended
	$(BIN)/python -m tests.fuzz --cases $(CASES) --seed $(SEED) $(FUZZ)

check: lint types imports docs  ## Lint, format, types, import contract, docs build

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev.stamp
	$(BIN)/mypy

imports: .venv/dev.stamp
	$(BIN)/lint-imports --no-cache

docs: .venv/dev.stamp  ## Build the docs into site/; a broken link or reference fails
	$(BIN)/python docs/generate.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

serve: .venv/dev.stamp
	$(BIN)/mkdocs serve

bench: .venv/dev.stamp  ## Run the benchmarks and print their ratios
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

size: .venv/dev.stamp  ## Print how big the house is
	@$(BIN)/python docs/size.py

lock: .venv/dev.stamp  ## Pin every dependency anew, with hashes and without index addresses
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra all --extra build --generate-hashes --universal \
	    --python-version 3.11 --custom-compile-command "make lock" --quiet --upgrade -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra all --extra build --extra dev --generate-hashes --universal \
	    --python-version 3.11 --custom-compile-command "make lock" --quiet --upgrade -o requirements-dev.lock

clean:
	rm -rf .venv site .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/run.stamp
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@
