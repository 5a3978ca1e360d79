#!/bin/sh
# aarch64.sh - libtidemark.so for AArch64: built by Debian's cross compiler, warnings are errors, and its exports
# compared with those of the native one. Run from the root with $B set.
#   ci/aarch64.sh          only that
#   ci/aarch64.sh --run    then test programs for AArch64 under qemu, watched by the native tidemark: the same tests with the same
#                          verdicts as the native programs. What is needed (qemu-user-static, libcheck for arm64) is fetched by apt
#                          into $B/aarch64, with a state of its own: the machine's architectures stay as they are.
set -u
B=${B:-build}
CROSS=${CROSS:-aarch64-linux-gnu-}
W=$B/aarch64
command -v "${CROSS}gcc" >/dev/null || { echo "no ${CROSS}gcc (apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross)"; exit 77; }
mkdir -p "$W/obj" "$W/bin"
bad=0
FLAGS="-std=gnu11 -D_GNU_SOURCE ${OPT:--O1} -g -Iinclude"

sources() {
    for f in harness/base/wire.c harness/base/wire_heap.c harness/meter/*.c harness/ledger/*.c harness/boundary/*.c; do
        case $f in *_test.c|*_bench.c) ;; *) echo "$f" ;; esac
    done
}
# shellcheck disable=SC2086,SC2016
sources | xargs -P 2 -n 6 sh -c 'for f; do
    '"${CROSS}"'gcc '"$FLAGS"' -Wall -Wextra -Wshadow -Wundef -Werror -I. -fPIC -fvisibility=hidden -ftls-model=initial-exec \
        -fno-builtin-malloc -c -o "'"$W"'/obj/$(echo "$f" | tr / _).o" "$f" || exit 255
done' sh || { echo "does not compile for AArch64"; exit 1; }
"${CROSS}gcc" -shared -Wl,-soname,libtidemark.so.0 -Wl,--version-script=harness/boundary/libtidemark.map -Wl,-z,now -Wl,-z,defs \
    -o "$W/bin/libtidemark.so" "$W"/obj/*.o -ldl -lpthread || { echo "does not link for AArch64"; exit 1; }
exported() { "$1" -D --defined-only "$2" | awk '{print $3}' | sort; }
exported nm "$B/libtidemark.so" >"$W/native.names"
exported "${CROSS}nm" "$W/bin/libtidemark.so" >"$W/cross.names"
diff "$W/native.names" "$W/cross.names" || { echo "the library for AArch64 exports other names"; exit 1; }
[ "${1-}" = --run ] || exit 0

# What runs it.
if [ ! -f "$W/root/usr/lib/aarch64-linux-gnu/libcheck.a" ]; then
    W=$(cd "$W" && pwd)
    mkdir -p "$W/apt/lists/partial" "$W/apt/archives/partial" "$W/deb"
    own="-o Dir::State=$W/apt -o Dir::Cache=$W/apt -o Dir::State::status=/dev/null"
    arm="$own -o APT::Architecture=arm64 -o APT::Architectures::=arm64"
    # shellcheck disable=SC2086
    (cd "$W/deb" && apt-get $arm -q update && apt-get $arm -q download check libsubunit-dev && apt-get -q download qemu-user-static) \
        >"$W/apt.log" 2>&1 || { cat "$W/apt.log"; echo "libcheck for arm64 and qemu are not to be had"; exit 77; }
    for deb in "$W"/deb/*.deb; do dpkg-deb -x "$deb" "$W/root"; done
fi
W=$(cd "$W" && pwd)
QEMU=$W/root/usr/bin/qemu-aarch64-static
LIBS="$W/root/usr/lib/aarch64-linux-gnu/libcheck.a $W/root/usr/lib/aarch64-linux-gnu/libsubunit.a -lm -lrt -lpthread -ldl"
cp "$B/tidemark" "$W/bin/tidemark"

verdicts() { # RESULT: the last line of each test
    jq -rs '[.[] | select(.type == "test")] | group_by(.id) | map(.[-1]) | .[] | [(.id | sub("[.]run$"; "")), .status, .verdict] | @tsv' \
        "$1"
}
compare() { # NAME, NATIVE, then compiler options and sources; $OTHERWISE: tests that may differ, as an extended expression
    name=$1 native=$2
    shift 2
    # shellcheck disable=SC2086
    "${CROSS}gcc" $FLAGS -fno-builtin-malloc -I"$W/root/usr/include" -o "$W/$name" "$@" $LIBS || { bad=1; return; }
    case $name in *stripped) "${CROSS}strip" "$W/$name" ;; esac
    printf '#!/bin/sh\nexec "%s" -L /usr/aarch64-linux-gnu "%s" "$@"\n' "$QEMU" "$W/$name" >"$W/$name.run"
    chmod +x "$W/$name.run"
    "$W/bin/tidemark" hunt -q --quick --allocator=system --timeout 10s --json "$W/cross.jsonl" -- "$W/$name.run" >"$W/$name.out" 2>&1
    "$B/tidemark" hunt -q --quick --allocator=system --timeout 10s --json "$W/native.jsonl" -- "$native" >/dev/null 2>&1
    verdicts "$W/native.jsonl" >"$W/native.txt"
    verdicts "$W/cross.jsonl" >"$W/cross.txt"
    other=$(diff "$W/native.txt" "$W/cross.txt" | grep '^[<>]' | grep -Ev "${OTHERWISE:-^$}")
    [ -s "$W/native.txt" ] || { echo "$name: no result"; bad=1; }
    [ -z "$other" ] || { echo "$name: not as natively"; echo "$other"; bad=1; }
    differ=$(diff "$W/native.txt" "$W/cross.txt" | grep -c '^>')
    printf '%-22s %4d tests, %d differ\n' "$name" "$(wc -l <"$W/native.txt")" "$differ"
}
P=fixtures/programs
F=$B/fixtures
compare check_basic "$F/check_basic" $P/check_basic.c
compare check_basic-nopie "$F/check_basic-nopie" -no-pie -fno-pie $P/check_basic.c
compare check_basic-bti "$F/check_basic" -mbranch-protection=standard $P/check_basic.c
compare check_basic-stripped "$F/check_basic-stripped" $P/check_basic.c
compare check_forks "$F/check_forks" $P/check_forks.c
OTHERWISE='divides_by_zero' compare check_deaths "$F/check_deaths" $P/check_deaths.c # it does not trap there
compare header_user "$F/header_user" $P/header_user.c
compare plain_main "$F/plain_main" $P/plain_main.c
# Not here: gconv's modules and x86-64's libdl; threads and timers are qemu's.
for source in fixtures/specimens/guilty_*.c fixtures/specimens/innocent_*.c; do
    name=$(basename "$source" .c)
    OTHERWISE='iconv|loaded_objects|leaves_a_(thread|timer)' compare "$name" "$B/specimens/$name" "$source" fixtures/specimens/specimen.c
done
exit $bad
