# Every target works in .venv/, made on first use. Needs Python >= 3.11, make, and a network for the first installation.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
NATIVE := $(sort $(shell find native -type f))
# An editable install knows only the modules that it found: a new or moved one needs another install.
MODULES := $(sort $(shell find src -name '*.py' -o -name '*.pyi'))
CHECKED := .venv/python pyproject.toml constraints.txt .venv/files $(NATIVE)

define NO_PYTHON
No Python 3.11 or later that can make virtual environments was found. Install one (Debian and Ubuntu: sudo apt install
python3-venv; Fedora: sudo dnf install python3; macOS: brew install python), or name yours: make explore PYTHON=/path/to/python3
endef
define NOT_INSTALLED
The installation failed; the lines above say why. It downloads packages from PyPI: without a network, use a mirror that pip knows.
endef
define NEXT

Next:
  source .venv/bin/activate           makes `inksight` a command in this terminal
  inksight read examples/photo.jpg    reads the digits on a photo
  inksight --help                     lists all commands
endef
export NO_PYTHON NOT_INSTALLED NEXT  # for the shell, which prints them as they are

# pip hides what a build prints: say here why the engine was not built, if it was not.
CHECK_ENGINE = $(BIN)/python -c 'from inksight.engine.library import problem; reason = problem(); \
	print(f"Everything works, but training is about ten times slower than it could be: {reason}" if reason else \
	"The native engine is installed.")'

.PHONY: explore test fuzz coverage lint docs post bench clean engine always

explore: .venv/product  ## train the post's network on MNIST, evaluate it, write explore/report.html
	$(BIN)/inksight explore --out explore
	@echo "$$NEXT"

test: .venv/test  ## all tests, about ten minutes on two cores
	$(BIN)/python -m pytest

fuzz: .venv/test  ## the parsers of untrusted input, SECONDS each (300)
	$(BIN)/python tools/fuzz_parsers.py --seconds $(or $(SECONDS),300)

coverage: .venv/test  ## all tests, and which lines they run: on the terminal, and as htmlcov/index.html
	$(BIN)/python -m pytest --cov --cov-report=term --cov-report=html

lint: .venv/test  ## style, types, and which room imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	$(BIN)/basedpyright --pythonpath $(BIN)/python

docs: .venv/docs  ## the documentation as site/index.html, with warnings as errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

post: .venv/test  ## execute notebooks/exploring.ipynb and export it to one HTML file
	$(BIN)/python notebooks/export.py

bench: .venv/test .venv-bench/done  ## the claims of the README, measured on this machine, compared with other frameworks
	$(BIN)/python -m benchmarks

.venv-bench/done: benchmarks/requirements.txt
	@echo "installing the frameworks to compare with into .venv-bench/ (gigabytes, once)"
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip --disable-pip-version-check install --quiet -r benchmarks/requirements.txt
	@touch $@

.venv/python:
	@test -n "$(PYTHON)" || { echo "$$NO_PYTHON"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

# `always` has no rule, so the list is looked at each time; it is written, and so newer, only when it changes.
.venv/files: always | .venv/python
	@echo '$(MODULES) $(NATIVE)' | cmp -s - $@ || echo '$(MODULES) $(NATIVE)' >$@

engine:  ## whether the native engine is installed, and if not, why
	@$(CHECK_ENGINE)

# A target's stamp is older than what it was installed from: install again.
.venv/product: $(CHECKED)
	@echo "installing inksight into .venv/ (about a minute, once)"
	@$(PIP) -c constraints.txt -e . || { echo "$$NOT_INSTALLED"; exit 1; }
	@$(CHECK_ENGINE)
	@touch $@

.venv/test: $(CHECKED) constraints-tools.txt
	@echo "installing inksight and its tests' tools into .venv/ (about a minute, once)"
	@$(PIP) -c constraints-tools.txt -e '.[test]' || { echo "$$NOT_INSTALLED"; exit 1; }
	@$(CHECK_ENGINE)
	@touch $@ .venv/product

.venv/docs: $(CHECKED) constraints-tools.txt
	@echo "installing inksight and the documentation's tools into .venv/ (about a minute, once)"
	@$(PIP) -c constraints-tools.txt -e '.[docs]' || { echo "$$NOT_INSTALLED"; exit 1; }
	@$(CHECK_ENGINE)
	@touch $@ .venv/product

clean:  ## remove what the targets made
	rm -rf .venv .venv-bench .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist explore htmlcov site \
		notebooks/*.html
