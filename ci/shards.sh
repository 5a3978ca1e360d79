#!/bin/sh
# make shards: one hunt spread by real engines, and held against the unsharded one, test by test.
#   parallel  GNU parallel over ssh to three hosts (network namespaces, each with an sshd and a disk of its
#             own); one of them is cut off in the middle of its work, which is then done by the others
#   slurm     a job array on one node (slurmctld, slurmd and munge are started here, and ended)
# Needs root, and the packages that it names where they are missing. Run from the root with $B set.
#   ci/shards.sh [parallel|slurm]
set -u
B=$(cd "${B:-build}" && pwd)
program=$B/suites/registry
shards=${SHARDS:-12}
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-shards.XXXXXX") || exit 99
hosts="tm-host-1 tm-host-2 tm-host-3"
bad=0
fail() { echo "FAIL: $*"; bad=1; }
need() { # command package
    command -v "$1" >/dev/null || { echo "skipped: no $1 (package $2)"; return 1; }
}

# Only what runs in our own namespaces, or was started here.
host_end() {
    ip netns pids "$1" 2>/dev/null | xargs -r kill -9 2>/dev/null
}
hosts_end() {
    for host in $hosts; do
        host_end "$host"
        ip link del "tm-${host##*-}" 2>/dev/null
        ip netns del "$host" 2>/dev/null
    done
    ip link del tm-bridge 2>/dev/null
}
slurm_end() {
    for daemon in slurmd slurmctld munged; do
        [ -s "$T/$daemon.pid" ] || continue
        kill "$(cat "$T/$daemon.pid")" 2>/dev/null
        wait "$(cat "$T/$daemon.pid")" 2>/dev/null # it writes its state as it ends
    done
}
end() {
    slurm_end
    hosts_end
    rm -rf "$T"
}
trap end EXIT
trap 'exit 130' INT TERM

# What may not depend on where a test ran.
exact() {
    cat "$@" | jq -c 'select(.type == "test") | [.id, .variant, .status, .verdict, .signal, .allocs, .frees,
        .bytes, .retained_bytes, .retained_blocks, .growth_bytes_per_rep, .fds, .threads, .message, .file,
        .line]' | sort
}
merged_same() { # engine, shard files...
    engine=$1
    shift
    "$B/tidemark" report -q --json "$T/$engine.jsonl" "$@" >"$T/out" 2>&1 || { fail "$engine: report: $(cat "$T/out")"; return; }
    exact "$T/whole.jsonl" >"$T/exact.whole"
    exact "$T/$engine.jsonl" >"$T/exact.merged"
    if cmp -s "$T/exact.whole" "$T/exact.merged" && [ -s "$T/exact.whole" ]; then
        echo "$engine: merged, $(wc -l <"$T/exact.merged") tests, equal to the unsharded run test by test"
    else
        fail "$engine: the merged result differs from the unsharded one"
        diff "$T/exact.whole" "$T/exact.merged" | head
    fi
}
jobs_by_host() { # shard files...
    jq -r 'select(.type == "run") | "\(.host)\t\(.shard)"' "$@" | sort -t "$(printf '\t')" -k1,1 -k2,2V |
        awk -F'\t' '{of[$1] = of[$1] " " $2; count[$1]++} END {for (h in of) print "  " h ": " count[h] " shards," of[h]}' | sort
}

host_begin() { # number
    host=tm-host-$1
    ip netns add "$host" && ip link add "tm-$1" type veth peer name eth0 netns "$host" &&
        ip link set "tm-$1" master tm-bridge up &&
        ip -n "$host" addr add "10.213.77.1$1/24" dev eth0 &&
        ip -n "$host" link set eth0 up && ip -n "$host" link set lo up || return 1
    mkdir -p "$T/disk"
    cat >"$T/sshd.$1" <<END
ListenAddress 10.213.77.1$1
HostKey $T/host_key
AuthorizedKeysFile $T/key.pub
StrictModes no
UsePAM no
PidFile none
PrintMotd no
END
    # A name and a disk of its own: nothing comes back but through ssh.
    ip netns exec "$host" unshare --mount --uts sh -c "hostname $host; mount -t tmpfs none '$T/disk'
        mkdir -p /run/sshd; exec /usr/sbin/sshd -D -e -f '$T/sshd.$1'" 2>"$T/sshd.$1.log" &
    printf 'Host %s\n  HostName 10.213.77.1%s\n' "$host" "$1" >>"$T/ssh_config"
}

