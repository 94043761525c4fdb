#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `agentpol import`: what it writes is a manifest that `agentpol check` takes, and what it tells is
# where the list is open. TAP; run from the top of the repository.
set -uo pipefail
agentpol=$PWD/${BUILD:-build}/agentpol
case ${BUILD:-build} in /*) agentpol=$BUILD/agentpol ;; esac
corpus=${AGENTPOL_CORPUS:-../shared/corpus}/injecagent-tools-mcp.json
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
count=0

ok() { # NAME COMMAND...
  local name=$1
  shift
  count=$((count + 1))
  if "$@"; then
    echo "ok $count - $name"
  else
    echo "not ok $count - $name"
    head -20 "$folder/err" | sed 's/^/# /'
  fi
}
skip() { # NAME REASON
  count=$((count + 1))
  echo "ok $count - $1 # SKIP $2"
}
exits() { # STATUS ARGUMENT...
  local wanted=$1
  shift
  "$agentpol" import "$@" >"$folder/out" 2>"$folder/err"
  [ $? -eq "$wanted" ]
}
out_has() { grep -qF -- "$1" "$folder/out"; }
err_has() { grep -qF -- "$1" "$folder/err"; }
quietly() { "$@" >/dev/null; }
is_empty() { [ ! -s "$1" ]; }
checks() { "$agentpol" check "$folder/out" >"$folder/err" 2>&1 && ! grep -qE 'error|warning' "$folder/err"; }

cat >"$folder/Order Tools.json" <<'END'
{"jsonrpc": "2.0", "id": 1, "result": {"tools": [
  {"name": "read_file", "description": "Reads a file", "annotations": {"readOnlyHint": true},
   "inputSchema": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}},
  {"name": "pay", "inputSchema": {"type": "object", "properties": {"iban": {"type": "string"}}}}
]}}
END
ok "a list is imported" exits 0 "$folder/Order Tools.json"
ok "the agent is named after the file" out_has '"name": "order-tools"'
ok "a tool that reads does not ask" out_has '"effect": "read"'
ok "another asks" out_has '"confirm": "ask"'
ok "a finding tells its place and its edit" err_has \
  'Order Tools.json:3:61: warning[I002]: /result/tools/0/inputSchema/properties/path: any path may be passed; add "arguments": {"/path": {"under":'
ok "check has nothing against the manifest" checks

ok "the name can be given" exits 0 --name pay-bot - <"$folder/Order Tools.json"
ok "and is that" out_has '"name": "pay-bot"'
ok "standard input needs a name" exits 2 - <"$folder/Order Tools.json"
ok "a name that a manifest can't have is refused" exits 2 --name "Pay Bot" "$folder/Order Tools.json"

ok "findings can be had as JSON" exits 0 --format json "$folder/Order Tools.json"
ok "one object of them" test true = "$(jq '[.diagnostics[].code] == ["I002", "I006"] and .errors == 0' "$folder/err")"

echo '[{"name": "t", "inputSchema": {}, "input_schema": {}}]' >"$folder/both.json"
ok "a list of two forms is refused" exits 2 "$folder/both.json"
ok "with the way out" err_has -- "--from"
ok "and nothing is written" is_empty "$folder/out"
ok "--from says which one is meant" exits 0 --from anthropic "$folder/both.json"
ok "a form that there isn't is refused" exits 2 --from gemini "$folder/both.json"
ok "so is a missing file" exits 2 "$folder/none.json"
ok "and two files" exits 2 "$folder/both.json" "$folder/both.json"
echo '[{"name": "t", "name": "u", "inputSchema": {}}]' >"$folder/twice.json"
ok "a key that stands twice is refused" exits 2 "$folder/twice.json"
ok "at its place" err_has 'twice.json:1:16: error[M003]'

if [ -r "$corpus" ]; then
  ok "InjecAgent's 330 tools are imported" exits 0 "$corpus"
  ok "all of them" quietly jq -e '.tools | length == 330' "$folder/out"
  ok "with findings" [ "$(wc -l <"$folder/err")" -gt 330 ]
  ok "and each free string has a limit" quietly jq -e '
    [.tools[].inputSchema | .. | objects | select(.type? == "string") |
     select(has("enum") or has("const") or has("pattern") or has("maxLength") | not)] == []' "$folder/out"
  ok "check has nothing against the manifest" checks
else
  skip "InjecAgent's 330 tools are imported" "no $corpus here"
fi
echo "1..$count"
