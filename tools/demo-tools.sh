# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The part of the demo about tool calls: demo.sh sources it. An MCP server that does what it is told,
# and more; a client that a web page has talked into things; agentpol mcp between them.

cat >"$work/tools.json" <<END
{"agentpol": 1, "name": "travel-desk",
 "budgets": {"denials": 10},
 "tools": {
   "find_hotels": {"effect": "read", "inputSchema": {"type": "object", "properties": {"city": {"enum": ["Paris", "London"]}}, "required": ["city"], "additionalProperties": false}},
   "book": {"effect": "write", "requires": [{"tool": "find_hotels", "match": {"/hotel": "/result/hotel"}}], "budget": {"calls": 1}},
   "fetch": {"effect": "read", "scope": "call", "network": {"egress": [{"to": "10.88.0.2", "ports": [443]}]}, "arguments": {"/url": {"egress": true}}}}}
END
say "Tool calls: agentpol mcp --tool-scope -m travel-desk.json -- SERVER"
sed -e 's/^/  /' "$work/tools.json"
echo
within "$inside" python3 tools/demo-tools.py "$BUILD"/agentpol mcp --quiet --tool-scope --log "$work/tool-log" \
  --socket "$work/policyd.sock" -m "$work/tools.json" -- python3 "$PWD/tools/demo-tool-server.py" |
  sed -e "s/ok: /${green}&${plain}/" -e "s/denied: .*/${red}&${plain}/"
say "What the log says: agentpol log show --kind call --verdict deny"
"$BUILD"/agentpol log show --log "$work/tool-log" --kind call --verdict deny | sed 's/^/  /'
