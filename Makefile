# The commands people need. `make demo` and `make test` do all set-up themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: setup demo test verdicts check images benchmarks clean

setup: $(INSTALLED)  ## makes .venv with everything, from the locked versions

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "chaos needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "no venv module: apt-get install python3-venv (Debian, Ubuntu)"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "Set up. For the commands of the README: . $(BIN)/activate"

demo: setup  ## set-up, then three experiments against the sandbox shop: two that pass, and a twin that must fail
	@$(BIN)/chaos run experiments/payment-refused.yaml experiments/replica-dies.yaml
	@echo; echo "Now a twin: the same shop with one protection switched off. It must fail, or the experiment proves nothing."
	@$(BIN)/chaos run experiments/twins/payment-reply-lost.yaml; test $$? -eq 1
	@echo "The twin failed, as it must."

test: setup  ## set-up, then all tests
	$(BIN)/pytest

verdicts: setup  ## every experiment and twin, embedded and on Docker, in one table; 40 minutes
	CHAOS_REQUIRE_DOCKER=1 $(BIN)/pytest tests/end_to_end/test_verdicts.py

check: setup  ## what CI runs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) --no-print-directory test

images:  ## what the shop's images are built on, also where no registry can be reached
	@sandbox/images/prepare

benchmarks: setup  ## the figures of docs/figures.md, measured on this machine
	@for file in startup agent load reconcile demo docker; do $(BIN)/python -m benchmarks.$$file || exit 1; done

clean:  ## removes what set-up and runs have made
	rm -rf $(VENV) runs build dist
