# Every target works in .venv/, made on first use. Needs Python >= 3.11 and make; nothing else.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt
CHECKED := pyproject.toml constraints.txt $(wildcard native/CMakeLists.txt native/*/*)

.PHONY: explore test post lint bench clean

explore: .venv/product  ## train the post's network on MNIST, evaluate it, write explore/report.html
	$(BIN)/inksight explore --out explore

test: .venv/test  ## all tests, under five minutes on two cores
	$(BIN)/python -m pytest

lint: .venv/test  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

post: .venv/test  ## execute notebooks/exploring.ipynb and export it to one HTML file
	$(BIN)/python notebooks/export.py

bench: .venv/test .venv-bench/done  ## the claims of the README, measured on this machine beside other frameworks
	$(BIN)/python -m benchmarks

.venv-bench/done: benchmarks/requirements.txt
	@echo "installing the frameworks to compare with into .venv-bench/ (gigabytes, once)"
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip --disable-pip-version-check install --quiet -r benchmarks/requirements.txt
	@touch $@

.venv/python: 
	@test -n "$(PYTHON)" || { echo "inksight needs Python 3.11 or later with venv: install it, or name it with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

# A target's stamp is older than what it was installed from: install again.
.venv/product: .venv/python $(CHECKED)
	@echo "installing inksight into .venv/ (about a minute, once)"
	$(PIP) -e .
	@touch $@

.venv/test: .venv/python $(CHECKED)
	@echo "installing inksight and its tests' tools into .venv/ (about a minute, once)"
	$(PIP) -e '.[test]'
	@touch $@ .venv/product

clean:  ## remove what the targets made
	rm -rf .venv .venv-bench explore build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis notebooks/*.html
