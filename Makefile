# Each target sets up all that it needs in .venv, once.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
KERNELS := .venv/.kernels
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Each test worker, and each process that a test starts, would else compile the package and the tests anew.
export PYTHONDONTWRITEBYTECODE :=
# What waits for another thread sleeps: test workers share the cores.
PYTEST := OMP_WAIT_POLICY=passive $(BIN)/python -m pytest
# File by file, or test by test, in the order of tests/conftest.py; what runs notebooks is not loaded.
SPREAD := -n auto --dist loadfile --no-loadscope-reorder -p no:nbmake

.PHONY: demo test fast lint kernels bench docs clean

demo: $(READY)  ## store real sentences, recall them, compare with the rate model, draw the report
	$(BIN)/spikemem demo

test: $(READY)  ## lint, types, floors, tests, doctests, notebooks, wheel
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint kernels
	$(PYTEST) $(SPREAD)
	$(PYTEST) -n auto --nbmake --nbmake-timeout=300 notebooks
	$(BIN)/python tests/wheel.py

fast: kernels  ## the tests that take a third of a second at most, and doctests
	$(PYTEST) $(SPREAD) -m "not slow"

kernels: $(KERNELS)  ## compile the kernels once, so that no two test workers do

$(KERNELS): $(READY) $(wildcard spikemem/kernels/*.py) tests/kernels/compile.py
	$(BIN)/python -m tests.kernels.compile
	touch $(KERNELS)

lint: $(READY)  ## ruff, mypy, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## ratios measured side by side
	$(BIN)/python sims/memory/capacity.py
	$(BIN)/python sims/bench/hop_speed.py

docs: $(READY)  ## the site, offline, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# torch first and alone: its pinned version has a CPU build on the index, and what comes later is content with it. Norse without its
# dependencies: it demands torchvision, does not use it, and a torchvision of another build breaks transformers.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "spikemem needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[text,reference,bench,analysis,events,sweep,train,lab,docs,dev]'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps norse
	touch $(READY)

clean:
	rm -rf .venv .build dist site spikemem-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
