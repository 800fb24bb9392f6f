# The short list of things you can do here. Every target is a script of .ci/ or one command.

PREFIX ?= /usr/local
DESTDIR ?=
TARGET ?=
DURATION ?= 60

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24

.PHONY: demo
demo: ## see it decide: the C example and the program on a good, an expired and a forged token
	@.ci/demo

.PHONY: test
test: ## everything: format, lints, Rust, C, C++, Python, Node, conformance, a real OIDC provider
	@.ci/test

.PHONY: prepare
prepare: ## set up what the tests need (Debian packages, .venv, Node packages)
	@.ci/prepare

.PHONY: check
check: ## format, lints, documentation, layers, licences, public interface
	@.ci/check

.PHONY: test-rust test-c test-python test-node test-oidc test-readme
test-rust: ## Rust: unit, golden, pipeline, conformance, the program, the documentation's examples
	@.ci/test-rust
test-c: conformance ## C and C++: ctest, sanitizers, valgrind, a consumer of an installed copy
	@.ci/test-c
test-python: conformance ## the Python package: pytest, mypy, stubtest, conformance
	@.ci/test-python
test-node: conformance ## the Node package: node --test, tsc, conformance
	@.ci/test-node
test-oidc: ## real tokens of a real OIDC provider, decided by every surface
	@.ci/test-oidc
test-readme: ## the programs of the README, after test-python and test-node
	@.ci/test-readme

.PHONY: conformance
conformance: ## flatten the conformance cases to target/conformance, with real tokens in place
	@.ci/conformance

.PHONY: generate
generate: ## write the generated files anew: header, error codes, type stubs, tables of faults, public interface
	@.ci/generate

.PHONY: install
install: ## install library, header, pkg-config and CMake files, and the program (PREFIX=, DESTDIR=)
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' .ci/install

.PHONY: bench
bench: ## what a decision costs: beside the bare signature check, with fetched keys, on several threads
	@cargo bench --locked -p jwtauth-core

.PHONY: fuzz
fuzz: ## look for a panic or a wrong grant (TARGET=token|request|configuration, DURATION=60)
	@.ci/fuzz '$(TARGET)' '$(DURATION)'
