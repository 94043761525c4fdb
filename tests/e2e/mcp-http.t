#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# agentpol mcp --http: the gateway in front of servers of Streamable HTTP, a real one and one that
# speaks oddly.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
modules=/var/cache/agentpol-tests/node_modules
command -v curl >/dev/null || skip_all "no curl here"
world_up mcp-http

odd=4101 front=4102 every=4103 every_front=4104
cat >"$work/odd.json" <<JSON
{"agentpol": 1, "name": "$name", "budgets": {"denials": 1000}, "tools": {
  "plain": {"arguments": {"/n": {"maximum": 3}}}, "pieces": {}, "dies": {}, "fails": {}, "slow": {}, "junk": {}, "batch": {}, "huge": {},
  "another": {}, "other": {}, "asks": {"confirm": "ask", "ask_timeout": "20s"}}}
JSON
serve_front() { # MANIFEST PORT UPSTREAM OPTION...
  "${near[@]}" "$agentpol" mcp -m "$work/$1.json" --log "$work/log" --http "$2" --upstream "$3" "${@:4}" >"$work/front.$2" 2>&1 &
  children+=("$!")
  wait_for 5 holds "$work/front.$2" "serving at"
}
"${near[@]}" python3 tests/e2e/mcp/upstream.py $odd "$work/upstream" >"$work/odd.out" 2>&1 &
children+=("$!")
listens() { "${near[@]}" bash -c "echo >/dev/tcp/127.0.0.1/$1" 2>/dev/null; }
wait_for 5 listens $odd
ok "it serves" serve_front odd $front "http://127.0.0.1:$odd/mcp" --standalone
front_pid=${children[-1]}
url=http://127.0.0.1:$front/mcp

post() { # BODY CURL-OPTION...; status and body
  "${near[@]}" curl -s -m 20 -w '\n%{http_code}' -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
    --data-binary "$1" "${@:2}" "$url" | awk '{line[NR] = $0} END {printf "%s", line[NR]; for (i = 1; i < NR; i++) printf " %s", line[i]; print ""}'
}
call() { # ID NAME ARGUMENTS CURL-OPTION...
  post "{\"jsonrpc\":\"2.0\",\"id\":$1,\"method\":\"tools/call\",\"params\":{\"name\":\"$2\",\"arguments\":${3:-{\}}}}" "${@:4}"
}
reached() { grep -c "$1" "$work/upstream"; }

# ---- who may speak ----

for header in 'Origin: https://evil.example' 'Origin: null' 'Origin: http://127.0.0.1.evil.example' 'Host: evil.example' 'Host: 127.0.0.1@evil.example'; do
  like "$header: 403" "$(call 1 plain '{}' -H "$header")" "^403 "
done
like "an origin of this machine may" "$(call 1 plain '{}' -H 'Origin: http://localhost:3000')" "^200 .*plain done"
like "a header that decides comes once" "$(call 1 plain '{}' -H 'Mcp-Session-Id: a' -H 'Mcp-Session-Id: b')" "^403 "
like "a body is JSON" "$("${near[@]}" curl -s -m 5 -w '%{http_code}' -H 'Content-Type: text/plain' -d '{"jsonrpc":"2.0","id":1,"method":"ping"}' "$url")" "415$"
like "elsewhere there is nothing" "$("${near[@]}" curl -s -m 5 -w '%{http_code}' "http://127.0.0.1:$front/x")" "404$"
like "a session that nobody has" "$(call 1 plain '{}' -H 'Mcp-Session-Id: nope')" "^404 .*-32001"
is "of all these one reached the server" "$(reached 'tools/call plain')" 1

# ---- what is said ----

like "a limit holds" "$(call 2 plain '{"n": 4}')" '^200 .*"reason":"argument"'
like "an ungranted tool" "$(call 3 hidden)" "^200 .*-32602"
like "a batch" "$(post '[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hidden"}}]')" "^400 .*-32600"
like "a key twice" "$(post '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hidden","name":"plain"}}')" "^400 .*-32600"
like "no JSON" "$(post '{')" "^400 .*-32700"
like "more than 4 MiB" "$(head -c 5000000 /dev/zero | tr '\0' ' ' >"$work/big"; post "@$work/big")" "^413"
like "the list is cut" "$(post '{"jsonrpc":"2.0","id":4,"method":"tools/list"}')" '^200 .*"plain"'
is "to what is granted" "$(post '{"jsonrpc":"2.0","id":4,"method":"tools/list"}' | grep -c hidden)" 0
is "a notification has no answer" "$(post '{"jsonrpc":"2.0","method":"notifications/initialized"}' | xargs)" "202"
for claim in 'Mcp-Method: tools/list' 'Mcp-Name: hidden' 'Mcp-Name: =?base64?aGlkZGVu?=' 'Mcp-Name: =?base64?!!!!?='; do
  like "$claim: not what the body says" "$(call 5 plain '{}' -H "$claim")" "^400 .*-32020"
