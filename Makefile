# Everything a person or a machine does with this repository. `make help` lists it.
# Needs Rust (https://rustup.rs), a C compiler, Python 3.11 and git; `make test` installs missing Debian packages when it runs as root.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
# Minutes of `make soak`.
SOAK_MINUTES ?= 30
# More arguments for `entente demo`, e.g. DEMO=--small.
DEMO ?=
# More arguments for `bench/run.py`.
BENCH ?=
# More arguments for pytest, e.g. PYTEST='-k test_patterns'.
PYTEST ?=
# Arguments for `tests/conformance/run.py`.
TAXII ?= --help

VENV := .venv
STEP := .ci/step
BIN := $(CURDIR)/target/debug/entente

.PHONY: help demo test lint soak bench golden compiler venv python-partners taxii-conformance

help: ## This list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

compiler: ## Checks that Rust and a C compiler are there.
	@command -v $(firstword $(CARGO)) >/dev/null || { echo "cargo is not installed. Get Rust: https://rustup.rs, or: curl https://sh.rustup.rs -sSf | sh" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "no C compiler (cc) is installed; SQLite is compiled from source. On Debian: apt-get install build-essential" >&2; exit 1; }

demo: compiler ## Builds and starts a coalition of six nodes on this machine; Ctrl-C ends it.
	$(CARGO) build --release --locked -p entente
	target/release/entente demo $(DEMO)

test: ## Formatting, lints, all Rust tests, doc tests, documentation without warnings, and the Python programs as partners.
	@.ci/prepare
	@$(MAKE) --no-print-directory compiler venv
	@rm -rf target/steps
	@$(STEP) fmt $(CARGO) fmt --all --check
	@$(STEP) clippy $(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	@$(STEP) build $(CARGO) build --locked -p entente
	@export ENTENTE_BIN=$(BIN); if $(CARGO) nextest --version >/dev/null 2>&1; \
	then $(STEP) nextest $(CARGO) nextest run --locked --workspace --no-fail-fast; \
	else $(STEP) tests $(CARGO) test --locked --workspace --no-fail-fast --lib --bins --tests; fi
	@$(STEP) doc-tests $(CARGO) test --locked --workspace --doc
	@$(STEP) doc env RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --workspace
	@$(MAKE) --no-print-directory python-partners
	@echo; echo "All passed. Closing lines:"; cat target/steps/summary

python-partners: venv ## Only the Python programs as partners, against target/debug/entente, or BIN=….
	@test -x $(BIN) || $(CARGO) build --locked -p entente
	@$(STEP) python env ENTENTE_BIN=$(BIN) PYTHONDONTWRITEBYTECODE=1 $(VENV)/bin/python -m pytest $(PYTEST) -c tests/partners/pytest.ini --rootdir tests/partners tests/partners

taxii-conformance: ## Any TAXII 2.1 server, row by row. TAXII="--url https://… --user U --password P --read-write ID"
	python3 tests/conformance/run.py $(TAXII)

lint: compiler ## Formatting and lints.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

golden: compiler ## Writes the golden files and the reference pages anew; look at the difference before you commit it.
	$(CARGO) build --locked -p entente
	ENTENTE_BIN=$(BIN) UPDATE_GOLDEN=1 $(CARGO) test --locked --workspace --no-fail-fast

soak: compiler ## The long runs: properties, byte mutations, crashes, planted faults. SOAK_MINUTES=30
	@.ci/soak $(SOAK_MINUTES)

bench: compiler venv ## The figures of the README, side by side with other servers.
	$(CARGO) build --release --locked -p entente
	$(CARGO) build --release --locked -p web --example bare
	python3 bench/reading.py
	python3 bench/run.py $(BENCH)
	python3 bench/patterns.py
	$(CARGO) bench --locked -p supply
	$(CARGO) bench --locked -p label
	$(CARGO) bench --locked -p store --bench figures -- relabel

venv: $(VENV)/pinned.txt

# Made anew whenever a pin changes.
$(VENV)/pinned.txt: tests/partners/requirements.txt bench/peers/requirements-medallion.txt
	rm -rf $(VENV)
	python3 -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/partners/requirements.txt
	cp tests/partners/requirements.txt $@
