# make run   sets everything up and starts Redress
# make test  installs what the tests need and runs them all
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
PIN := $(BIN)/pip-compile --quiet --strip-extras --no-header --no-annotate \
       --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

.PHONY: help run test test-fast soak-sync lint types system bench bench-sync bench-whatif pins screenshots house sentences settings translations

help:
	@sed -n "s/^# \(make .*\)/\1/p" Makefile

run: .venv/installed
	@$(BIN)/flask upgrade
	@$(BIN)/flask demo
	@exec $(BIN)/flask serve

# Rewriting the assertions of all tests takes a third of the time until the first begins, so what
# was compiled is kept, also where the environment says that Python keeps nothing.
test test-fast: export PYTHONDONTWRITEBYTECODE :=

test: .venv/installed-dev system lint types
	$(BIN)/pytest -n 2 --dist loadgroup -rs --durations 25 $(PYTEST_ARGS)

# make test-fast  runs all but what drives the browser or LibreOffice, random days and walks
test-fast: .venv/installed-dev
	$(BIN)/pytest -n 2 --dist loadgroup -q -m "not (browser or calc or soak or walk)" $(PYTEST_ARGS)

# make soak-sync  lets random days pass over the spreadsheet file, SOAK_MINUTES long (30)
soak-sync: .venv/installed-dev
	SOAK_MINUTES=$${SOAK_MINUTES:-30} $(BIN)/pytest -n 0 tests/sync/test_soak.py -k until_the_time_is_over

# make lint  checks style and imports
lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .

# make types  checks the types
types: .venv/installed-dev
	$(BIN)/mypy

# make system  installs Chromium, a Chinese font and LibreOffice Calc where it may
system:
	@.ci/system

# make bench  measures
bench: .venv/installed-dev
	$(BIN)/pytest benchmarks -p no:cacheprovider --benchmark-only

# make bench-sync  measures a file of 10,000 cases and writes docs/benchmarks.md
bench-sync: .venv/installed-dev
	$(BIN)/python -m benchmarks.bench_sync

# make bench-whatif  measures a draft tried on 1,000 cases and writes docs/benchmarks.md
bench-whatif: .venv/installed-dev
	$(BIN)/python -m benchmarks.bench_whatif

# make pins  pins the newest versions of everything in requirements*.in
pins: .venv/installed-dev
	$(PIN) --upgrade --output-file requirements.txt requirements.in
	$(PIN) --upgrade --output-file requirements-dev.txt requirements-dev.in

# make screenshots  photographs every page, desktop and phone
screenshots: .venv/installed-dev system
	$(BIN)/python -m tools.screenshots

# make house  draws the picture of the house from the imports
house: .venv/installed
	$(BIN)/python -m tools.house_picture

# make sentences  draws the sentence tables of the regulations from packs and cases
sentences: .venv/installed
	$(BIN)/python -m tools.sentence_tables

# make translations  gathers the sentences and compiles the catalogues
translations: .venv/installed
	@mkdir -p build
	$(BIN)/pybabel -q extract -F babel.cfg -k mark -k lazy_gettext -k _l --no-location --sort-output -o build/messages.pot .
	$(BIN)/pybabel -q update -N --ignore-obsolete --no-wrap -i build/messages.pot -d translations -l zh_Hans_CN
	$(BIN)/pybabel -q compile -d translations -D "messages admin"

# make settings  writes docs/settings.md anew from config.py
settings: .venv/installed
	$(BIN)/flask settings > docs/settings.md

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Redress needs Python 3.11 or newer; name one with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv .venv

# What was installed is kept as a copy of the pins: a checkout that only touches the times of the
# files installs nothing again.
.venv/installed: .venv/bin/python requirements.txt
	@cmp -s requirements.txt $@ || { echo "Installing what Redress needs ..." \
	  && $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt; }
	@cp requirements.txt $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	@cmp -s requirements-dev.txt $@ || { echo "Installing what the tests need ..." \
	  && $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt; }
	@cp requirements-dev.txt $@
