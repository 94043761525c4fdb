#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make demo`: an agent under a manifest, two network namespaces as host and internet, and what each
# side saw. Needs root; leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}

id=$$
inside=agentpol-demo-$id outside=agentpol-net-$id
work=$(mktemp -d /tmp/agentpol-demo.XXXXXX)
pins=/sys/fs/bpf/agentpol-demo-$id
bold='' plain='' red='' green=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' plain=$'\e[0m' red=$'\e[31m' green=$'\e[32m'
fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

server="" daemon=""
database_end() { :; } # demo-database.sh has one that ends it
end() {
  database_end
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$daemon" ] || { kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null; } || true
  [ ! -f "$work/policyd.json" ] || "$BUILD"/policyd --unload --config "$work/policyd.json" 2>/dev/null || true
  ip netns del "$inside" 2>/dev/null || true
  ip netns del "$outside" 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT

wait_for() { # file, pattern: until it stands there, 5 s at most
  for _ in $(seq 100); do
    ! grep -q "$2" "$1" 2>/dev/null || return 0
    sleep 0.05
  done
  echo "demo: no \"$2\" in $1" >&2
  cat "$1" >&2 || true
  exit 3
}
# `ip netns exec` would hide the cgroups; the network alone is entered.
within() { local space=$1; shift; nsenter --net="/run/netns/$space" "$@"; }

[ "$(id -u)" -eq 0 ] || { echo "demo: needs root: sudo make demo" >&2; exit 3; }

ip netns add "$inside"
ip netns add "$outside"
ip -n "$inside" link add wire type veth peer name wire netns "$outside"
for space in "$inside" "$outside"; do
  ip -n "$space" link set lo up
  ip -n "$space" link set wire up
done
ip -n "$inside" addr add 10.88.0.1/24 dev wire
ip -n "$inside" addr add fd88::1/64 dev wire nodad
ip -n "$inside" route add default via 10.88.0.2
for last in 2 3; do
  ip -n "$outside" addr add 10.88.0.$last/24 dev wire
  ip -n "$outside" addr add fd88::$last/64 dev wire nodad
done
ip -n "$outside" addr add 169.254.169.254/32 dev lo
# Not through the function: $! is then the server itself, so that it can be ended.
nsenter --net="/run/netns/$outside" python3 tools/demo-server.py "$work/arrived" >/dev/null 2>&1 &
server=$!
wait_for "$work/arrived" ready

cat >"$work/policyd.json" <<END
{"log": "$work/log", "socket": "$work/policyd.sock", "state": "$work/state", "pin": "$pins"}
END
"$BUILD"/policyd --foreground --config "$work/policyd.json" >/dev/null 2>"$work/policyd.err" &
daemon=$!
wait_for "$work/policyd.err" serving

say "The manifest (policies/demo.json): what this agent may do"
sed -n '/"egress"/,/^    \]/p' policies/demo.json

say "The agent tries, under: agentpol run -m policies/demo.json -- tools/demo-agent.sh"
within "$inside" "$BUILD"/agentpol run --quiet --socket "$work/policyd.sock" \
  -m policies/demo.json -- bash tools/demo-agent.sh |
  sed -e "s/ok\$/${green}ok${plain}/" -e "s/refused: .*/${red}&${plain}/"

say "What arrived at the other end of the wire"
sed -e '/^ready$/d' -e 's/^/  /' "$work/arrived"
if grep -q SECRET "$work/arrived"; then
  echo "  ${red}a secret got out: enforcement failed${plain}"
  exit 1
fi
echo "  ${green}no secret got out${plain}"

say "What the log says: agentpol log show --verdict deny"
"$BUILD"/agentpol log show --log "$work/log" --verdict deny | sed 's/^/  /'

say "One record whole, as it stands in the log"
"$BUILD"/agentpol log show --log "$work/log" --verdict deny --format json | head -n 1 | jq . | sed 's/^/  /'

# shellcheck source=tools/demo-tools.sh
. tools/demo-tools.sh
# shellcheck source=tools/demo-database.sh
. tools/demo-database.sh
