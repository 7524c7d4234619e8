# The front door: `make` lists what there is. The work is in scripts/ and xtask/.
.DEFAULT_GOAL := help
.PHONY: help run test test-long fuzz fmt lint unit contract api e2e authorisation cluster cluster-down cluster-test deny web shots screens setup setup-run measure-build measure-start measure-approvals measure-queries measure-size measure-streams measure-log measure-graph measure-live measure-cluster clean

# Runs a measurement on the release build; those of end2end/ are node's.
define released
	@scripts/setup cc wasm chromium npm
	@cargo xtask build-web
	@cargo build --package server --release
	@CONSOLE_BIN="$$(realpath -m "$${CARGO_TARGET_DIR:-target}")/release/kubernaut-console" $(1)
endef
measured = $(call released,node end2end/$(1).mjs)

help: ## lists these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## builds and starts the console with the demo scene (installs what is missing)
	@scripts/run

test: ## everything that proves it: format, lints, unit, both databases, black box, browser
	@scripts/test

fmt: ## formats the Rust code
	@cargo fmt --all

lint: ## format check and lints, host and browser half
	@scripts/test fmt lint lint-web

unit: ## unit tests of every crate
	@scripts/test unit

contract: ## the contract suite on SQLite and on a PostgreSQL of its own
	@scripts/test contract

api: ## the black-box tests of the wire
	@scripts/test api

e2e: ## the browser tests, in a real Chromium
	@scripts/test e2e

test-long: ## what takes longer: fuzzing, the API against its description, planted bugs (some two hours)
	@scripts/test fuzz schemathesis planted

fuzz: ## each fuzz target for a minute; FUZZ_SECONDS=… for longer
	@scripts/test fuzz

cluster: ## a real Kubernetes with Tekton on this machine; prints its KUBECONFIG (root; twenty minutes the first time, then half a minute)
	@end2end/cluster/up

cluster-down: ## ends it and all that it held
	@end2end/cluster/down

cluster-test: ## everything that is proved on a real cluster: on that one, or on the one of TEST_KUBECONFIG
	@scripts/test cluster cluster-long

authorisation: ## writes the table of rights in docs/authorisation.md from what the routes declare
	@UPDATE=1 cargo test --package server --test api rights::the_document

deny: ## bans, licences and sources of the dependencies
	@scripts/test deny

web: ## builds the browser half into target/site
	@scripts/setup cc wasm
	@cargo xtask build-web

shots: ## pictures of the pages at three widths in both themes, into end2end/results
	@scripts/setup cc wasm chromium npm
	@cargo xtask build-web
	@cargo build --package server
	@cd end2end && node shots.mjs

screens: ## the pictures in docs/screens: each page on a desktop in the light and on a phone in the dark
	@scripts/setup cc wasm chromium npm
	@cargo xtask build-web
	@cargo build --package server
	@rm -f docs/screens/*.webp
	@cd end2end && node shots.mjs --small --out ../docs/screens

setup: ## installs everything that building and testing need
	@scripts/setup

setup-run: ## installs only what `make run` needs
	@scripts/setup cc wasm

measure-build: ## build times of server and browser half, cold and warm (half an hour)
	@scripts/setup cc wasm
	@scripts/measure-build

measure-start: ## start to ready and idle memory of the release build
	$(call measured,measure-start)

measure-approvals: ## approval to PipelineRun, and memory with many runs watched, of the release build
	$(call measured,measure-approvals)

measure-queries: ## lists, searches and statistics on 1,000, 100,000 and 1,000,000 executions, on both databases (over an hour)
	@scripts/setup cc postgres
	@scripts/measure-queries

measure-size: ## the first row of Runs at 2,000, 5,000 and 1,000,000 executions, and every page at 200 requests a second (half an hour)
	$(call released,scripts/measure-size)

measure-streams: ## 10,000 event streams: memory of each, and when they hear, of the release build
	$(call measured,measure-streams)

measure-log: ## how a log of 200,000 lines scrolls, of the release build
	$(call measured,measure-log)

measure-graph: ## how a run of 1,000 tasks answers, of the release build
	$(call measured,measure-graph)

measure-live: ## status change to the open page, in Chromium, of the release build
	$(call measured,measure-live)

measure-cluster: ## the controller on the cluster of `make cluster`, whose KUBECONFIG must be set: starts, requests, memory (half an hour)
	$(call measured,cluster/measure)

clean: ## removes what was built and the packages of end2end/
	@rm -rf end2end/node_modules end2end/results
	@cargo clean
