# `make help` lists what there is.

SWIFT ?= swift
CONFIG ?= proxy.yaml
RELEASE = $(SWIFT) build -c release --static-swift-stdlib --product weir
FORMATTED = Sources Tests Package.swift bench/micro/Sources bench/micro/Package.swift

.DEFAULT_GOAL := help
.PHONY: run build test sim integration conformance tsan bench bench-quick bench-idle bench-stampede bench-store \
	bench-latency bench-load bench-scale bench-counts bench-stages bench-limits bench-faults bench-fleet \
	bench-strict bench-calls bench-spread bench-render format lint tidy check docker \
	clean help toolchain

run: build ## build, start the demo origin and Weir with proxy.yaml, print what to try
	@scripts/run "$$($(RELEASE) --show-bin-path)/weir" $(CONFIG)

build: toolchain ## the release binary
	@scripts/install-packages build
	$(RELEASE)

test: toolchain ## every test
	@scripts/install-packages build test
	$(SWIFT) test

sim: toolchain ## the simulated world, 10,000 seeds; SEED=… replays one seed, SEEDS=… says how many
	@scripts/install-packages build
	$(if $(SEED),WEIR_SEED=$(SEED)) WEIR_SEEDS=$(or $(SEEDS),10000) $(SWIFT) test --filter SimulationTests

integration: toolchain ## the scenarios on the built binary
	@scripts/install-packages build test
	$(SWIFT) test --filter IntegrationTests

conformance: toolchain ## the RFCs' requirements on the built binary; writes docs/conformance.md
	@scripts/install-packages build test
	WEIR_WRITE_DOCS=1 $(SWIFT) test --filter ConformanceTests

tsan: toolchain ## tests of what threads share, and the binary under load, under the thread sanitizer
	@scripts/install-packages build test
	scripts/tsan $(SWIFT)

bench: toolchain ## Weir beside nginx, HAProxy, Envoy, Varnish, Traffic Server, H2O: CPU per request; five rounds
	@scripts/install-packages build bench
	bench/install-envoy
	bench/install-drawing
	bench/run

bench-quick: toolchain ## Weir and nginx in two short rounds, two minutes; not recorded
	@scripts/install-packages build bench
	bench/run --quick

bench-idle: toolchain ## memory and latency with 10,000 idle connections
	@scripts/install-packages build bench
	bench/idle

bench-stampede: toolchain ## one answer that expires each second: fetches, and how long followers wait
	@scripts/install-packages build bench
	bench/stampede

bench-store: toolchain ## the cache's store: hit ratios beside LRU, hits by size, memory under 10 million URLs
	@scripts/install-packages build bench
	bench/store

bench-latency: toolchain ## latency added by Weir and nginx at a third and two thirds of what they can take
	@scripts/install-packages build bench
	bench/latency

bench-load: toolchain ## what users are promised: 10,000 of them, then a spike; fails when it is not kept
	@scripts/install-packages build bench
	bench/load/ten-thousand-users --check
	bench/load/spike --check

bench-scale: toolchain ## cost of a request against workers, connections, routes, limits, keys, entries: curves
	@scripts/install-packages build bench
	bench/install-drawing
	bench/scale

bench-counts: toolchain ## system calls, mallocs, instructions of one request of the built binary
	@scripts/install-packages build bench
	bench/counts

bench-render: ## the newest numbers of bench/history.ndjson into README, docs/performance.md and pictures
	@scripts/install-packages bench
	bench/install-drawing
	bench/render

bench-stages: toolchain ## instructions, nanoseconds and allocations of each stage of a request
	@scripts/install-packages build bench
	bench/stages

bench-limits: toolchain ## nanoseconds per decision and token, threads on one table, a flood of keys
	@scripts/install-packages build bench
	bench/limits

bench-faults: toolchain ## Redis fails in eleven ways under load: errors, latency, what is admitted, recovery
	@scripts/install-packages build bench test
	bench/faults

bench-fleet: toolchain ## leased limits in fleets of 10, 100 and 1,000 replicas, in virtual time
	@scripts/install-packages build bench
	bench/install-drawing
	bench/fleet

bench-calls: toolchain ## how often strict and leased limits ask Redis at 10,000 requests a second
	@scripts/install-packages build bench test
	bench/calls

bench-spread: toolchain ## three processes, one key: fetches for each expiry, and how fast a purge is everywhere
	@scripts/install-packages build bench test
	bench/spread

bench-strict: toolchain ## strict limits: CPU of Weir and of redis-server for one decision
	@scripts/install-packages build bench test
	bench/strict

format: toolchain ## format the Swift sources
	$(SWIFT) format -i -r $(FORMATTED)

lint: toolchain ## format and lint rules, changing nothing
	$(SWIFT) format lint -r -s $(FORMATTED)

tidy: ## the house rules
	scripts/tidy

check: lint tidy test ## what must pass before a change lands

docker: ## the container image weir:latest
	docker build -f docker/Dockerfile -t weir:latest .

clean: ## remove what was built
	rm -rf .build bench/.work bench/micro/.build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

toolchain:
	@command -v $(SWIFT) >/dev/null || { echo "make: no \`$(SWIFT)\`: install Swift 6.2 or newer, https://www.swift.org/install/linux/" >&2; exit 69; }
