# Everything a newcomer types. `make run` and `make test` install what is missing first, and say so.

SERVER ?= $(or $(REDIS_SERVER),redis-server)
# Without a port `make run` takes the first free one from 6379 on.
PORT ?=
MODULE = $(or $(CARGO_TARGET_DIR),target)/release/libredis_sessions.so

.PHONY: all build run test lint bench clean servers test-servers

all: build

build: install
	cargo build --release

.PHONY: install install-tests
install:
	@tools/install.sh

install-tests:
	@tools/install.sh tests

# A server in the foreground, from the configuration that production starts from. Its data stays in target/run.
run: build
	@tools/run.sh $(SERVER) $(MODULE) $(PORT)

test: install-tests
	cargo test

lint:
	cargo fmt --all --check
	cargo clippy --all-targets -- -D warnings

bench: build
	cargo bench

# The other servers that the module is tested with; and the tests on each of them that is there.
servers:
	tests/servers.sh

test-servers: install-tests
	@for server in $(or $(CARGO_TARGET_DIR),target)/servers/*/redis-server; do \
	    echo "== $$server" && REDIS_SERVER=$$(realpath $$server) cargo test --test sessions || exit 1; \
	done

clean:
	cargo clean
