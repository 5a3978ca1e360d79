#!/bin/sh
# make bench-peers: other people's tables and caches, for comparison. Installs their Debian packages
# (--install; root or sudo), then makes a plug-in of each whose header is there, in $B/peers, for
# `tidemark bench --peers`. tidemark itself needs none of them. Run from the repository root with $B.
# Of libhts-dev only the headers are unpacked, into $B/peers/include, and nothing is installed: it
# conflicts with libcurl4-openssl-dev, which tidemark may be built with.
# Verstable is in no package: its verstable.h is taken from the compiler's folders, or from that of
# the file that VERSTABLE names.
set -u
B=${B:-build}
packages='g++ pkg-config libglib2.0-dev uthash-dev libabsl-dev libboost1.81-dev liblmdb-dev libsqlite3-dev'
if [ "${1-}" = --install ]; then
    root=
    [ "$(id -u)" -eq 0 ] || root=sudo
    # shellcheck disable=SC2086
    $root apt-get install -y -q --no-install-recommends $packages || exit 1
    if [ ! -e /usr/include/htslib/khash.h ] && [ ! -e "$B/peers/include/htslib/khash.h" ]; then
        fetched=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-peers.XXXXXX")
        (cd "$fetched" && apt-get download -q libhts-dev && dpkg-deb -x libhts-dev_*.deb .) || echo "  --    libhts-dev: cannot be fetched" >&2
        mkdir -p "$B/peers/include"
        [ ! -d "$fetched/usr/include/htslib" ] || cp -R "$fetched/usr/include/htslib" "$B/peers/include/"
        rm -rf "$fetched"
    fi
fi
mkdir -p "$B/peers"
flags="-O2 -I. -Iinclude -fPIC -fvisibility=hidden -isystem $B/peers/include"
[ -z "${VERSTABLE-}" ] || flags="$flags -isystem $(dirname "$VERSTABLE")"
failed=0
peer() { # NAME SYMBOL FILE HEADER LIBRARIES
    name=$1 symbol=$2 file=$3 header=$4 libraries=$5
    rm -f "$B/peers/$name.so"
    case $file in *.cc) cc="${CXX:-g++} -std=c++17 -x c++" ;; *) cc="${CC:-cc} -std=gnu11 -D_GNU_SOURCE -x c" ;; esac
    include=$(pkg-config --cflags glib-2.0 2>/dev/null)
    # shellcheck disable=SC2086
    if ! echo "#include <$header>" | $cc $flags $include -E - >/dev/null 2>&1; then
        echo "  --    $name: $header is not installed"
        return
    fi
    # shellcheck disable=SC2086
    if $cc $flags $include -c "registry/bench/peers/$file" -o "$B/peers/$name.o" &&
        ${CC:-cc} -std=gnu11 -D_GNU_SOURCE $flags -DPEER="$symbol" -c registry/bench/peers/peer_strategy.c -o "$B/peers/$name-plug.o" &&
        ${CXX:-g++} -shared -o "$B/peers/$name.so" "$B/peers/$name.o" "$B/peers/$name-plug.o" $libraries; then
        echo "  PEER  $B/peers/$name.so"
    else
        failed=1
    fi
    rm -f "$B/peers/$name.o" "$B/peers/$name-plug.o"
}
libs() { pkg-config --libs "$1" 2>/dev/null; }
peer boost-lru lru_peer_boost lru_boost.cc boost/unordered/unordered_flat_map.hpp ""
peer absl-lru lru_peer_absl lru_absl.cc absl/container/flat_hash_map.h "$(libs absl_flat_hash_map)"
peer uthash-lru lru_peer_uthash lru_uthash.c uthash.h ""
peer glib-lru lru_peer_glib lru_glib.c glib.h "$(libs glib-2.0)"
peer khash-table lru_peer_khash table_khash.c htslib/khash.h ""
peer verstable-table lru_peer_verstable table_verstable.c verstable.h ""
peer lmdb-table lru_peer_lmdb table_lmdb.c lmdb.h "-llmdb"
peer sqlite-table lru_peer_sqlite table_sqlite.c sqlite3.h "$(libs sqlite3)"
exit $failed
