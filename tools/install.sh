#!/usr/bin/env bash
# Installs what the build and the tests need and this machine lacks: a Redis server of 7.0 or later and libclang.
# On Debian and Ubuntu by apt, as root or with sudo; elsewhere it says what to install. Does nothing where all is there.
# `tools/install.sh tests` also installs the languages whose libraries the tests ask (tests/interop), where it can.
set -euo pipefail

say() { echo "install: $*" >&2; }
fail() { say "$*"; exit 1; }

any_file() { compgen -G "$1" >/dev/null; }

# The library and the compiler's own headers; on Debian the package libclang1 alone does not have those.
has_libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] && return
    any_file '/usr/lib/llvm-*/lib/libclang[-.][0-9s]*' ||
        ldconfig -p 2>/dev/null | grep 'libclang[-.0-9]*\.so' >/dev/null || return
    any_file '/usr/lib/llvm-*/lib/clang/*/include/stddef.h' || any_file '/usr/lib*/clang/*/include/stddef.h'
}

has_server() { [ -n "${REDIS_SERVER:-}" ] || command -v redis-server >/dev/null; }

command -v cargo >/dev/null ||
    fail "Rust is missing: install the current stable toolchain as https://rustup.rs says, then try again"
needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml) rust=$(cargo --version | cut -d' ' -f2)
printf '%s\n' "$needed" "$rust" | sort -C -V ||
    fail "Rust $rust is too old, $needed is needed: install the current stable toolchain as https://rustup.rs says"

packages=()
has_server || packages+=(redis-server)
has_libclang || packages+=(libclang-dev)
command -v cc >/dev/null || packages+=(gcc libc6-dev)

if [ "${1:-}" = tests ]; then
    languages=()
    { command -v node && command -v npm; } >/dev/null || languages+=(nodejs npm)
    python3 -m pip --version >/dev/null 2>&1 || languages+=(python3 python3-pip)
    if [ ${#languages[@]} -gt 0 ] && ! command -v apt-get >/dev/null; then
        say "without ${languages[*]} the tests with libraries of other languages are skipped"
    else
        packages+=("${languages[@]}")
    fi
fi

if [ ${#packages[@]} -gt 0 ]; then
    command -v apt-get >/dev/null ||
        fail "please install: redis-server 7.0 or later (or set REDIS_SERVER=/path/to/valkey-server), redis-cli," \
            "libclang (for bindgen) and a C compiler"
    sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "please run as root: apt-get install ${packages[*]}"
        sudo=(sudo)
    fi
    say "installing with apt: ${packages[*]}"
    # With systemd, Debian and Ubuntu start an installed server at once, on port 6379; `make run` then takes another.
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq "${packages[@]}" >/dev/null
fi

version=$("${REDIS_SERVER:-redis-server}" --version | sed -E 's/.* v=([0-9]+)\..*/\1/')
[ "$version" -ge 7 ] || fail "the Redis server here is version $version; 7.0 or later is needed (set REDIS_SERVER=/path/to/one)"
