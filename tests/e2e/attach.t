#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What was open before attach: sockets that the manifest does not grant are closed at once, those that
# it grants go on; whoever made them, in whatever network namespace they are. The far end is asked
# what reached it.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
world_up attach

config=$work/policyd.json
socket=$work/control/policyd.sock
log=$work/log
cat >"$config" <<JSON
{"log": "$log", "socket": "$socket", "state": "$work/state", "pin": "/sys/fs/bpf/agentpol-$name"}
JSON
listen_port=8765
other_port=8766
plain=$work/plain.json
manifest "$plain" "$name" "" "" "\"listen\": [{\"ports\": [$listen_port], \"on\": \"@any\"}]"

"$policyd" --config "$config" --foreground >"$work/policyd.out" 2>&1 &
policyd_pid=$!
children+=("$policyd_pid")
wait_for 5 holds "$work/policyd.out" "serving at" || skip_all "policyd does not start: $(cat "$work/policyd.out")"

cgroup=$cgroups/$name
mkdir "$cgroup" "$cgroup/child"
ask() { "$agentpol" "$1" --socket "$socket" "${@:2}"; } # VERB OPTION...
exit_of() { # COMMAND...; prints the exit status
  "$@" >"$work/out" 2>"$work/err"
  echo $?
}
attach() { # OPTION...; its result in $work/out, prints the exit status
  exit_of ask attach -m "$plain" --cgroup "$cgroup" --format json "$@"
}
detach() { ask detach --cgroup "$cgroup"; }
# shellcheck disable=SC2016
join=(sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"')
inside=("${join[@]}" "$cgroup" "${near[@]}")

# Processes that hold a socket and do what they are told: what they answer is in $work/held.NAME.
declare -A told=() pids=()
hold() { # NAME COMMAND...; waits until its socket is open
  local holder=$1 fd
  shift
  rm -f "$work/told.$holder"
  mkfifo "$work/told.$holder"
  : >"$work/held.$holder"
  "$@" <"$work/told.$holder" >"$work/held.$holder" 2>"$work/held.$holder.err" &
  pids[$holder]=$!
  children+=($!)
  exec {fd}>"$work/told.$holder"
  told[$holder]=$fd
  wait_for 5 holds "$work/held.$holder" open || sed 's/^/# /' "$work/held.$holder" "$work/held.$holder.err"
}
# Its own port.
port_of() { sed -n 's/^open //p' "$work/held.$1"; } # NAME
has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; } # FILE COUNT
tell() { # NAME LINE; prints the answer
  local next=$(($(wc -l <"$work/held.$1") + 1))
  echo "$2" >&"${told[$1]}"
  wait_for 5 has_lines "$work/held.$1" "$next"
  sed -n "${next}p" "$work/held.$1"
}
release() { # NAME...
  local holder
  for holder; do
    exec {told[$holder]}>&-
    kill -9 "${pids[$holder]}" 2>/dev/null && wait "${pids[$holder]}" 2>/dev/null
    unset "told[$holder]" "pids[$holder]"
  done
}
goes_on() { # NAME [ADDRESS PORT]; what it sends arrives
  new_token
  [ "$(tell "$1" "$token${2:+ $2 $3}")" = done ] && wait_for 5 arrived "$token"
}
reset_of() { wait_for 2 grep -qx "reset $granted_port from $1" "$work/arrived"; } # PORT
# The entries of one of attach's lists, as a jq condition takes them.
listed() { # LIST CONDITION
  jq -c ".$1 | .[] | select($2)" "$work/out"
}
is_listed() { [ -n "$(listed "$@")" ]; }

# ---- the positive control: what is open and let alone goes on ----

hold control "${inside[@]}" "$prober" hold tcp $denied $granted_port
ok "without a policy an open connection goes on" goes_on control
release control

# ---- connections ----

