#!/bin/sh
# Man pages and completions as they are generated: every page is valid for groff, every script for its
# shell, every command and option is in all of them. Run from the repository root with $B.
set -u
B=${B:-build}
out=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-manual.XXXXXX")
trap 'rm -rf "$out"' EXIT
failed=0
fail() { echo "FAIL: $*" >&2; failed=1; }
has() { # FILE TEXT...
    file=$1; shift
    for text in "$@"; do
        grep -q -e "$text" "$file" || fail "$file has no '$text'"
    done
}
"$B/tidemark" --manual pages >"$out/pages" || fail "--manual pages"
pages=$(sed -n 's/ 1$//p' "$out/pages") # of commands
"$B/tidemark" --manual man >"$out/tidemark.1"
while read -r page section; do
    "$B/tidemark" --manual man "$page" >"$out/tidemark-$page.$section" || fail "man $page"
    has "$out/tidemark.1" "tidemark.-$page"
done <"$out/pages"
"$B/tidemark" --manual man nonesuch >/dev/null && fail "a page that is none"
"$B/tidemark" --manual troff >/dev/null && fail "a format that is none"
for file in "$out"/*.[157]; do
    if command -v groff >/dev/null; then
        said=$(groff -man -ww -b -z -Tutf8 -rLL=78n "$file" 2>&1)
        [ -z "$said" ] || fail "$file: $said"
    fi
    if command -v mandoc >/dev/null; then
        said=$(mandoc -Tlint -Wwarning "$file" 2>&1 | grep -v -e 'missing date' -e 'date')
        [ -z "$said" ] || fail "$file: $said"
    fi
done
has "$out/tidemark-scenario.5" peak_rss_bytes per.-test entries distribution
for shell in bash zsh fish; do
    "$B/tidemark" --manual $shell >"$out/completion.$shell" || fail "--manual $shell"
    if command -v $shell >/dev/null; then
        $shell -n "$out/completion.$shell" || fail "$shell finds an error in its completion"
    fi
    for page in $pages; do
        has "$out/completion.$shell" "$page"
    done
done
for page in $pages; do
    "$B/tidemark" "$page" --help | sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/\2/p' | sort -u >"$out/options"
    "$B/tidemark" "$page" --help | awk 'length > 80 { print "longer than 80 columns: " $0; bad = 1 } END { exit bad }' || failed=1
    while read -r option; do
        grep -q -e "-$(printf %s "$option" | sed 's/-/.-/g')" "$out/tidemark-$page.1" || fail "tidemark-$page.1 has no --$option"
        has "$out/completion.bash" "--$option"
        has "$out/completion.zsh" "--$option"
        has "$out/completion.fish" "-l $option"
    done <"$out/options"
done
if command -v bash >/dev/null; then
    bash -c '
        . "$1/completion.bash"
        COMP_WORDS=(tidemark hel); COMP_CWORD=1; _tidemark; [ "${COMPREPLY[*]}" = help ] || exit 1
        first=$(head -1 "$1/pages" | cut -d" " -f1)
        COMP_WORDS=(tidemark "$first" --no-c); COMP_CWORD=2; _tidemark; [ "${COMPREPLY[*]}" = --no-color ] || exit 2
    ' sh "$out" || fail "bash completes wrongly ($?)"
fi
# No page names an option that does not exist.
for page in $pages; do
    "$B/tidemark" "$page" --help >"$out/help"
    sed 's/\\-/-/g; s/\\fB//g; s/\\fR//g; s/\\fI//g' "$out/tidemark-$page.1" | grep -o -e '--[a-z][a-z-]*' | sort -u >"$out/named"
    while read -r option; do
        "$B/tidemark" --manual bash | grep -q -e "$option\b" || case $option in
        --version | --vs | --wrapper) ;; # of no command, between two commands, of meson
        *) fail "tidemark-$page.1 names $option, which no command has" ;;
        esac
    done <"$out/named"
done
exit $failed
