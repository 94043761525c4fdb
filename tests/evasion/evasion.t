#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The evasion suite: what code inside a policy tries in order to get out by addresses, names and TLS,
# judged by what a witness at the far end has seen, never by what the attempt was told. Each attempt
# is made without a policy too; where it does not succeed there, it proves nothing and is skipped.
# cases.sh lists the attempts, grants.sh what has to go on working.
#
#   RUN_OPTIONS     more words for `agentpol run`, e.g. --allow-degraded
#   EVASION_ONLY    a regular expression: only the attempts and grants whose id matches
#   EVASION_SLOW    if set: wait for what takes more than a minute, too
#   EVASION_KEEP    a folder that is left with what was seen and answered
set -u
cd "$(dirname "$0")/../.." || exit 3
here=$PWD/tests/evasion
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
# shellcheck source=tests/evasion/world.sh
. tests/evasion/world.sh
world_up evasion
internet_up
chmod 755 "$work"

read -ra run_options <<<"${RUN_OPTIONS:-}"
python=$(command -v /usr/bin/python3 || command -v python3)
jobs=24
stamp=$(printf '%08d' $((RANDOM * 3000 + RANDOM)))

# A helper outside that holds a socket: some attempts want it.
helper=$work/helper.sock
"${near[@]}" "$prober" hand-out "$helper" $denied $denied_port >"$work/helper" &
helper_pid=$!
children+=("$helper_pid")
wait_for 5 holds "$work/helper" holding
held=$(awk '{print $2}' "$work/helper")

# shellcheck source=tests/evasion/cases.sh
. tests/evasion/cases.sh
# shellcheck source=tests/evasion/grants.sh
. tests/evasion/grants.sh
# shellcheck source=tests/evasion/loads.sh
. tests/evasion/loads.sh
# shellcheck source=tests/evasion/programs.sh
. tests/evasion/programs.sh
if [ -n "${EVASION_ONLY:-}" ]; then
  mapfile -t ids < <(printf '%s\n' "${ids[@]}" | grep -E -- "$EVASION_ONLY")
  mapfile -t granted_ids < <(printf '%s\n' "${granted_ids[@]}" | grep -E -- "$EVASION_ONLY")
fi

# ---- manifests ----