hold granted "${inside[@]}" "$prober" hold tcp $granted $granted_port
hold granted6 "${inside[@]}" "$prober" hold tcp $granted6 $granted_port
hold mapped-granted "${inside[@]}" "$prober" hold tcp ::ffff:$granted $granted_port
hold denied "${inside[@]}" "$prober" hold tcp $denied $granted_port
hold denied6 "${inside[@]}" "$prober" hold tcp $denied6 $granted_port
hold mapped-denied "${inside[@]}" "$prober" hold tcp ::ffff:$denied $granted_port
hold child "${join[@]}" "$cgroup/child" "${near[@]}" "$prober" hold tcp $denied $granted_port
hold udp-granted "${inside[@]}" "$prober" hold udp $granted $granted_port
hold udp-denied "${inside[@]}" "$prober" hold udp $denied $granted_port
hold udp-denied6 "${inside[@]}" "$prober" hold udp $denied6 $granted_port
hold udp-mapped "${inside[@]}" "$prober" hold udp ::ffff:$denied $granted_port
hold udp-bound "${inside[@]}" "$prober" hold udp-bound 0.0.0.0 5354
hold listener "${inside[@]}" "$prober" hold listen 0.0.0.0 $listen_port
hold listener-denied "${inside[@]}" "$prober" hold listen :: $other_port
for one in 1 2 3; do hold "shared-$one" "${inside[@]}" "$prober" hold listen 0.0.0.0 8767; done
hold outside "${near[@]}" "$prober" hold tcp $denied $granted_port
closed_ports=$(for one in denied denied6 mapped-denied child; do port_of $one; done)

# Peers that came in: one to each listener, accepted.
"${far[@]}" "$prober" take $peer_of_far $listen_port >"$work/took" 2>&1 &
children+=($!)
"${far[@]}" "$prober" take $peer_of_far $other_port >"$work/took-denied" 2>&1 &
children+=($!)
ok "a peer comes in to each listener" [ "$(tell listener accept) $(tell listener-denied accept)" = "done done" ]

started=$(date +%s%N)
is "attach takes a cgroup with open sockets" "$(attach)" 0
echo "# attach took $((($(date +%s%N) - started) / 1000000)) ms with $(jq '.closed + .kept | length' "$work/out") sockets"
is "a TCP connection to what is denied is aborted at once" "$(tell denied wait)" ECONNABORTED
took=$((($(date +%s%N) - started) / 1000000))
ok "within a second of the attach" [ $took -lt 1000 ]
is "over IPv6, too" "$(tell denied6 wait)" ECONNABORTED
is "and IPv4 over an IPv6 socket" "$(tell mapped-denied wait)" ECONNABORTED
is "and in a child cgroup" "$(tell child wait)" ECONNABORTED
ok "and the far end is told" eval "for port in $(echo $closed_ports); do reset_of \$port || exit 1; done"
ok "a granted TCP connection goes on" goes_on granted
ok "over IPv6, too" goes_on granted6
ok "and IPv4 over an IPv6 socket" goes_on mapped-granted
ok "another's connection is left alone" goes_on outside
is "a connected UDP socket to what is denied is disconnected" "$(tell udp-denied wait)" ECONNABORTED
is "over IPv6, too" "$(tell udp-denied6 wait)" ECONNABORTED
is "and IPv4 over an IPv6 socket" "$(tell udp-mapped wait)" ECONNABORTED
new_token
is "and can't send there any more" "$(tell udp-denied "$token $denied $granted_port")" EPERM
ok "but where it is granted" goes_on udp-denied $granted $granted_port
ok "a granted one goes on" goes_on udp-granted
ok "an unconnected UDP socket stays, under the policy" goes_on udp-bound $granted $granted_port
new_token
is "that refuses what it does not grant" "$(tell udp-bound "$token $denied $granted_port")" EPERM
new_token
is "a connection that a granted listener has accepted goes on" "$(tell listener "$token")" done
ok "and its peer is answered" wait_for 5 holds "$work/took" "$token"
ok "what another listener has accepted is closed" wait_for 5 holds "$work/took-denied" ECONNRESET
is "and the process is told" "$(tell listener-denied "$token")" ECONNABORTED
"${far[@]}" "$prober" take $peer_of_far $listen_port >"$work/took-again" 2>&1 &
children+=($!)
is "a granted listener goes on" "$(tell listener accept)" done
is "listeners that are not granted are closed, all that share a port" \
  "$(nsenter --net="/run/netns/$near_name" ss -Hltn | grep -cE ":($other_port|8767) ")" 0

