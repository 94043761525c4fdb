#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What code inside `agentpol run` tries to get out, observed at the far end, in another network
# namespace. Each attempt has its positive control: the same without a policy arrives.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
world_up escape

# What the kernel answered inside, by "where way target". What reached the far end has a token.
declare -A inside
waiting=()

# ---- the attempts: way, where it goes, what it takes besides ----
# A target is reached in two ways that no rule grants: another address, and another port.
ways4="tcp tcp-mapped mptcp tfo-sendto tfo-connect udp-sendto udp-connect udp-sendmmsg udp-afunspec
  udp-mapped udp-inet-on-inet6 udp-connected-sendto reconnect-udp udplite fragment ip-options
  ping-socket raw-icmp raw-hdrincl packet iouring-connect"
ways6="tcp tfo-sendto udp-sendto udp-connect udp-sendmmsg reconnect-udp fragment ipv6-rthdr
  ipv6-dstopts ping-socket raw-icmp iouring-connect"

# What a way takes besides address, port and token.
more_for() { # WAY FAMILY
  case $1 in
    udp-sendmmsg | udp-connected-sendto | reconnect-udp)
      if [ "$2" = 4 ]; then echo "$granted $granted_port"; else echo "$granted6 $granted_port"; fi
      ;;
  esac
}
# Where the packets of a source-routed datagram go first is not where they are addressed to: the
# address is granted, the way is not.
attempts() { # prints WAY TARGET ADDRESS PORT MORE...
  local way
  for way in $ways4; do
    if [ "$way" = ip-options ]; then
      echo "$way other-address $granted $granted_port $denied"
      echo "$way granted $granted $granted_port $granted"
      continue
    fi
    echo "$way other-address $denied $granted_port $(more_for "$way" 4)"
    has_ports "$way" && echo "$way other-port $granted $denied_port $(more_for "$way" 4)"
    echo "$way granted $granted $granted_port $(more_for "$way" 4)"
  done
  for way in $ways6; do
    if [ "$way" = ipv6-rthdr ]; then
      echo "$way other-address6 $granted6 $granted_port $denied6"
      echo "$way granted6 $granted6 $granted_port $granted6"
      continue
    fi
    echo "$way other-address6 $denied6 $granted_port $(more_for "$way" 6)"
    has_ports "$way" && echo "$way other-port6 $granted6 $denied_port $(more_for "$way" 6)"
    echo "$way granted6 $granted6 $granted_port $(more_for "$way" 6)"
  done
}
has_ports() { case $1 in ping-socket | raw-icmp) false ;; esac; }

# A script that makes all attempts, and says how each ended. Tokens: tk-WHERE.WAY.TARGET
script_for() { # WHERE
  local way target address port more
  while read -r way target address port more; do
    echo "echo \"$way $target \$($prober $way $address $port tk-$1.$way.$target $more; echo \$?)\" | tr '\n' ' '; echo"
  done < <(attempts)
}
# Runs them all, and remembers the answers.
make_attempts() { # WHERE COMMAND...
  local where=$1 way target answer
  shift
  script_for "$where" >"$work/attempts.$where"
  "$@" sh "$work/attempts.$where" >"$work/answers.$where" 2>"$work/errors.$where"
  while read -r way target answer; do
    inside[$where $way $target]=${answer% }
  done <"$work/answers.$where"
  settle
}
got_out() { arrived "tk-$1.$2.$3"; } # WHERE WAY TARGET

tried_in_vain() { [ -n "${inside[$1 $2 $3]:-}" ] && ! got_out "$@"; }

run_under() { # MANIFEST OPTION... -- COMMAND...
  local manifest=$1
  shift
  "${near[@]}" "$agentpol" run --standalone --quiet --log "$work/log" -m "$manifest" "$@"
}

manifest "$work/plain.json" "$name-plain"
# As much as a manifest can give away and yet mean its egress rules.
manifest "$work/wide.json" "$name-wide" '"process": {"capabilities": ["CAP_NET_RAW"], "syscalls": {"deny": ["@escape"], "allow": ["io_uring_setup", "io_uring_enter", "io_uring_register"]}}' \
  "{\"to\": [\"$granted\", \"$granted6\"], \"proto\": \"icmp\"}" '"families": ["raw"]'
# The capability without the grant.
manifest "$work/cap.json" "$name-cap" '"process": {"capabilities": ["CAP_NET_RAW"]}'

make_attempts free "${near[@]}"
before=$(mark)
make_attempts root run_under "$work/plain.json" --
make_attempts nobody run_under "$work/plain.json" --user nobody --
make_attempts wide run_under "$work/wide.json" --
make_attempts cap run_under "$work/cap.json" --
leaked=$(leaks "$((before + 1))")

far_end() { if got_out "$@"; then echo arrived; else echo nothing; fi; }
echo "# attempt                            | without policy  | root            | nobody          | wide manifest   | CAP_NET_RAW only"
while read -r way target _; do
  printf '# %-36s' "$way $target"
  for where in free root nobody wide cap; do
    printf '| %-7s %-8s' "$(far_end "$where" "$way" "$target")" "$(sed -E 's/ ?[0-9]+$//; s/^$/let/' <<<"${inside[$where $way $target]:-?}")"
  done
  echo
