# The verbs of this repository, the same for people and for machines. `make` alone explains them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= python3
PORT ?= 8000
# More words for pytest, as in: make test ARGS="-k duty".
ARGS ?=
BIN := .venv/bin
PYTEST = FUZHENGTONG_TESTING=1 $(BIN)/python -m pytest -n 2 $(ARGS)

.PHONY: help setup run test check fix docs bench test-all

help: ## Explain these verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

setup: .venv/.ready ## Install everything below .uv and .venv, by the pinned hashes; nothing to do when up to date
	@:

run: setup ## Serve a demonstration city with its own database at http://localhost:8000 (PORT=8001 for another port)
	@exec $(BIN)/fuzhengtong serve --demo --port $(PORT)

test: setup ## Run every check and every test on one PostgreSQL version (ARGS="-k duty" for some of the tests)
	@tools/browser.sh
	@$(MAKE) check
	$(PYTEST)

check: setup ## Check style, types, layers, missing migrations and generated documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W ignore::RuntimeWarning -m django makemigrations --check --dry-run --settings fuzhengtong.config.settings
	$(BIN)/fuzhengtong docs --check

fix: setup ## Mend what can be mended by machine: style and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup ## Write the generated documents anew, and take the screenshots
	@tools/browser.sh
	$(BIN)/fuzhengtong docs
	FUZHENGTONG_TESTING=1 FUZHENGTONG_PICTURES=$(CURDIR)/docs/screenshots $(BIN)/python -m pytest -q tests/browser

bench: setup ## Measure speed and print it beside the bars
	$(BIN)/fuzhengtong bench

test-all: setup ## Run the checks, then all tests with the long ones on every PostgreSQL version found here
	@tools/browser.sh
	@$(MAKE) check
	@$(BIN)/python -c 'from fuzhengtong.config import postgresql; print(*(each.folder for each in postgresql.binaries()), sep="\n")' \
	| while IFS= read -r folder; do \
		"$$folder/postgres" --version; \
		FUZHENGTONG_PG_BIN="$$folder" FUZHENGTONG_LONG=1 $(PYTEST) </dev/null; \
	done

.uv/.ready: requirements-bootstrap.lock
	@PYTHON=$(PYTHON) tools/setup.sh uv

.venv/.ready: .uv/.ready requirements.lock pyproject.toml
	@PYTHON=$(PYTHON) tools/setup.sh venv