# ---- what is told ----

mine='.protocol == "tcp" and .remote.address == "'$denied'"'
is "what was closed is listed, with process and verdict" \
  "$(listed closed ".pid == ${pids[denied]}" | jq -c '[.protocol, .state, .local, .remote, .verdict, .foreign, (.exe | endswith("/prober"))]')" \
  "[\"tcp\",\"connected\",{\"address\":\"$peer_of_far\",\"port\":$(port_of denied)},{\"address\":\"$denied\",\"port\":$granted_port},\"deny\",false,true]"
ok "IPv4 over IPv6 as IPv4" is_listed closed "$mine and .local.port == $(port_of mapped-denied)"
ok "UDP, too" is_listed closed ".protocol == \"udp\" and .remote.address == \"$denied6\" and .verdict == \"deny\""
ok "and listeners" is_listed closed ".state == \"listening\" and .local.port == $other_port and .remote == null"
ok "what was kept is listed" is_listed kept ".local.port == $(port_of granted) and .verdict == \"allow\" and .foreign == false"
ok "and nothing that is another's" not grep -q "\"port\":$(port_of outside)[,}]" "$work/out"
denial=".verdict == \"deny\" and .kind == \"connect\" and .subject.address == \"$denied\" and .pid == ${pids[denied]}"
ok "each is a record that says why" wait_for 5 has_record "$log" "$denial and .reason == \"egress\" and (.message | test(\"open before the policy, and was closed\")) and .hint.op == \"add\""
ok "listeners, too" has_record "$log" ".verdict == \"deny\" and .kind == \"listen\" and .subject.port == $other_port and (.message | test(\"was closed\"))"
is "a swap closes nothing" "$(attach && jq -c '[.closed, .kept]' "$work/out")" "0
[null,null]"
ok "and what is granted goes on" goes_on udp-bound $granted $granted_port
detach
release granted6 mapped-granted denied denied6 mapped-denied child udp-granted udp-denied udp-denied6 udp-mapped \
  udp-bound listener listener-denied shared-1 shared-2 shared-3 granted

# ---- what nobody has accepted yet, and what is another agent's ----

hold busy "${inside[@]}" "$prober" hold listen 0.0.0.0 $listen_port
"${far[@]}" "$prober" take $peer_of_far $listen_port >"$work/took-early" 2>&1 &
children+=($!)
come_in() { "${near[@]}" ss -Htn state established "sport = :$listen_port" | grep -q .; }
wait_for 5 come_in
attach >/dev/null
ok "a connection that nobody had accepted is reset" wait_for 5 holds "$work/took-early" ECONNRESET
"${far[@]}" "$prober" take $peer_of_far $listen_port >"$work/took-late" 2>&1 &
children+=($!)
wait_for 5 come_in
new_token
# The one that was reset stands first in the queue.
is "and its peer may come again" "$(tell busy accept; tell busy accept; tell busy "$token")" "done
done
done"
ok "and is answered" wait_for 5 holds "$work/took-late" "$token"
detach
release busy

# Grants what the plain one denies.
sed "s/\"$granted\"/\"$denied\"/" "$plain" >"$work/other.json"
ask attach -m "$work/other.json" --cgroup "$cgroup/child" >/dev/null
hold child "${join[@]}" "$cgroup/child" "${near[@]}" "$prober" hold tcp $denied $granted_port
attach >/dev/null
ok "a cgroup below that has a policy of its own is left to that" goes_on child
ok "and is not listed" not grep -q "\"port\":$(port_of child)[,}]" "$work/out"
ask detach --cgroup "$cgroup/child"
detach
release child

