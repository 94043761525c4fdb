#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `agentpol run` without policyd: what the command gets and keeps, what is denied, told and logged,
# and that nothing is left behind, however it ends.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
world_up run

plain=$work/plain.json
manifest "$plain" "$name"
run_plain() { run -m "$plain" "$@"; }
run() { # OPTION... -- COMMAND...; in the near namespace
  "${near[@]}" "$agentpol" run --standalone --log "$work/log" "$@"
}
# The same for a test that waits, kills or talks to it: $run_pid is agentpol's own. Its standard
# output goes to $work/out, its standard error to $work/err.
start_run() { # OPTION... -- COMMAND...
  : >"$work/out"
  "${near[@]}" "$agentpol" run --standalone --log "$work/log" "$@" >"$work/out" 2>"$work/err" </dev/null &
  run_pid=$!
  children+=("$run_pid")
}
exit_of() { # COMMAND...; prints the exit status
  "$@" >"$work/out" 2>"$work/err"
  echo $?
}
cgroups_left() { find "$cgroups/agentpol" -maxdepth 1 -name "$name-*" 2>/dev/null; }
pins_left() { find /sys/fs/bpf/agentpol/run -maxdepth 1 -name "$name-*" 2>/dev/null; }
all_gone() { [ -z "$(cgroups_left)$(pins_left)" ]; }

# ---- exit statuses ----

is "exit status 0 is passed on" "$(exit_of run_plain -- true)" 0
is "exit status 7 is passed on" "$(exit_of run_plain -- sh -c 'exit 7')" 7
# shellcheck disable=SC2016
for number in 9 15 6; do
  is "a command that signal $number ends makes $((128 + number))" "$(exit_of run_plain -- sh -c 'kill -$0 $$' $number)" $((128 + number))
done
is "a command that is not there is 127" "$(exit_of run_plain -- "$work/none")" 127
like "and the message names it" "$(cat "$work/err")" "agentpol run: .*/none: No such file"
is "a file that is not executable is 126" "$(exit_of run_plain -- "$plain")" 126
is "no manifest is a usage error" "$(exit_of run -- true)" 2
is "no command is a usage error" "$(exit_of run_plain)" 2
is "no such user is 2" "$(exit_of run_plain --user no-such-user -- true)" 2
is "no such tool is 2" "$(exit_of run_plain --tool nothing -- true)" 2
printf '{"agentpol": 1, "name": "x",\n "netwrk": {}}' >"$work/bad.json"
is "a manifest that is not usable is 2" "$(exit_of run -m "$work/bad.json" -- touch "$work/ran")" 2
like "and the message has file, line and column" "$(cat "$work/err")" "bad.json:2:[0-9]+: error"
ok "and the command has not run" not test -e "$work/ran"
is "not root is 3" "$(exit_of setpriv --reuid 65534 --regid 65534 --clear-groups "$agentpol" run --standalone --log "$work/log" -m /dev/stdin -- true <"$plain")" 3
like "and the message says what to do" "$(cat "$work/err")" "root"

# ---- what the command gets ----

is "standard input and output are passed through" "$(echo through | run_plain -- cat)" through
is "standard error is passed through" "$(run_plain -- sh -c 'echo loud >&2' 2>&1)" loud
if command -v script >/dev/null; then
  is "a terminal stays a terminal" \
    "$(script -qec "${near[*]} $agentpol run --standalone --log $work/log -m $plain -- sh -c '[ -t 0 ] && [ -t 1 ] && echo a-terminal'" /dev/null </dev/null | tr -d '\r')" a-terminal
else
  skip "a terminal stays a terminal" "no script(1) here"
fi
is "arguments are passed on as they are" "$(run_plain -- printf '%s|' "a b" "" "--user" '$x')" 'a b||--user|$x|'
is "the environment is passed on" "$(GIVEN=here run_plain -- sh -c 'echo "$GIVEN"')" here
is "the working directory is passed on" "$(cd /usr/share && run -m "$plain" -- pwd)" /usr/share
is "--user is who it runs as" "$(run_plain --user nobody -- sh -c 'id -u; id -g; id -G')" "$(printf '65534\n65534\n65534')"