quoted() { printf '"%s", ' "$@" | sed 's/, $//'; }
resolvers="\"resolvers\": [$(quoted $resolver 127.0.0.1 $resolver6 $slow_resolver $liar)]"
names="{\"to\": [$(quoted granted.example "*.wild.example" "*.grants.example" chain.example host.dname.example https.example \
  never-asked.example asked-outside.example neighbour.example ttl0.example huge.example large.example "${lies[@]}" "${rebinds[@]}")], \"ports\": [7001]},
  {\"to\": \"port.example\", \"ports\": [7001]},
  {\"to\": [$(quoted cdn.example old.example)], \"ports\": [443, 8443]},
  {\"to\": \"granted.example\", \"ports\": [443]},
  {\"to\": \"*.twins.example\", \"ports\": [443]},
  {\"to\": \"free.example\", \"ports\": [443], \"sni\": \"ignore\"},
  {\"to\": \"127.0.0.1\", \"ports\": [8125], \"proto\": [\"tcp\", \"udp\"]}"
manifest "$work/plain.json" "$name-plain" "" "$names" "$resolvers"
# As much as a manifest can give away and yet mean its egress rules.
manifest "$work/wide.json" "$name-wide" \
  '"process": {"capabilities": ["CAP_NET_RAW"], "syscalls": {"deny": ["@escape"], "allow": ["io_uring_setup", "io_uring_enter", "io_uring_register"]}}' \
  "$names" "$resolvers, \"families\": [\"raw\"]"

# ---- phases: where all of it is made ----

declare -A letter=([free]=f [run]=r [wide]=w [attach]=a)
declare -A number_of answer # "PHASE ID": what the attempt said
number=0
for id in "${ids[@]}" "${granted_ids[@]}"; do
  number=$((number + 1))
  number_of[$id]=$(printf '%03d' $number)
done
token_of() { token=tk-${letter[$1]}${number_of[$2]}$stamp; } # PHASE ID; sets $token

# Names that attempts take for asked; then all attempts, some at a time.
write_batch() { # PHASE
  local id words
  for id in "${ids[@]}" "${granted_ids[@]}"; do
    words=${command_of[$id]//PHASE/$1}
    token_of "$1" "$id"
    echo "$id ${words//TOKEN/$token}"
  done >"$work/batch.$1"
  cat >"$work/batch.$1.sh" <<SH
$evade text none $learnt 7001 tk-000000000000 port.example@$resolver
exec xargs -d '\n' -P $jobs -n 1 -a $work/batch.$1 sh -c 'echo "\${0%% *} \$(eval "\${0#* }" 2>&1 | tr "\n" " ")"'
SH
}
# Who connects to what listens inside.
come_in() { # PHASE
  local udp
  for udp in "" udp; do
    said() { grep -q listening "$work/listens.$1.${2:-tcp}" 2>/dev/null; }
    { wait_for 8 said "$1" "$udp" && "${far[@]}" "$prober" take $peer_of_far "$(awk '/^listening/ {print $2}' "$work/listens.$1.${udp:-tcp}")" $udp; } >/dev/null 2>&1 &
    children+=($!)
  done
}
# The command gets an inherited socket as descriptor 9.
# shellcheck disable=SC2016
with_socket=("${near[@]}" bash -c 'exec 9<>"/dev/udp/$0/$1"; exec "${@:2}"' "$denied" "$denied_port")
make_attempts() { # PHASE COMMAND...
  local phase=$1
  shift
  write_batch "$phase"
  come_in "$phase"
  "${with_socket[@]}" "$@" sh "$work/batch.$phase.sh" >"$work/answers.$phase" 2>"$work/errors.$phase" </dev/null
}
read_answers() { # PHASE
  local id words
  while read -r id words; do
    answer["$1 $id"]=${words:-nothing}
  done <"$work/answers.$1"
}
# Loading takes its time, meanwhile.
cat >"$work/policyd.json" <<JSON
{"log": "$work/log.attach", "socket": "$work/control/policyd.sock", "state": "$work/state", "pin": "/sys/fs/bpf/agentpol-$name"}
JSON
"$policyd" --config "$work/policyd.json" --foreground >"$work/policyd.out" 2>&1 &
children+=($!)
make_attempts free env
"${near[@]}" "$evade" text none $resolver 53 tk-000000000000 asked-outside.example@$resolver >/dev/null
witness_settle
free_lines=$(wc -l <"$witnessed")

# Another policy, which grants the same, and has an address of its own open all the while.
mkfifo "$work/neighbour.in"
# shellcheck disable=SC2016
"${near[@]}" "$agentpol" run --standalone --quiet "${run_options[@]}" --log "$work/log.neighbour" -m "$work/plain.json" -- \
  sh -c '"$0" text none 203.0.113.18 7001 tk-000000000000 neighbour.example@"$1"; read -r _' "$evade" $resolver \
  <"$work/neighbour.in" >"$work/neighbour" 2>&1 &
neighbour_pid=$!
children+=("$neighbour_pid")
exec 7>"$work/neighbour.in"
wait_for 30 test -s "$work/neighbour"

phases=(run wide)
waiting=()
for phase in "${phases[@]}"; do
  file=$work/$phase.json
  [ "$phase" = run ] && file=$work/plain.json
  make_attempts "$phase" "$agentpol" run --standalone --quiet "${run_options[@]}" --log "$work/log.$phase" -m "$file" -- &
  waiting+=($!)
done

# The same in a live cgroup. `attach` takes nothing from a process: what the tier `run` stops gets out.
mkdir "$cgroups/$name"
attached=""
if wait_for 30 holds "$work/policyd.out" "serving at" &&
  "$agentpol" attach --socket "$work/control/policyd.sock" "${run_options[@]}" -m "$work/plain.json" --cgroup "$cgroups/$name" >"$work/attach" 2>&1; then
  attached=1
  phases+=(attach)
  # shellcheck disable=SC2016
  make_attempts attach sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$cgroups/$name" &
  waiting+=($!)
fi
programs_make
wait "${waiting[@]}"
echo >&7
wait "$neighbour_pid"
ok "attach takes the manifest" [ -n "$attached" ]
[ -n "$attached" ] || sed 's/^/# /' "$work/attach" "$work/policyd.out" 2>/dev/null
for phase in free "${phases[@]}"; do
  read_answers "$phase"
done


loads_make
# What the sockets of a run that has ended still hold back would come now: the kernel goes on trying
# when their process and its cgroup are gone.
orphans() { "${near[@]}" ss -tanH --cgroup 2>/dev/null | awk '$1 != "LISTEN" && $3 > 0 && /unreachable/'; }
no_orphans() { [ -z "$(orphans)" ]; }
wait_for 6 no_orphans
rm -f "$work/totals"
kill -USR1 "$witness_pid"
witness_take
wait_for 5 test -e "$work/totals"
[ -z "${EVASION_KEEP:-}" ] || cp -r "$work/." "$EVASION_KEEP"

# ---- the judgement ----

declare -A seen_token seen_payload
while read -r token; do
  seen_token[$token]=1
done < <(grep -oE 'tk-[a-z0-9]{12}' "$work/seen" | sort -u)
while read -r when place; do
  seen_payload[$when $place]=1
done < <(awk -v free="$free_lines" '$1 == "payload" {print (NR <= free ? "free" : "policy"), $2, $3, $4}' "$work/seen")
# What an attempt said: "... port N ... mark HEX ... ERRNO"
got_out() { # PHASE ID
  local said=" ${answer[$1 $2]:-} " when=policy words
  token_of "$1" "$2"
  [ -n "${seen_token[$token]:-}" ] && return
  [[ $said =~ " mark "([0-9a-f]+)" " ]] && grep -qx "${BASH_REMATCH[1]}" "$work/seen.datagrams" && return
  [ "$1" = free ] && when=free
  # By address, port, and the port it came from: evade CONTENT CARRIER ADDRESS PORT ...
  [ -n "${is_silent[$2]:-}" ] && [[ $said =~ " port "([0-9]+)" " ]] || return 1
  read -ra words <<<"${command_of[$2]}"
  [ -n "${seen_payload[$when ${words[3]} ${words[4]} ${BASH_REMATCH[1]}]:-}" ]
}
tried_in_vain() { [ -n "${answer[$1 $2]:-}" ] && ! got_out "$1" "$2"; }
# What arrives when its sender was told that it did not has not been granted in time.
went_through() { got_out "$1" "$2" && [[ ! ${answer[$1 $2]} =~ " "(EPERM|ECONNABORTED)\ *$ ]]; }
far_end() { # PHASE ID; sets $far_end
  far_end=nothing
  if got_out "$1" "$2"; then far_end="GOT OUT"; fi
  if [ -z "${answer[$1 $2]:-}" ]; then far_end="not made"; fi
}
# With what each was told in the end.
row() { # ID TIER
  local phase told
  far_end free "$1"
  printf '# %-32s| %-8s' "$1" "$far_end"
  for phase in "${phases[@]}"; do
    far_end "$phase" "$1"
    told=${answer[$phase $1]:-?}
    printf '| %-8s %-13s' "$far_end" "${told##* }"
  done
  printf '| %s\n' "$2"
}
header() {
  local phase
  printf '# %-32s| %-8s' "$1" free
  for phase in "${phases[@]}"; do printf '| %-22s' "$phase"; done
  printf '| tier\n'
}

header attempt
for id in "${ids[@]}"; do row "$id" "${tier_of[$id]}"; done
header granted
for id in "${granted_ids[@]}"; do row "$id" -; done

limits="README, Limits"
for id in "${ids[@]}"; do
  if ! got_out free "$id"; then
    skip "$id: ${what_of[$id]}" "not possible here without a policy either (${answer[free $id]:-not made})"
    continue
  fi
  for phase in "${phases[@]}"; do
    case ${tier_of[$id]}/$phase in
      cgroup/* | run/run | run/wide) ok "$id gets nothing out, $phase: ${what_of[$id]}" tried_in_vain "$phase" "$id" ;;
      *) todo "$id gets nothing out, $phase: ${what_of[$id]}" "$limits" tried_in_vain "$phase" "$id" ;;
    esac
  done
done
for id in "${granted_ids[@]}"; do
  if ! got_out free "$id"; then
    ok "$id arrives without a policy: ${what_of[$id]} (${answer[free $id]:-not made})" false
    continue
  fi
  for phase in "${phases[@]}"; do
    ok "$id arrives, $phase: ${what_of[$id]} (${answer[$phase $id]:-not made})" went_through "$phase" "$id"
  done
done
ok "the resolver has outlived it all" resolver_answers
loads_judge
programs_judge
# An attempt whose own question is not answered has not come as far as it means to.
for phase in "${phases[@]}"; do
  is "no question that an attempt on TLS or inward names begins with stays unanswered, $phase" \
    "$(grep -E '^(tls|rebind)-' "$work/answers.$phase" | grep unanswered | awk '{print $1}')" ""
done

done_testing