# ---- MPTCP and UDP-Lite ----

mptcp=$("${near[@]}" cat /proc/sys/net/mptcp/enabled 2>/dev/null)
if [ "$mptcp" = 1 ]; then
  hold mptcp "${inside[@]}" "$prober" hold mptcp $denied $granted_port
  hold mptcp-granted "${inside[@]}" "$prober" hold mptcp $granted $granted_port
  attach >/dev/null
  ok "an MPTCP connection to what is denied is closed" is_listed closed "$mine and .local.port == $(port_of mptcp)"
  ok "and the far end is told" reset_of "$(port_of mptcp)"
  ok "a granted one goes on" goes_on mptcp-granted
  detach
  release mptcp mptcp-granted
else
  skip "an MPTCP connection to what is denied is closed" "no MPTCP here"
fi
hold udplite "${inside[@]}" "$prober" hold udplite $granted $granted_port
if holds "$work/held.udplite" open; then
  attach >/dev/null
  ok "a UDP-Lite socket, which no rule grants, is closed" is_listed closed ".protocol == \"udplite\" and .pid == ${pids[udplite]}"
  is "and has no peer any more" "$(tell udplite tk-x)" EDESTADDRREQ
  detach
else
  skip "a UDP-Lite socket, which no rule grants, is closed" "no UDP-Lite here"
fi
release udplite
hold raw "${inside[@]}" "$prober" hold raw $granted 0
is "a raw socket can't be taken from its process: that is a no" "$(attach)" 1
ok "and is told as still open" is_listed kept '.protocol == "raw" and .verdict == "deny" and (.message | test("end that"))'
detach
release raw

# ---- sockets from outside ----

# Made outside the cgroup, and handed down to a process in it.
hand_down() { # NAME HOW ADDRESS PORT
  hold "$1" "${near[@]}" "$prober" hand-down "$2" "$3" "$4" 9 "${join[@]}" "$cgroup" "$prober" hold-fd 9
}
hand_down foreign tcp $denied $granted_port
ok "a socket from outside goes on without a policy" eval "hand_down foreign-control tcp $denied $granted_port; goes_on foreign-control"
release foreign-control
hand_down foreign-granted tcp $granted $granted_port
hand_down foreign-udp udp $denied $granted_port
is "attach finds sockets that were made outside" "$(attach)" 0
is "and aborts a connection to what is denied" "$(tell foreign wait)" ECONNABORTED
ok "and the far end is told" reset_of "$(port_of foreign)"
is "UDP, too" "$(tell foreign-udp wait)" ECONNABORTED
ok "and says that they are from outside" is_listed closed "$mine and .foreign and .pid == ${pids[foreign]} and (.message | test(\"made outside\"))"
ok "a granted one goes on" goes_on foreign-granted
ok "and is listed with a warning" is_listed kept ".foreign and .verdict == \"allow\" and .local.port == $(port_of foreign-granted) and (.message | test(\"where it was made\"))"
detach
release foreign foreign-granted foreign-udp
hand_down foreign-any udp-bound 0.0.0.0 5355
is "a UDP socket from outside that can send anywhere is a no" "$(attach)" 1
is "and is counted" "$(jq .left_open "$work/out")" 1
ok "and is told as still open" is_listed kept '.foreign and .verdict == "deny" and .protocol == "udp" and (.message | test("end that"))'
ok "and is in the log" wait_for 5 has_record "$log" '.verdict == "deny" and .reason == "foreign" and .kind == "socket" and .subject.socket == "inet udp from outside"'
detach
ask attach -m "$plain" --cgroup "$cgroup" >"$work/out" 2>"$work/err"
like "as text, too" "$(cat "$work/err")" "still open: udp 0\.0\.0\.0 port 5355, unconnected, .*prober \(pid ${pids[foreign-any]}\): "
detach
release foreign-any

# ---- several network namespaces in one cgroup ----

