#!/bin/sh
# ci/rootfs.sh FOLDER: a bare Debian 12 in FOLDER, debootstrap's minbase, which is what images call debian:12.
# ROOTFS=FOLDER: a copy of this one instead of a new one; MIRROR=URL. Ends with 77 where it cannot be made.
set -eu
to=$1
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
mkdir -p "$to"
if [ -n "${ROOTFS-}" ]; then
    cp -a "$ROOTFS/." "$to"
    exit 0
fi
command -v debootstrap >/dev/null || { echo "no debootstrap"; exit 77; }
debootstrap --variant=minbase bookworm "$to" "${MIRROR:-http://deb.debian.org/debian}" >"$to.log" 2>&1 ||
    { echo "debootstrap: $(tail -n 3 "$to.log")"; exit 77; }
rm -f "$to.log"
