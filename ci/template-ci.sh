#!/bin/sh
# make template-ci: the templates for GitHub and GitLab as a whole: every `run:` and every line of script:, the
# packages, the download and the build among them, in the order of the YAML and in a bare Debian 12, which is the
# image that they name. Only the actions that GitHub brings are stood in for: check-out is a clone, upload a look
# at the paths. First red, with the annotation on its line; then green, after the fix is pushed.
# Needs root, a mirror, python3-yaml; takes minutes. ROOTFS and MIRROR as ci/rootfs.sh has them.
set -eu
B=${B:-build}
python3 -c 'import yaml' || { echo "no python3-yaml"; exit 77; }
t=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-ci.XXXXXX")
leave() {
    for job in github gitlab; do ! mountpoint -q "$t/$job/proc" || umount "$t/$job/proc"; done
    rm -rf --one-file-system "$t"
}
trap leave EXIT INT TERM
fail() { echo "FAIL: $*"; exit 1; }
package=$(B=$B ci/deb.sh)
sh ci/rootfs.sh "$t/github"
cp -a "$t/github" "$t/gitlab"

# The project, with its repository, as somebody would push it.
project=$t/project
mkdir -p "$project/ci"
cp docs/example/check_mine.c "$project"
cp ci/templates/tidemark.sh "$project/ci"
cat >"$project/Makefile" <<'END'
tests: build/tests/check_one build/tests/check_two
build/tests/%: check_mine.c
	mkdir -p $(@D)
	$(CC) -g -o $@ $< $$(pkg-config --cflags --libs check)
END
commit() { git -C "$project" -c user.name=t -c user.email=t@t commit -qam "$1"; }
git -C "$project" init -q && git -C "$project" add . && commit begin
line=$(grep -n calloc "$project/check_mine.c" | cut -d: -f1)

# One shell text a step; what its system does itself is written as the words "CHECKOUT" and "UPLOAD PATH".
cat >"$t/steps.py" <<'END'
import sys, yaml
system, path, out = sys.argv[1:]
whole = yaml.safe_load(open(path, encoding="utf-8"))
if system == "github":
    steps = []
    for step in whole["jobs"]["memory"]["steps"]:
        uses = step.get("uses", "")
        steps.append("CHECKOUT" if uses.startswith("actions/checkout@")
                     else "UPLOAD " + step["with"]["path"] if uses.startswith("actions/upload-artifact@")
                     else step["run"])
    environment = whole["jobs"]["memory"]["env"]
else:
    job = whole["memory"]
    steps = ["CHECKOUT", "\n".join(job["before_script"] + job["script"]), *("UPLOAD " + p for p in job["artifacts"]["paths"])]
    steps += ["UPLOAD " + p for p in job["artifacts"]["reports"].values()]
    environment = job["variables"]
for number, step in enumerate(steps):
    open(f"{out}/{number:02}.step", "w").write(step + "\n")
open(f"{out}/environment", "w").write("".join(f"{k}={v}\n" for k, v in environment.items() if "${{" not in str(v)))
END

# job SYSTEM YAML EXPECTED VARIABLE=VALUE...
job() {
    system=$1 expected=$3 root=$t/$1 status=0
    rm -rf "$root/steps" "$root/work"
    mkdir -p "$root/steps"
    python3 "$t/steps.py" "$system" "$2" "$root/steps"
    shift 3
    cp "$package" "$root/tmp/package.deb"
    mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
    while read -r variable; do
        set -- "$@" "$variable"
    done <"$root/steps/environment"
    for step in "$root"/steps/*.step; do
        case $(cat "$step") in
        CHECKOUT) git clone -q "$project" "$root/work" ;;
        "UPLOAD "*)
            for pattern in "$root/work/"$(sed 's/^UPLOAD //' "$step"); do
                [ -e "$pattern" ] || fail "$system: nothing to upload at ${pattern#"$root"}: $(tail -n 20 "$t/said")"
            done ;;
        *)
            [ $status = 0 ] || continue # as its system does: only `if: always()` runs behind a failure
            mkdir -p "$root/work"
            env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive \
                TIDEMARK_DEB=file:///tmp/package.deb "$@" chroot "$root" sh -c 'cd /work && exec sh -e "$1"' sh "/steps/$(basename "$step")" \
                >"$t/said" 2>&1 || status=$?
            cat "$t/said" >>"$t/$system.log" ;;
        esac
    done
    [ $status = "$expected" ] || fail "$system ended with $status instead of $expected: $(tail -n 20 "$t/said")"
    echo "$system: exit $status; $(grep -m 1 -e "error file=\|error: " "$t/said" || echo "no error")"
}
both() { # expected
    job github ci/templates/github-actions.yml "$1" GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=/tmp/summary.md
    cp "$t/said" "$t/github.said"
    job gitlab ci/templates/gitlab-ci.yml "$1" CI_JOB_NAME=memory
    cp "$t/said" "$t/gitlab.said"
}
both 1
grep -q "^::error file=check_mine.c,line=$line," "$t/github.said" || fail "no annotation on line $line"
grep -q "opens" "$t/github/tmp/summary.md" || fail "no summary of the job"
grep -q "^check_mine.c:$line: error: " "$t/gitlab.said" || fail "no error on line $line"
sed -i 's/    ck_assert_str_eq(session_open("alice")->name, "alice");/&\n    free(g_sessions);\n    g_sessions = NULL;/' "$project/check_mine.c"
commit fix
both 0
