# Marquee: `make help` lists the targets. Needs python3 (3.11 or newer), pip, git and make; everything else is installed into .venv.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo run test test-all check static format soak bench lock clean

# Bytecode must be cached: without it every start of the daemon compiles its imports again.
unexport PYTHONDONTWRITEBYTECODE

VENV ?= .venv
PY := $(VENV)/bin/python
# One more than there are cores: tests wait for daemons and for the disk as well.
WORKERS ?= $(shell echo $$(($$(nproc 2>/dev/null || echo 2) + 1)))
PYTEST := $(PY) -m pytest -n $(WORKERS) --dist loadgroup
CODE := daemon integrations simulators tests benchmarks

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

setup: ## build .venv with everything a developer needs, nothing else
	@deploy/bootstrap.sh dev $(VENV)

demo: ## simulated Plex and Discord, the real daemon, and a page to chat in (KEEP=1 keeps its data)
	@deploy/bootstrap.sh runtime $(VENV)
	@exec $(PY) -m daemon demo

run: ## the daemon on your own servers, as config/local.toml and MARQUEE_* say
	@deploy/bootstrap.sh runtime $(VENV)
	@exec $(PY) -m daemon run

test: setup ## the whole test suite
	$(PYTEST) -m "not soak" $(ARGS)

test-all: test ## the suite on every newer Python that runs here, too
	@for minor in 12 13 14 15; do \
	    python=python3.$$minor; \
	    $$python -c 'import ssl, sqlite3' >/dev/null 2>&1 || { echo "$$python does not run here: left out"; continue; }; \
	    deploy/bootstrap.sh dev .venv-3.$$minor $$python && \
	    .venv-3.$$minor/bin/python -m pytest -n $(WORKERS) --dist loadgroup -m "not soak" $(ARGS) || exit 1; \
	done

check: static ## what CI runs: format, lint, types, imports, tests with coverage
	rm -f .coverage .coverage.*
	$(PYTEST) -m "not soak" --cov --cov-report=term:skip-covered --cov-fail-under=85 $(ARGS)

static: setup ## the part of `make check` that runs nothing: format, lint, types, imports, deployment files
	$(PY) -m ruff format --check $(CODE)
	$(PY) -m ruff check $(CODE)
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-cache
	@VENV=$(VENV) deploy/lint.sh

format: setup ## rewrite the code in the house format
	$(PY) -m ruff check --fix-only $(CODE)
	$(PY) -m ruff format $(CODE)

soak: setup ## long tests: minutes to hours
	$(PY) -m pytest -m soak --timeout 0 $(ARGS)

bench: setup ## every measured aim beside its peer, written to build/bench.json
	$(PY) -m benchmarks $(ARGS)

lock: ## resolve the dependencies anew and rewrite the hash-pinned locks
	@command -v uv >/dev/null 2>&1 || [ -x .uv/bin/uv ] || python3 -m pip install --quiet --target .uv uv
	PATH="$$PWD/.uv/bin:$$PATH" UV_SYSTEM_CERTS=1 uv lock --upgrade --quiet
	PATH="$$PWD/.uv/bin:$$PATH" uv export --quiet --frozen --no-emit-project --no-annotate --no-header --no-dev -o deploy/requirements.txt >/dev/null
	PATH="$$PWD/.uv/bin:$$PATH" uv export --quiet --frozen --no-emit-project --no-annotate --no-header -o deploy/requirements-dev.txt >/dev/null
	PATH="$$PWD/.uv/bin:$$PATH" uv export --quiet --frozen --no-emit-project --no-annotate --no-header --only-group build -o deploy/requirements-build.txt >/dev/null

clean: ## remove what the other targets made, environments included
	rm -rf .venv .venv-3.* .uv build dist .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis
