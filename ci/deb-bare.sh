#!/bin/sh
# make deb-bare: the Debian package in a bare root file system: debootstrap's minbase, where apt installs the package
# and what it depends on, nothing else. Then hunted, run, looked up, and removed without a trace.
# Needs root, debootstrap and a Debian mirror; takes minutes, so it is not part of `make check`. ROOTFS and MIRROR as
# ci/rootfs.sh has them. Run from the root with $B set.
set -eu
B=${B:-build}
bare=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-bare.XXXXXX")
leave() {
    ! mountpoint -q "$bare/proc" || umount "$bare/proc"
    rm -rf --one-file-system "$bare"
}
trap leave EXIT INT TERM
fail() { echo "FAIL: $*" >&2; exit 1; }
inside() { chroot "$bare" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp NO_COLOR=1 DEBIAN_FRONTEND=noninteractive "$@"; }

package=$(B=$B ci/deb.sh)
sh ci/rootfs.sh "$bare"
before=$(inside dpkg-query -f x -W | wc -c)
cp "$package" "$bare/tmp/tidemark.deb"
${CC:-cc} -g -o "$bare/tmp/check_mine" docs/example/check_mine.c $(pkg-config --cflags --libs check)
chmod 755 "$bare/tmp/check_mine"
mount -t proc proc "$bare/proc"
{ inside apt-get update -q && inside apt-get install -y -q --no-install-recommends /tmp/tidemark.deb; } >"$B/apt.log" 2>&1 ||
    fail "apt-get install: $(tail -3 "$B/apt.log")"
echo "$(basename "$package"), $(du -h "$package" | cut -f1), in a root file system of $before packages: $(($(inside dpkg-query -f x -W | wc -c) - before)) more"
inside tidemark --version
inside dpkg -V tidemark | grep -v /usr/share/ && fail "dpkg -V" # minbase leaves documentation out

said=$(inside sh -c 'cd /tmp && tidemark hunt -q ./check_mine') && fail "a growth passes"
echo "$said" | grep -q 'session_open (.*check_mine.c:12)' || fail "the line is not named: $said"
echo "hunt: $(echo "$said" | tail -n 1)"
for scenario in registry-60gb stats-ttl; do
    said=$(inside tidemark run -q "/usr/share/tidemark/scenarios/$scenario.yaml" 2>&1) || fail "$scenario: $said"
    echo "run $scenario: $(echo "$said" | grep -o 'by cgroup v[12]\|by rlimit' | head -n 1) $(echo "$said" | tail -n 1)"
done
inside tidemark models find openai:gpt-4o >/dev/null || fail "models find"

inside dpkg -r tidemark >/dev/null 2>&1 || fail "dpkg -r"
left=$(find "$bare" -xdev -mindepth 1 -name '*tidemark*' ! -path "$bare/tmp/*" ! -path "$bare/var/*")
[ -z "$left" ] || fail "left behind: $left"
echo "removed without a trace"
