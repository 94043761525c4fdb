#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# policies/air-gapped.json around a real stack: PostgreSQL, nginx and a Node program work together on
# loopback, and no member of it gets anything out. The same stack without a policy is the control:
# there every attempt reaches the far end.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
profile=policies/air-gapped.json
postgres=$(find /usr/lib/postgresql/*/bin -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -1)
[ -n "$postgres" ] || skip_all "no PostgreSQL here (Debian: postgresql)"
PATH=$PATH:/usr/sbin:/sbin
for tool in nginx node psql curl; do
  command -v "$tool" >/dev/null || skip_all "no $tool here"
done
world_up airgap

is "the profile has no finding" "$("$agentpol" check "$profile")" "$profile: ok (air-gapped: 1 rules, 0 tools, 0 findings)"
ok "and asks for nothing that is not enforced" quietly "${near[@]}" "$agentpol" run --standalone --log "$work/log" -m "$profile" -- true

cp -r tests/e2e/stack "$work/stack"
chmod -R a+rX "$work/stack"
# A folder of the user's own for each.
stack() { # NAME TOKEN-START RUN...; the stack's report goes to $work/NAME.out
  local folder=$work/$1 out=$work/$1.out token=$2
  shift 2
  mkdir "$folder"
  chown nobody "$folder"
  (cd "$folder" && "${near[@]}" "$@" bash "$work/stack/stack.sh" "$folder" "$postgres" "$prober" $denied $denied_port "$token") >"$out" 2>&1 </dev/null
}
said() { sed -n "s/^$2 //p" "$work/$1.out"; } # NAME WAY
reached() { settle && tail -n "+$from" "$work/arrived" | grep -q -- "$1"; } # TEXT

orders='[{"id":1,"item":"item 1"}, 
 {"id":2,"item":"item 2"}, 
 {"id":3,"item":"item 3"}]'
# What each gets to hear under the profile.
declare -A refusal=(
  [shell-tcp]="^EPERM$" [shell-udp-sendto]="^EPERM$" [shell-ping-socket]="^EPERM$"
  [node-tcp]="^EPERM$" [node-dns]="^ECONNREFUSED$" [nginx-proxy]="^50[02]$" [database-program]="program .* failed$"
)

# ---- without a policy ----

from=$(mark)
stack free tk-free setpriv --reuid 65534 --regid 65534 --clear-groups
like "the stack works without a policy" "$(grep -v '^[a-z]*-' "$work/free.out")" "^version 1[0-9].*orders .*item 3"
for token in tk-free.tcp tk-free.udp-sendto tk-free.node tk-free.database; do
  ok "without a policy $token reaches the far end" reached " $token\$"
done
ok "without a policy a question goes to a resolver" reached "^packet udp $denied 53 "
ok "without a policy a ping goes out" reached "^packet icmp $denied "
ok "without a policy nginx is a proxy to the outside" reached "^packet tcp $denied $denied_port "

# ---- under the profile ----

from=$(mark)
stack gapped tk-gapped "$agentpol" run -q --standalone --log "$work/log" -m "$PWD/$profile" --user nobody --
is "PostgreSQL serves under the profile" "$(said gapped version)" "$(said free version)"
is "curl gets from nginx what Node has read from PostgreSQL" \
  "$(sed -n '/^orders /,/^[a-z]*-/p' "$work/gapped.out" | sed '$d; s/^orders //')" "$orders"
for way in "${!refusal[@]}"; do
  like "refused: $way" "$(said gapped "$way")" "${refusal[$way]}"
done
is "nothing has reached the far end" "$(leaks "$from")" ""
ok "nor any token" not reached tk-gapped
for way in tcp udp; do
  ok "the log has the denied $way" has_record "$work/log" \
    ".verdict == \"deny\" and .kind == \"connect\" and .subject.proto == \"$way\" and .subject.address == \"$denied\""
done
ok "the log has the question to the resolver" has_record "$work/log" ".verdict == \"deny\" and .subject.address == \"$denied\" and .subject.port == 53"
"$agentpol" log stats --egress --log "$work/log" --format json >"$work/inventory.json"
is "the inventory has loopback as what was reached" \
  "$(jq -r '[.destinations[] | select(.bytes > 0) | .addresses[]] | unique | join(" ")' "$work/inventory.json")" 127.0.0.1
is "by the ports of the stack" \
  "$(jq -r '[.destinations[] | select(.bytes > 0) | .port] | sort | map(tostring) | join(" ")' "$work/inventory.json")" "5433 8080 8081"

done_testing
