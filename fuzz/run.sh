#!/usr/bin/env bash
# Runs each fuzz target for a bounded time: fuzz/run.sh [seconds for each] [target ...]
#
# fuzz/corpus/<target> is where each begins. What it finds besides stays in target/fuzz/corpus, from where the next run
# goes on; an input that breaks an assertion is written to target/fuzz/artifacts and ends the run with an error.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
shift || true
out=$PWD/../target/fuzz
command -v c++ >/dev/null || { echo "fuzz: libFuzzer needs a C++ compiler, on Debian the package g++" >&2; exit 1; }
host=$(rustc -vV | sed -n 's/^host: //p')
mkdir -p "$out"

# What cargo-fuzz would set, without what needs a nightly compiler: `core` has no unsafe code that an address sanitizer
# could watch.
flags="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
flags+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
flags+=" -Cllvm-args=-sanitizer-coverage-trace-compares"
# With a target given, the flags do not apply to build scripts.
RUSTFLAGS=$flags cargo build --release --locked --target "$host" --target-dir "$out"

targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(ls corpus)
for target in "${targets[@]}"; do
    mkdir -p "$out/corpus/$target" "$out/artifacts/$target"
    echo "== $target, $seconds s"
    "$out/$host/release/$target" -max_total_time="$seconds" -max_len=8192 -print_final_stats=1 -verbosity=0 -print_funcs=0 \
        -artifact_prefix="$out/artifacts/$target/" "$out/corpus/$target" "corpus/$target"
done