done
like "the same name, encoded" "$(call 5 plain '{}' -H 'Mcp-Method: tools/call' -H 'Mcp-Name: =?base64?cGxhaW4=?=')" "^200 .*plain done"
like "from 2026-07-28 on both are there" "$(call 5 plain '{}' -H 'MCP-Protocol-Version: 2026-07-28')" "^400 .*-32020"
is "nothing of that reached the server" "$(reached hidden)" 0
ok "contradictions are in the log" has_record "$work/log" '.kind == "call" and .reason == "header"'

# ---- what the server says ----

like "a stream in pieces of a byte" "$(call 6 pieces)" "^200 .*id: 3.*pieces done"
like "a stream that breaks off is none of a client's calls" "$(call 7 dies)" "^200"
like "which is told in it" "$(call 7 dies)" '^200 .*"id":7.*broke off'
is "in a stream that is whole" "$(call 7 dies | grep -c 'HTTP/1.1')" 0
like "and its id is free again" "$(call 7 plain)" "^200 .*plain done"
like "an answer to something else" "$(call 7 other)" '"id":7.*not one to the request'
like "leaves nothing behind" "$(call 7 plain)" "^200 .*plain done"
like "a body of another charset is not taken" "$("${near[@]}" curl -s -m 5 -w '%{http_code}' -H 'Content-Type: application/json; charset=utf-7' -d '{"jsonrpc":"2.0","id":1,"method":"ping"}' "$url")" "415$"
like "an error of the server's" "$(call 8 fails)" "^500 \\{\\}"
like "junk" "$(call 9 junk)" "^(200|502) .*error"
like "a batch from the server" "$(call 10 batch)" "error"
is "is not passed on" "$(call 11 batch | grep -c 'batch done')" 0
like "an event that is too long" "$(call 12 huge)" "can't be read, and was dropped"
is "an answer that nobody asked for is dropped" "$(call 13 another | grep -c hidden)" 0
like "the server's own stream" "$("${near[@]}" curl -s -m 5 -H 'Accept: text/event-stream' "$url")" "list_changed"
is "has no other events in it" "$("${near[@]}" curl -s -m 5 -H 'Accept: text/event-stream' "$url" | grep -c hidden)" 0
"${near[@]}" curl -s -m 0.2 -H 'Content-Type: application/json' -d '{"jsonrpc":"2.0","id":14,"method":"tools/call","params":{"name":"slow","arguments":{}}}' "$url" >/dev/null
like "a client that goes away harms nobody" "$(call 15 plain)" "^200 .*plain done"
for i in 1 2 3 4; do call 77 slow >"$work/same.$i" & pids[i]=$!; done
wait "${pids[@]}"
is "clients without a session may have the same ids" "$(cat "$work"/same.* | grep -c '^200 .*"id": 77.*slow done')" 4
like "it lives" "$(call 16 plain)" "^200 .*plain done"

# ---- sessions of the protocol ----

begin() { "${near[@]}" curl -s -m 5 -D - -o /dev/null -H 'Content-Type: application/json' -d '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}' "$url" | tr -d '\r' | sed -n 's/^Mcp-Session-Id: //p'; }
one=$(begin)
two=$(begin)
ok "each has its own" [ -n "$one" -a "$one" != "$two" ]
like "by its name" "$(call 1 plain '{}' -H "Mcp-Session-Id: $one")" "^200 .*plain done"
ok "the server sees it" grep -q "tools/call plain $one" "$work/upstream"
"${near[@]}" curl -s -m 5 -X DELETE -H "Mcp-Session-Id: $one" "$url" >/dev/null
ok "its end goes to the server" grep -q "DELETE $one" "$work/upstream"

like "and is one here, too" "$(call 2 plain '{}' -H "Mcp-Session-Id: $one")" "^404 .*-32001"
like "of no other session" "$(call 2 plain '{}' -H "Mcp-Session-Id: $two")" "^200 .*plain done"

# ---- nobody there ----

serve_front odd 4105 "http://127.0.0.1:4199/mcp" --standalone
url=http://127.0.0.1:4105/mcp
like "a server that is not there" "$(call 1 plain)" "^(200|502).*can't be reached"
refused() { "$agentpol" mcp -m "$work/odd.json" --standalone -q --log "$work/log" --http "$1" --upstream "$2" 2>"$work/err"; echo $?; }
is "it listens on this machine alone" "$(refused 0.0.0.0:4106 http://127.0.0.1:1/mcp)" 2
is "an upstream is http" "$(refused 4106 https://127.0.0.1:1/mcp)" 2
url=http://127.0.0.1:$front/mcp
ok "the one of before still serves" kill -0 "$front_pid"

# ---- a person, with policyd ----

