#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `agentpol decide`: a line in, a line out, and the exit codes that scripts rely on.
set -u
agentpol=${BUILD:-build}/agentpol
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

ok() { # DESCRIPTION COMMAND...
  local what=$1
  shift
  count=$((count + 1))
  if "$@"; then echo "ok $count - $what"; else echo "not ok $count - $what"; fi
}
is() { # DESCRIPTION GOT WANTED
  count=$((count + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $count - $1"
  else
    printf 'not ok %d - %s\n# got:    %s\n# wanted: %s\n' "$count" "$1" "$2" "$3"
  fi
}
decide() { # REQUESTS...; sets $out and $status
  out=$(printf '%s\n' "$@" | "$agentpol" decide -m "$work/m.json" 2>"$work/err")
  status=$?
}

cat >"$work/m.json" <<'JSON'
{"agentpol": 1, "name": "support-bot",
 "network": {"egress": [{"to": "10.0.0.0/8", "ports": [443]}, {"to": "api.example.com", "ports": [443]}]},
 "files": {"read": ["/data"]},
 "tools": {"lookup": {"network": {"egress": [{"to": "192.0.2.1", "ports": [5432]}]}}}}
JSON

decide '{"id": 1, "kind": "connect", "address": "10.1.1.1", "port": 443}'
is "a granted connect is allowed by its rule" "$out" '{"id":1,"verdict":"allow","rule":"/network/egress/0"}'
is "and the exit code is 0" "$status" 0

decide '{"id": "x", "kind": "connect", "address": "203.0.113.9", "port": 443, "proto": "tcp", "name": "example.com"}'
is "a denial has its rule, its sentence and its edit" "$out" \
  '{"id":"x","verdict":"deny","reason":"egress","rule":"/network/egress","message":"no rule grants 203.0.113.9 port 443/tcp (example.com)","hint":{"op":"add","path":"/network/egress/-","value":{"to":"example.com","ports":[443]}}}'
is "and the exit code is 1" "$status" 1

decide '{"kind": "connect", "tool": "lookup", "address": "192.0.2.1", "port": 5432}'
is "a tool has its own grants, and no id is null" "$out" \
  '{"id":null,"verdict":"allow","rule":"/tools/lookup/network/egress/0"}'

decide '{"id": 1, "kind": "connect", "unix": "/run/x.sock"}' '{"id": 2, "kind": "connect", "unix": "docker.sock"}' \
  '{"id": 3, "kind": "connect", "unix": "@x", "port": 1}'
is "a Unix socket is connected to by its path alone" "$(sed -E 's/,"message.*//' <<<"$out" | tr '\n' ' ')" \
  '{"id":1,"verdict":"allow"} {"id":2,"verdict":"deny","reason":"unix","rule":"/network/unix" {"id":3,"verdict":"error" '

decide '{"kind": "listen", "address": "::", "port": 0, "id": 12345678901234567890123}' \
  '{"id": [1, {"a": "},\"x"}], "kind": "syscall", "name": "read"}' \
  '{"kind": "file", "path": "/data/x", "access": "read", "id":null }'
is "an id is echoed as it was written" "$(sed -E 's/,"verdict.*//' <<<"$out" | tr '\n' ' ')" \
  '{"id":12345678901234567890123 {"id":[1, {"a": "},\"x"}] {"id":null '

decide '{"id": 7, "kind": "sql", "tool": "lookup", "sql": "SELECT 1"}' \
  '{"id": 8, "kind": "call", "session": "s", "tool": "lookup", "arguments": {}}' \
  '{"id": 9, "kind": "result", "session": "s", "tool": "lookup", "ok": true, "result": {"a": 1}}'
is "a tool without a database has none" "$(head -1 <<<"$out")" \
  '{"id":7,"verdict":"deny","reason":"tool","rule":"/tools/lookup/sql","message":"the tool lookup has no \"sql\""}'
is "a call is allowed by what the tool may be given" "$(sed -n 2p <<<"$out")" '{"id":8,"verdict":"allow"}'
is "results are noted" "$(tail -1 <<<"$out")" '{"id":9,"verdict":"noted"}'
is "undecided is not allowed" "$status" 1

decide '{"id": 9, "kind": "result", "tool": "lookup", "ok": true}'
is "noted alone is 0" "$status" 0

decide 'no json' '{"id": 5, "kind": "connect", "address": "10.0.0.1", "port": 70000}' \
  '{"id": 6, "kind": "exec", "path": "/bin/sh", "extra": 1}' '[]' '' \
  '{"id": 7, "id": 8, "kind": "syscall", "name": "read"}' \
  '{"id": 9, "kind": "exec", "path": "/bin/sh"}'
is "each line has its answer, in order" "$(sed -E 's/,"message.*//' <<<"$out" | tr '\n' ' ')" \
  '{"id":null,"verdict":"error" {"id":5,"verdict":"error" {"id":6,"verdict":"error" {"id":null,"verdict":"error" {"id":null,"verdict":"error" {"id":null,"verdict":"error" {"id":9,"verdict":"allow"} '
is "a line that is no request makes 2" "$status" 2

{
  head -c 1100000 /dev/zero | tr '\0' x
  printf '\n{"id": 1, "kind": "exec", "path": "/bin/sh"}'
} | "$agentpol" decide -m "$work/m.json" >"$work/out" 2>&1
is "a line that is too long is an error, and the run goes on" "$(sed -E 's/,"message.*//' "$work/out" | tr '\n' ' ')" \
  '{"id":null,"verdict":"error" {"id":1,"verdict":"allow"} '

coproc DECIDE { "$agentpol" decide -m "$work/m.json"; }
# The shell forgets the number when the process ends.
decide_pid=$DECIDE_PID
echo '{"id": 1, "kind": "exec", "path": "/bin/sh"}' >&"${DECIDE[1]}"
read -r -t 10 -u "${DECIDE[0]}" answer
is "an answer comes before the next question" "$answer" '{"id":1,"verdict":"allow"}'
eval "exec ${DECIDE[1]}>&-"
wait "$decide_pid"

printf '{"kind": "exec", "path": "/bin/sh"}\n' >"$work/requests"
is "requests come from a file too" "$("$agentpol" decide -m "$work/m.json" "$work/requests")" '{"id":null,"verdict":"allow"}'

sed 's/"agentpol": 1,/"agentpol": 1, "mode": "audit",/' "$work/m.json" >"$work/audit.json"
is "audit mode would deny" \
  "$(echo '{"kind": "connect", "address": "1.1.1.1", "port": 1}' | "$agentpol" decide -m "$work/audit.json" | grep -o '"verdict":"[a-z-]*"')" \
  '"verdict":"would-deny"'

"$agentpol" decide </dev/null 2>/dev/null
is "no manifest is a usage error" "$?" 2
"$agentpol" decide -m "$work/none.json" </dev/null 2>/dev/null
is "a manifest that is not there is 2" "$?" 2
echo '{"agentpol": 1}' >"$work/bad.json"
"$agentpol" decide -m "$work/bad.json" </dev/null 2>/dev/null
is "a manifest that is not usable is 2" "$?" 2
ok "help is on standard output" grep -q '^Usage: agentpol decide' <("$agentpol" decide --help)
ok "all verbs are listed" grep -q '^  compile ' <("$agentpol" --help)
is "the version is told" "$("$agentpol" --version | cut -d' ' -f1)" agentpol
"$agentpol" frobnicate 2>/dev/null
is "a verb that is none is 2" "$?" 2

echo "1..$count"
