#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make bench-names, second half: what starting a command under a manifest costs, with policyd and
# without, beside what a command costs anyway. Medians, fastest and slowest.
set -euo pipefail

build=${BUILD:-build}
turns=21
work=$(mktemp -d /tmp/agentpol-bench-start.XXXXXX)
policyd_pid=

finish() {
  trap '' INT TERM
  if [ -n "$policyd_pid" ]; then
    kill "$policyd_pid" 2>/dev/null || true
    wait "$policyd_pid" 2>/dev/null || true
    "$build/policyd" --unload --config "$work/policyd.json" >/dev/null 2>&1 || true
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

manifest() { # FILE RULES [RESOLVERS]
  printf '{"agentpol":1,"name":"bench","network":{"egress":[%s]%s}}\n' "$2" "${3:-}" >"$work/$1.json"
}

start_policyd() {
  cat >"$work/policyd.json" <<JSON
{"log": "$work/log", "socket": "$work/policyd.sock", "state": "$work/agents",
 "pin": "/sys/fs/bpf/agentpol-bench-start-$$"}
JSON
  "$build/policyd" --config "$work/policyd.json" --foreground >"$work/policyd.out" 2>&1 &
  policyd_pid=$!
  for _ in $(seq 100); do
    grep -q "serving at" "$work/policyd.out" && return
    sleep 0.1
  done
  cat "$work/policyd.out" >&2
  exit 3
}

# ---- ways ----

names=()
commands=()
way() { # NAME COMMAND...
  names+=("$1")
  commands+=("${*:2}")
}

measure() { # NUMBER of the way; its milliseconds are added to a file
  local begin=$EPOCHREALTIME end
  # shellcheck disable=SC2086 # words of a command
  ${commands[$1]} >"$work/out" 2>&1 || {
    echo "bench-start: ${commands[$1]}: $(tail -1 "$work/out")" >&2
    exit 3
  }
  end=$EPOCHREALTIME
  echo $((${end/./} - ${begin/./})) >>"$work/times.$1"
}

row() { # NUMBER
  sort -n "$work/times.$1" | awk -v name="${names[$1]}" '
    { ms[NR] = $1 / 1000 }
    END { printf "%-46s %7.1f (%.1f to %.1f)\n", name, ms[int((NR + 1) / 2)], ms[1], ms[NR] }'
}

manifest addresses '{"to":"192.0.2.1","ports":[443]}'
manifest names '{"to":["one.example","*.two.example"],"ports":[443]}' ',"resolvers":["192.0.2.53"]'
start_policyd
served="$build/agentpol run -q --socket $work/policyd.sock"
alone="$build/agentpol run -q --standalone --log $work/own-log"
way "true" /bin/true
way "unshare -n true" unshare -n true
for kind in addresses names; do
  way "agentpol run, policyd running, $kind" "$served -m $work/$kind.json -- true"
done
first_alone=${#commands[@]}
for kind in addresses names; do
  way "agentpol run --standalone, $kind" "$alone -m $work/$kind.json -- true"
done

rounds() { # NUMBER... of the ways that take turns
  local turn i
  for turn in $(seq $turns); do
    [ ! -t 2 ] || printf '\r\033[Kstarting a command: round %d of %d' "$turn" "$turns" >&2
    for i in "$@"; do measure "$i"; done
  done
  [ ! -t 2 ] || printf '\r\033[K' >&2
}
# Apart: the kernel takes the programs and tables of a run away a while after it, at the cost of
# what comes next.
rounds $(seq 0 $((first_alone - 1)))
rounds $(seq "$first_alone" $((${#commands[@]} - 1)))
printf '\n%-46s %7s\n' "starting a command, $turns turns" "ms"
for i in "${!commands[@]}"; do row "$i"; done
