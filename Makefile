# Everything a newcomer needs; `make help` lists it. A fresh machine needs Python 3.11 or newer, and make.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
JOBS ?= 2
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help install train claims bench bench-compare test test-all coverage lint format clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: .venv/installed ## .venv with cnnlab and all it needs, in the versions that were tested

# made anew only when what is installed changes
.venv/installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (Debian: apt-get install python3-venv)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

train: .venv/installed ## trains LeNet-5 on handwritten digits (98 % and more), in seconds
	@$(BIN)/cnnlab train experiment=lenet5_digits

claims: .venv/installed ## the textbooks' claims, an hour; writes docs/claims.md
	@$(BIN)/python scripts/claims.py --jobs $(JOBS) --readme

bench: .venv/installed ## the benchmarks, 15 minutes; writes docs/speed/, README's table
	@$(BIN)/python scripts/bench.py --readme

bench-compare: .venv/installed ## compared with docs/speed/: fails if a ratio is a fifth worse
	@$(BIN)/python scripts/bench.py --compare

test: .venv/installed ## the tests, but for the slow ones
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow"

test-all: .venv/installed ## all tests
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

coverage: .venv/installed ## lines that tests reach (TESTS=tests/report); fails below 90 %
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n $(JOBS) --dist worksteal $(TESTS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --fail-under=$(if $(TESTS),0,90)

lint: .venv/installed ## ruff, its formatter, mypy
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: .venv/installed ## mends what can be mended by itself
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

clean: ## takes away .venv and caches, never runs/ or data/
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .coverage .coverage.* build dist src/*.egg-info
	@find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
