#!/bin/sh
# Rust's tests inside `cargo test`, as docs/ci.md says: its runner is a variable of the environment.
set -u
command -v cargo >/dev/null || { echo 'skipped: cargo is not installed'; exit 77; }
B=$(cd "${B:-build}" && pwd)
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
mkdir -p "$T/src" && cd "$T" || exit 99
printf '[package]\nname = "sample"\nversion = "0.1.0"\nedition = "2018"\n' >Cargo.toml
printf '#[test]\nfn works() {\n    assert_eq!(vec![1, 2].len(), 2);\n}\n' >src/lib.rs
cargo test --offline --no-run >said 2>&1 || { echo "skipped: cargo cannot build: $(tail -1 said)"; exit 77; }
runner=CARGO_TARGET_$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')_RUNNER
env "$runner=$B/tidemark wrap --quick --out results --" cargo test --offline --lib >said 2>&1
status=$?
[ $status = 0 ] && grep -q 'test result: ok. 1 passed' said || { echo "FAIL: status $status"; cat said; exit 1; }
grep -q '^tidemark: .*skipped\|^tidemark: .*passed' said || { echo 'FAIL: no verdict'; cat said; exit 1; }
