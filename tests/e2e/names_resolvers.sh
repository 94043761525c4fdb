# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2086,SC2154,SC2317 # names are shared with names.t, lib.sh and world.sh
# "resolvers": "system": whose resolv.conf it is, what may stand in it, resolvers on loopback, search
# domains.

stub=127.0.0.53 docker=127.0.0.11 docker_port=5454
# On the agent's own loopback: a stub as systemd-resolved has it, and one whose port 53 is another
# port of its own, as Docker does it. Sets $docker_works.
stubs_up() {
  sed -e '/interface:/d' -e "s/^server:/&\n  interface: 127.0.0.1\n  interface: $stub\n  interface: $docker@$docker_port/" \
    -e "s/unbound.log/stub.log/" "$work/unbound.conf" >"$work/stub.conf"
  "${near[@]}" unbound -c "$work/stub.conf" -d &
  children+=($!)
  docker_works=
  "${near[@]}" nft -f - 2>"$work/nft.err" <<NFT && docker_works=1
table ip names {
  chain out {
    type nat hook output priority -100;
    ip daddr $docker udp dport 53 dnat to $docker:$docker_port
    ip daddr $docker tcp dport 53 dnat to $docker:$docker_port
  }
}
NFT
  stub_answers() { "${near[@]}" dig @$stub +short +time=1 +tries=1 cdn.example A | grep -q 203; }
  wait_for 10 stub_answers
}
conf() { # NAME LINE...; prints the file's name
  printf '%s\n' "${@:2}" >"$work/conf.$1"
  echo "$work/conf.$1"
}
# From the agent's cgroup, whatever its resolv.conf says.
gets() { # SERVER NAME OPTION...
  "${inside[@]}" dig "@$1" +short +time=1 +tries=1 "${@:3}" "$2" A 2>/dev/null | grep -qE '^[0-9]'
}
ms_of() { # COMMAND...; prints how long it took, the best of three
  local best=999999 before ms
  for _ in 1 2 3; do
    before=$EPOCHREALTIME
    "$@" >/dev/null 2>&1
    ms=$(((${EPOCHREALTIME/./} - ${before/./}) / 1000))
    [ $ms -lt $best ] && best=$ms
    [ $best -lt $at_once ] && break
  done
  echo $best
}
is_refused_at_once() { # COMMAND...; prints how long it took, too
  local ms
  "$@" >/dev/null 2>&1 && return 1
  ms=$(ms_of "$@")
  echo "# refused in $ms ms: ${*: -3}"
  [ "$ms" -lt $at_once ]
}

# ---- a root of its own ----