done < <(attempts)

# ---- what no policy lets out ----

declare -A names=([root]="root" [nobody]="nobody" [wide]="a manifest that grants raw sockets, ICMP and io_uring"
  [cap]="CAP_NET_RAW without families")
while read -r way target _; do
  case $target in granted*) continue ;; esac
  if ! got_out free "$way" "$target"; then
    skip "$way gets nothing to $target" "not possible here without a policy either (${inside[free $way $target]:-?})"
    continue
  fi
  for where in root nobody wide cap; do
    ok "$way gets nothing to $target: ${names[$where]}" tried_in_vain "$where" "$way" "$target"
  done
done < <(attempts)
is "no packet at all reached what no manifest grants" "$leaked" ""

# ---- what is granted, arrives ----

# By the plain manifest all that TCP and UDP have; not raw sockets, nor packets with options.
needs_more() { case $1 in udplite | ip-options | ipv6-rthdr | ipv6-dstopts | ping-socket | raw-icmp | raw-hdrincl | packet | iouring-connect) ;; *) false ;; esac; }
while read -r way target _; do
  case $target in granted*) ;; *) continue ;; esac
  got_out free "$way" "$target" || continue
  if needs_more "$way"; then
    ok "$way is refused where the manifest grants no such thing ($target)" tried_in_vain root "$way" "$target"
    case $way in
      ping-socket | raw-icmp | raw-hdrincl | iouring-connect)
        ok "$way arrives where the manifest grants it ($target)" got_out wide "$way" "$target"
        ;;
    esac
  else
    ok "$way arrives where the manifest grants it, as root ($target)" got_out root "$way" "$target"
    ok "$way arrives where the manifest grants it, as nobody ($target)" got_out nobody "$way" "$target"
  fi
done < <(attempts)

# ---- listening as a way out ----

# Listens inside and lets the far end ask; prints what the far end was told.
answered() { # WAY PORT COMMAND...
  local way=$1 port=$2 out udp="" pid
  shift 2
  out=$(mktemp -p "$work")
  [ "$way" = udp-answer ] && udp=udp
  "$@" "$prober" "$way" 0.0.0.0 "$port" tk-answer >"$out" 2>/dev/null &
  pid=$!
  if wait_for 5 said_port_or_ended "$out" "$pid" && grep -q listening "$out"; then
    # shellcheck disable=SC2086
    "${far[@]}" "$prober" take $peer_of_far "$(awk '/^listening/ {print $2}' "$out")" $udp
  else
    cat "$out"
  fi
  wait "$pid"
}
said_port_or_ended() { grep -q listening "$1" || is_gone "$2"; }
manifest "$work/listen.json" "$name-listen" "" "" '"listen": [{"ports": [7100], "on": "@any"}]'
no_answer='^E(INPROGRESS|AGAIN|TIMEDOUT)$' # what the far end gets
# All at once: each of them waits for what does not come.
for way in listen-answer udp-answer; do
  for manifest in plain listen; do
    answered $way 0 run_under "$work/$manifest.json" -- >"$work/vain.$way.$manifest" &
    waiting[${#waiting[@]}]=$!
  done
done
wait "${waiting[@]}"
for way in listen-answer udp-answer; do
  is "$way on a free port gives its token out without a policy" "$(answered $way 0 "${near[@]}")" tk-answer
  for manifest in plain listen; do
    like "$way on a free port gives nothing out ($manifest)" "$(cat "$work/vain.$way.$manifest")" "$no_answer"
  done
  is "$way on a port that is not granted is refused" "$(answered $way 7100 run_under "$work/plain.json" --)" EPERM
  is "$way on a granted port answers" "$(answered $way 7100 run_under "$work/listen.json" --)" tk-answer
done

# ---- sockets from outside ----

helper=$work/helper.sock
"${near[@]}" "$prober" hand-out "$helper" $denied $denied_port >"$work/helper" &
helper_pid=$!
children+=("$helper_pid")
wait_for 5 holds "$work/helper" holding
held=$(awk '{print $2}' "$work/helper")

with_fd=("${near[@]}" "$prober" with-fd 9 $denied $denied_port)
run=("$agentpol" run --standalone --quiet --log "$work/log" -m "$work/plain.json" --)
new_token
"${with_fd[@]}" "$prober" inherited-fd $denied $denied_port "$token" 9
ok "an inherited socket sends without a policy" wait_for 5 arrived "$token"
new_token
"${with_fd[@]}" "${run[@]}" "$prober" inherited-fd $denied $denied_port "$token" 9 >/dev/null
ok "an inherited socket is closed and sends nothing" never_arrived "$token"
new_token
"${near[@]}" "$prober" pidfd-getfd $denied $denied_port "$token" $helper_pid "$held"
ok "a socket taken by pidfd_getfd sends without a policy" wait_for 5 arrived "$token"
for user in root nobody; do
  new_token
  run_under "$work/plain.json" --user $user -- "$prober" pidfd-getfd $denied $denied_port "$token" $helper_pid "$held" >/dev/null
  ok "a socket taken by pidfd_getfd sends nothing: $user" never_arrived "$token"
done
new_token
"${near[@]}" "$prober" scm-rights $denied $denied_port "$token" "$helper"
ok "a socket that a helper outside hands over sends without a policy" wait_for 5 arrived "$token"
new_token
run_under "$work/plain.json" -- "$prober" scm-rights $denied $denied_port "$token" "$helper" >/dev/null
todo "a socket that a helper outside hands over sends nothing" "README, Limits: sockets from outside" never_arrived "$token"

# ---- the rest of the system ----

# One attempt a function, run inside as `probe NAME`; each is refused (false) or let (true).
cat >"$work/probes" <<SH
case \$1 in
  leave-cgroup) echo \$\$ >$cgroups/cgroup.procs && ! grep -q "0::.*$name" /proc/self/cgroup ;;
  leave-cgroup-to-sibling) echo \$\$ >$cgroups/$name-sibling/cgroup.procs && grep -q "0::/$name-sibling" /proc/self/cgroup ;;
  make-cgroup) mkdir $cgroups/$name-made ;;
  see-pins) [ -n "\$(ls -A /sys/fs/bpf)" ] ;;
  remove-pins) rm -rf /sys/fs/bpf/agentpol-$name-bait && [ ! -e /sys/fs/bpf/agentpol-$name-bait ] ;;
  see-log) [ -n "\$(ls -A /var/log/agentpol)" ] ;;
  write-log) : >/var/log/agentpol/$name ;;
  write-sysctl) $prober open-write /proc/sys/kernel/core_pattern ;;
  user-namespace) unshare -U true ;;
  net-namespace) unshare -n true ;;
  mount-namespace) unshare -m true ;;
  user-and-net-namespace) unshare -Urn true ;;
  enter-far-netns) nsenter --net=/run/netns/$far_name true ;;
  enter-outside-mounts) nsenter --mount=/proc/$helper_pid/ns/mnt true ;;
  mount-tmpfs) mount -t tmpfs none $work/mnt ;;
  remount-cgroups) mount -o remount,rw,bind $cgroups ;;
  unmount-hidden) umount -l /sys/fs/bpf ;;
  ptrace-outside) $prober ptrace $helper_pid ;;
  control-socket) $prober connect-unix /run/agentpol/$name.sock ;;
