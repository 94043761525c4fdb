#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# agentpol mcp between real clients and real servers of npm: what is granted is the same with it and
# without, and what is not granted does not reach the server.
set -u
# shellcheck source=tests/e2e/lib.sh
source tests/e2e/lib.sh
modules=/var/cache/agentpol-tests/node_modules
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
agentpol=$build/agentpol
command -v jq >/dev/null || skip_all "no jq here"

manifest() { # NAME TOOLS; writes $work/NAME.json
  echo "{\"agentpol\": 1, \"name\": \"mcp-test\", \"tools\": {$2}}" >"$work/$1.json"
}
gateway() { # MANIFEST [OPTION...] -- SERVER...
  local manifest=$1
  shift
  "$agentpol" mcp -m "$work/$manifest.json" --standalone --log "$work" "$@"
}
records() { jq -r 'select(.kind == "call") | [.verdict, .reason // "-", .scope // "-"] | join(" ")' "$work/audit.jsonl"; }

# ---- bytes: a server that writes down what it gets ----

cat >"$work/deaf" <<'EOF'
#!/bin/sh
cat >"$1"
EOF
chmod +x "$work/deaf"
call() { # ID NAME [ARGUMENTS]
  echo "{\"jsonrpc\":\"2.0\",\"id\":$1,\"method\":\"tools/call\",\"params\":{\"name\":\"$2\",\"arguments\":${3:-{\}}}}"
}
manifest bytes '"a": {"arguments": {"/n": {"maximum": 3}}}, "asks": {"confirm": "ask", "ask_timeout": "1s"}, "twice": {"budget": {"calls": 2}}'
{
  call 1 a '{"n": 3}'
  call 2 a '{"n": 4}'
  call 3 b
  echo "[$(call 4 a)]"
  echo '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"b","name":"a"}}'
  head -c 5000000 /dev/zero | tr '\0' x
  echo
  printf '{"jsonrpc":"2.0","id":6,"method":"ping\xff"}\n'
  call 7 twice
  call 8 twice
  call 9 twice
  call 10 asks
  echo '{"jsonrpc":"2.0","method":"notifications/initialized"}'
} >"$work/said"
setsid -w timeout 20 "$agentpol" mcp -m "$work/bytes.json" --standalone --log "$work" -- "$work/deaf" "$work/heard" \
  <"$work/said" >"$work/answers" 2>"$work/errors"
is "exit status of the server" "$?" 0
is "the server gets what is granted, to the byte" "$(cat "$work/heard")" \
  "$(sed -n '1p' "$work/said"; call 7 twice; call 8 twice; tail -1 "$work/said")"
is "each denial is answered, by its id" \
  "$(jq -r 'select(.error.message != "the tool server has ended") | [.id, .error.code // .result.structuredContent.reason] | join(" ")' "$work/answers")" \
  "2 argument
3 -32602
 -32600
 -32600
 -32600
 -32700
9 budget
10 confirm"
like "and told" "$(cat "$work/errors")" "the manifest has no tool b"
is "and logged" "$(records)" "allow - a
deny argument a
deny tool b
deny message -
deny message -
deny message -
deny message -
allow - twice
allow - twice
deny budget twice
deny confirm asks"
is "no argument's value is in the log" "$(grep -c '"n": *[34]' "$work/audit.jsonl")" 0

(sleep 0.2; call 1 a) | timeout 20 "$agentpol" mcp -m "$work/bytes.json" --standalone -q --log "$work" -- sh -c 'read line; exit 7' >"$work/answers"
is "exit status of a server that ends" "${PIPESTATUS[1]}" 7
like "its calls are answered" "$(cat "$work/answers")" '"id":1,"error":\{"code":-32603'
timeout 20 "$agentpol" mcp -m "$work/bytes.json" --standalone -q -- "$work/none" </dev/null 2>/dev/null
is "a server that is not there" "$?" 127
timeout 20 "$agentpol" mcp -m "$work/none.json" --standalone -q -- true </dev/null 2>/dev/null
is "a manifest that is not there" "$?" 2
sleep 30 | "$agentpol" mcp -m "$work/bytes.json" --standalone -q --log "$work" -- cat >/dev/null &
pid=$!
confined() { grep -q '^Seccomp:.2' "/proc/$pid/status"; }
ok "the gateway gives up its rights" wait_for 5 confined
like "and new ones" "$(grep NoNewPrivs "/proc/$pid/status")" "1"
kill -TERM "$pid"
wait "$pid"
is "a signal is the server's" "$?" 143

# ---- pins ----

