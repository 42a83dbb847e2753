# make app    set up .venv and open the app
# make test   set up .venv and run the tests (FAST=1 leaves out the slow ones)
# make check  formatting, lint and types
# make benchmark  measure what the tables of README and docs show

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: app test check benchmark clean

app: $(VENV)/app
	$(BIN)/python -m streamlit run app.py

# One thread a process: several for one small product wait for each other on busy cores.
test: $(VENV)/dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal $(if $(FAST),-m "not slow")

check: $(VENV)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

benchmark: $(VENV)/dev
	$(BIN)/python benchmarks/em.py --markdown docs/benchmarks-em.md

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "vaegmm needs Python 3.10 or newer; choose one with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The package itself is installed too, in place, for the `vaegmm` command.
$(VENV)/app: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -r requirements.txt -e .
	@touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/app
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@
