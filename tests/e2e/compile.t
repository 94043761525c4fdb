#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `agentpol compile`: what a manifest becomes, shown without loading it.
set -u
agentpol=${BUILD:-build}/agentpol
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

is() { # DESCRIPTION GOT WANTED
  count=$((count + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $count - $1"
  else
    printf 'not ok %d - %s\n# got:    %s\n# wanted: %s\n' "$count" "$1" "$2" "$3"
  fi
}

cat >"$work/m.json" <<'JSON'
{"agentpol": 1, "name": "support-bot",
 "network": {"egress": [{"to": "10.0.0.0/8", "ports": [443]}, {"to": "10.1.0.0/16", "ports": ["8000-8100"]},
                        {"to": "10.2.0.0/16", "ports": [443]}],
             "listen": [{"ports": [8080], "on": "@loopback"}]},
 "tools": {"lookup": {"network": {"egress": [{"to": "192.0.2.1", "ports": [5432]}]}}}}
JSON

"$agentpol" compile "$work/m.json" >"$work/out"
is "compiling ends with 0" "$?" 0
is "a longer prefix shows what it inherits" "$(awk '$2 == "10.1.0.0/16" {print $4, $5}' "$work/out")" "443, 8000-8100"
is "listen rules are a table of their own" "$(grep -c '^listen' "$work/out")" 2
is "a tool adds its grants" "$("$agentpol" compile "$work/m.json" --tool lookup | awk '$2 == "192.0.2.1" {print $4}')" 5432
is "and only its own" "$(grep -c 192.0.2.1 "$work/out")" 0

"$agentpol" compile "$work/m.json" --format json >"$work/out.json"
is "JSON has each prefix" "$(grep -o '"prefix"' "$work/out.json" | wc -l)" 5
is "and equal sets once" "$(grep -o '"portSets":[^a-z]*' "$work/out.json")" '"portSets":[[443],[443,"8000-8100"],[8080]],"'

{
  printf '{"agentpol": 1, "name": "many", "network": {"egress": [{"to": ["10.0.0.0"'
  for i in $(seq 1 149); do printf ', "10.0.0.%d"' "$i"; done
  printf '], "ports": [443]}]}}'
} >"$work/many.json"
is "text stops at 100 rows" "$("$agentpol" compile "$work/many.json" | tail -1)" "... 50 more (--all shows them)"
is "but for --all" "$("$agentpol" compile "$work/many.json" --all | grep -c '^egress')" 150

is "the filter can be read" "$("$agentpol" compile "$work/m.json" --emit seccomp | grep -c 'syscall "ptrace"')" 1
is "the filter is there as instructions" "$("$agentpol" compile "$work/m.json" --emit seccomp --format json | grep -c '^{"instructions":\[\[32,0,0,4\],')" 1

cat >"$work/files.json" <<'JSON'
{"agentpol": 1, "name": "files", "files": {"read": ["/usr"], "write": ["/srv/app"], "deny": ["/srv/app/.git"]},
 "process": {"exec": ["/usr/bin/*"]}}
JSON
"$agentpol" compile "$work/files.json" --emit landlock >"$work/out.txt"
is "a read entry is two rights of Landlock" "$(grep -c '^allow /usr (/files/read/0): read_file read_dir$' "$work/out.txt")" 1
is "what Landlock can't say is hidden" "$(grep '^hide' "$work/out.txt")" "hide /srv/app/.git (/files/deny/0)"
is "what an older one can't do is told" "$(grep -c '^before ABI 3: truncate' "$work/out.txt")" 1
is "in JSON too" "$("$agentpol" compile "$work/files.json" --emit landlock --format json | grep -c '"path":"/usr/bin/\*","rule":"/process/exec/0","rights":\["execute","read_file"\]')" 1

"$agentpol" compile "$work/m.json" --tool nobody 2>/dev/null
is "an unknown tool is 2" "$?" 2
"$agentpol" compile 2>/dev/null
is "no manifest is 2" "$?" 2
"$agentpol" compile "$work/m.json" --emit nothing 2>/dev/null
is "an unknown part is 2" "$?" 2

echo "1..$count"
