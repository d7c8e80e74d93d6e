# `make demo` and `make test` do their own set-up. What they need on the machine: Python 3.11+, git, make.
PYTHON ?= python3
export VENV ?= $(CURDIR)/.venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup setup-test demo check test test-wheel newest-dagster torture lock audit sbom release clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: ## the environment in .venv, from the locked list
	@"$(PYTHON)" scripts/setup.py

setup-test: ## the same, with what the tests need
	@"$(PYTHON)" scripts/setup.py --test

demo: setup ## the whole path on a small bundled corpus: no key, no server
	@"$(BIN)/corpus" demo

# two at a time, each file in one process: the tests wait for servers more than they compute
WORKERS ?= 2
# the floor holds for all of the tests, so it is left out when ARGS names some
COVERAGE ?= $(if $(ARGS),,--cov --cov-report= --cov-fail-under=90)
test: check ## all tests, on SQLite, on a private MariaDB and, what the store does, on a private PostgreSQL
	"$(BIN)/python" -m pytest -n $(WORKERS) --dist loadfile $(COVERAGE) $(ARGS)

check: setup-test ## format, lint, import contracts, types and words: a minute
	"$(BIN)/ruff" format --check --quiet .
	"$(BIN)/ruff" check --quiet .
	"$(BIN)/lint-imports" --no-cache >/dev/null || "$(BIN)/lint-imports" --no-cache
	"$(BIN)/python" -m mypy
	"$(BIN)/python" scripts/word_lint.py

test-wheel: setup-test ## builds the wheel, installs it in a fresh environment, runs `corpus demo` there
	"$(BIN)/python" scripts/try_wheel.py

newest-dagster: setup-test ## imports the definitions with the newest Dagster that pyproject.toml allows (needs the network)
	"$(BIN)/python" scripts/newest_dagster.py

MINUTES ?= 10
SEED ?= 1
DATABASE ?= mariadb
torture: setup-test ## every crash point, then MINUTES of random kills of real processes; the SEED replays
	"$(BIN)/python" -m corpus_pipeline_tests.torture.enumerate_points --pairs 50 --seed $(SEED)
	"$(BIN)/python" -m corpus_pipeline_tests.torture.enumerate_points --how stop --sample 60 --seed $(SEED)
	"$(BIN)/python" -m corpus_pipeline_tests.torture.torture --minutes $(MINUTES) --seed $(SEED) --database $(DATABASE)
	"$(BIN)/python" -m corpus_pipeline_tests.torture.flag_changes --changes 500 --seed $(SEED)
	"$(BIN)/python" -m corpus_pipeline_tests.torture.daemon --minutes $(MINUTES) --seed $(SEED) --database $(DATABASE)

lock: ## writes locks/*.txt anew from pyproject.toml (needs the network)
	"$(PYTHON)" scripts/lock.py

audit: setup-test ## asks the advisory data for the locked versions; says so when the data cannot be had
	"$(BIN)/python" scripts/supply_chain.py audit

sbom: setup-test ## build/sbom.cdx.json: what is in a release, with hashes (CycloneDX)
	"$(BIN)/python" scripts/supply_chain.py sbom

release: setup-test ## build/release: the wheel built twice and compared, its checksum, and build/sbom.cdx.json
	"$(BIN)/python" scripts/supply_chain.py wheel
	"$(BIN)/python" scripts/supply_chain.py sbom

clean: ## removes the environment and all caches; keeps .corpus, which holds data
	rm -rf "$(VENV)" build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
