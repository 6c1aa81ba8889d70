# Every target makes the virtual environment first, if it is not there or the lock has changed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
X      ?= experiments/whisper_base_es.yaml
PURE   := harness.decide harness.spec harness.speech.text
COVERAGE := $(PURE:%=--cov=%) --cov-branch --cov-report=term:skip-covered
LOOP   := not model and not simulation and not slow

.DEFAULT_GOAL := help
.PHONY: help setup check test test-all bench trust report golden clean lock

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(READY)  ## the virtual environment with pinned, hash-checked packages

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

report: $(READY)  ## run an experiment and leave its report in reports/ (X=experiments/other.yaml for another)
	@$(BIN)/harness run --exit-zero $(X)

test: $(READY)  ## the tests, without real models, simulations and what takes long
	$(BIN)/python -m pytest -n auto -m "$(LOOP)"

test-all: $(READY)  ## every test: what takes long, then the others and how much of the pure rooms they reach
	@HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest -n auto --durations=25 -m "not ($(LOOP))"; long=$$?; \
	HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest -n auto --durations=10 -m "$(LOOP)" $(COVERAGE) && exit $$long

check: $(READY)  ## lint, format, types, and whether docs/trust.md is of its figures
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd bench && ../$(BIN)/python -m trust page --check

bench: $(READY)  ## speed of the hot paths, and of the peers on the same job
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bench/requirements.lock
	$(BIN)/python -m pytest bench --benchmark-enable --benchmark-only --benchmark-columns=min,median,iqr,rounds
	$(BIN)/python bench/peers.py

trust: $(READY)  ## how often a verdict is wrong: docs/trust.md (about an hour and a half; wants a quiet machine)
	cd bench && ../$(BIN)/python -m trust machine
	cd bench && ../$(BIN)/python -m trust gallery
	cd bench && ../$(BIN)/python -m trust corpora
	cd bench && ../$(BIN)/python -m trust halving
	cd bench && ../$(BIN)/python -m trust quality
	cd bench && ../$(BIN)/python -m trust end_to_end
	cd bench && ../$(BIN)/python -m trust decision
	cd bench && ../$(BIN)/python -m trust page

golden: $(READY)  ## write golden reports, JSON schema and reference pages anew; look at the diff before you commit it
	$(BIN)/python -m pytest tests/test_report.py tests/test_trust_page.py --golden
	$(BIN)/harness schema > experiments/experiment.schema.json
	$(BIN)/python docs/reference.py

lock:  ## pin the newest versions (needs uv)
	uv pip compile --universal --python-version 3.10 --generate-hashes --no-header --no-annotate \
	  --extra dev pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.10 --generate-hashes --no-header --no-annotate \
	  --extra dev --extra bench pyproject.toml -o bench/requirements.lock

clean:  ## remove the environment, caches and what runs left beside their results (not the reports)
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks reports/*/.work
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
