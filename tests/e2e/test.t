#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `agentpol test`: cases pass and fail as they should, and a file that is half understood is none.
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
run() { # ARGUMENTS...; sets $out, $err and $status
  out=$("$agentpol" test "$@" 2>"$work/err")
  status=$?
  err=$(cat "$work/err")
}

mkdir "$work/tests"
cat >"$work/m.json" <<'JSON'
{"agentpol": 1, "name": "bot", "network": {"egress": [{"to": "192.0.2.7", "ports": [443]}]}}
JSON
granted='{"kind": "connect", "address": "192.0.2.7", "port": 443}'
denied='{"kind": "connect", "address": "192.0.2.8", "port": 443}'
write() { # FILE CASES
  printf '{"agentpol-test": 1, "manifest": "../m.json", "cases": [%s]}\n' "$2" >"$work/tests/$1"
}

write a.json "{\"name\": \"in\", \"request\": $granted, \"expect\": \"allow\"},
  {\"name\": \"out\", \"request\": $denied, \"expect\": \"deny\", \"rule\": \"/network/egress\", \"reason\": \"egress\"},
  {\"name\": \"both\", \"requests\": [$granted, $denied], \"expect\": [\"allow\", \"deny\"]}"
run "$work/tests/a.json"
is "cases that get what they expect pass" "$status $(tail -n 1 <<<"$out")" "0 3 cases: 3 passed, 0 failed"

printf '{"not": "a test"}' >"$work/tests/other.json"
write b.json "{\"name\": \"again\", \"request\": $granted, \"expect\": \"allow\"}"
run "$work/tests"
is "of a folder, what is a policy test is run" "$status $(tail -n 1 <<<"$out")" "0 4 cases: 4 passed, 0 failed"

wrong() { # DESCRIPTION CASE
  write w.json "$2"
  run "$work/tests/w.json"
  is "$1" "$status $(tail -n 1 <<<"$out")" "1 1 cases: 0 passed, 1 failed"
}
wrong "another verdict fails" "{\"name\": \"x\", \"request\": $denied, \"expect\": \"allow\"}"
wrong "another rule fails" "{\"name\": \"x\", \"request\": $denied, \"expect\": \"deny\", \"rule\": \"/network\"}"
wrong "another reason fails" "{\"name\": \"x\", \"request\": $denied, \"expect\": \"deny\", \"reason\": \"dns\"}"
wrong "a reason where there is none fails" "{\"name\": \"x\", \"request\": $granted, \"expect\": \"allow\", \"reason\": \"egress\"}"
wrong "the first of several that differs fails" \
  "{\"name\": \"x\", \"requests\": [$denied, $denied], \"expect\": [\"allow\", \"deny\"]}"
is "and is told with what it got" "$(sed -n 's/^ *got //p' <<<"$out")" \
  "deny, reason egress, rule /network/egress: no rule grants 192.0.2.8 port 443/tcp"

write n.json "{\"name\": \"# TODO later\", \"request\": $denied, \"expect\": \"allow\"}"
run --format tap "$work/tests/n.json"
is "a name is no TAP directive" "$(sed -n 2p <<<"$out")" "not ok 1 - ? TODO later"
is "TAP has its plan" "$(tail -n 1 <<<"$out")" "1..1"
rm "$work/tests/n.json" "$work/tests/w.json"
run --format json "$work/tests"
is "JSON has one object a case" "$(jq -r '[.name, .ok] | @csv' <<<"$out" | tr '\n' ' ')" '"in",true "out",true "both",true "again",true '

unusable() { # DESCRIPTION TEXT MESSAGE
  printf '%s' "$2" >"$work/bad.json"
  run "$work/bad.json"
  is "$1" "$status ${err#*bad.json:}" "2 $3"
}
head='{"agentpol-test": 1, "manifest": "m.json", "cases":'
unusable "an unknown key" "{\"agentpol-test\": 1, \"manifest\": \"m.json\", \"case\": []}" '1:44: a file of policy tests has no key "case"'
unusable "a key of a case" "$head [{\"name\": \"x\", \"request\": $granted, \"expects\": \"allow\"}]}" '1:137: a case has no key "expects"'
unusable "a verdict that there is not" "$head [{\"name\": \"x\", \"request\": $granted, \"expect\": \"allowed\"}]}" \
  '1:147: "expect" is allow, deny, ask, undecided, would-deny or noted'
unusable "fewer verdicts than requests" "$head [{\"name\": \"x\", \"requests\": [$granted, $granted], \"expect\": [\"allow\"]}]}" \
  '1:208: "expect" has 1 verdicts for 2 requests; write one for each'
unusable "no cases" "$head []}" '1:53: "cases" is a list of at least one'
unusable "another format" "{\"agentpol-test\": 2, \"manifest\": \"m.json\", \"cases\": []}" '1:19: "agentpol-test": 1 says which format this is'
unusable "no JSON" "{" '1:2: the text ends too early; a "}" is missing'
unusable "a request that is none" "$head [{\"name\": \"x\", \"request\": {\"kind\": \"fly\"}, \"expect\": \"deny\"}]}" \
  ' case "x", request 1: "kind" must be connect, dns, listen, exec, file, syscall, socket, sql, call or result'
printf '{"agentpol-test": 1, "manifest": "none.json", "cases": []}' >"$work/bad.json"
run "$work/bad.json" "$work/tests/a.json"
is "a manifest that is not there is told, and the other files are run" "$status $(tail -n 1 <<<"$out")" "2 3 cases: 3 passed, 0 failed"
mkdir "$work/empty"
run "$work/empty"
is "a folder without tests is no success" "$status" 2
run
is "nothing to run is no success" "$status" 2
echo "1..$count"
