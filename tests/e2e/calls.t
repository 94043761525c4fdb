#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sessions of tool calls in policyd: one for all gateways of an agent, over reconnects and restarts;
# questions to a person; what happens where a budget ends.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
world_up calls

socket=$work/control/policyd.sock
cat >"$work/policyd.json" <<JSON
{"log": "$work/log", "socket": "$socket", "state": "$work/state", "pin": "/sys/fs/bpf/agentpol-$name"}
JSON
start_policyd() {
  : >"$work/policyd.out"
  "$policyd" --config "$work/policyd.json" --foreground >>"$work/policyd.out" 2>&1 &
  policyd_pid=$!
  children+=("$policyd_pid")
  wait_for 5 holds "$work/policyd.out" "serving at"
}
stop_policyd() { # SIGNAL
  kill "-$1" "$policyd_pid"
  wait "$policyd_pid" 2>/dev/null
}
ask() { "$agentpol" "$1" --socket "$socket" "${@:2}"; } # VERB ARGUMENT...
exit_of() {
  "$@" >"$work/out" 2>"$work/err"
  echo $?
}
write_manifest() { # FILE NAME ON_EXHAUSTED
  cat >"$1" <<JSON
{"agentpol": 1, "name": "$2", "budgets": {"calls": 20, "denials": 4, "confirmations": 6, "on_exhausted": "$3"},
 "tools": {"login": {"effect": "read"}, "make": {"effect": "write", "requires": ["login"]},
           "pay": {"effect": "write", "requires": [{"tool": "make", "match": {"/id": "/result/id"}}]},
           "wipe": {"confirm": "ask", "ask_timeout": "60s"}, "brief": {"confirm": "ask", "ask_timeout": "1s"}}}
JSON
}
manifest=$work/shop.json
write_manifest "$manifest" "$name" deny
gateway() { python3 tests/e2e/gateway.py "$socket" "${1:-$manifest}"; }
verdicts() { sed 1d | jq -r '.verdict // (if .ok then "ok" else "refused" end)' | xargs; }
begin() { printf '{"op": "call-begin", "tool": "%s", "values": [%s]}\n' "$1" "${2:-}"; }
end() { printf '{"op": "call-end", "number": %d, "succeeded": true, "values": [%s]}\n' "$1" "${2:-}"; }
one='"00112233445566778899aabbccddeeff"' two='"ff112233445566778899aabbccddeeff"'
session() { ask ps --format json | jq -c --arg name "$name" ".sessions[] | select(.agent == \$name) | $1"; }

# ---- order, over connections and restarts ----

ok "policyd starts" start_policyd
is "what is required has to succeed first" "$( (begin make; begin login; begin make; end 2; begin make) | gateway | verdicts)" \
  "deny allow deny ok allow"
is "another gateway of the agent goes on where that one was" "$( (begin make; end 5 "$one"; begin pay "$one"; begin pay "$two") | gateway | verdicts)" \
  "allow ok allow deny"
is "ps shows the session" "$(session '[.calls, .denials, .gateways, .of.calls]')" "[4,3,0,20]"
like "in text, too" "$(ask ps)" "session of $name:  4 of 20 calls  3 of 4 denials"
sleep 0.1
stop_policyd KILL
ok "policyd is killed and starts again" start_policyd
is "what was made is known, and what was denied" "$( (begin pay "$one"; begin pay "$two") | gateway | jq -c 'select(.verdict) | [.verdict, .abandon]' | xargs)" \
  "[allow,false] [deny,true]"
is "the last denial ends it" "$( (begin login) | gateway | verdicts)" "deny"
is "until somebody begins it anew" "$(exit_of ask session reset "$name")" 0
is "with nothing that was done" "$( (begin login; begin make) | gateway | verdicts)" "allow deny"
is "a session that is not there is no session" "$(exit_of ask session reset nobody)" 2
is "state that is damaged is told, and nothing is granted" "$(
  stop_policyd TERM
  echo '{"calls": 1' >"$work/state/session-$name.json"
  start_policyd
  (begin login) | gateway | jq -r '.error // .ok' | head -1 | grep -c damaged)" 1
policyd_pid=$(pgrep -f "$work/policyd.json" | head -1)
children+=("$policyd_pid")
is "a reset mends that" "$(exit_of ask session reset "$name")" 0
is "and the agent calls again" "$( (begin login) | gateway | verdicts)" allow

# ---- denials that the gateway decides ----

is "what arguments deny is counted with the rest" \
  "$(for _ in 1 2 3 4; do echo '{"op": "call-denied", "verdict": "deny"}'; done | gateway | sed 1d | jq -c .abandon | xargs)" \
  "false false false true"
