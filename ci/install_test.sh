#!/bin/sh
# What `make install` and `make deb` put there can be used from outside: a program of two lines built
# through the .pc files, man pages, completions, and the package in a bare root file system.
# Run from the repository root with $B.
set -u
B=${B:-build}
case ${SAN-}$B in *asan*|*address*|*thread*|*undefined*) echo "a sanitized build is not for installing"; exit 77 ;; esac
case ${CACHE:-all} in all) ;; *) echo "without all caches the scenarios that are installed cannot run"; exit 77 ;; esac
out=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-install.XXXXXX")
trap 'rm -rf "$out"' EXIT
failed=0
fail() { echo "FAIL: $*" >&2; failed=1; }
must() { "$@" >"$out/said" 2>&1 || { fail "$*"; cat "$out/said" >&2; }; }

B=$B PREFIX=/opt/mark DESTDIR=$out ci/install.sh || exit 1
to=$out/opt/mark
grep -rlI -e "$out" "$to" && fail "the staging folder is written into a file"
must "$to/bin/tidemark" --version
first=$("$B/tidemark" --manual pages | head -1 | cut -d" " -f1)

cat >"$out/use.c" <<'C'
#include <registry/registry.h>
#include <stdio.h>
#include <tidemark.h>
int main(void)
{
    struct registry_text key = registry_key(0);
    tidemark_begin("outside/use/finds");
    registry_index found = registry_find(key.data, key.length);
    tidemark_end("outside/use/finds", found == 0);
    printf("%u %d\n", registry_count(), found == 0);
    return found != 0;
}
C
export PKG_CONFIG_PATH=$to/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$out
flags=$(pkg-config --cflags --libs tidemark tidemark-registry) || fail "pkg-config"
# shellcheck disable=SC2086
must ${CC:-cc} -Wall -Wextra -Werror -o "$out/use" "$out/use.c" $flags
must env LD_LIBRARY_PATH="$to/lib" "$out/use"
grep -q '^[1-9][0-9]* 1$' "$out/said" || fail "the consumer said $(cat "$out/said")"
readelf -d "$out/use" | grep -q 'NEEDED.*libtidemark-registry\.so\.0' || fail "SONAME of the registry"
readelf -d "$to/lib/tidemark/libtidemark.so" | grep -q 'SONAME.*libtidemark\.so\.0' || fail "SONAME of the preload"
nm -D --defined-only "$to/lib/libtidemark-registry.so.0" | awk '{print $3}' |
    grep -v -e '^registry_' -e '^strateg' && fail "the registry exports what is not its own"
# shellcheck disable=SC2086
must ${CC:-cc} -Wall -Wextra -Werror -o "$out/use-static" "$out/use.c" -I"$to/include" "$to/lib/libtidemark-registry.a" -lm -lpthread
must "$out/use-static"

# The drop-in check.pc: one variable, and the tests link to tidemark's libcheck; they also run by themselves.
if [ -f /usr/include/check.h ]; then
    relink=$(PKG_CONFIG_PATH=$to/share/tidemark/relink pkg-config --libs check) || fail "pkg-config check"
    # shellcheck disable=SC2086
    must ${CC:-cc} -s -o "$out/relinked" fixtures/programs/check_basic.c $relink
    LD_LIBRARY_PATH=$to/lib/tidemark "$out/relinked" >"$out/said" 2>&1
    grep -q '^72%: Checks: 11, Failures: 3, Errors: 0$' "$out/said" || fail "relinked: $(cat "$out/said")"
fi

# The example, as README.md has it for a package: copied, built, hunted.
if [ -f /usr/include/check.h ]; then
    cp -r "$to/share/doc/tidemark/example" "$out/example"
    (
        unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR MAKEFLAGS MFLAGS
        cd "$out/example" && make -s all && "$to/bin/tidemark" hunt -q -- ./check_mine
    ) >"$out/said" 2>&1
    [ $? -eq 1 ] && grep -q 'session_open (check_mine.c:12)' "$out/said" || fail "the installed example: $(cat "$out/said")"
fi

"$B/tidemark" --manual pages >"$out/pages"
while read -r page section; do
    [ -s "$to/share/man/man$section/tidemark-$page.$section" ] || fail "no man page of $page"
done <"$out/pages"
if command -v man >/dev/null; then
    MANPATH=$to/share/man man -P cat "tidemark-$first" >"$out/said" 2>&1 || fail "man tidemark-$first: $(cat "$out/said")"
    grep -q SYNOPSIS "$out/said" || fail "tidemark-$first has no synopsis"
fi

if command -v dpkg-deb >/dev/null && command -v dpkg-shlibdeps >/dev/null; then
    package=$(B=$B ci/deb.sh) || fail "make deb"
    must dpkg-deb --info "$package"
    grep -q 'Depends: .*libc6' "$out/said" || fail "the package depends on no libc6"
    if command -v zsh >/dev/null; then
        place=$(zsh -f -c 'print -l $fpath' | grep -x /usr/share/zsh/vendor-completions)
        dpkg-deb --contents "$package" >"$out/contents"
        grep -q "\.${place:-/usr/share/zsh}.*/_tidemark" "$out/contents" || fail "zsh will not find its completion"
    fi
    # A bare root file system: the package, the libraries it names, nothing else.
    bare=$out/bare
    mkdir -p "$bare/tmp" "$bare/proc"
    dpkg-deb -x "$package" "$bare"
    for library in $(ldd "$B/tidemark" "$B/suites/registry" 2>/dev/null | grep -o '/[^ )]*' | grep '\.so' | sort -u) \
        $(ldconfig -p | sed -n 's/.*libjemalloc\.so\.2.* => //p' | head -1); do
        mkdir -p "$bare$(dirname "$library")"
        cp -L "$library" "$bare$library"
    done
    if [ "$(id -u)" = 0 ] && mount -t proc proc "$bare/proc" 2>/dev/null; then
        must chroot "$bare" /usr/bin/tidemark --version
        "$B/tidemark" --manual pages | grep -qx "run 1" &&
            must chroot "$bare" /usr/bin/tidemark run /usr/share/tidemark/scenarios/registry-60gb-tiers.yaml
        umount "$bare/proc"
    elif [ "$(id -u)" = 0 ]; then
        must chroot "$bare" /usr/bin/tidemark --version
    fi
fi
exit $failed