cat >"$work/lister" <<'EOF'
#!/bin/sh
read line
echo '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","description":"'"$1"'","inputSchema":{"type":"object"}}]}}'
cat >/dev/null
EOF
chmod +x "$work/lister"
list() { # DESCRIPTION OPTION...; the names of the tools
  local text=$1
  shift
  echo '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' |
    gateway bytes --pin "$work/pins" "$@" -- "$work/lister" "$text" 2>"$work/errors" | jq -r '.result.tools[].name'
}
is "a tool is pinned" "$(list one)" a
is "by a file of the user's own" "$(stat -c %a "$work/pins")" 600
is "and stays" "$(list one)" a
is "until it changes" "$(list two)" ""
like "which is told, and what to do" "$(cat "$work/errors")" "--repin"
is "--repin takes it" "$(list two --repin)" a
is "for good" "$(list two)" a
echo '{"agentpol-pins": 1, "tools": {"a": "x"}}' >"$work/pins"
is "a file that is none is not taken" "$(list two; grep -c 'is no hash' "$work/errors")" 1

# ---- with policyd: its session, and a person who is asked elsewhere ----

socket=$work/control/policyd.sock
ask() { "$agentpol" "$1" --socket "$socket" "${@:2}"; } # VERB ARGUMENT...
end_policyd() { [ -z "${policyd_pid:-}" ] || { kill "$policyd_pid" && wait "$policyd_pid"; } 2>/dev/null; }
policyd_up() {
  echo "{\"log\": \"$work/plog\", \"socket\": \"$socket\", \"state\": \"$work/state\", \"pin\": \"/sys/fs/bpf/agentpol-mcp-$$\"}" >"$work/policyd.json"
  "$build/policyd" --config "$work/policyd.json" --foreground >"$work/policyd.out" 2>&1 &
  policyd_pid=$!
  wait_for 5 holds "$work/policyd.out" "serving at"
}
waiting() { ask approvals --format json 2>/dev/null | grep -q wants; }
if [ "$(id -u)" = 0 ] && policyd_up; then
  trap 'end_policyd; rm -rf "$work"' EXIT
  manifest daemon '"wants": {"confirm": "ask", "ask_timeout": "20s"}, "once": {"budget": {"calls": 1}}'
  mkfifo "$work/to"
  timeout 30 "$agentpol" mcp -m "$work/daemon.json" --socket "$socket" -q --log "$work" -- "$work/deaf" "$work/heard2" \
    <"$work/to" >"$work/answers" &
  pid=$!
  exec 9>"$work/to"
  call 1 wants '{"to": "x", "password": "hunter2"}' >&9
  call 2 once >&9
  ok "a call waits for a person" wait_for 5 waiting
  ok "what comes behind it goes on" wait_for 5 holds "$work/heard2" '"once"'
  is "and it has not reached the server" "$(grep -c wants "$work/heard2")" 0
  is "the person sees no secret" "$(ask approvals --format json | grep -c hunter2)" 0
  ask approve "$(ask approvals --format json | jq -rs 'flatten | map(.. | objects | .id? // empty) | first')" >/dev/null 2>"$work/errors"
  ok "approved, it goes on as it came" wait_for 5 holds "$work/heard2" '{"to": "x", "password": "hunter2"}'
  exec 9>&-
  wait "$pid"
  call 3 once | timeout 20 "$agentpol" mcp -m "$work/daemon.json" --socket "$socket" -q --log "$work" -- "$work/deaf" "$work/heard3" >"$work/answers"
  like "the budget is of the agent, whatever connects" "$(cat "$work/answers")" '"reason":"budget"'
  end_policyd
  policyd_pid=
  rm -rf "/sys/fs/bpf/agentpol-mcp-$$"
else
  skip "with policyd" "no root, or policyd does not start here"
fi

# ---- real peers ----

script() { timeout 60 node tests/e2e/mcp/client.mjs "$modules" "$@" 2>"$work/errors"; } # SCRIPT -- SERVER...
have() { command -v node >/dev/null && [ -d "$modules/@modelcontextprotocol/sdk" ] && [ -d "$modules/@modelcontextprotocol/server-$1" ]; }