# A process whose root is another folder; nothing that could be run is in it.
root_agent() { # NAME; the root is $work/root.NAME
  cgroup=$cgroups/$name-$1
  mkdir "$cgroup"
  # shellcheck disable=SC2016
  sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$cgroup" "${near[@]}" "$python" -c \
    'import os, sys, time; os.chroot(sys.argv[1]); os.chdir("/"); print("up", flush=True); time.sleep(600)' \
    "$work/root.$1" >"$work/rooted.$1" 2>&1 &
  children+=($!)
  wait_for 5 test -s "$work/rooted.$1"
  # shellcheck disable=SC2016
  inside=(sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$cgroup" "${near[@]}")
}
attach_system() { exit_of timeout 10 "$agentpol" attach --socket "$socket" -m "$work/system.json" --cgroup "$cgroup"; }
roots_judge() {
  local shape place
  for shape in plain relative absolute missing fifo folder loop; do mkdir -p "$work/root.$shape/etc" "$work/root.$shape/run/names"; done
  echo "nameserver $resolver" | tee "$work"/root.{plain/etc/resolv.conf,relative/run/names/conf,absolute/run/names/conf} >/dev/null
  ln -s ../run/names/conf "$work/root.relative/etc/resolv.conf"
  # Outside of that root there is no such file.
  ln -s /run/names/conf "$work/root.absolute/etc/resolv.conf"
  ln -s resolv.conf "$work/root.loop/etc/resolv.conf"
  mkfifo "$work/root.fifo/etc/resolv.conf"
  mkdir "$work/root.folder/etc/resolv.conf"
  for shape in plain relative absolute missing; do
    root_agent $shape
    place=$resolver
    [ $shape = missing ] && place=127.0.0.1
    is "attach reads the resolv.conf of a process's own root, $shape" "$(attach_system)" 0
    ok "its server is asked, $shape" gets $place cdn.example
    ok "and for nothing else, $shape" not gets $place other.example
    ok "and no other server, $shape" not gets $resolver6 cdn.example
  done
  for shape in fifo folder loop; do
    root_agent $shape
    is "attach with a resolv.conf that can't be read is 3, $shape" "$(attach_system)" 3
    like "and says so, $shape" "$(cat "$work/err")" "/etc/resolv.conf of process [0-9]+"
  done
}

# ---- on loopback ----

loopback_judge() {
  agent_up stub "$(conf stub "nameserver $stub")" "$work/system.json"
  ok "a stub on loopback is asked by the library" finds cdn.example
  ok "and by TCP" gets $stub cdn.example +tcp
  ok "and for no other name" is_refused_at_once finds other.example
  ok "nor by TCP" is_refused_at_once gets $stub other.example +tcp
  ok "and no other address on loopback is asked" not gets 127.0.0.1 cdn.example
  if [ -z "$docker_works" ]; then
    skip "a stub behind another port" "no NAT here: $(head -1 "$work/nft.err")"
    return
  fi
  agent_up docker "$(conf docker "nameserver $docker")" "$work/system.json"
  ok "a stub behind another port is asked by the library" finds cdn.example
  ok "and by TCP, behind another port" gets $docker cdn.example +tcp
  ok "and what it answers opens" eval "finds any.wild.example && reaches 203.0.113.50"
  ok "also by TCP" eval "gets $docker port.example +tcp && reaches 203.0.113.11"
  ok "and for no other name, behind another port" is_refused_at_once finds other.example
  ok "nor by TCP, behind another port" is_refused_at_once gets $docker other.example +tcp
  if [ -x "$work/bin/lookup-musl" ]; then
    ok "nor by musl, behind another port" is_refused_at_once "${inside[@]}" "$work/bin/lookup-musl" other.example
  fi
  ok "and that port itself is not for what is no question" not quietly "${inside[@]}" "$prober" udp-sendto $docker $docker_port tk-loop
}

# ---- a file that its reader may write ----

rewriting_judge() {
  agent_up rewriting "$(conf rewriting "nameserver $resolver")" "$work/system.json"
  "${inside[@]}" sh -c "echo nameserver $liar >/etc/resolv.conf"
  is "an agent that writes its resolv.conf sees that" "$("${inside[@]}" cat /etc/resolv.conf)" "nameserver $liar"
  ok "and can't ask its own server" not gets $liar honest.131.liar.example
  is "agentpol reload" "$(exit_of ask reload)" 0
  ok "does not let it" not gets $liar honest.131.liar.example
  is "nor does another attach" "$(attach_system)" 0
  ok "let it" not gets $liar honest.131.liar.example
  daemon_kill
  daemon_start
  is "nor does the next policyd's reload" "$(exit_of ask reload)" 0
  ok "let it either" not gets $liar honest.131.liar.example
  ok "and what it had is there still" gets $resolver cdn.example
}

# The first policy is what counts, though it asks nobody.
late_judge() {
  manifest "$work/late.json" "$name-late"
  agent_up late "$(conf late "nameserver $resolver")" "$work/late.json"
  "${inside[@]}" sh -c "echo nameserver $liar >/etc/resolv.conf"
  cp "$work/system.json" "$work/late.json"
  is "reload of a manifest with names behind one without" "$(exit_of ask reload)" 0
  ok "does not take what the agent has written meanwhile" not gets $liar honest.131.liar.example
  ok "but what was there" gets $resolver cdn.example
}
resolvers_judge() {
  stubs_up
  manifest "$work/system.json" "$name-system" "" \
    "{\"to\": \"cdn.example\", \"ports\": [443]}, {\"to\": [\"port.example\", \"*.wild.example\", \"*.liar.example\"], \"ports\": [7001]}" '"resolvers": "system"'
  roots_judge
  loopback_judge
  rewriting_judge
  late_judge
}

# ---- search domains ----

search_judge() {
  local musl=$work/bin/lookup-musl
  manifest "$work/search.json" "$name-search" "" \
    '{"to": ["tool.svc.example", "intranet.corp.example", "port.example"], "ports": [7001]}' '"resolvers": "system"'
  agent_up search "$(conf search "nameserver $resolver" "search corp.example svc.example" "options ndots:5")" "$work/search.json"
  ok "a long name is found in spite of search domains" finds tool.svc.example
  ok "so is one with fewer dots" finds port.example
  ok "a short name is found in the first domain" finds intranet
  ok "and in the second" finds tool
  ok "and opens what it stands for" reaches 203.0.113.62
  ok "a short name that is not granted is not found" is_refused_at_once finds hidden
  # tool.corp.example and port.example.svc.example are there, too: they may be asked for.
  ok "what a search domain makes of a name opens nothing" is_kept_from 203.0.113.63
  if [ -x "$musl" ]; then
    ok "musl finds them, too" eval '"${inside[@]}" "$musl" tool.svc.example >/dev/null && "${inside[@]}" "$musl" tool >/dev/null'
  fi
  manifest "$work/search.json" "$name-search" "" '{"to": "port.example", "ports": [7001]}' "\"resolvers\": [\"$resolver\"]"
  ask attach -m "$work/search.json" --cgroup "$cgroup" >/dev/null
  ok "a name is found in spite of search domains where the manifest lists the resolvers" finds port.example
}
