#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A live cgroup that is watched: which system calls have done what they do when the kill comes. The
# table in docs/processes.md is this test's.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
world_up effects

effects=$work/bin/effects
cp "$build/tests/tools/effects" "$effects" || skip_all "no $build/tests/tools/effects"
socket=$work/control/policyd.sock
cat >"$work/policyd.json" <<JSON
{"log": "$work/log", "socket": "$socket", "state": "$work/state", "pin": "/sys/fs/bpf/agentpol-$name"}
JSON
"$policyd" --config "$work/policyd.json" --foreground >"$work/policyd.out" 2>&1 &
children+=("$!")
wait_for 5 holds "$work/policyd.out" "serving at" || skip_all "policyd does not start: $(cat "$work/policyd.out")"

cgroup=$cgroups/$name
mkdir "$cgroup"
jq -n --arg name "$name" --arg calls "$("$effects" --calls | sort -u)" '{agentpol: 1, name: $name,
  network: {egress: [{to: "@loopback", ports: ["*"], proto: ["tcp", "udp"]}]},
  process: {syscalls: {deny: ($calls | split("\n"))}}}' >"$work/m.json"
"$agentpol" attach --socket "$socket" --allow-degraded -m "$work/m.json" --cgroup "$cgroup" >"$work/out" 2>&1 ||
  skip_all "not attached: $(cat "$work/out")"
[ -e "/sys/fs/bpf/agentpol-$name/links/watch_call" ] || skip_all "a live cgroup is not watched here: system calls are refused, or nothing can be done"

field() { awk -F '\t' -v what="$1" -v n="$2" '$1 == what {print $n}' "$3"; } # WHAT COLUMN FILE

timeout 60 "${near[@]}" "$effects" >"$work/free"
is "without a policy each is tried" $? 0
timeout 60 "${near[@]}" "$effects" "$cgroup" >"$work/watched"
is "and each under one" $? 0
# Those that look for signals, or wait for something, before they do anything.
prevented='write to a file|copy_file_range|process_vm_writev|execve|clone'
while IFS=$'\t' read -r what times killed tries; do
  if [ "$times" -ne "$tries" ]; then
    skip "$what" "this machine does not do it: $times of $tries"
    continue
  fi
  is "$what: nobody is killed without a policy" "$killed" 0
  is "$what: under one who tries is killed, each time" "$(field "$what" 3 "$work/watched")" "$tries"
  echo "# $what: done in $(field "$what" 2 "$work/watched") of $tries"
  if [[ $what =~ ^($prevented)$ ]]; then
    is "$what: nothing is done" "$(field "$what" 2 "$work/watched")" 0
  fi
done <"$work/free"
done_testing