if have everything; then
  everything=(node "$modules/@modelcontextprotocol/server-everything/dist/index.js")
  manifest everything '"echo": {"effect": "read"}, "get-sum": {"effect": "read", "requires": ["echo"]}, "get-structured-content": {"effect": "read"}'
  steps='[["ping"],["list"],["resources"],["call","get-sum",{"a":1,"b":2}],["call","echo",{"message":"é"}],["call","get-sum",{"a":1,"b":2}],
    ["call","get-structured-content",{"location":"Chicago"}],["call","get-env",{}]]'
  script "$steps" -- "${everything[@]}" >"$work/plain"
  script "$steps" -- "$agentpol" mcp -m "$work/everything.json" --standalone --log "$work" -- "${everything[@]}" >"$work/gated"
  is "server-everything: what is granted is the same" "$(sed -n '1p;3p;5,7p' "$work/gated")" "$(sed -n '1p;3p;5,7p' "$work/plain")"
  is "it lists what is granted" "$(sed -n 2p "$work/gated" | jq -c '[.[1][].name] | sort')" '["echo","get-structured-content","get-sum"]'
  is "with the server's schemas" "$(sed -n 2p "$work/gated" | jq -Sc '.[1] | sort_by(.name)')" \
    "$(sed -n 2p "$work/plain" | jq -Sc '[.[1][] | select(.name | IN("echo", "get-sum", "get-structured-content"))] | sort_by(.name)')"
  is "a call out of order is denied" "$(sed -n 4p "$work/gated" | jq -r '.[1].structuredContent.reason')" requires
  is "one that is not granted is an error" "$(sed -n 8p "$work/gated" | jq -r '.[1].code')" -32602
else
  skip "server-everything" "not installed from npm"
fi

if have filesystem; then
  mkdir "$work/data"
  echo secret >"$work/data/secret"
  echo hello >"$work/data/public"
  manifest files "\"read_text_file\": {\"effect\": \"read\", \"arguments\": {\"/path\": {\"pattern\": \"public\$\"}}}"
  filesystem=(node "$modules/@modelcontextprotocol/server-filesystem/dist/index.js" "$work/data")
  steps="[[\"call\",\"read_text_file\",{\"path\":\"$work/data/public\"}],[\"call\",\"read_text_file\",{\"path\":\"$work/data/secret\"}],
    [\"call\",\"write_file\",{\"path\":\"$work/data/public\",\"content\":\"x\"}]]"
  script "[[\"call\",\"read_text_file\",{\"path\":\"$work/data/public\"}]]" -- "${filesystem[@]}" >"$work/plain"
  script "$steps" -- "$agentpol" mcp -m "$work/files.json" --standalone --log "$work" -- "${filesystem[@]}" >"$work/gated"
  is "server-filesystem: what is granted is the same" "$(sed -n 1p "$work/gated")" "$(cat "$work/plain")"
  is "another file is denied" "$(sed -n 2p "$work/gated" | jq -r '.[1].structuredContent.reason')" argument
  is "a write is not granted" "$(sed -n 3p "$work/gated" | jq -r '.[1].code')" -32602
  is "and nothing was written" "$(cat "$work/data/public")" hello
else
  skip "server-filesystem" "not installed from npm"
fi

# shellcheck source=tests/e2e/postgres.sh
source tests/e2e/postgres.sh
postgres_up() { chmod 755 "$work" && pg_up "$work/pg" 15433 ""; }
end_postgres() { for pid in "${children[@]}"; do kill "$pid" && wait "$pid"; done >/dev/null 2>&1; }
if [ "$(id -u)" != 0 ] || ! have postgres || ! pg_there; then
  skip "server-postgres" "not installed from npm, or no PostgreSQL, or not root"
elif ! postgres_up; then
  skip "server-postgres" "PostgreSQL does not start"
  end_postgres
else
  trap 'end_postgres; rm -rf "$work"' EXIT
  pg_sql -c "CREATE TABLE orders (id int); INSERT INTO orders VALUES (7)"
  manifest database '"query": {"effect": "read", "sql": {"engine": "postgresql", "server": "127.0.0.1:15433", "argument": "/sql", "allow": [{"select": ["orders"]}]}}'
  url="postgresql://postgres@localhost:15433/postgres?host=$work/pg/run"
  database=(node "$modules/@modelcontextprotocol/server-postgres/dist/index.js" "$url")
  steps='[["call","query",{"sql":"SELECT id FROM orders"}],["call","query",{"sql":"COMMIT; DROP TABLE orders"}],["call","query",{"sql":"SELECT * FROM pg_shadow"}]]'
  script '[["call","query",{"sql":"SELECT id FROM orders"}]]' -- "${database[@]}" >"$work/plain"
  script "$steps" -- "$agentpol" mcp -m "$work/database.json" --standalone --log "$work" -- "${database[@]}" >"$work/gated"
  is "server-postgres: what is granted is the same" "$(sed -n 1p "$work/gated")" "$(cat "$work/plain")"
  like "it is a row" "$(cat "$work/plain")" '7'
  is "DROP TABLE behind a COMMIT is denied" "$(sed -n 2p "$work/gated" | jq -r '.[1].isError')" true
  is "a table that is not granted, too" "$(sed -n 3p "$work/gated" | jq -r '.[1].isError')" true
  is "and the table is there" "$(pg_sql -c 'SELECT id FROM orders')" 7
  is "the database saw neither" "$(grep -cE 'DROP TABLE|pg_shadow' "$work/pg/log")" 0
fi
done_testing