cat >"$work/policyd.json" <<JSON
{"log": "$work/daemon", "socket": "$work/control/policyd.sock", "state": "$work/state", "pin": "/sys/fs/bpf/agentpol-$name"}
JSON
"$policyd" --config "$work/policyd.json" --foreground >"$work/policyd.out" 2>&1 &
policyd_pid=$!
children+=("$policyd_pid")
wait_for 5 holds "$work/policyd.out" "serving at"
serve_front odd 4107 "http://127.0.0.1:$odd/mcp" --socket "$work/control/policyd.sock"
url=http://127.0.0.1:4107/mcp
ask() { "$agentpol" "$1" --socket "$work/control/policyd.sock" "${@:2}"; }
waiting() { [ "$(ask approvals --format json | jq '.approvals | length')" = "$1" ]; }
for answer in approve refuse; do
  call 1 asks '{"path": "/x", "password": "hunter2"}' >"$work/asked" &
  asked=$!
  wait_for 5 waiting 1
  is "$answer: the call is shown, its secret is not" "$(ask approvals | grep -c '"path":"/x"') $(ask approvals | grep -c hunter2)" "1 0"
  like "others go on meanwhile" "$(call 2 plain)" "^200 .*plain done"
  ask "$answer" "$(ask approvals --format json | jq '.approvals[0].id')"
  wait "$asked"
  if [ "$answer" = approve ]; then
    like "approved, it goes to the server" "$(cat "$work/asked")" "^200 .*asks done"
  else
    like "refused, it does not" "$(cat "$work/asked")" '^200 .*"reason":"confirm"'
  fi
done
is "the server has had one of them" "$(reached 'tools/call asks')" 1
"${near[@]}" curl -s -m 0.5 -H 'Content-Type: application/json' -d '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"asks","arguments":{}}}' "$url" >/dev/null
ok "who has gone is not asked about" wait_for 5 waiting 0
kill "$policyd_pid"
wait "$policyd_pid" 2>/dev/null
like "without policyd nothing is granted" "$(call 4 plain)" '"reason":"policyd"'
quietly "$policyd" --config "$work/policyd.json" --unload

# ---- a real server and a real client ----

if [ -x "$modules/.bin/mcp-server-everything" ] && command -v node >/dev/null; then
  cat >"$work/every.json" <<JSON
{"agentpol": 1, "name": "$name", "tools": {
  "echo": {"arguments": {"/message": {"maxLength": 10}}}, "get-sum": {}, "get-annotated-message": {}, "trigger-long-running-operation": {}, "get-structured-content": {}}}
JSON
  PORT=$every "${near[@]}" node "$modules/.bin/mcp-server-everything" streamableHttp >"$work/every.out" 2>&1 &
  children+=("$!")
  wait_for 15 listens $every
  serve_front every $every_front "http://127.0.0.1:$every/mcp" --standalone -q
  front_pid=${children[-1]}
  script='[["list"],["call","echo",{"message":"hi"}],["call","get-sum",{"a":1,"b":2}],["call","get-annotated-message",{"messageType":"success"}],["call","trigger-long-running-operation",{"duration":1,"steps":3}],["ping"],["resources"]]'
  client() { "${near[@]}" timeout 40 node tests/e2e/mcp/client.mjs "$modules" "$2" -- "http://127.0.0.1:$1/mcp"; }
  client $every "$script" >"$work/direct"
  client $every_front "$script" >"$work/through"
  is "the SDK's client sees no difference in what is granted" "$(sed 1d "$work/through")" "$(sed 1d "$work/direct")"
  is "but for the list" "$(head -1 "$work/through" | jq -c '[.[1][].name] | sort')" '["echo","get-annotated-message","get-structured-content","get-sum","trigger-long-running-operation"]'
  is "which is the server's own otherwise" "$(head -1 "$work/through" | jq -cS '[.[1][]] | sort_by(.name)')" \
    "$(head -1 "$work/direct" | jq -cS '[.[1][] | select(.name == ("echo", "get-annotated-message", "get-structured-content", "get-sum", "trigger-long-running-operation"))] | sort_by(.name)')"
  is "what is denied is an answer" "$(client $every_front '[["call","echo",{"message":"hello there you"}],["call","get-env",{}]]' | jq -c '[.[1].structuredContent.reason, .[1].code]')" \
    '["argument",null]
[null,-32602]'
  cat >"$work/many.mjs" <<JS
import { pathToFileURL } from "node:url";
const sdk = (path) => import(pathToFileURL("$modules/@modelcontextprotocol/sdk/dist/esm/client/" + path + ".js"));
const { Client } = await sdk("index");
const { StreamableHTTPClientTransport } = await sdk("streamableHttp");
const clients = [];
for (let i = 0; i < 200; i++) {
  clients.push(new Client({ name: "many", version: "1" }));
  await clients[i].connect(new StreamableHTTPClientTransport(new URL("http://127.0.0.1:$every_front/mcp")));
}
const sums = await Promise.all(clients.map((c, i) => c.callTool({ name: "get-sum", arguments: { a: i, b: 1 } })));
console.log(sums.filter((s, i) => s.content[0].text.endsWith(\` \${i + 1}.\`)).length);
process.exit(0);
JS
  is "200 sessions at once each get their own answer" "$("${near[@]}" timeout 60 node "$work/many.mjs")" 200
  resident=$(awk '/VmHWM/ {print $2}' "/proc/$front_pid/status")
  ok "within 100 MiB (${resident} KiB)" [ "$resident" -lt 102400 ]
else
  skip "a real server and a real client" "the packages of npm are not here"
fi
done_testing
