# Everything a newcomer needs, one word each. The work is in scripts/.

GO       ?= go
FUZZTIME ?= 10s

.DEFAULT_GOAL := help
.PHONY: help run build test check race fuzz-smoke e2e cluster sentinels clients suite bench-smoke bench gen docs pgo structure clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: build ## try it: the proxy on 127.0.0.1:6380 in front of three Redis shards in the same process
	@exec bin/ringmaster demo

build: ## make bin/ringmaster
	$(GO) build -o bin/ringmaster ./cmd/ringmaster

test: ## install the programs that the tests lack, then run all tests
	@scripts/test

check: ## formatting, go vet, linters, rules of the architecture
	@scripts/check

race: ## unit and scenario tests only, under the race detector
	@scripts/test race

fuzz-smoke: ## each fuzzer for FUZZTIME (10s)
	@FUZZTIME=$(FUZZTIME) scripts/fuzz

e2e: ## end-to-end tests only: differential, faults, neighbours
	@scripts/test e2e

cluster: ## a Redis Cluster to try things with, in a temporary directory, until Ctrl-C
	@scripts/test-cluster

sentinels: ## a primary, its replica and three sentinels to try things with, until Ctrl-C
	@scripts/test-sentinel

clients: ## client libraries of several languages, with their default settings, through the proxy
	@scripts/clients

suite: ## Redis's own test suite through the proxy, about half an hour
	@scripts/redis-suite

bench-smoke: ## Go benchmarks once, and the comparison with few requests: do they work?
	@scripts/bench-smoke

bench: ## the whole comparison with direct Redis and other proxies, about 40 minutes
	@scripts/bench-compare

gen: ## generate the command table again, then the documents that are made from it
	$(GO) run ./scripts/gen-commands
	@$(MAKE) --no-print-directory docs

docs: ## generate the documents and help texts again that are derived from the code
	@scripts/gen-docs
	$(GO) test ./cmd/ringmaster -count 1 -run TestHelpTexts -update

pgo: ## profile the proxy again, for a faster build, about two minutes on a quiet machine
	@scripts/gen-pgo

structure: ## files, lengths, largest structs and ties between files, package by package
	$(GO) run ./scripts/structure

clean: ## remove the built files
	rm -rf bin
	$(GO) clean -testcache
