#!/bin/sh
# make deb: a Debian package of what `make install` puts under /usr, built with dpkg-deb alone. Needs
# B; the package goes to $B. Dependencies are what the programs' libraries belong to.
set -eu
root=$B/deb/root
rm -rf "$B/deb"
mkdir -p "$root/DEBIAN" "$B/deb/debian"
PREFIX=/usr DESTDIR=$root ci/install.sh
version=$("$B/tidemark" --version | cut -d' ' -f2)
architecture=$(dpkg --print-architecture)
gzip -9nf "$root"/usr/share/man/man*/*.[157]
mv "$root/usr/share/doc/tidemark/LICENSE" "$root/usr/share/doc/tidemark/copyright"
# Debian's zsh looks here, and for site-functions below /usr/local only.
mkdir -p "$root/usr/share/zsh/vendor-completions"
mv "$root/usr/share/zsh/site-functions/_tidemark" "$root/usr/share/zsh/vendor-completions/"
rmdir "$root/usr/share/zsh/site-functions"
strip --strip-unneeded "$root/usr/bin/tidemark" "$root/usr/lib/libtidemark-registry.so.0"
# The suites keep their symbols: tidemark finds the tests of a static libcheck by them.
strip --strip-debug "$root"/usr/libexec/tidemark/suites/*
printf 'Source: tidemark\nPackage: tidemark\n' >"$B/deb/debian/control"
depends=$(cd "$B/deb" && dpkg-shlibdeps -O --ignore-missing-info root/usr/bin/tidemark \
    root/usr/lib/tidemark/libtidemark.so root/usr/libexec/tidemark/suites/* 2>/dev/null |
    sed -n 's/^shlibs:Depends=//p')
cat >"$root/DEBIAN/control" <<CONTROL
Package: tidemark
Version: $version
Architecture: $architecture
Maintainer: tidemark maintainers <maintainers@localhost>
Section: devel
Priority: optional
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Depends: ${depends:-libc6}, libjemalloc2
Description: does a test suite's memory level off, and is that cache worth having?
 Runs a C test suite in one process with per-test teardown, keeps an exact
 ledger of every allocation, and says for each test whether it is clean, leaks,
 grows, accumulates or fills up and stops, naming the line and the holder.
CONTROL
package=$B/tidemark_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$package" >/dev/null
echo "$package"
