#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A live cgroup where no LSM is asked: who calls or executes what the manifest denies is killed and
# told of, and nobody else; whatever becomes of policyd.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
world_up watch

config=$work/policyd.json
socket=$work/control/policyd.sock
log=$work/log
pins=/sys/fs/bpf/agentpol-$name
cat >"$config" <<JSON
{"log": "$log", "socket": "$socket", "state": "$work/state", "pin": "$pins"}
JSON
start_policyd() {
  : >"$work/policyd.out"
  "$policyd" --config "$config" --foreground >>"$work/policyd.out" 2>&1 &
  policyd_pid=$!
  children+=("$policyd_pid")
  wait_for 5 holds "$work/policyd.out" "serving at"
}
start_policyd || skip_all "policyd does not start: $(cat "$work/policyd.out")"

cgroup=$cgroups/$name
place=$cgroup # where inside() puts them
mkdir "$cgroup" "$cgroup/below"
ask() { timeout 30 "$agentpol" "$1" --socket "$socket" "${@:2}"; } # VERB OPTION...
attach() { # MANIFEST OPTION...; its exit status
  ask attach -m "$1" --cgroup "$cgroup" "${@:2}" >"$work/out" 2>"$work/err"
}
# By a process of its own in the cgroup; 137: it was killed. Nothing waits in it: the shell becomes the command.
# shellcheck disable=SC2016
inside() { # COMMAND...; its exit status
  timeout -k 1 20 sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$place" "$@" >"$work/out" 2>"$work/err" </dev/null
} 2>/dev/null # where the shell says who was killed
ends_with() { # STATUS COMMAND...
  local wanted=$1
  shift
  "$@"
  [ $? -eq "$wanted" ]
}
killed() { ends_with 137 inside "$@"; } # COMMAND...
goes_on() { ends_with 0 inside "$@"; }
told() { wait_for 1 has_record "$log" "$1"; } # CONDITION
gap_at() { # POINTER
  ask ps --format json | jq -r --arg path "$cgroup" --arg pointer "$1" \
    '.agents[] | select(.cgroup_path == $path) | .not_enforced[] | select(.pointer == $pointer and .asked_for) | .what'
}

mkdir "$work/granted" "$work/made"
cp "$(type -P true)" "$work/granted/program"
cp "$(type -P true)" "$work/program"
manifest "$work/calls.json" "$name" '"process": {"syscalls": {"deny": ["@escape", "mkdir", "mkdirat"]}}'
manifest "$work/exec.json" "$name" "\"process\": {\"exec\": [\"/usr/bin/*\", \"/bin/*\", \"$work/granted/*\"]}"
manifest "$work/plain.json" "$name"
sed 's/"agentpol": 1,/"agentpol": 1, "mode": "audit",/' "$work/calls.json" >"$work/audit.json"

# ---- what it takes ----

attach "$work/calls.json"
is "a list of system calls is refused on a live cgroup" $? 3
if ! holds "$work/err" "killing the process"; then
  echo "1..$count # nothing is watched here: $(cat "$work/err")"
  exit "$failed"
fi
like "with what a kill is worth" "$(cat "$work/err")" "/process/syscalls: is enforced by killing the process after the fact"
attach "$work/exec.json"
is "a list of programs, too" $? 3
is "nobody is under a policy" "$(ask ps --format json | jq '.agents | length')" 0
ok "a manifest without either is taken" attach "$work/plain.json"
ok "and nobody is watched for it" not [ -e "$pins/links/watch_call" ]

# ---- system calls ----

ok "without a rule a folder is made" goes_on mkdir "$work/made/before"
ok "with --allow-degraded the list is taken" attach "$work/calls.json" --allow-degraded
ok "and the programs are there" [ -e "$pins/links/watch_call" ]
like "ps says how it is enforced" "$(gap_at /process/syscalls)" "by killing the process"
ok "who makes a folder is killed" killed mkdir "$work/made/one"
ok "and told of within a second" told '.kind == "syscall" and .verdict == "deny" and .subject.syscall == "mkdir" and .rule == "/process/syscalls"'
place=$cgroup/below
ok "in a cgroup below, too" killed mkdir "$work/made/two"
place=$cgroup
ok "who enters a namespace, too" killed unshare --net true
ok "who mounts, too" killed mount -t tmpfs none "$work/made"
ok "what is not denied goes on" goes_on ls "$work"
ok "with children of its own" goes_on sh -c "ls $work | wc -l; true & wait"
ok "who is outside makes folders" mkdir "$work/made/outside"

# ---- leaving ----

# shellcheck disable=SC2016
leave='echo 0 >"'$cgroups'/cgroup.procs"; echo gone >"'$work'/left"'
ok "who leaves the cgroup is killed" killed sh -c "$leave"
ok "and told of" told '.kind == "escape" and .verdict == "deny"'
ok "it has done nothing more outside" not [ -e "$work/left" ]

# ---- programs ----

ok "a list of programs takes its place" attach "$work/exec.json" --allow-degraded
ok "a program of the list runs" goes_on "$work/granted/program"
ok "one that is on none is killed" killed "$work/program"
ok "and told of, with its path" told ".kind == \"exec\" and .verdict == \"deny\" and .subject.path == \"$work/program\""
ln -s "$work/program" "$work/granted/link"
ok "by a link in a granted folder, too" killed "$work/granted/link"
cp "$work/program" "$work/granted/new"
ok "a new file in a granted folder runs" goes_on "$work/granted/new"

# ---- whatever becomes of policyd ----

kill -9 "$policyd_pid"
wait "$policyd_pid" 2>/dev/null
ok "without policyd a program that is on no list is killed" killed "$work/program"
ok "and one that is runs" goes_on "$work/granted/program"
ok "the next policyd starts" start_policyd
is "and has it" "$(ask ps --format json | jq -r --arg path "$cgroup" '.agents[] | select(.cgroup_path == $path) | .effective')" true
ok "it is enforced as before" killed "$work/program"

# ---- audit mode ----

ok "audit mode is taken" attach "$work/audit.json" --allow-degraded
ok "it kills nobody" goes_on mkdir "$work/made/audited"
ok "and tells what would be denied" told '.kind == "syscall" and .verdict == "would-deny" and .subject.syscall == "mkdir"'
ok "a program on no list runs" goes_on "$work/program"

# ---- the end ----

ok "a manifest without such rules takes the programs off" attach "$work/plain.json"
ok "all of them" not eval "ls $pins/links | grep -q watch_"
ok "what was denied goes on" goes_on mkdir "$work/made/plain"
ok "under a list again" attach "$work/calls.json" --allow-degraded
ok "who is denied is killed" killed mkdir "$work/made/three"
kill -9 "$policyd_pid"
wait "$policyd_pid" 2>/dev/null
ok "the third policyd starts" start_policyd
ok "detach" ask detach --cgroup "$cgroup"
ok "takes the programs off, too" not eval "ls $pins/links | grep -q watch_"
ok "nobody is killed" goes_on mkdir "$work/made/free"
ok "attached once more" attach "$work/calls.json" --allow-degraded
kill -9 "$policyd_pid"
wait "$policyd_pid" 2>/dev/null
cgroup_end "$cgroup"
ok "while policyd is away the cgroup goes, and the next one starts" start_policyd
ok "it takes the programs off" not eval "ls $pins/links | grep -q watch_"
is "the log has no gaps" "$(gaps_in "$log")" ""
done_testing