of_status() { awk -v key="$1:" '$1 == key {print $2}' <<<"$status"; }
for user in root nobody; do
  status=$(run_plain --user $user -- cat /proc/self/status)
  for set in CapEff CapPrm CapInh CapBnd CapAmb; do
    is "$set is empty for $user" "$(of_status $set)" 0000000000000000
  done
  is "NoNewPrivs is set for $user" "$(of_status NoNewPrivs)" 1
  is "a seccomp filter is set for $user" "$(of_status Seccomp)" 2
done
manifest "$work/kept.json" "$name" '"process": {"capabilities": ["CAP_NET_RAW"]}'
for user in root nobody; do
  status=$(run -m "$work/kept.json" --user $user -- cat /proc/self/status)
  is "what the manifest keeps is kept, and that alone, for $user" "$(of_status CapEff) $(of_status CapBnd)" "0000000000002000 0000000000002000"
done

echo from-nine >"$work/nine"
exec 9<"$work/nine"
is "a descriptor above 2 is not passed on" "$(run_plain -- sh -c 'cat <&9' 2>/dev/null)" ""
is "--fd passes it on" "$(run_plain --fd 9 -- sh -c 'cat <&9')" from-nine
exec 9<&-
is "--fd of a descriptor that is not open is 2" "$(exit_of run_plain --fd 9 -- true)" 2
with_socket=("${near[@]}" "$prober" with-fd 0 "$denied" "$denied_port" "$agentpol" run --standalone --log "$work/log" -m "$plain")
is "an internet socket as standard input is refused" "$(exit_of "${with_socket[@]}" -- touch "$work/ran")" 3
like "and the message says how to pass it on" "$(cat "$work/err")" "descriptor 0 .*--fd 0"
ok "and the command has not run" not test -e "$work/ran"
is "--fd 0 passes it on" "$(exit_of "${with_socket[@]}" --fd 0 -- true)" 0

# ---- verdicts ----

# In the near namespace: sends a new token and remembers the exit status.
attempt() { # WAY ADDRESS PORT RUN...
  local way=$1 address=$2 port=$3
  shift 3
  new_token
  "$@" "$prober" "$way" "$address" "$port" "$token" >"$work/out" 2>"$work/err"
  status=$?
}
attempt tcp $denied $granted_port "${near[@]}"
ok "without a policy the denied address is reached" wait_for 5 arrived "$token"
attempt tcp $granted $granted_port run_plain --
ok "a granted connect arrives" arrived "$token"
is "and nothing is told" "$(cat "$work/err")" ""
attempt tcp $denied $granted_port run_plain --
ok "a denied connect does not arrive" never_arrived "$token"
is "and gets EPERM" "$(cat "$work/out")" EPERM
is "and is told in one line" "$(wc -l <"$work/err")" 1
like "that has the subject, the program and the sentence" "$(cat "$work/err")" \
  "^agentpol: [0-9:]{8} deny $name: connect tcp $denied port $granted_port by .*prober.*: no rule grants $denied port $granted_port/tcp"
like "and the edit that would allow it" "$(cat "$work/err")" "to allow: add /network/egress/- \\{\"to\":\"$denied\",\"ports\":\\[$granted_port\\]\\}\$"
record=$(records "$work/log" '.verdict == "deny"' | tail -1)
jq --argjson record "$record" '.network.egress += [$record.hint.value]' "$plain" >"$work/mended.json"
attempt tcp $denied $granted_port run -m "$work/mended.json" --
ok "the manifest with that edit allows it" arrived "$token"
attempt tcp $denied $granted_port run_plain --quiet --
ok "--quiet denies all the same" never_arrived "$token"
is "and tells nothing" "$(cat "$work/err")" ""

manifest "$work/tool.json" "$name" "\"tools\": {\"lookup\": {\"network\": {\"egress\": [{\"to\": \"$denied\", \"ports\": [$granted_port]}]}}}"
attempt tcp $denied $granted_port run -m "$work/tool.json" --
ok "what a tool may is denied without the tool" never_arrived "$token"
attempt tcp $denied $granted_port run -m "$work/tool.json" --tool lookup --
ok "--tool opens the tool's grant" arrived "$token"
attempt tcp $granted $granted_port run -m "$work/tool.json" --tool lookup --
ok "and keeps the agent's own" arrived "$token"
attempt tcp $denied $denied_port run -m "$work/tool.json" --tool lookup --
ok "and opens nothing else" never_arrived "$token"
is "the record of a tool's denial has its scope" "$(records "$work/log" '.verdict == "deny"' | tail -1 | jq -r .scope)" lookup

