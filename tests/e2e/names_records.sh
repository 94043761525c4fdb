# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2086,SC2154,SC2317 # names are shared with names.t, lib.sh and world.sh
# What the log says of names, what a hint is worth, audit mode, budgets of rules with names.

stamp=$(printf '%09d' $((RANDOM * 30000 + RANDOM)))
# What is tried, a line each; the token tells whether it got there. TOKEN.NN is tk-, the phase's letter,
# NN and the stamp.
cat >"$work/wants.sh" <<SH
token() { echo "tk-\$phase\$1$stamp"; }
phase=\$1
$work/bin/lookup other.example
$evade text tcp 203.0.113.11 7002 \$(token 01) port.example@$resolver
curl -sSk --max-time 3 --connect-to other.example:443:cdn.example:443 https://other.example/
$evade text tcp 203.0.113.12 443 \$(token 02) free.example@$resolver
$evade text tcp 10.0.0.5 7001 \$(token 03) rebind-10.example@$resolver
$evade dns.trailing udp $resolver 53 \$(token 04)
$evade text tcp 203.0.113.90 7001 \$(token 05) never.denied.example@$resolver
SH
want() { # PHASE MANIFEST
  "${near[@]}" "${with_conf[@]}" "$work/resolv.conf" "$agentpol" run --standalone --quiet --log "$work/log.$1" -m "$2" -- \
    sh "$work/wants.sh" "$1" >"$work/wanted.$1" 2>&1
}
got_there() { # PHASE NN
  witness_settle
  grep -q "tk-$1$2$stamp" "$witnessed"
}
# The first record that a condition takes, as REASON RULE NAME HINT-PATH HINT-VALUE.
told() { # PHASE CONDITION
  records "$work/log.$1" "$2" | head -1 | jq -rc '"\(.reason) \(.rule) \(.subject.name) \(.hint.path) \(.hint.value)"'
}
# A manifest with the edits that the log of a phase tells of (RFC 6902, "add" alone).
mend() { # PHASE MANIFEST
  jq --slurpfile records <(records "$work/log.$1" '.hint != null') '
    def steps: split("/")[1:] | map(if test("^[0-9]+$") then tonumber else . end);
    reduce ($records | map(.hint) | unique)[] as $hint (.;
      ($hint.path | steps) as $steps
      | if $steps[-1] == "-" then setpath($steps[:-1]; (getpath($steps[:-1]) // []) + [$hint.value])
        else setpath($steps; $hint.value) end)' "$2"
}
hints_judge() {
  local conf="\"resolvers\": [\"$resolver\", \"$resolver6\"]"
  local egress='{"to": "port.example", "ports": [7001]}, {"to": ["cdn.example", "free.example"], "ports": [443]}, {"to": "rebind-10.example", "ports": [7001]}'
  manifest "$work/wants.json" "$name-wants" '"audit": {"allowed": ["dns"]}' "$egress" "$conf"
  want p "$work/wants.json"
  is "a denied name is told with its hint" "$(told p '.reason == "dns" and .subject.name == "other.example"')" \
    'dns /network/egress other.example /network/egress/- {"to":"other.example","ports":[443]}'
  is "a denied port of a name is told with the name and its hint" "$(told p '.reason == "egress" and .subject.port == 7002')" \
    'egress /network/egress port.example /network/egress/- {"to":"port.example","ports":[7002]}'
  is "a foreign server name is told with its hint" "$(told p '.reason == "sni" and .subject.name == "other.example"')" \
    'sni /network/egress other.example /network/egress/- {"to":"other.example","ports":[443]}'
  is "what is no TLS is told with its hint" "$(told p '.reason == "sni" and .subject.name == "free.example"')" \
    'sni /network/egress/2 free.example /network/egress/2/sni ignore'
  is "an inward answer is told with the name" "$(told p '.reason == "internal-address"')" \
    'internal-address /network/egress/3 rebind-10.example null null'
  is "and the connection with the address as its hint" "$(told p '.reason == "egress" and .subject.address == "10.0.0.5"')" \
    'egress /network/egress null /network/egress/- {"to":"10.0.0.5","ports":[7001]}'
  like "what is no plain question is told" "$(told p '.reason == "dns-form"')" '^dns-form /network/egress .* null null$'
  is "an allowed name is told where the manifest asks for it" \
    "$(records "$work/log.p" '.verdict == "allow"' | jq -r '"\(.kind) \(.rule) \(.subject.name) \(.subject.type)"' | sort -u | grep port)" \
    "dns /network/egress/1 port.example A"
  ok "nothing of it got out" not got_there p "0[0-9]"
  ok "nor was the other page served" not holds "$work/wanted.p" "served other.example"

  mend p "$work/wants.json" >"$work/mended.json"
  is "the manifest with those hints is usable" "$(exit_of "$agentpol" check "$work/mended.json")" 0
  want m "$work/mended.json"
  like "with them the name is found" "$(head -1 "$work/wanted.m")" "^203\.0\.113\.20$"
  ok "and the port is open" got_there m 01
  ok "and the page is served" holds "$work/wanted.m" "served other.example"
  ok "and what is no TLS gets there" got_there m 02
  ok "and so does the inward address" got_there m 03
  ok "and what has no hint does not" not got_there m 04
}
audit_judge() {
  manifest "$work/audit.json" "$name-audit" '"mode": "audit"' '{"to": "cdn.example", "ports": [443]}' "\"resolvers\": [\"$resolver\", \"$resolver6\"]"
  want a "$work/audit.json"
  like "audit mode: a name that is not granted is found" "$(head -1 "$work/wanted.a")" "^203\.0\.113\.20$"
  ok "and its address is reached" got_there a 05
  ok "and another page is served at a granted name's address" holds "$work/wanted.a" "served other.example"
  ok "and an inward address is reached" got_there a 03
  ok "and so is a resolver by what is no plain question" got_there a 04
  is "and nothing is denied" "$(records "$work/log.a" '.verdict == "deny"')" ""
  is "would-deny is told with the name asked for" "$(told a '.verdict == "would-deny" and .kind == "dns" and .subject.name == "never.denied.example"')" \
    'dns /network/egress never.denied.example /network/egress/- {"to":"never.denied.example","ports":[443]}'
  is "and with the name that an address was found under" "$(told a '.verdict == "would-deny" and .kind == "connect" and .subject.port == 7001 and .subject.address == "203.0.113.90"')" \
    'egress /network/egress never.denied.example /network/egress/- {"to":"never.denied.example","ports":[7001]}'
  is "and so is a foreign server name" "$(told a '.verdict == "would-deny" and .reason == "sni" and .subject.name == "other.example"')" \
    'sni /network/egress other.example /network/egress/- {"to":"other.example","ports":[443]}'
}
budgets_judge() {
  local sent
  manifest "$work/budget.json" "$name-budget" "" \
    '{"to": "port.example", "ports": [7001], "connects": "2/min"}, {"to": "free.example", "ports": [7012], "bytes": "32KiB/h"}, {"to": "*.flood.example", "ports": [7001]}' \
    "\"resolvers\": [\"$resolver\"]"
  "${near[@]}" "$agentpol" run --standalone --quiet --log "$work/log.budget" -m "$work/budget.json" -- sh -c "
    $evade text none 203.0.113.11 7001 tk-000000000000 port.example@$resolver
    for number in 1 2 3 4; do $evade text tcp 203.0.113.11 7001 tk-b0\${number}$stamp; done
    $evade text none 203.0.113.12 7012 tk-000000000000 free.example@$resolver
    $evade pour 203.0.113.12 7012 8 tcp
    $evade flood $resolver 150 long long.flood.example" >"$work/budget" 2>&1
  witness_settle
  is "connects under a name are held to their budget" "$(grep -c "tcp 203.0.113.11 7001 tk-b0[0-9]$stamp" "$witnessed")" 2
  is "and told with the name and the rule" "$(told budget '.reason == "budget" and .subject.port == 7001')" 'budget /network/egress/1 port.example null null'
  rm -f "$work/totals"
  kill -USR1 "$witness_pid"
  wait_for 5 test -e "$work/totals"
  sent=$(awk '$1 == "tcp" && $2 == "203.0.113.12" && $3 == 7012 {print $5}' "$work/totals")
  ok "bytes under a name are held to their budget (${sent:-0} of 131072)" test "${sent:-0}" -gt 0 -a "${sent:-0}" -le 33792
  is "and told with the name and the rule, too" "$(told budget '.reason == "budget" and .subject.port == 7012')" 'budget /network/egress/2 free.example null null'
  like "new names under a wildcard are held to theirs, and told" "$(told budget '.reason == "dns-budget"')" '^dns-budget /network/egress/3 .*\.flood\.example null null$'
}
records_judge() {
  hints_judge
  audit_judge
  budgets_judge
}
