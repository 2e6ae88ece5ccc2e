# The two commands that matter: `make demo` and `make test`. Each sets the machine up first (Debian 12; quick when it
# is set up already), and both work in build/release: what one compiled, the other does not compile again. Everything
# else is plain CMake: see CMakePresets.json.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
SLOW ?= 0
SECONDS ?= 60
SEED ?= 1
LABELS = $(if $(filter 1,$(SLOW)),,-LE slow)

# Used if installed; CMake reads these when it first configures a folder.
export CMAKE_C_COMPILER_LAUNCHER ?= $(shell command -v ccache)
export CMAKE_CXX_COMPILER_LAUNCHER ?= $(shell command -v ccache)
# Libraries that are not instrumented are not looked into: their own synchronisation is not seen either.
export TSAN_OPTIONS ?= ignore_noninstrumented_modules=1:second_deadlock_stack=1
export UBSAN_OPTIONS ?= print_stacktrace=1

.PHONY: all setup setup-tests test demo lint install asan tsan coverage fuzz attacks faults thorough random-models wheel test-python clean help
.NOTPARALLEL:

all: setup  ## build build/release/bin/sealite
	cmake --preset release -DSEALITE_TESTS=OFF
	cmake --build --preset release -j $(JOBS)

setup:  ## install the packages that are missing and fetch LiteRT
	scripts/setup.sh

setup-tests:
	scripts/setup.sh --tests

test: setup-tests  ## build and run every test, against the program that `make` builds (SLOW=1: the slow ones too)
	tools/check_includes.sh
	tools/check_printing.sh
	cmake --preset release -DSEALITE_TESTS=ON
	cmake --build --preset release -j $(JOBS)
	ctest --preset release -j $(JOBS) $(LABELS)

demo: all  ## convert a trained model and a full-size ChunkySeal, read a photo with both (KEEP=1: keep the big files)
	scripts/demo.sh

lint:  ## clang-format and clang-tidy (version 19) over the sources
	scripts/setup.sh --lint
	tools/check_includes.sh
	tools/check_printing.sh
	tools/check_markdown.sh
	find $(wildcard src include python tests fuzz bench) -name '*.cc' -o -name '*.h' | xargs clang-format-19 --dry-run -Werror
	cmake --preset lint
	cmake --build --preset lint -j $(JOBS) --target generated/schema_generated.h
	scripts/clang_tidy.sh $(JOBS)

install: all  ## install into PREFIX (default /usr/local)
	cmake --install build/release --prefix $(PREFIX)

asan: setup-tests  ## run the tests with address and undefined-behaviour sanitizers (ONLY='unit|golden': those labels)
	cmake --preset asan-ubsan
	cmake --build --preset asan-ubsan -j $(JOBS)
	ctest --preset asan-ubsan -j $(JOBS) $(LABELS) $(if $(ONLY),-L '$(ONLY)')

# What works with several threads: parallel_for, the stages of detect_files, the evaluator, quantisation, the writer,
# conversion. libvips, GLib and LiteRT are not instrumented: what they do among themselves is not seen, and tests plant a
# race to show that ours still is.
PARALLEL = base evaluate graph quantize tflite api
tsan: setup-tests  ## run the tests of the parallel parts with the thread sanitizer
	cmake --preset tsan
	cmake --build --preset tsan -j $(JOBS) --target $(PARALLEL:=_tests)
	ctest --preset tsan -j $(JOBS) -R '^($(subst $() ,|,$(PARALLEL)))\.' -LE 'slow|golden' -E 'EmbedDemo|HostFiles'

coverage:  ## print the line coverage of the folders that read strangers' files and decide, by their own tests
	scripts/coverage.sh $(JOBS)

fuzz:  ## run each libFuzzer target for SECONDS=60; what it finds is left in build/fuzz/found
	scripts/setup.sh --lint --tests
	cmake --preset fuzz
	cmake --build --preset fuzz -j $(JOBS) --target $(addprefix fuzz_,$(basename $(notdir $(filter-out fuzz/replay.cc,$(wildcard fuzz/*.cc)))))
	scripts/fuzz.sh $(SECONDS)

attacks: COUNT ?= 10000
attacks: setup-tests  ## known hostile files, and COUNT=10000 mutated checkpoints, models and pictures each (SEED=1); docs in attacks/
	cmake --preset release -DSEALITE_TESTS=ON
	cmake --build --preset release -j $(JOBS) --target sealite replay_checkpoint
	attacks/run.py build/release/bin/sealite
	attacks/mutate.py build/release/bin/sealite --count $(COUNT) --seed $(SEED) --keep build/attacks
	attacks/mutate.py build/release/bin/sealite --count $(COUNT) --seed $(SEED) --keep build/attacks --replay build/release/bin/replay_checkpoint --kind legacy jit deflated opaque protocol0 protocol1

faults: COUNT ?= 1000
faults: setup-tests  ## end sealite at COUNT=1000 random moments, and make each call of its writes and allocations fail
	cmake --preset release -DSEALITE_TESTS=ON
	cmake --build --preset release -j $(JOBS) --target sealite faulty
	scripts/faults.sh $(COUNT)

thorough: setup-tests  ## what does not fit into CI: hours of tests, sanitizers, coverage, attacks, faults and fuzzing
	scripts/thorough.sh

random-models: COUNT ?= 20000
random-models: setup-tests  ## COUNT=20000 random models that pass the check, run under the sanitizers (SEED=1)
	cmake --preset asan-ubsan
	cmake --build --preset asan-ubsan -j $(JOBS) --target random_graphs
	build/asan-ubsan/bin/random_graphs --count $(COUNT) --seed $(SEED) --folder build/asan-ubsan 2>build/asan-ubsan/random_graphs.log

wheel:  ## the Python wheels, in build/wheel: one for 3.11, one for 3.12 and later, where these Pythons are here
	scripts/setup.sh --python
	scripts/wheel.sh $(JOBS)

test-python: wheel  ## build the wheels and test them in virtual environments of each Python that is here
	build/python/tools/bin/ruff check python tests/python
	build/python/tools/bin/ruff format --check python tests/python
	build/python/tools/bin/python -m pytest tests/python

clean:  ## remove every build folder, LiteRT and demo files included
	rm -rf build

help:  ## this list
	@sed -n 's/^\([a-z][a-z ]*\):[^#=]*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
	  printf '  make %-10s %s\n' "$$name" "$$text"; done
