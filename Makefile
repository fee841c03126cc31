# Everything a newcomer types. `make build` installs nothing; `make run`, `make test` and `make lint` install what is
# missing first, by the targets `deps`, `deps-tests` and `deps-lint`, and say what.

SERVER ?= $(or $(REDIS_SERVER),redis-server)
# Without a port `make run` takes the first free one from 6379 on.
PORT ?=
TARGET = $(or $(CARGO_TARGET_DIR),target)
MODULE = $(TARGET)/release/libredis_sessions.so

# Cargo uses all cores by itself.
.NOTPARALLEL:
.PHONY: all deps deps-tests deps-lint build run test lint bench fuzz servers test-servers clean

all: build

# What the build and `make run` need, then what the tests and the lints need besides.
deps:
	@tools/install.sh

deps-tests:
	@tools/install.sh tests

deps-lint:
	@tools/install.sh lint

build:
	@tools/install.sh check
	cargo build --release

# A server in the foreground, from the configuration that production starts from. Its data stays in target/run.
run: deps build
	@tools/run.sh $(SERVER) $(MODULE) $(PORT)

test: deps-tests
	cargo test --workspace

lint: deps-lint
	cargo fmt --all --check
	rustfmt --edition 2024 --check fuzz/targets/*.rs
	cargo clippy --workspace --all-targets -- -D warnings
	PATH="$(TARGET)/tools:$$PATH" cargo-deny --locked check bans licenses sources

bench: deps build
	cargo bench

# Coverage-guided, so many seconds for each target. Not a part of continuous integration: on a new machine the build alone
# takes minutes, most of them for libFuzzer and the cryptography that it watches.
FUZZ_SECONDS ?= 60
fuzz:
	@fuzz/run.sh $(FUZZ_SECONDS)

# The other servers that the module is tested with; and the tests on each of them that is there.
servers:
	tests/servers.sh

test-servers: deps-tests
	@for server in $(TARGET)/servers/*/redis-server; do \
	    echo "== $$server" && REDIS_SERVER=$$(realpath $$server) cargo test --test sessions || exit 1; \
	done

clean:
	cargo clean
