# Ops Portal: `make up` runs it, `make test` tests it. Needs git, make and Python 3.11 or newer.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: up test lint bench screenshots requirements clean help

help:  ## Show the targets.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

up: $(VENV)/.runtime  ## Run the portal: web, worker, beat and the bundled broker. Ctrl-C stops it.
	@exec $(BIN)/python manage.py up $(ARGS)

test: $(VENV)/.dev  ## Run every test, on the embedded default and on PostgreSQL + Redis where they can be reached.
	@exec $(BIN)/python -m tests.run $(ARGS)

lint: $(VENV)/.dev  ## Check style, types, templates, migrations and the direction of imports.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --check --lint templates
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING

bench: $(VENV)/.dev  ## Measure; the figures go to bench/RESULTS.md.
	@exec $(BIN)/python -m bench $(ARGS)

screenshots: $(VENV)/.dev  ## Make the README's pictures anew, with the browser tests.
	OPS_PORTAL_PICTURES=test-results/pages $(BIN)/python -m pytest -q -m browser tests/browser
	@mkdir -p docs/images && cp test-results/pages/readme/*.png docs/images/

requirements:  ## Pin the dependencies anew (needs uv).
	uv pip compile --quiet --upgrade --no-emit-index-url --no-annotate --no-header -o requirements/runtime.txt requirements/runtime.in
	uv pip compile --quiet --upgrade --no-emit-index-url --no-annotate --no-header -o requirements/dev.txt requirements/dev.in

clean:  ## Remove the environment and everything the portal wrote on this machine.
	rm -rf $(VENV) var

# Stamps: an environment is made again only when its pinned list changes.
$(VENV)/.runtime: requirements/runtime.txt
	@./requirements/install $(PYTHON) $(VENV) requirements/runtime.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt
	@./requirements/install $(PYTHON) $(VENV) requirements/dev.txt
	@touch $@ $(VENV)/.runtime