manifest "$work/audit.json" "$name" '"mode": "audit"'
attempt tcp $denied $granted_port run -m "$work/audit.json" --
ok "audit mode lets it through" arrived "$token"
is "and logs would-deny with the reason" "$(audit "$work/log" | jq -r 'select(.kind == "connect" and .verdict == "would-deny") | "\(.kind) \(.reason) \(.subject.address)"')" "connect egress $denied"
manifest "$work/allowed.json" "$name" '"audit": {"allowed": ["connect"]}'
ok "allowed connects are not logged unless asked for" not has_record "$work/log" '.verdict == "allow"'
attempt tcp $granted $granted_port run -m "$work/allowed.json" --
ok "the granted connect of that manifest arrives" arrived "$token"
is "and is logged where the manifest asks for it" "$(audit "$work/log" | jq -r 'select(.kind == "connect" and .verdict == "allow") | "\(.rule) \(.subject.address) \(.subject.port)"')" "/network/egress/0 $granted $granted_port"

# ---- manifests that ask for more ----

printf '{"agentpol": 1, "name": "%s", "process": {"limits": {"pids": 50}}, "network": {"egress": [{"to": "%s", "ports": [%s]}]}}' "$name" $granted $granted_port >"$work/more.json"
if grep -qw pids "$cgroups/cgroup.controllers"; then
  skip "what can't be enforced here is refused with 3" "cgroup v2 has a pids controller here"
else
  is "what can't be enforced here is refused with 3" "$(exit_of run -m "$work/more.json" -- touch "$work/ran")" 3
  like "in a sentence that points at it" "$(cat "$work/err")" "/process/limits/pids: .*no pids controller"
  ok "and the command has not run" not test -e "$work/ran"
fi
attempt tcp $granted $granted_port run -m "$work/more.json" --allow-degraded --
ok "--allow-degraded takes the rest" arrived "$token"

# ---- the log ----

is "records have the fields that the audit record promises" \
  "$(jq -r '["seq","time","agent","scope","cgroup","container","pid","exe","kind","verdict","reason","rule","subject","count","policy","hint"] - keys | join(" ")' <<<"$record")" ""
is "and their values" \
  "$(jq -c --arg denied $denied --argjson port $granted_port '
    [(.seq > 0), (.time | test("^[0-9-]{10}T[0-9:]{8}\\.[0-9]{9}Z$")), .agent, .scope, (.cgroup > 0), .container, (.pid > 0),
     (.exe | endswith("prober") or endswith("prober]")), .kind, .verdict, .reason, .rule, .subject == {address: $denied, port: $port, proto: "tcp", name: null},
     .count, (.policy | test("^sha256:[0-9a-f]{64}$")), .hint.op]' <<<"$record")" \
  "[true,true,\"$name\",null,true,null,true,true,\"connect\",\"deny\",\"egress\",\"/network/egress\",true,1,true,\"add\"]"

# shellcheck disable=SC2016
many='port=8000; while [ $port -lt 8060 ]; do "$0" udp-sendto "$1" $port tk-many; port=$((port + 1)); done'
for side in 1 2; do
  run_plain --quiet -- sh -c "$many" "$prober" $denied >/dev/null &
  both[side]=$!
done
wait "${both[@]}"
is "two runs at once leave every denial in the log" "$(records "$work/log" '.verdict == "deny" and .subject.port >= 8000' | wc -l)" 120
is "and seq has no gap" "$(gaps_in "$work/log")" ""
is "records of a run's coming and going pair up" \
  "$(audit "$work/log" | jq -r 'select(.kind == "agent") | .reason' | sort | uniq -c | awk '{print $1}' | uniq | wc -l)" 1

# ---- cgroup, pins and processes ----

like "the command is in a cgroup of its own" "$(run_plain -- cat /proc/self/cgroup)" "0::/agentpol/$name-[0-9]+"
ok "which is gone afterwards, with all that was pinned" all_gone
# shellcheck disable=SC2016
run_plain -- sh -c 'sleep 300 & echo $! >"$0/left"; setsid sleep 300 & echo $! >"$0/left2"' "$work"
ok "what the command leaves behind is ended" is_gone "$(cat "$work/left")"
ok "even in another session" is_gone "$(cat "$work/left2")"