run_parallel() {
    need parallel parallel && need ssh openssh-client && [ -x /usr/sbin/sshd ] && need ip iproute2 || return
    parallel --version 2>/dev/null | grep -q 'GNU parallel' || { echo "skipped: another parallel than GNU's"; return; }
    unshare -n true 2>/dev/null || { echo "skipped: network namespaces are refused here"; return; }
    ssh-keygen -q -t ed25519 -N '' -f "$T/key" && ssh-keygen -q -t ed25519 -N '' -f "$T/host_key"
    cat >"$T/ssh_config" <<END
IdentityFile $T/key
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
LogLevel ERROR
ConnectTimeout 2
ServerAliveInterval 1
ServerAliveCountMax 3
END
    ip link add tm-bridge type bridge && ip addr add 10.213.77.1/24 dev tm-bridge && ip link set tm-bridge up || return
    for n in 1 2 3; do host_begin $n || { fail "namespace $n"; return; }; done
    for host in $hosts; do
        tries=0
        until [ "$(ssh -F "$T/ssh_config" "$host" hostname 2>/dev/null)" = "$host" ]; do
            tries=$((tries + 1))
            [ $tries -lt 50 ] || { fail "$host: no ssh: $(cat "$T"/sshd.*.log)"; return; }
            sleep 0.1
        done
    done
    # The exit status of a job is not the verdict: 1 is a finding, and no reason to run it again.
    cat >"$T/job" <<END
mkdir -p $T/disk
$B/tidemark hunt -q --shard \$1/$shards --json $T/disk/\$1.jsonl -- $program >/dev/null || [ \$? -eq 1 ] || exit
cat $T/disk/\$1.jsonl
END
    (   # Cut tm-host-2 off when its first test is written: its cable, then all of its processes.
        until [ -n "$(find_written)" ]; do sleep 0.02; done
        find_written | sed 's/^/  tm-host-2 is cut off in the middle of /' >"$T/cut"
        ip link set tm-2 down
        host_end tm-host-2
    ) &
    cutter=$!
    seq "$shards" | PARALLEL_HOME=$T/parallel parallel --will-cite --ssh "ssh -F $T/ssh_config" \
        --sshlogin 1/tm-host-1,1/tm-host-2,1/tm-host-3 --retries 3 --joblog "$T/joblog" \
        --results "$T/shard-{}.jsonl" "sh $T/job {}" >/dev/null 2>"$T/parallel.log"
    status=$?
    wait $cutter
    [ $status -eq 0 ] || { fail "parallel: exit $status: $(cat "$T/parallel.log")"; return; }
    echo "parallel: $shards shards over three hosts, finished by:"
    jobs_by_host "$T"/shard-*.jsonl
    cat "$T/cut"
    merged_same parallel "$T"/shard-*.jsonl
    lost=$(sed 's/.*shard \([0-9]*\),.*/\1/' "$T/cut")
    grep -q '"host":"tm-host-[13]"' "$T/shard-$lost.jsonl" || fail "shard $lost was not done elsewhere"
}

# On the disk of tm-host-2, seen through one of its processes: a shard's file with a test, unfinished.
find_written() {
    for pid in $(ip netns pids tm-host-2 2>/dev/null); do
        for file in "/proc/$pid/root$T/disk"/*.jsonl; do
            tests=$(grep -c '"type":"test"' "$file" 2>/dev/null) || continue
            [ "$tests" -gt 0 ] || continue
            echo "shard $(basename "$file" .jsonl), after $tests of its tests"
            return
        done
        return
    done
}

run_slurm() {
    need slurmctld slurmctld && need slurmd slurmd && need sbatch slurm-client && need munged munge || return
    name=$(hostname -s)
    mkdir -p "$T/state" "$T/spool" "$T/array"
    chmod 755 "$T"
    mkdir -p -m 755 "$T/munge"
    dd if=/dev/urandom of="$T/munge/key" bs=128 count=1 2>/dev/null
    chmod 400 "$T/munge/key"
    /usr/sbin/munged --foreground --force --key-file="$T/munge/key" --socket="$T/munge/socket" \
        --pid-file="$T/munged.own" --log-file="$T/munge/log" --seed-file="$T/munge/seed" >"$T/munged.log" 2>&1 &
    echo $! >"$T/munged.pid"
    cat >"$T/slurm.conf" <<END
ClusterName=tidemark
SlurmctldHost=$name(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$T/munge/socket
CredType=cred/munge
SlurmctldPort=16817
SlurmdPort=16818
SlurmctldPidFile=$T/slurmctld.own
SlurmdPidFile=$T/slurmd.own
SlurmctldLogFile=$T/slurmctld.log
SlurmdLogFile=$T/slurmd.log
StateSaveLocation=$T/state
SlurmdSpoolDir=$T/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_min_interval=100000
NodeName=$name NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$name Default=YES MaxTime=10 State=UP
END
    export SLURM_CONF="$T/slurm.conf"
    slurmctld -D >"$T/slurmctld.out" 2>&1 &
    echo $! >"$T/slurmctld.pid"
    slurmd -D >"$T/slurmd.out" 2>&1 &
    echo $! >"$T/slurmd.pid"
    tries=0
    until sinfo -h -o %T 2>/dev/null | grep -q idle; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || { fail "slurm does not come up: $(tail -n 5 "$T/slurmctld.log" "$T/slurmd.log")"; return; }
        sleep 0.1
    done
    cat >"$T/array.sh" <<END
#!/bin/sh
exec "$B/tidemark" hunt -q --json "$T/array/\$SLURM_ARRAY_TASK_ID.jsonl" -- "$program"
END
    sbatch --wait --quiet --chdir="$T" --output="$T/array/%a.out" --array=1-4 "$T/array.sh" ||
        { fail "sbatch: $(cat "$T"/array/*.out 2>/dev/null | tail -n 5) $(tail -n 5 "$T/slurmd.log")"; return; }
    echo "slurm: an array of 4, no --shard given; each says of itself:"
    for out in "$T"/array/*.out; do head -n 2 "$out" | grep -o ' shard [0-9]*/[0-9]*'; done | sort | sed 's/^/ /'
    merged_same slurm "$T"/array/*.jsonl
}

need jq jq || exit 77
[ "$(id -u)" = 0 ] || { echo "needs root, for network namespaces"; exit 77; }
"$B/tidemark" hunt -q --json "$T/whole.jsonl" -- "$program" >"$T/out" 2>&1 || fail "the whole: $(cat "$T/out")"
echo "whole: $(tail -n 1 "$T/out")"
case ${1-all} in
parallel) run_parallel ;;
slurm) run_slurm ;;
*)
    run_parallel
    run_slurm ;;
esac
exit $bad
