# The targets for daily work. Every target is a script of .ci/ or one command.

PREFIX ?= /usr/local
DESTDIR ?=
TARGET ?=
DURATION ?= 60

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24

.PHONY: demo
demo: ## show decisions: the C example and the program on a valid, an expired and a forged token
	@.ci/demo

.PHONY: test
test: ## run everything: format, lints, Rust, C, C++, Python, Node, conformance, a real OIDC provider, the playground
	@.ci/test

.PHONY: prepare
prepare: ## set up everything that the tests need (Debian packages, .venv, Node packages)
	@.ci/prepare

.PHONY: check
check: ## check format, lints, documentation, layers, licences, public interface
	@.ci/check

.PHONY: test-rust test-sarif test-c test-python test-node test-nginx test-serve test-serve-instances test-oidc test-playground test-site test-readme
test-rust: ## test Rust: unit, golden, pipeline, conformance, the program, the documentation's examples
	@.ci/test-rust
test-sarif: ## validate the SARIF logs of jwtauth lint against the schema of the standard
	@.ci/test-sarif
test-c: conformance ## test C and C++: ctest, sanitizers, valgrind, a program built against an installed copy
	@.ci/test-c
test-python: conformance ## test the Python package: pytest, mypy, stubtest, conformance
	@.ci/test-python
test-node: conformance ## test the Node package: node --test, tsc, conformance
	@.ci/test-node
test-nginx: ## test the nginx module: nginx itself with real requests, and under valgrind
	@.ci/test-nginx
test-serve: ## test jwtauth serve with unchanged clients (Python, Node, Go) and with nginx, Caddy, HAProxy and Apache
	@.ci/test-serve
test-serve-instances: ## kill and restart instances of jwtauth serve over one Redis for a minute (not part of test)
	@.ci/test-serve-instances
test-oidc: ## test every language with tokens of a real OIDC provider
	@.ci/test-oidc
test-playground: ## test the page of the playground in Chromium
	@.ci/test-playground
test-site: ## build the documentation as a site, and test it in Chromium
	@.ci/test-site
test-readme: ## test the programs of the README, the first page and the migration page; run test-python and test-node first
	@.ci/test-readme

.PHONY: test-oracle
test-oracle: ## compare random logins, selectors, files and JMESPath with the systems' own code (needs Go; not part of test)
	@.ci/test-oracle

.PHONY: stress
stress: ## run each suite ten times next to four busy loops (takes an hour or more; not part of test)
	@.ci/stress

.PHONY: conformance
conformance: ## write the conformance cases to target/conformance, with signed tokens
	@.ci/conformance

.PHONY: generate
generate: ## write the generated files again: header, error codes, type stubs, tables of faults, public interface
	@.ci/generate

.PHONY: install
install: ## install library, header, pkg-config and CMake files, and the program (PREFIX=, DESTDIR=)
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' .ci/install

.PHONY: wheel npm nginx
wheel: ## build the Python wheel as it is published, for this platform (target/wheels)
	@PROFILE=release .ci/wheel
npm: ## build the Node package as it is published, for this platform (target/npm)
	@.ci/npm
nginx: ## build the nginx module for the installed nginx (target/nginx/release)
	@.ci/nginx

.PHONY: site
site: ## build the documentation as a site (target/site)
	@.ci/site

.PHONY: dist
dist: ## make all packages into dist/ and try each of them in an empty system (takes an hour or more; not part of test)
	@.ci/dist

.PHONY: bench
bench: ## measure decisions: compared with the signature check, and with other libraries in C, Python and Node; sessions
	@cargo bench --locked -p jwtauth-core
	@cargo bench --locked -p jwtauth-ffi
	@cargo bench --locked -p jwtauth-sessions --all-features
	@.ci/bench-c
	@.ci/bench-python
	@.ci/bench-node
	@.ci/bench-nginx
	@.ci/bench-serve

.PHONY: check-cost
check-cost: ## count the instructions of decisions, and compare them with the recorded budget
	@.ci/check-cost

.PHONY: fuzz
fuzz: ## fuzz for panics, wrong grants and other broken statements (TARGET=token, or all; DURATION=60 seconds each)
	@.ci/fuzz '$(TARGET)' '$(DURATION)'
