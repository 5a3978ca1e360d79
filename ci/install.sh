#!/bin/sh
# make install: puts everything under $DESTDIR$PREFIX. Called with B, PREFIX, DESTDIR set and the build
# done. Man pages and completions come out of the tidemark that is installed.
set -eu
to=${DESTDIR-}$PREFIX
version=$("$B/tidemark" --version | cut -d' ' -f2)
put() { # MODE FILE... FOLDER
    mode=$1; shift
    for last in "$@"; do :; done
    mkdir -p "$to/$last"
    while [ $# -gt 1 ]; do
        install -m "$mode" "$1" "$to/$last"
        shift
    done
}
put 755 "$B/tidemark" bin
put 755 "$B/libtidemark.so" lib/tidemark
ln -sf libtidemark.so "$to/lib/tidemark/libtidemark.so.0"
put 644 include/tidemark.h include
put 644 include/registry/*.h include/registry
put 644 "$B/libregistry.a" lib
mv "$to/lib/libregistry.a" "$to/lib/libtidemark-registry.a"
put 755 "$B/libtidemark-registry.so.0" lib
ln -sf libtidemark-registry.so.0 "$to/lib/libtidemark-registry.so"
for suite in "$B"/suites/*; do
    [ -x "$suite" ] && [ -f "$suite" ] && put 755 "$suite" libexec/tidemark/suites
done
put 644 scenarios/*.yaml share/tidemark/scenarios
put 644 fixtures/tiers/*.yaml share/tidemark/fixtures/tiers
put 644 registry/tiered/*.sql share/tidemark/sql
for document in LICENSE README.md docs/*.md; do
    [ ! -f "$document" ] || put 644 "$document" share/doc/tidemark
done
put 644 docs/example/*.c docs/example/*.yaml docs/example/Makefile share/doc/tidemark/example
put 644 docs/example/strategy/* share/doc/tidemark/example/strategy

mkdir -p "$to/lib/pkgconfig" "$to/share/man/man1" \
    "$to/share/bash-completion/completions" "$to/share/zsh/site-functions" \
    "$to/share/fish/vendor_completions.d"
cat >"$to/lib/pkgconfig/tidemark.pc" <<PC
prefix=$PREFIX
includedir=\${prefix}/include

Name: tidemark
Description: boundaries, counters and samples for test programs that run under tidemark
Version: $version
Cflags: -I\${includedir}
PC
cat >"$to/lib/pkgconfig/tidemark-registry.pc" <<PC
prefix=$PREFIX
includedir=\${prefix}/include
libdir=\${prefix}/lib

Name: tidemark-registry
Description: compiled-in model registry and the strategies in front of it
Version: $version
Cflags: -I\${includedir}
Libs: -L\${libdir} -ltidemark-registry
Libs.private: -lm -lpthread
PC
# In place of libcheck's own, for a relink by one variable:
#   PKG_CONFIG_PATH=PREFIX/share/tidemark/relink make check_mine
mkdir -p "$to/share/tidemark/relink"
cat >"$to/share/tidemark/relink/check.pc" <<PC
prefix=$PREFIX
libdir=\${prefix}/lib/tidemark

Name: check
Description: libcheck's functions from libtidemark.so; the header stays libcheck's
Version: 0.15.2
Libs: -L\${libdir} -Wl,-rpath,\${libdir} -l:libtidemark.so
PC
"$B/tidemark" --manual man >"$to/share/man/man1/tidemark.1"
"$B/tidemark" --manual pages | while read -r page section; do
    mkdir -p "$to/share/man/man$section"
    "$B/tidemark" --manual man "$page" >"$to/share/man/man$section/tidemark-$page.$section"
done
"$B/tidemark" --manual bash >"$to/share/bash-completion/completions/tidemark"
"$B/tidemark" --manual zsh >"$to/share/zsh/site-functions/_tidemark"
"$B/tidemark" --manual fish >"$to/share/fish/vendor_completions.d/tidemark.fish"