hold near-one "${inside[@]}" "$prober" hold tcp $denied $granted_port
hold far-one "${join[@]}" "$cgroup" "${far[@]}" "$prober" hold udp 10.77.0.9 9
# Its process is in the far namespace by now, and nobody of the cgroup is where it was made.
hold left-behind "${near[@]}" "$prober" hand-down tcp $denied6 $granted_port 9 "${join[@]}" "$cgroup" "${far[@]}" "$prober" hold-fd 9
release near-one
hold near-one "${join[@]}" "$cgroup" "${near[@]}" "$prober" hand-down tcp $denied $granted_port 9 "${far[@]}" "$prober" hold-fd 9
attach >/dev/null
is "what is open in one namespace of the cgroup's is closed" "$(tell far-one wait)" ECONNABORTED
is "in the one that its process has left, too" "$(tell near-one wait)" ECONNABORTED
is "and what was made outside in it" "$(tell left-behind wait)" ECONNABORTED
ok "each is listed" eval "is_listed closed '.remote.address == \"10.77.0.9\"' && is_listed closed '$mine' && is_listed closed '.foreign and .remote.address == \"$denied6\"'"
detach
release near-one far-one left-behind

# ---- --keep-open ----

hold granted "${inside[@]}" "$prober" hold tcp $granted $granted_port
is "--keep-open takes a cgroup where all that is open is granted" "$(attach --keep-open)" 0
ok "and says what there is" is_listed kept ".local.port == $(port_of granted)"
ok "which goes on" goes_on granted
detach
release granted
hold denied "${inside[@]}" "$prober" hold tcp $denied $granted_port
records_before=$(audit "$log" | wc -l)
is "--keep-open refuses where something else is open" "$(attach --keep-open)" 1
like "and lists it" "$(cat "$work/err")" "1 sockets are open .*tcp $peer_of_far port $(port_of denied) to $denied port $granted_port, .*prober \(pid ${pids[denied]}\)"
is "and the cgroup is under no policy" "$(ask ps --format json | jq -c .agents)" "[]"
is "and never was" "$(audit "$log" | wc -l)" "$records_before"
ok "and nothing was closed" goes_on denied
release denied

# ---- audit mode ----

sed 's/"name"/"mode": "audit", "name"/' "$plain" >"$work/audit.json"
hold denied "${inside[@]}" "$prober" hold tcp $denied $granted_port
hold listener "${inside[@]}" "$prober" hold listen 0.0.0.0 $other_port
is "in audit mode attach takes the cgroup" "$(exit_of ask attach -m "$work/audit.json" --cgroup "$cgroup" --format json)" 0
ok "and closes nothing" eval "goes_on denied && [ \$(jq '.closed | length' $work/out) = 0 ]"
ok "and lists what it would have closed" is_listed kept "$mine and .verdict == \"would-deny\" and (.message | test(\"would have been closed\"))"
ok "and so does the log" wait_for 5 has_record "$log" ".verdict == \"would-deny\" and .pid == ${pids[denied]} and (.message | test(\"would have been closed\"))"
detach
release denied listener

# ---- the daemon's own configuration, and what is run ----

hold denied "${inside[@]}" "$prober" hold tcp $denied $granted_port
kill "$policyd_pid"
wait "$policyd_pid"
jq --arg manifest "$plain" --arg cgroup "$cgroup" '. + {agents: [{manifest: $manifest, cgroup: $cgroup}]}' "$config" >"$work/configured.json"
"$policyd" --config "$work/configured.json" --foreground >"$work/policyd.out" 2>&1 &
policyd_pid=$!
children+=("$policyd_pid")
ok "policyd starts with an agent in its configuration" wait_for 5 holds "$work/policyd.out" "serving at"
is "and closes what is open there" "$(tell denied wait)" ECONNABORTED
detach
release denied
is "seq goes on without a gap" "$(gaps_in "$log")" ""
kill "$policyd_pid"
wait "$policyd_pid"
"$policyd" --unload --config "$config" 2>/dev/null

done_testing
