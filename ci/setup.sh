#!/bin/sh
# Installs what tidemark needs on Debian (root, or sudo). --missing only names it; --ci adds CI's tools.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
list=$here/packages.txt
names() { sed 's/#.*//; /^ *$/d' "$@" | awk '{print $1}'; }
# Also when another package provides the same: libcurl has three flavours, and each drives the others out.
provided() { module=$(awk -v p="$1" '$1 == p {print $2}' "$list"); [ -n "$module" ] && pkg-config --exists "$module" 2>/dev/null; }
installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed' || provided "$1"; }
case ${1-} in
--missing)
    missing=
    for p in $(names "$list"); do
        installed "$p" || missing="$missing $p"
    done
    echo "missing packages; install them with: sudo apt-get install -y${missing:- pkg-config} (or: make setup)"
    exit 0 ;;
--ci) set -- "$list" "$here/packages-ci.txt" ;;
*) set -- "$list" ;;
esac
missing=
for p in $(names "$@"); do
    installed "$p" || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "setup needs root: as root, apt-get install -y$missing" >&2; exit 1; }
    sudo=sudo
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
# shellcheck disable=SC2086
$sudo apt-get install -y -q --no-install-recommends $missing
