# lakehouse: `make` lists the targets. Everything that a target needs it installs itself.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
BUILD := .build
RELEASE := $(BUILD)/release/lakehouse
PYTHON := .venv/bin/python
# Only when they are needed and missing: with sudo unless we are root.
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
PACKAGES := libsqlite3-dev libzstd-dev libssl-dev zlib1g-dev libsnappy-dev liblz4-dev \
	libbrotli-dev libyaml-dev libpcre2-dev
TEST_PACKAGES := prometheus chromium postgresql libgeos-c1v5
export LAKEHOUSE_PORTABLE := $(PORTABLE)

.PHONY: help packages test-packages build test unit clients test-long bench demo lint format \
	venv web-list clean fuzz-build fuzz-slice fuzz-long sql-long clients-long libfuzzer

help: ## Lists the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' \
		| awk -F'|' '{ printf "  make %-14s %s\n", $$1, $$2 }'

packages: ## Installs the C libraries that the build links (Debian packages).
	@missing=""; for package in $(PACKAGES); do \
		dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		echo "installing:$$missing"; \
		$(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq $$missing >/dev/null; \
	fi

test-packages: packages
	@missing=""; for package in $(TEST_PACKAGES); do \
		dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		echo "installing:$$missing"; \
		$(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq $$missing >/dev/null; \
	fi

build: packages ## Builds the release binary, .build/release/lakehouse.
	@mkdir -p $(BUILD) && echo "building the release binary (log: $(BUILD)/release.log)" && \
		swift build -c release --product lakehouse --static-swift-stdlib >$(BUILD)/release.log 2>&1 \
		|| { grep -E 'error|warning' -A4 $(BUILD)/release.log | head -80; exit 1; }

demo: build ## Runs the banking-fraud walkthrough to its end.
	$(RELEASE) demo banking-fraud $(DEMO)

venv: ## Installs the pinned Python clients into .venv (with uv).
	@if [ ! -f .venv/pins ] || ! cmp -s .venv/pins Tests/pins.txt; then \
		command -v uv >/dev/null || python3 -m pip install --quiet --disable-pip-version-check --break-system-packages uv 2>/dev/null \
			|| python3 -m pip install --quiet --disable-pip-version-check uv; \
		uv venv --quiet --allow-existing .venv && uv pip install --quiet --python $(PYTHON) -r Tests/pins.txt \
			&& sed -n 's/^#tpcds //p' Tests/pins.txt > .venv/tpcds.txt \
			&& uv venv --quiet --allow-existing .venv/tpcds \
			&& uv pip install --quiet --python .venv/tpcds/bin/python -r .venv/tpcds.txt \
			&& cp Tests/pins.txt .venv/pins; \
	fi

test: unit clients ## Passes every test: units, SQL files, style, real clients against the real binary.

unit: test-packages ## Builds and runs the Swift tests (units, SQL files, style).
	@mkdir -p $(BUILD) && echo "building the tests (log: $(BUILD)/tests.log)" && \
		timeout 1800 swift build --build-tests >$(BUILD)/tests.log 2>&1 \
		|| { grep -E 'error|warning' -A4 $(BUILD)/tests.log | head -80; exit 1; }
	@timeout 900 swift test --skip-build 2>&1 \
		| awk '/Test run with/ || !/(Test case |started\.|passed after )/'

clients: build venv ## Drives the release binary with real clients on loopback.
	@timeout 1500 $(PYTHON) -m pytest -q -x --timeout 300 Tests/Clients

# The seed differs by commit, and a commit can be repeated.
FUZZ_SEED ?= $(shell printf '%d' 0x$$(git rev-parse --short=8 HEAD 2>/dev/null || echo 1))
# Seconds for each of the fuzzer's targets, two of which run at a time.
FUZZ_SECONDS ?= 120
DEV := $(BUILD)/release/dev

test-long: sql-long fuzz-long clients-long ## Runs what takes long: SQL in all configurations, fuzzing, crash loops.

sql-long: test-packages ## Runs the SQL files in every verification configuration.
	@mkdir -p $(BUILD) && echo "building the tests (log: $(BUILD)/tests.log)" && \
		timeout 1800 swift build --build-tests >$(BUILD)/tests.log 2>&1 \
		|| { grep -E 'error|warning' -A4 $(BUILD)/tests.log | head -80; exit 1; }
	@echo "SQL files in all configurations (at most 60 minutes)"
	@LAKEHOUSE_LONG=1 timeout 3600 swift test --skip-build --filter SQLTests 2>&1 \
		| awk '/Test run with/ || !/(Test case |started\.$$)/'

fuzz-build: packages
	@mkdir -p $(BUILD) && echo "building the fuzzer (log: $(BUILD)/fuzz.log)" && \
		timeout 1800 swift build -c release --product dev --static-swift-stdlib >$(BUILD)/fuzz.log 2>&1 \
		|| { grep -E 'error|warning' -A4 $(BUILD)/fuzz.log | head -80; exit 1; }

# The same inputs on every machine: what is green here is green in CI. Long runs take new seeds.
FUZZ_SLICE ?= 2026

fuzz-slice: fuzz-build ## Fuzzes every parser with some thousand inputs (FUZZ_SLICE=N: others).
	@timeout 600 $(DEV) fuzz all --seed $(FUZZ_SLICE) --iterations 1500 --jobs 2

fuzz-long: fuzz-build ## Fuzzes every parser for minutes (FUZZ_SECONDS=N each).
	@echo "fuzzing (at most 60 minutes)"
	@timeout 3600 $(DEV) fuzz all --seed $(FUZZ_SEED) --seconds $(FUZZ_SECONDS) --jobs 2

clients-long: build venv ## Runs the clients with the long crash loops and comparisons.
	@echo "clients and crash loops (at most 60 minutes)"
	@LAKEHOUSE_LONG=1 timeout 3600 $(PYTHON) -m pytest -v --timeout 900 Tests/Clients

# A build of its own, since every module is instrumented.
libfuzzer: packages ## Fuzzes http, sql and parquet by coverage with address checks (FUZZ_SECONDS=N each).
	@mkdir -p $(BUILD) && echo "building with libFuzzer (log: $(BUILD)/libfuzzer.log)" && \
		LAKEHOUSE_ONLY=dev LAKEHOUSE_LIBFUZZER=1 timeout 3600 swift build --build-path $(BUILD)/libfuzzer \
			--product dev --sanitize=address --sanitize=fuzzer >$(BUILD)/libfuzzer.log 2>&1 \
		|| { grep -E 'error|warning' -A4 $(BUILD)/libfuzzer.log | head -80; exit 1; }
	@for target in http sql parquet; do \
		timeout 3600 $(BUILD)/libfuzzer/debug/dev libfuzzer $$target -max_total_time=$(FUZZ_SECONDS) \
			-timeout=20 -rss_limit_mb=2048 -artifact_prefix=$(BUILD)/libfuzzer-$$target- || exit 1; \
	done

bench: build venv ## Measures beside the peers, in the same run, and prints ratios.
	@$(PYTHON) Tests/Bench/bench.py $(BENCH)

lint: ## Checks the format of every Swift file.
	@swift format lint --strict --recursive --parallel Sources Tests Package.swift

format: ## Formats every Swift file in place.
	@swift format --in-place --recursive --parallel Sources Tests Package.swift

web-list: ## Rewrites the list of embedded files after one was added or removed.
	@Sources/CWebFiles/list-files > Sources/CWebFiles/CWebFiles.c

clean: ## Removes what was built.
	rm -rf $(BUILD) .venv
