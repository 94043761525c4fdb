#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# agentpol mcp --tool-scope: the tool server in a cgroup of its own. What the gateway allows and what
# the kernel allows are one manifest: the server can't do more than the call that it serves.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
world_up mcp-scope

cat >"$work/m.json" <<JSON
{"agentpol": 1, "name": "$name", "tools": {
  "fetch": {"effect": "read", "scope": "call", "network": {"egress": [{"to": "127.0.0.1", "ports": [8099]}]},
            "arguments": {"/port": {"minimum": 8000}}},
  "slow": {"effect": "read", "scope": "call", "network": {"egress": [{"to": "127.0.0.1", "ports": [8098]}]}},
  "base": {"effect": "read", "network": {"egress": [{"to": "127.0.0.1", "ports": [8097]}]}},
  "report": {"effect": "read"}}}
JSON
cat >"$work/policyd.json" <<JSON
{"log": "$work/daemon", "socket": "$work/control/policyd.sock", "state": "$work/state", "pin": "/sys/fs/bpf/agentpol-$name"}
JSON
calls() { # OPTION...; calls from standard input
  timeout 60 "${near[@]}" python3 tests/e2e/mcp/scoped_client.py "$agentpol" mcp -q --tool-scope -m "$work/m.json" "$@" -- \
    python3 "$PWD/tests/e2e/mcp/scoped_server.py" 2>"$work/err"
}
play() { # OPTION...
  is "a call reaches its host, and not 50 ms later" "$(printf 'fetch 8099\nreport\n' | calls "$@")" \
    "fetch 8099 yes
report no (Operation not permitted)
exit 0"
  is "what is another tool's stays closed in a call" "$(printf 'fetch 8098\nfetch 8097\n' | calls "$@")" \
    "fetch 8098 no (Operation not permitted)
fetch 8097 yes
exit 0"
  is "the server's own scope is open all the time" "$(printf 'base 8097\nbase 8099\nreport\n' | calls "$@")" \
    "base 8097 yes
base 8099 no (Operation not permitted)
report yes no (Operation not permitted)
exit 0"
  is "a call that takes its time keeps its grant" "$(printf 'slow 8098\nslow 8099\n' | calls "$@")" \
    "slow 8098 yes yes
slow 8099 no (Operation not permitted) no (Operation not permitted)
exit 0"
  is "what is denied opens nothing" "$(printf 'fetch 80\nhidden 8099\nreport\n' | calls "$@" | sed 's/the manifest has no tool.*/ungranted/')" \
    "fetch 80 argument
hidden 8099 ungranted
report 
exit 0"
}
echo "# by itself"
play --standalone --log "$work/log"
ok "what the server tried after its call is in the log" has_record "$work/log" '.kind == "connect" and .verdict == "deny" and .subject.port == 8099'
is "no cgroup of the server is left" "$(find "$cgroups/agentpol" -maxdepth 1 -name "$name-*" 2>/dev/null)" ""

echo "# by policyd"
"$policyd" --config "$work/policyd.json" --foreground >"$work/policyd.out" 2>&1 &
policyd_pid=$!
children+=("$policyd_pid")
wait_for 5 holds "$work/policyd.out" "serving at"
play --socket "$work/control/policyd.sock"
is "policyd keeps the session of all of these" "$("$agentpol" ps --socket "$work/control/policyd.sock" --format json | jq -c '.sessions[] | [.agent, .calls, .denials, .under_way]')" \
  "[\"$name\",10,2,0]"
kill "$policyd_pid"
wait "$policyd_pid" 2>/dev/null
quietly "$policyd" --config "$work/policyd.json" --unload

ok "without root it says what it takes" not setpriv --reuid 65534 --clear-groups --bounding-set=-all "$agentpol" mcp --tool-scope --standalone --log "$work/x" -m "$work/m.json" -- true 2>"$work/err"
like "in words" "$(cat "$work/err")" "needs root|cannot|can't|ermission"
done_testing
