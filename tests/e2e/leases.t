#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Grants of tools with "scope": "call", in the kernel: open while a call is under way, and no longer.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
world_up leases

pins=/sys/fs/bpf/agentpol-$name
cat >"$work/policyd.json" <<JSON
{"log": "$work/daemon", "socket": "$work/control/policyd.sock", "state": "$work/state", "pin": "$pins"}
JSON
play() { # OPTION...
  local line
  while IFS= read -r line; do
    case $line in
      ok\ *) count=$((count + 1)); echo "ok $count - ${line#ok }" ;;
      not\ ok\ *) count=$((count + 1)); failed=$((failed + 1)); echo "not ok $count - ${line#not ok }" ;;
      *) echo "$line" ;;
    esac
  done < <(NAME=$name timeout 90 "${near[@]}" python3 tests/e2e/leases.py "$agentpol" "$work/leases.json" "$@" 2>&1)
}
echo "# by itself"
play --standalone --log "$work/log"
ok "a call that was denied for its lease is logged" has_record "$work/log" '.kind == "connect" and .verdict == "deny" and .subject.port == 8099'

echo "# by policyd"
"$policyd" --config "$work/policyd.json" --foreground >"$work/policyd.out" 2>&1 &
policyd_pid=$!
children+=("$policyd_pid")
wait_for 5 holds "$work/policyd.out" "serving at"
export POLICYD_PID=$policyd_pid
play --socket "$work/control/policyd.sock"
kill "$policyd_pid"
wait "$policyd_pid" 2>/dev/null
quietly "$policyd" --config "$work/policyd.json" --unload

# What is taken away before the command starts can't be lent: files and programs take the LSM.
cat >"$work/files.json" <<JSON
{"agentpol": 1, "name": "$name", "tools": {"a": {"effect": "read", "scope": "call", "files": {"read": ["/usr"]}}}}
JSON
run_files() { "$agentpol" run --standalone --log "$work/log" -m "$work/files.json" --tool '*' --leases 0 -- true <>/dev/null 2>"$work/err"; }
if grep -q bpf /sys/kernel/security/lsm 2>/dev/null; then
  skip "files of a call are refused without the LSM" "the LSM judges here"
else
  ok "files of a call are refused without the LSM" not run_files
  like "and named" "$(cat "$work/err")" "/tools/a.*takes the BPF LSM"
fi
done_testing
