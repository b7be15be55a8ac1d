# Two commands do everything: `make demo` and `make test`. The others are for developers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --no-annotate

.PHONY: demo test lint types bench loadtest bench-pipeline chaos services lock clean help
help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: $(VENV)/.run ## install and run the whole product, with a simulated sale
	@$(BIN)/weir demo $(ARGS)

test: $(VENV)/.dev ## install what the tests need and run every check
	@$(BIN)/python -m tests.run

lint: $(VENV)/.dev ## style and import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: $(VENV)/.dev ## static types
	@$(BIN)/basedpyright --level error

bench: $(VENV)/.dev ## every benchmark; prints ratios
	@$(BIN)/python -m benchmarks

bench-pipeline: $(VENV)/.dev ## Kafka to store, compared with peers in environments of their own
	@$(BIN)/python -m benchmarks.pipeline $(ARGS)

loadtest: $(VENV)/.dev ## a peak sale sent to a product of its own, or ARGS="--host URL --token-file FILE"; --ui shows Locust
	@$(BIN)/python -m loadtest $(ARGS)

chaos: $(VENV)/.dev ## two hundred faults under load; ARGS="--faults N --seed S"
	@$(BIN)/python -m tests.chaos $(ARGS)

services: $(VENV)/.dev ## run Kafka, Redis and a database for work by hand; prints their addresses
	@$(BIN)/python -m tests.services $(ARGS)

lock: $(VENV)/.uv ## resolve requirements*.in anew
	@for f in requirements-uv requirements requirements-dev requirements-bench requirements-bench-quix; do $(COMPILE) --upgrade $$f.in -o $$f.lock; done

clean: ## remove the environment
	rm -rf $(VENV)

$(VENV)/.uv: requirements-uv.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@touch $@

$(VENV)/.run: $(VENV)/.uv requirements.lock pyproject.toml
	@test -e $(VENV)/.dev || $(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	@test -e $(VENV)/.dev || $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.uv requirements-dev.lock pyproject.toml
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