# shellcheck disable=SC2016
answering='trap "echo got-$0; exit 42" $0; echo up; while :; do sleep 0.02; done'
for signal in TERM INT HUP USR1; do
  start_run -m "$plain" -- sh -c "$answering" $signal
  wait_for 5 holds "$work/out" up
  kill -$signal "$run_pid"
  wait "$run_pid"
  is "SIG$signal is passed on, and the command's answer back" "$? $(tail -1 "$work/out")" "42 got-$signal"
done

mkfifo "$work/gate"
exec 8<>"$work/gate"
# shellcheck disable=SC2016
start_run -m "$plain" -- sh -c 'echo up; read -r _ <"$0"; shift; "$1" tcp '"$granted $granted_port"' tk-first.granted; "$1" tcp '"$denied $granted_port"' tk-first.denied' "$work/gate" - "$prober"
wait_for 5 holds "$work/out" up
attempt tcp $granted $granted_port run_plain --
ok "a second run works beside the first" arrived "$token"
attempt tcp $denied $granted_port run_plain --
ok "and is denied beside the first" never_arrived "$token"
ok "and the first is still there" kill -0 "$run_pid"
echo >&8
wait "$run_pid"
ok "the first keeps its grant when the second has ended" arrived tk-first.granted
ok "and its denial" never_arrived tk-first.denied

# ---- the end of agentpol itself ----

at_rounds() { [ "$(grep -c round "$work/out")" -ge "$1" ]; }
"${near[@]}" "$prober" loop $granted $granted_port $denied $denied_port tk-loop.free >"$work/out" &
loop_pid=$!
wait_for 5 at_rounds 2
kill "$loop_pid"
wait "$loop_pid"
ok "the loop of attempts gets out without a policy" arrived tk-loop.free
like "and says so" "$(grep rounds= "$work/out")" "let=[1-9]"
for user in root nobody; do
  start_run -m "$plain" --quiet --user $user -- "$prober" loop $granted $granted_port $denied $denied_port tk-loop.$user
  wait_for 5 at_rounds 2
  ok "a run by $user is in its cgroup" test -n "$(cgroups_left)"
  { kill -9 "$run_pid" && wait "$run_pid"; } 2>/dev/null
  ok "SIGKILL of agentpol run: its cgroup and pins are gone within 5 s ($user)" wait_for 5 all_gone
  ok "and nothing has opened meanwhile ($user)" never_arrived tk-loop.$user
done
start_run -m "$plain" --quiet -- "$prober" loop $granted $granted_port $denied $denied_port tk-loop.keeper
wait_for 5 at_rounds 2
keeper=$(pgrep -P "$run_pid" -x agentpol-keeper)
looping=$(head -1 "$(cgroups_left)/cgroup.procs")
rounds=$(grep -c round "$work/out")
{ kill -9 "$keeper" "$run_pid" && wait "$run_pid"; } 2>/dev/null
wait_for 5 at_rounds $((rounds + 3))
ok "the keeper killed too: the policy stays in force" never_arrived tk-loop.keeper
kill "$looping"
wait_for 5 is_gone "$looping"
like "no denied connect succeeded, no granted one failed" "$(grep rounds= "$work/out")" "^rounds=[0-9]+ let=0 refused=0$"
run_plain -- true
ok "and the next run ends what is left" all_gone

# What a run does that sweeps a name while a run of that name starts: it has the lock, ends the cgroup,
# removes the lock, lets go. The new run waits for it (proc_locks(5): "->").
cat >"$work/sweep.sh" <<'SH'
exec 9>"$1"
flock 9
echo >"$3"
tries=0
until [ $tries -gt 500 ] || grep -q -- "-> FLOCK .*:$(stat -c %i "$1") " /proc/locks; do
  tries=$((tries + 1))
  sleep 0.02
done
rmdir "$2" 2>/dev/null
rm "$1"
SH
mkdir -p /run/agentpol/runs
# shellcheck disable=SC2016
swept=(sh -c 'sh "$0/sweep.sh" "/run/agentpol/runs/$1-$$" "$2/$1-$$" "$0/sweeping" &
  until [ -e "$0/sweeping" ]; do sleep 0.02; done
  shift 2; exec "$@"' "$work" "$name" "$cgroups/agentpol")
is "a run that starts while its name is swept keeps its cgroup" \
  "$(exit_of "${near[@]}" "${swept[@]}" "$agentpol" run --standalone --log "$work/log" -m "$plain" -- true)" 0
is "and has nothing to say" "$(cat "$work/err")" ""

done_testing