esac
SH
mkdir "$work/mnt" "$cgroups/$name-sibling" "$cgroups/$name-free"
own_folders=()
for folder in /var/log/agentpol /run/agentpol; do
  [ -d $folder ] || { mkdir -m 700 $folder && own_folders+=("$folder"); }
done
: >"/var/log/agentpol/$name-bait"
mkdir -p "/sys/fs/bpf/agentpol-$name-bait"
"${near[@]}" "$prober" hand-out "/run/agentpol/$name.sock" $denied $denied_port >"$work/control" 2>/dev/null &
children+=($!)
wait_for 5 holds "$work/control" holding
end_probes() {
  rm -rf "/var/log/agentpol/$name"* "/run/agentpol/$name.sock" "/sys/fs/bpf/agentpol-$name-bait"
  umount "$work/mnt" 2>/dev/null
  rmdir "$cgroups/$name-made" "${own_folders[@]}" 2>/dev/null
}
trap 'end_probes; world_down' EXIT

probe_names=$(sed -nE 's/^  ([a-z-]+)\).*/\1/p' "$work/probes")
probe_all() { # COMMAND...: prints "NAME let|refused" for each
  # shellcheck disable=SC2016
  "$@" sh -c 'for name in $0; do if sh "$1" $name >/dev/null 2>&1; then echo "$name let"; else echo "$name refused"; fi; done' \
    "$probe_names" "$work/probes"
}
# Without a policy, from a cgroup of its own and in a mount namespace that takes the damage.
free_probe() {
  # shellcheck disable=SC2016
  sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$cgroups/$name-free" "${near[@]}" unshare -m "$@"
}
for where in root nobody; do
  probe_all run_under "$work/plain.json" --user $where -- >"$work/probed.$where"
done
ok "what was tried inside has left no trace outside" [ -d "/sys/fs/bpf/agentpol-$name-bait" -a ! -e "/var/log/agentpol/$name" -a ! -d "$cgroups/$name-made" ]
probe_all free_probe >"$work/probed.free"
verdict_of() { awk -v name="$2" '$1 == name {print $2}' "$work/probed.$1"; } # WHERE NAME
echo "# attempt                   | without policy | root    | nobody"
for probe in $probe_names; do
  printf '# %-26s| %-15s| %-8s| %s\n' "$probe" "$(verdict_of free "$probe")" "$(verdict_of root "$probe")" "$(verdict_of nobody "$probe")"
done
for probe in $probe_names; do
  if [ "$(verdict_of free "$probe")" != let ]; then
    skip "$probe is refused" "not possible here without a policy either"
    continue
  fi
  for where in root nobody; do
    is "$probe is refused: $where" "$(verdict_of $where "$probe")" refused
  done
done

done_testing
