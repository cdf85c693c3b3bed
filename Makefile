# Two commands for a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Two processes run the tests, each with servers of its own; the tests that need workers come last in both.
JOBS ?= 2
PYTEST := pytest --numprocesses $(JOBS) --dist loadscope --no-loadscope-reorder

.PHONY: help setup demo up test test-brokers check lint types layers bench bench-peers bench-profile bench-ocr bench-kyc load chaos chaos-short chaos-mutants chaos-sweep chaos-outages chaos-recovery chaos-rolling wheel clean

help:  ## Shows the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(STAMP)  ## Makes .venv with everything that the other targets need.

$(STAMP): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "AI Spine needs Python 3.11 or newer; set PYTHON=")'
	@echo "Installing into $(VENV), about a minute ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,flower,ocr]'
	@touch $(STAMP)

demo: setup  ## Starts the stack, checks six guests in over WhatsApp, runs two more flows, stops everything.
	@$(BIN)/aispine demo

up: setup  ## Starts the stack and keeps it running until Ctrl-C.
	@$(BIN)/aispine up

test: setup  ## Runs all tests; PYTEST_ARGS="..." narrows.
	$(BIN)/python -m $(PYTEST) $(PYTEST_ARGS)

check: lint types layers  ## Runs the checkers, then all tests with their coverage, in one process.
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest $(PYTEST_ARGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --skip-covered --fail-under=80

test-brokers: setup  ## Runs the core tests on a real RabbitMQ (installs it, as root) and on SQS as moto has it.
	@.ci/rabbitmq
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[brokers]'
	$(BIN)/python -m pytest -m core --broker rabbitmq $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m core --broker sqs $(PYTEST_ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

layers: setup
	$(BIN)/lint-imports

bench: setup  ## Measures AI Spine beside bare Celery, 10 minutes; ROWS="chain fan" narrows. Writes build/bench.json.
	$(BIN)/python -m benchmarks $(ROWS)

.PHONY: bench-calls
bench-calls: setup  ## Measures guarded calls, and breaker and limits under eight processes; PARTS= narrows.
	$(BIN)/python -m benchmarks.guard $(PARTS)

bench-peers: setup  ## Measures DBOS, Prefect, Dagster and celery-director beside AI Spine; PEERS="dbos" narrows.
	$(BIN)/python -m benchmarks.peers $(PEERS)

load: setup  ## Users that deploy, run, stream, list and cancel for a minute (Locust); USERS=, SECONDS= change it.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[load]'
	$(BIN)/python -m benchmarks.load --users $(or $(USERS),20) --seconds $(or $(SECONDS),60)

bench-profile: setup  ## Says where the time of one node goes, with py-spy.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[load]'
	$(BIN)/python -m benchmarks.profiler

bench-ocr: setup  ## Reads 200 drawn documents on one core, and worse ones; writes build/bench-ocr.json.
	$(BIN)/python -m benchmarks.ocr

bench-kyc: setup  ## Checks 102 guests in, six at once, and sends 50 webhooks a second; writes build/bench-kyc.json.
	$(BIN)/python -m benchmarks.kyc

chaos: setup  ## Kills, stops and restarts everything under 1,000 executions; N=, SEED= narrow and repeat.
	$(BIN)/python -m benchmarks.chaos campaign --count $(or $(N),1000) $(if $(SEED),--seed $(SEED))

chaos-short: setup  ## The campaign with 40 executions.
	$(BIN)/python -m benchmarks.chaos campaign --count $(or $(N),40) $(if $(SEED),--seed $(SEED))

chaos-mutants: setup  ## Three broken engines, each of which the campaign must find out.
	$(BIN)/python -m benchmarks.chaos mutants $(if $(SEED),--seed $(SEED))

chaos-sweep: setup  ## Kills a worker before and after each statement and message, for each kind of flow.
	$(BIN)/python -m benchmarks.chaos sweep

chaos-outages: setup  ## Pauses, cuts and fills up the servers under load.
	$(BIN)/python -m benchmarks.chaos outages

chaos-recovery: setup  ## Kills processes with the settings as they come; what they ran must run again within 20 s.
	$(BIN)/python -m benchmarks.chaos recovery $(if $(SEED),--seed $(SEED))

chaos-rolling: setup  ## Replaces every process in turn under load, three times.
	$(BIN)/python -m benchmarks.chaos rolling --count $(or $(N),120)

wheel: setup  ## Builds the wheel into dist/.
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:  ## Removes .venv and everything that was built.
	rm -rf $(VENV) build dist *.egg-info .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
