#!/bin/sh
# aarch64_test.sh - the library compiles, links and exports the same for AArch64. make aarch64 also runs it.
case ${B-} in *address*|*thread*|*undefined*) echo "the same library as in a plain build"; exit 77 ;; esac
OPT=-O0 exec ci/aarch64.sh
