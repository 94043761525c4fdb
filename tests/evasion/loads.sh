# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2086,SC2154 # names are shared with evasion.t and lib.sh
# Attempts by mass, each under a policy of its own since they use a budget up: tunnels of names under
# a wildcard, and rules with budgets. `loads_make` makes them, `loads_judge` judges when the witness
# has been asked.

# What new names under a wildcard may tell, a minute and rule.
name_bytes=960 # 60 names of 128 bits each
# As many are tried, so that they would tell a multiple of it.
declare -A tunnel_tries=([long]=400 [longest]=200 [short]=400 [case]=400 [stream]=200 [types]=3000)
tunnels="long longest short case stream types"
connect_budget=5 connects_tried=40
byte_budget=65536 byte_slack=1024 chunks_tried=64 # of 16 KiB over TCP, 1,400 bytes over UDP
budget_egress="{\"to\": \"203.0.113.200\", \"ports\": [7011], \"connects\": \"$connect_budget/min\"},
  {\"to\": \"203.0.113.201\", \"ports\": [7012], \"bytes\": \"64KiB/h\"},
  {\"to\": \"203.0.113.202\", \"ports\": [7012], \"proto\": \"udp\", \"bytes\": \"64KiB/h\"}"

load_token() { printf 'tk-%s%s%s\n' "$1" "$2" "$stamp"; } # PHASE-LETTER THREE-DIGITS
under_budget() { # LOG MANIFEST COMMAND...
  "${near[@]}" "$agentpol" run --standalone --quiet "${run_options[@]}" --log "$work/log.$1" -m "$2" -- "${@:3}"
}
tunnel_under_policy() { # SHAPE
  local before=$EPOCHREALTIME
  manifest "$work/flood-$1.json" "$name-$1" "" "{\"to\": \"*.$1.flood.example\", \"ports\": [7001]}" "\"resolvers\": [$(quoted $resolver)]"
  under_budget "$1" "$work/flood-$1.json" "$evade" flood $resolver "${tunnel_tries[$1]}" "$1" "$1.flood.example"
  # A bucket fills up while it is used.
  awk -v before="$before" -v after="$EPOCHREALTIME" 'BEGIN {print int(after - before) + 1}' >"$work/tunnel-seconds.$1"
}
# Without a policy, to other addresses, so that the bytes are told apart.
loads_free() {
  local shape
  for shape in $tunnels; do
    "${near[@]}" "$evade" flood $resolver "${tunnel_tries[$shape]}" "$shape" "$shape-free.flood.example"
  done
  "${near[@]}" "$evade" connects 203.0.113.210 7011 $connects_tried "$(load_token f 905)"
  "${near[@]}" "$evade" pour 203.0.113.211 7012 $chunks_tried tcp
  "${near[@]}" "$evade" pour 203.0.113.212 7012 $chunks_tried udp
}
loads_under_policy() {
  local shape pids=()
  for shape in $tunnels; do
    tunnel_under_policy "$shape" &
    pids+=($!)
  done
  manifest "$work/budget.json" "$name-budget" "" "$budget_egress"
  under_budget budget "$work/budget.json" sh -c "
    $evade connects 203.0.113.200 7011 $connects_tried $(load_token r 905) &
    $evade pour 203.0.113.201 7012 $chunks_tried tcp &
    $evade pour 203.0.113.202 7012 $((chunks_tried * 2)) udp
    wait" &
  wait "${pids[@]}" $!
}
# What an answer has opened closes when its time is over, at the soonest after a minute.
expiry_make() {
  under_budget expiry "$work/plain.json" sh -c "
    $evade text tcp 203.0.113.15 7001 $(load_token r 906) ttl0.example@$resolver
    sleep 70
    $evade text tcp 203.0.113.15 7001 $(load_token r 907)"
}
expiry_judge() {
  ok "load-expiry is open for a minute" grep -q "$(load_token r 906)" "$work/seen"
  ok "load-expiry is closed afterwards" not grep -q "$(load_token r 907)" "$work/seen"
}
loads_make() {
  loads_free >"$work/loads.free" 2>&1
  loads_under_policy >"$work/loads.run" 2>&1
  [ -z "${EVASION_SLOW:-}" ] || expiry_make >"$work/expiry" 2>&1
}

tunnel_of() { python3 "$here/tunnel.py" "$work/seen.datagrams" "$1.flood.example"; } # ZONE
connects_of() { grep -oE "$(load_token "$1" 905 | cut -c 1-12)[0-9a-f]{3}" "$work/seen" | sort -u | wc -l; }
bytes_to() { awk -v key="$1 $2 7012" '$1 " " $2 " " $3 == key {print $5}' "$work/totals"; } # PROTOCOL ADDRESS
at_most() { awk -v got="${1:-0}" -v bound="$2" 'BEGIN {exit !(got <= bound)}'; }
more_than() { ! at_most "$1" "$2"; }
between() { at_most "$1" "$3" && more_than "$1" "$2"; } # GOT ABOVE UP-TO

loads_judge() {
  [ -z "${EVASION_SLOW:-}" ] || expiry_judge
  local shape names bytes tells free_names free_tells protocol octet
  for shape in $tunnels; do
    read -r free_names _ free_tells < <(tunnel_of "$shape-free")
    read -r names bytes tells < <(tunnel_of "$shape")
    echo "# tunnel of names, $shape: $names questions with $bytes bytes tell $tells bytes (budget $name_bytes a minute); without a policy $free_names tell $free_tells"
    ok "load-tunnel-$shape tells what it likes without a policy" more_than "$free_tells" $name_bytes
    ok "load-tunnel-$shape is held to its budget" at_most "$tells" $((name_bytes + $(cat "$work/tunnel-seconds.$shape") * name_bytes / 60))
    ok "load-tunnel-$shape has what the wildcard grants" more_than "$names" 0
  done
  echo "# connects: $(connects_of r) of $connects_tried (budget $connect_budget); without a policy $(connects_of f)"
  is "load-connects all arrive without a policy" "$(connects_of f)" $connects_tried
  ok "load-connects, from many threads at once, are held to their budget" between "$(connects_of r)" 0 $((connect_budget + 1))
  octet=0
  for protocol in tcp udp; do
    octet=$((octet + 1))
    echo "# bytes over $protocol: $(bytes_to $protocol 203.0.113.20$octet) (budget $byte_budget); without a policy $(bytes_to $protocol 203.0.113.21$octet)"
    ok "load-bytes over $protocol are many without a policy" more_than "$(bytes_to $protocol 203.0.113.21$octet)" $((byte_budget + byte_slack))
    ok "load-bytes over $protocol, by many sockets at once, are held to their budget" \
      between "$(bytes_to $protocol 203.0.113.20$octet)" 0 $((byte_budget + byte_slack))
  done
}
