# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2086,SC2154 # names are shared with evasion.t and lib.sh
# The internet of the evasion suite, on top of what tests/e2e/lib.sh builds: a resolver with a zone,
# servers that lie, TLS servers, a slow link, and a witness that sees each packet. Source it behind
# lib.sh; call `internet_up` after `world_up`.

# All of these networks are the far end's, every address of them.
public4=(203.0.113.0/24 198.51.100.0/24)
inside4=(10.0.0.0/24 172.16.7.0/24 192.168.7.0/24 169.254.169.254/32 100.100.100.200/32 168.63.129.16/32)
public6=(2001:db8::/64)
inside6=(fd00::/64 fd00:ec2::/64)

resolver=10.77.0.53 resolver6=fd77::53 slow_resolver=10.78.0.53
liar=10.77.0.54       # a resolver that may be asked, and does not stay with the truth
stranger=10.77.0.66   # a DNS server that may not be asked
# On the near side of a slow link, where packets wait in a queue.
slow_public=203.0.113.64/27 slow_rate=4mbit

# Prober's servers: sinks on every address of the far end, for TCP and UDP.
# shellcheck disable=SC2034 # lib.sh reads it
far_ports="7001 7002 7011 54 80 853 5353 5355"

# A mount namespace with another resolv.conf: "${with_conf[@]}" FILE COMMAND...
# shellcheck disable=SC2016
with_conf=(unshare -m sh -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"')

internet_up() { # sets $evade, $witnessed
  local tool
  for tool in unbound openssl python3 tc; do
    command -v "$tool" >/dev/null || skip_all "no $tool here (tools/deps.sh installs it)"
  done
  cp "$build/tests/evasion/evade" "$build/tests/evasion/witness" "$work/bin/" || skip_all "nothing is built in $build"
  evade=$work/bin/evade witnessed=$work/witness
  networks_up >>"$work/network" 2>&1 || {
    sed 's/^/# /' "$work/network"
    skip_all "cannot make the far end's addresses"
  }
  "${far[@]}" "$work/bin/witness" "$work" &
  witness_pid=$!
  children+=("$witness_pid")
  servers_up || skip_all "the far end's servers do not start"
}
networks_up() {
  local network
  ip link add slow0 netns "$near_name" type veth peer name slow0 netns "$far_name" &&
    ip -n "$near_name" link set slow0 up && ip -n "$far_name" link set slow0 up &&
    ip -n "$near_name" addr add 10.78.0.1/24 dev slow0 &&
    ip -n "$far_name" addr add $slow_resolver/24 dev slow0 || return 1
  # Where there is no such queue, the attempts that need it fail their control.
  tc -n "$near_name" qdisc add dev slow0 root tbf rate $slow_rate burst 2000 limit 1000000
  for network in $resolver $liar $stranger; do
    ip -n "$far_name" addr add "$network/24" dev veth0 || return 1
  done
  ip -n "$far_name" addr add $resolver6/64 dev veth0 nodad &&
    ip -n "$near_name" route add $slow_public via $slow_resolver &&
    ip -n "$near_name" -6 route add default via $granted6 || return 1
  for network in "${public4[@]}" "${inside4[@]}"; do
    ip -n "$far_name" route add local "$network" dev lo || return 1
  done
  for network in "${public6[@]}" "${inside6[@]}"; do
    ip -n "$far_name" -6 route add local "$network" dev lo || return 1
  done
  # Fast Open without a cookie, so that data go out with the first packet of all.
  for network in "$near_name" "$far_name"; do
    nsenter --net="/run/netns/$network" sh -c 'echo 0x207 >/proc/sys/net/ipv4/tcp_fastopen'
  done
  return 0
}
servers_up() {
  local here
  here=$(dirname "${BASH_SOURCE[0]}")
  cat >"$work/unbound.conf" <<CONF
server:
  interface: $resolver
  interface: $resolver6
  interface: $slow_resolver
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  username: ""
  chroot: ""
  pidfile: ""
  directory: "$work"
  logfile: "$work/unbound.log"
  use-syslog: no
  do-daemonize: no
  module-config: "iterator"
  cache-max-ttl: 2147483647
  outgoing-range: 64
  num-queries-per-thread: 512
  incoming-num-tcp: 256
  outgoing-num-tcp: 0
  tcp-idle-timeout: 2000
auth-zone:
  name: "example."
  zonefile: "$work/zone"
  for-downstream: no
  for-upstream: yes
  fallback-enabled: no
remote-control:
  control-enable: no
CONF
  {
    cat "$here/zone.example"
    printf 'large A 198.51.100.%d\n' {2..60}
  } >"$work/zone"
  "${far[@]}" unbound -c "$work/unbound.conf" -d &
  children+=($!)
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=cdn.example \
    -addext "subjectAltName=DNS:*.example,DNS:*.twins.example" -keyout "$work/key" -out "$work/certificate" 2>/dev/null || return 1
  chmod 644 "$work/certificate"
  "${far[@]}" python3 "$here/internet.py" "$work" "$work/key" "$work/certificate" &
  children+=($!)
  # What an attempt reaches on the agent's own loopback is out, too.
  mkdir "$work/loopback"
  "${near[@]}" "$prober" serve "$work/loopback" 7001 8125 &
  children+=($!)
  wait_for 5 holds "$witnessed" ready && wait_for 10 holds "$work/served" ready &&
    wait_for 5 holds "$work/loopback/arrived" ready && wait_for 10 resolver_answers
}
resolver_answers() { "${near[@]}" "$evade" text none $resolver 53 tk-000000000000 granted.example@$resolver | grep -q '^answered'; }

# ---- the judge ----

# Everything that was sent before has been seen: what comes last comes after it.
witness_settle() {
  local last
  printf -v last 'tk-s%011d' "$((RANDOM * 32768 + RANDOM))"
  "${near[@]}" "$prober" udp-sendto $granted $granted_port "$last" && wait_for 10 holds "$witnessed" "$last"
}
# A copy of what was seen, so that all is judged on the same.
witness_take() {
  witness_settle
  # Of what comes to the agent's own addresses only what was let in counts, not the packets' answers.
  { cat "$witnessed"; sed 's/^/served /' "$work/served"; grep -E '^(tcp|udp) ' "$work/loopback/arrived"; } >"$work/seen"
  cp "$work/datagrams" "$work/seen.datagrams"
}
