# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of enforcement share: TAP, two network namespaces with a server at the far end that
# writes down what reaches it, and the clean-up of all of it. Source it after `set -u`, then call
# `world_up NAME`. Everything is named by $$, so that two runs don't meet.

build=${BUILD:-build}
case $build in /*) ;; *) build=$PWD/$build ;; esac

# What the manifests of the tests grant, and what they don't. All are addresses of the far end.
granted=10.77.0.2 denied=10.77.0.3 granted6=fd77::2 denied6=fd77::3
granted_port=7001 denied_port=7002
far_ports="7001 7002"
peer_of_far=10.77.0.1

count=0
failed=0

# ---- TAP ----

ok() { # DESCRIPTION COMMAND...
  local what=$1
  shift
  count=$((count + 1))
  if "$@"; then
    echo "ok $count - $what"
  else
    failed=$((failed + 1))
    echo "not ok $count - $what"
    echo "# failed: $*"
  fi
}
is() { # DESCRIPTION GOT WANTED
  count=$((count + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $count - $1"
  else
    failed=$((failed + 1))
    echo "not ok $count - $1"
    sed 's/^/# got:    /' <<<"$2"
    sed 's/^/# wanted: /' <<<"$3"
  fi
}
like() { # DESCRIPTION GOT REGEX
  count=$((count + 1))
  if [[ $2 =~ $3 ]]; then
    echo "ok $count - $1"
  else
    failed=$((failed + 1))
    echo "not ok $count - $1"
    sed 's/^/# got:    /' <<<"$2"
    echo "# wanted: $3"
  fi
}
skip() { # DESCRIPTION REASON
  count=$((count + 1))
  echo "ok $count - $1 # SKIP $2"
}
# A gap that the README names: known, not a promise. prove counts it, and tells when it is closed.
todo() { # DESCRIPTION REASON COMMAND...
  local what=$1 why=$2
  shift 2
  count=$((count + 1))
  if "$@"; then echo "ok $count - $what # TODO $why"; else echo "not ok $count - $what # TODO $why"; fi
}
not() { ! "$@"; }
quietly() { "$@" >/dev/null 2>&1; }
done_testing() { echo "1..$count"; }
skip_all() { # REASON
  echo "1..0 # SKIP $1"
  exit 0
}

# ---- waiting ----

# Until the command succeeds; false after SECONDS.
wait_for() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -le "$end" ] || return 1
    sleep 0.02
  done
}
holds() { grep -qF -- "$2" "$1" 2>/dev/null; } # FILE TEXT
# Ended; whether its parent has taken notice is another matter.
is_gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; } # PID

# ---- the world ----

# Processes that are to be ended with the test.
children=()
world_up() { # NAME; sets $work, $near, $far, $cgroups, $agentpol, $policyd, $prober
  [ "$(id -u)" = 0 ] || skip_all "needs root"
  local tool
  for tool in ip nsenter jq setpriv; do
    command -v "$tool" >/dev/null || skip_all "no $tool here"
  done
  cgroups=$(awk '$(NF-2) == "cgroup2" {print $5; exit}' /proc/self/mountinfo)
  [ -n "$cgroups" ] || skip_all "no cgroup2 is mounted"
  name=e2e-$1-$$
  work=$(mktemp -d)
  trap world_down EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # Where nobody can run them, and where a rebuild does not exchange them.
  chmod 711 "$work"
  mkdir "$work/bin"
  cp "$build/agentpol" "$build/policyd" "$build/tests/tools/prober" "$work/bin/" || skip_all "nothing is built in $build"
  agentpol=$work/bin/agentpol policyd=$work/bin/policyd prober=$work/bin/prober
  near_name=apn-$$ far_name=apf-$$
  network_up >"$work/network" 2>&1 || {
    sed 's/^/# /' "$work/network"
    skip_all "cannot make network namespaces"
  }
  near=(nsenter --net="/run/netns/$near_name")
  far=(nsenter --net="/run/netns/$far_name")
  # shellcheck disable=SC2086
  "${far[@]}" "$prober" serve "$work" $far_ports &
  children+=($!)
  wait_for 5 holds "$work/arrived" ready || skip_all "the far end does not start"
}
network_up() {
  ip netns add "$near_name" && ip netns add "$far_name" &&
    ip link add veth0 netns "$near_name" type veth peer name veth0 netns "$far_name" || return 1
  local space
  for space in "$near_name" "$far_name"; do
    ip -n "$space" link set lo up && ip -n "$space" link set veth0 up || return 1
    nsenter --net="/run/netns/$space" sh -c '
      echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
      echo 3 >/proc/sys/net/ipv4/tcp_fastopen
      echo 1 >/proc/sys/net/mptcp/enabled' 2>/dev/null
  done
  ip -n "$near_name" addr add 10.77.0.1/24 dev veth0 &&
    ip -n "$near_name" addr add fd77::1/64 dev veth0 nodad &&
    ip -n "$far_name" addr add $granted/24 dev veth0 &&
    ip -n "$far_name" addr add $denied/24 dev veth0 &&
    ip -n "$far_name" addr add $granted6/64 dev veth0 nodad &&
    ip -n "$far_name" addr add $denied6/64 dev veth0 nodad &&
    ip -n "$near_name" route add default via $granted
}
# Ends a cgroup and all below it.
cgroup_end() { # PATH
  [ -d "$1" ] || return 0
  echo 1 >"$1/cgroup.kill" 2>/dev/null
  wait_for 5 holds "$1/cgroup.events" "populated 0"
  find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
}
world_down() {
  local status=$? child folder
  trap - EXIT
  for child in "${children[@]}"; do
    kill -9 "$child" 2>/dev/null && wait "$child" 2>/dev/null
  done
  for folder in "$cgroups/agentpol/$name"* "$cgroups/$name"*; do
    cgroup_end "$folder"
  done
  rm -rf "/sys/fs/bpf/agentpol/run/$name"* "/sys/fs/bpf/agentpol-$name"
  ip netns del "$near_name" 2>/dev/null
  ip netns del "$far_name" 2>/dev/null
  rm -rf "$work"
  exit "$status"
}

# ---- the far end ----

tokens=0
new_token() { # sets $token
  tokens=$((tokens + 1))
  token=tk-$tokens.$RANDOM
}
arrived() { grep -qE -- " $1\$" "$work/arrived"; } # TOKEN
# Waits until the far end has seen all that was sent before: what comes last comes after it.
settle() {
  new_token
  "${near[@]}" "$prober" udp-sendto $granted $granted_port "$token" && wait_for 5 arrived "$token"
}
never_arrived() { settle && ! arrived "$1"; } # TOKEN
# What reached the far end but is granted by no manifest here, from line FROM on.
leaks() { # FROM
  settle
  tail -n "+$1" "$work/arrived" |
    grep -E "^packet" | grep -vE "^packet ((tcp|udp) ($granted|$granted6) $granted_port|icmp ($granted|$granted6) 0) "
}
mark() { wc -l <"$work/arrived"; }

# ---- manifests ----

# Writes one that grants the granted address and port in both families. MORE is put into it, EGRESS
# into the list of rules, NETWORK beside it. A manifest that is not usable would make every denial
# pass: it ends the test.
manifest() { # FILE NAME [MORE] [EGRESS] [NETWORK]
  cat >"$1" <<JSON
{"agentpol": 1, "name": "$2",
 ${3:+$3,}
 "network": {"egress": [{"to": ["$granted", "$granted6"], "ports": [$granted_port], "proto": ["tcp", "udp"]}${4:+, $4}]${5:+, $5}}}
JSON
  "$agentpol" compile "$1" >/dev/null 2>"$work/compile" && return
  echo "Bail out! $1 is not usable: $(cat "$work/compile")"
  exit 1
}

# ---- the log ----

audit() { cat "$1/audit.jsonl"; } # FOLDER
# Empty where the records are numbered from 1 on without a gap.
gaps_in() { # FOLDER
  audit "$1" | jq -r .seq | awk '$1 != NR {print "line " NR " has seq " $1; exit}'
}
# The records that a jq condition takes, one a line.
records() { # FOLDER CONDITION
  audit "$1" | jq -c "select($2)"
}
has_record() { [ -n "$(records "$1" "$2")" ]; } # FOLDER CONDITION
