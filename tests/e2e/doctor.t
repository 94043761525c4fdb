#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# agentpol doctor: what it says is so, on this machine; nothing of its trial stays.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
world_up doctor

doctor() { timeout 60 "$agentpol" doctor --socket "$work/none.sock" "$@"; }
of() { jq -r "$1" "$work/json"; } # FILTER
# How a grant is enforced: full, partly or null.
way() { # GRANT run|attach
  of ".grants[] | select(.grant == \"$1\") | .$2 | if . == null then \"null\" elif .partly then \"partly\" else \"full\" end"
}
lacks() { [ -n "$(of ".missing[] | select(.what == \"$1\") | .what")" ]; } # NAME

# ---- as root ----

doctor --format json >"$work/json" 2>"$work/err"
is "doctor ends with 0 where something can be enforced" $? 0
is "and says nothing on standard error" "$(cat "$work/err")" ""
is "it is one JSON object" "$(jq -s length "$work/json")" 1
is "that says so" "$(of .enforces)" true
is "each trial was proved" "$(of '.tried | length > 0 and all(.proved)')" true
is "the kernel is this one" "$(of .system.kernel)" "$(uname -r)"
is "cgroup v2 is where it is" "$(of .system.cgroup_v2)" "$cgroups"
is "egress is enforced by run and attach" "$(way "inet egress by address" run) $(way "inet egress by address" attach)" "full full"
is "tool calls are the gateway's" "$(way "tool calls, budgets" run) $(way "tool calls, budgets" attach)" "full full"
for controller in pids memory cpu; do
  wanted=null
  grep -qw $controller "$cgroups/cgroup.controllers" && wanted=full
  is "the $controller limit is claimed where cgroup v2 has the controller" "$(way process.limits.$controller run)" $wanted
done
# Others may be at it: what is left is whose process is gone.
is "no cgroup and no pin of the trial is left" "$(find "$cgroups" /sys/fs/bpf/agentpol/run -maxdepth 1 \
  \( -name 'agentpol-selftest-*' -o -name 'doctor-*' \) 2>/dev/null | while read -r left; do
  is_gone "${left##*-}" && [ -e "$left" ] && echo "$left"
done)" ""

# ---- what it says is what run and attach do ----

claims() { # GRANT MORE: run takes such a manifest just where doctor has the grant in full
  printf '{"agentpol": 1, "name": "%s", %s}' "$name" "$2" >"$work/m.json"
  timeout 60 "$agentpol" run --standalone -q --log "$work/log" -m "$work/m.json" -- true >"$work/out" 2>"$work/err" </dev/null
  local status=$? wanted=3
  [ "$(way "$1" run)" = full ] && wanted=0
  is "run of a manifest with $1 ends as doctor says" $status $wanted
}
claims files '"files": {"read": ["/"], "write": ["/dev/null"]}'
claims process.exec '"process": {"exec": ["/usr/bin/*", "/bin/*"]}'
claims "Unix sockets by path" '"network": {"unix": ["/run/x"]}'
claims process.limits.memory '"process": {"limits": {"memory": "1GiB"}}'
claims process.syscalls '"process": {"syscalls": {"deny": ["@mount"]}}'
if [ "$(way process.syscalls attach)" = full ]; then
  ok "where the LSM is heeded, nothing of it is missing" not lacks "BPF LSM"
else
  ok "where the LSM is not heeded, that is named" lacks "BPF LSM"
fi

# ---- text ----

doctor >"$work/text"
is "text: no colour where there is no terminal" "$(grep -c $'\033' "$work/text")" 0
is "text: no line is wider than 120" "$(awk 'length > 120' "$work/text")" ""
is "text: every grant has its line" "$(of '.grants[].grant' | while read -r grant; do
  grep -qF "$grant" "$work/text" || echo "$grant"
done)" ""
if command -v script >/dev/null; then
  terminal() { timeout 60 script -qec "stty cols 80; $1 $agentpol doctor --socket $work/none.sock" /dev/null </dev/null; }
  terminal "env -u NO_COLOR" >"$work/text"
  ok "on a terminal there is colour" grep -q $'\033\[32m' "$work/text"
  is "and no line is wider than 80" "$(sed $'s/\033\\[[0-9;]*m//g; s/\r//' "$work/text" | awk 'length > 80')" ""
  terminal "NO_COLOR=1" >"$work/text"
  is "but not with NO_COLOR" "$(grep -c $'\033' "$work/text")" 0
else
  skip "on a terminal there is colour" "no script here"
fi

# ---- system calls ----

doctor --syscalls --format json >"$work/json"
is "each call of @escape that has a hook is listed once" "$(of '[.syscalls[] | select(.name == "bpf")] | length')" 1
is "and is active where the LSM is heeded" "$(of '.syscalls | all(.active)')" \
  "$([ "$(way process.syscalls attach)" = full ] && echo true || echo false)"
doctor --syscalls | grep -q '^ptrace  *ptrace_access_check'
is "in text, too" "${PIPESTATUS[*]}" "0 0"

# ---- who may not ----

setpriv --reuid 65534 --regid 65534 --clear-groups "$agentpol" doctor --format json >"$work/json" 2>"$work/err"
is "without root doctor ends with 3" $? 3
like "and says why" "$(cat "$work/err")" "nothing can be enforced here: .*root"
is "claims nothing" "$(of '.enforces, ([.grants[] | select(.run or .attach)] | length)' | tr '\n' ' ')" "false 0 "
is "and says how it would" "$(of '.missing[] | select(.what == "kernel programs") | .how | test("as root")')" true
quietly doctor --nonsense
is "a wrong option ends with 2" $? 2
quietly doctor surplus
is "so does an argument" $? 2

# ---- the daemon ----

"$agentpol" doctor --socket "$work/none.sock" --format json >"$work/json"
is "no policyd is told" "$(of .system.policyd)" false

done_testing