quietly ask session reset "$name"

# ---- a person ----

questions() { ask approvals --format json | jq -c '.approvals | length'; }
has_questions() { [ "$(questions)" = "$1" ]; }
ask_for() { # TOOL OUT; in the background
  (printf '{"op": "call-begin", "tool": "%s", "values": [], "shown": "{\\"path\\": \\"/x\\"}"}\nwait\n' "$1" | gateway >"$2") &
  asking=$!
  children+=("$asking")
}
is "nothing waits" "$(ask approvals)" "no call waits for a person"
ask_for wipe "$work/a"
ok "a call waits" wait_for 5 has_questions 1
is "and is shown whole" "$(ask approvals --format json | jq -c '.approvals[0] | [.agent, .tool, .arguments, .seconds_left > 30]')" \
  "[\"$name\",\"wipe\",\"{\\\"path\\\": \\\"/x\\\"}\",true]"
id=$(ask approvals --format json | jq '.approvals[0].id')
is "approve lets it go on" "$(exit_of ask approve "$id")" 0
wait "$asking"
is "the gateway hears it" "$(tail -1 "$work/a" | jq -r .verdict)" allow
is "once" "$(exit_of ask approve "$id")" 2
ask_for wipe "$work/a"
wait_for 5 has_questions 1
is "refuse does not" "$(exit_of ask refuse "$(ask approvals --format json | jq '.approvals[0].id')")" 0
wait "$asking"
is "with a reason" "$(tail -1 "$work/a" | jq -c '[.verdict, .reason, .rule]')" '["deny","confirm","/tools/wipe/confirm"]'
ask_for brief "$work/a"
wait "$asking"
is "nobody answers: denied after its time" "$(tail -1 "$work/a" | jq -c '[.verdict, .message]')" \
  '["deny","nobody has answered in time"]'
ask_for wipe "$work/a"
wait_for 5 has_questions 1
kill "$asking" 2>/dev/null
pkill -P "$asking" 2>/dev/null
pkill -f "gateway.py $socket" 2>/dev/null
ok "a gateway that is gone asks nothing" wait_for 5 has_questions 0
is "a control character of an agent's moves no terminal" "$(
  (printf '{"op": "call-begin", "tool": "wipe", "values": [], "shown": "a\\u001b[2Jb"}\npause %s\n' "$work/go" | gateway >/dev/null) &
  wait_for 5 has_questions 1
  ask approvals | grep -c $'\e'
  touch "$work/go"
  wait)" 0
is "a word is no number" "$(exit_of ask approve x)" 2
quietly ask session reset "$name"

# ---- not to be fooled ----

is "a call is its own gateway's" "$( (begin login) | gateway >/dev/null; (end 1; echo '{"op": "call-withdraw", "number": 1}') | gateway | verdicts)" \
  "refused refused"
is "nonsense is an error, and the connection lives on" \
  "$( (echo '{"op": "call-begin", "tool": "pay", "values": ["zz"]}'; echo '{"op": "call-begin", "tool": 7}'; echo '{"op": "calls"}'; begin login) | gateway | verdicts)" \
  "refused deny refused allow"
is "no manifest, no session" "$(echo '{' >"$work/bad.json"; gateway "$work/bad.json" </dev/null | jq -c '[.ok, .status]')" "[false,2]"

# ---- the end of a budget ----

for action in freeze kill; do
  agent=$name-$action
  write_manifest "$work/$action.json" "$agent" "$action"
  mkdir "$cgroups/$agent"
  sleep 600 &
  sleeper=$!
  children+=("$sleeper")
  echo "$sleeper" >"$cgroups/$agent/cgroup.procs"
  ok "an agent of $action" quietly ask attach -m "$work/$action.json" --cgroup "$cgroups/$agent" --allow-degraded
  for _ in 1 2 3; do begin make; done | gateway "$work/$action.json" >/dev/null
  ok "lives on while it has denials left" kill -0 "$sleeper"
  begin make | gateway "$work/$action.json" >/dev/null
  if [ "$action" = freeze ]; then
    ok "with the last it is frozen" wait_for 5 grep -q "frozen 1" "$cgroups/$agent/cgroup.events"
    echo 0 >"$cgroups/$agent/cgroup.freeze"
    kill "$sleeper"
  else
    ok "with the last it is killed" wait_for 5 not kill -0 "$sleeper" 2>/dev/null
  fi
  wait "$sleeper" 2>/dev/null
  quietly ask detach --cgroup "$cgroups/$agent"
  wait_for 5 rmdir "$cgroups/$agent" 2>/dev/null
done
stop_policyd TERM
quietly "$policyd" --config "$work/policyd.json" --unload
done_testing
