#!/bin/sh
# Row 1.5 on a network file system: a file cache in one exported folder that is mounted twice (sshfs over
# sftp-server, no network and no sshd needed), by processes on both mounts. The lock is not passed on by this file
# system: each mount has its own, so single flight is one fetch a mount, and no more than that may be lost.
# Run from the root with $B.
set -u
: "${B:=build}"
case $B in /*) ;; *) B=$PWD/$B ;; esac
server=/usr/lib/openssh/sftp-server
command -v sshfs >/dev/null || { echo "sshfs is not installed"; exit 77; }
[ -x $server ] || { echo "no sftp-server (package openssh-sftp-server)"; exit 77; }
[ -w /dev/fuse ] || { echo "no /dev/fuse that can be opened here"; exit 77; }
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-network.XXXXXX")
mounts= pids=
end() {
    for m in $mounts; do umount -l "$m" 2>/dev/null; done
    for p in $pids; do kill "$p" 2>/dev/null; done
    rm -rf "$T"/export "$T"/1* "$T"/2* "$T"/[a-z]*
    rmdir "$T"/m1 "$T"/m2 "$T" 2>/dev/null
}
trap end EXIT
trap 'exit 130' INT TERM
failed=0
fail() { echo "FAILED: $1"; failed=1; }
mkdir "$T/export"
for m in 1 2; do
    mkdir "$T/m$m"
    mkfifo "$T/to$m" "$T/from$m"
    $server <"$T/to$m" >"$T/from$m" 2>/dev/null &
    pids="$pids $!"
    sshfs -f -o passive ":$T/export" "$T/m$m" >"$T/to$m" <"$T/from$m" 2>"$T/log$m" &
    pids="$pids $!"
    mounts="$mounts $T/m$m"
done
for i in $(seq 1 100); do mountpoint -q "$T/m1" && mountpoint -q "$T/m2" && break; sleep 0.1; done
mountpoint -q "$T/m1" && mountpoint -q "$T/m2" || { echo "sshfs cannot mount here: $(cat "$T/log1")"; exit 77; }

whole='^(hit|miss): \{"key": "document", "process": [0-9]+\}$'
# herd NAME COUNT [FIRST SECOND]: COUNT processes at once, on both mounts in turn; misses is how many fetched
herd() {
    name=$1 count=$2
    children=
    for i in $(seq 1 "$count"); do
        CACHE_SERVICE_MS=300 "$B/fixtures/cache_service" 3600 "file=$T/m$((i % 2 + 1))/$name" 1 >"$T/out$i" 2>&1 &
        children="$children $!"
    done
    for p in $children; do wait "$p" || fail "$name: a process has no answer"; done
    for i in $(seq 1 "$count"); do
        grep -Eq "$whole" "$T/out$i" || fail "$name: not a whole document: $(cat "$T/out$i")"
    done
    misses=$(cat "$T"/out* | grep -c '^miss')
    rm -f "$T"/out*
}
most=0
for round in 1 2 3 4; do
    herd "list$round" 14
    [ "$misses" -ge 1 ] && [ "$misses" -le 2 ] || fail "round $round: $misses fetches of 14 processes on two mounts"
    [ "$misses" -gt "$most" ] && most=$misses
    herd "list$round" 14
    [ "$misses" -eq 0 ] || fail "round $round: a fresh file is fetched $misses times"
done
echo "14 processes on two mounts: at most $most fetches, 14 whole documents, four times"

# A holder that was killed holds nobody up, on either mount.
for m in 1 2; do
    CACHE_SERVICE_MS=20000 "$B/fixtures/cache_service" 3600 "file=$T/m1/held$m" >/dev/null 2>&1 &
    holder=$!
    sleep 0.5
    kill -KILL $holder
    wait $holder 2>/dev/null
    start=$(date +%s)
    "$B/fixtures/cache_service" 3600 "file=$T/m$m/held$m" >"$T/out" 2>&1 || fail "held$m: no answer"
    grep -Eq "$whole" "$T/out" || fail "held$m: $(cat "$T/out")"
    [ $(($(date +%s) - start)) -le 5 ] || fail "held$m: a lock of a process that is dead"
done

# Published anew again and again on one mount and read on the other: always one whole document.
(i=0; while [ $i -lt 40 ]; do i=$((i + 1)); "$B/tidemark" cache refresh -q -s "printf '{\"key\": \"document\", \"process\": %s}' $i" "$T/m1/list1" >/dev/null 2>&1; done; : >"$T/done") &
writer=$!
reads=0
while [ ! -e "$T/done" ]; do
    "$B/fixtures/cache_service" 3600 "file=$T/m2/list1" >"$T/out" 2>&1 || fail "no answer while it is published anew"
    grep -Eq "$whole" "$T/out" || fail "torn: $(cat "$T/out")"
    reads=$((reads + 1))
done
wait $writer
[ $reads -ge 10 ] || fail "only $reads reads"
echo "published 40 times on one mount, read $reads times on the other: each whole"
ls "$T/export" | grep -q tmp && fail "a temporary file is left: $(ls "$T/export")"
exit $failed
