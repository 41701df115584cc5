# Two commands are enough: `make run` and `make test`. Everything else is a part of these.
PYTHON ?= python3
BIN := .venv/bin
LOCK := requirements.lock
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help run test lint types imports unit fuzz bench fmt lock graph clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile

run: $(STAMP) ## Start everything; Ctrl-C stops it
	@exec $(BIN)/guoyuan up

test: lint types imports unit ## Lint, types, import rules and tests, on a stack of their own

lint: $(STAMP) ## ruff check and format check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

imports: $(STAMP) ## import-linter: who may import whom
	$(BIN)/lint-imports

unit: $(STAMP) ## pytest; ARGS="-k name" narrows it
	$(BIN)/python -m pytest $(ARGS)

fuzz: $(STAMP) ## Fuzz every codec, 60 s each; ARGS="--seconds 600 --codec cbor" changes that
	$(BIN)/python -m tests.fuzz --seconds 60 $(ARGS)

bench: $(STAMP) ## Measure into docs/performance.md; ARGS="fleet|storm [--kill]|backlog|share|history" for the long ones
	$(BIN)/python -m bench $(ARGS)

fmt: $(STAMP) ## Format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(STAMP) ## Pin every dependency with its hashes
	$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --python-version 3.11 --universal -o $(LOCK)
	$(BIN)/uv pip compile pyproject.toml --constraints $(LOCK) --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --python-version 3.11 --universal -o requirements-runtime.lock

graph: $(STAMP) ## Draw the domains and their imports (DOT), and show that there is no cycle
	$(BIN)/import-linter drawgraph services --show-import-totals
	$(BIN)/lint-imports

clean: ## Forget the virtual environment and the embedded stack's data (asks first)
	@if [ -d .guoyuan ]; then printf 'Remove .guoyuan with all its data? [y/N] '; read answer; \
		[ "$$answer" = y ] && rm -rf .guoyuan || echo kept; fi
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# Installed again only when the lock, the project file or the way of installing changes. The stamp is written last:
# an interrupted installation is repeated.
$(STAMP): $(LOCK) pyproject.toml ops/install.sh
	@sh ops/install.sh "$(PYTHON)" "$(LOCK)" "$(STAMP)"
