#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# policyd and what speaks to it: live cgroups under a manifest; enforcement that outlives the daemon
# however it goes; a log without gaps.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
world_up policyd

config=$work/policyd.json
socket=$work/control/policyd.sock
log=$work/log
pins=/sys/fs/bpf/agentpol-$name
# A small ring, so that it can be filled.
cat >"$config" <<JSON
{"log": "$log", "socket": "$socket", "state": "$work/state", "pin": "$pins", "ring_bytes": 16384}
JSON
cgroup=$cgroups/$name
mkdir "$cgroup"
plain=$work/plain.json
manifest "$plain" "$name"
# Grants what the plain one denies, and not what it grants.
other=$work/other.json
sed "s/\"$granted\"/\"$denied\"/" "$plain" >"$other"

start_policyd() { # in the foreground of a background process
  : >"$work/policyd.out"
  "$policyd" --config "$config" --foreground >>"$work/policyd.out" 2>&1 &
  policyd_pid=$!
  children+=("$policyd_pid")
  wait_for 5 holds "$work/policyd.out" "serving at"
}
stop_policyd() { # SIGNAL
  kill "-$1" "$policyd_pid"
  wait "$policyd_pid" 2>/dev/null
}
ask() { # VERB OPTION...
  "$agentpol" "$1" --socket "$socket" "${@:2}"
}
exit_of() { # COMMAND...; prints the exit status
  "$@" >"$work/out" 2>"$work/err"
  echo $?
}
# The one agent of that cgroup, as ps tells it.
agent_of() { # CGROUP
  ask ps --format json | jq -c --arg path "$1" '.agents[] | select(.cgroup_path == $path)'
}
# A command in a cgroup, in the near namespace; as words, so that $! is the command's own.
# shellcheck disable=SC2016
join=(sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"')
inside=("${join[@]}" "$cgroup" "${near[@]}")
attempt() { # ADDRESS [CGROUP]; by TCP with a new token
  new_token
  "${join[@]}" "${2:-$cgroup}" "${near[@]}" "$prober" tcp "$1" $granted_port "$token" >"$work/out" 2>&1
}
opens() { # ADDRESS [CGROUP]
  attempt "$@"
  wait_for 5 arrived "$token"
}
stays_closed() { # ADDRESS [CGROUP]
  attempt "$@"
  never_arrived "$token" && [ "$(cat "$work/out")" = EPERM ]
}
# Both halves of "the plain manifest is in force".
is_in_force() { opens $granted && stays_closed $denied; }

# ---- the configuration ----

ok "--print-default-config is JSON" quietly jq -e . <("$policyd" --print-default-config)
"$policyd" --print-default-config | jq --slurpfile own "$config" '. + $own[0]' >"$work/all-keys.json"
printf '{"log": "/tmp/x",\n "sockets": "/x"}' >"$work/bad.json"
is "a configuration that is not usable is 2" "$(exit_of "$policyd" --config "$work/bad.json" --foreground)" 2
like "and the message has file, line and column" "$(cat "$work/err")" "bad\.json:2:[0-9]+: unknown key"
is "a configuration that is named and not there is 2" "$(exit_of "$policyd" --config "$work/none.json" --foreground)" 2
for verb in ps reload "attach -m $plain --cgroup $cgroup" "detach --cgroup $cgroup"; do
  # shellcheck disable=SC2086
  is "agentpol ${verb%% *} without a daemon is 3" "$(exit_of ask $verb)" 3
done
like "and the message says what to do" "$(cat "$work/err")" "policyd is not running .*sudo policyd"

# ---- start ----

is "as a daemon it returns 0 when it serves, with every default key accepted" "$(exit_of "$policyd" --config "$work/all-keys.json")" 0
is "and answers at once" "$(exit_of ask ps)" 0
policyd_pid=$(pgrep -f "^$policyd --config $work/all-keys.json")
children+=("$policyd_pid")
is "the socket is root's alone" "$(stat -c '%a %U' "$socket")" "600 root"
is "a second policyd at the same socket is refused" "$(exit_of "$policyd" --config "$config" --foreground)" 3
like "and says why" "$(cat "$work/err")" "another policyd is running"
is "and the first goes on" "$(exit_of ask ps)" 0
kill -TERM "$policyd_pid"
ok "SIGTERM ends the daemon" wait_for 5 is_gone "$policyd_pid"
ok "and removes its socket" not test -e "$socket"
ok "in the foreground it says where it serves" start_policyd

# ---- attach ----

ok "before attach, both targets are open" eval "opens $granted && opens $denied"
is "attach --cgroup takes a live cgroup" "$(exit_of ask attach -m "$plain" --cgroup "$cgroup")" 0
ok "then the grant is open and the rest is closed" is_in_force
ok "a child cgroup is under it, too" eval "mkdir $cgroup/child && stays_closed $denied $cgroup/child && opens $granted $cgroup/child"
digest=$(agent_of "$cgroup" | jq -r .policy)
is "ps tells what is effective" "$(agent_of "$cgroup" | jq -c '[.agent, .mode, .tier, .effective, .manifest, (.denied > 0)]')" \
  "[\"$name\",\"enforce\",\"attach\",true,\"$plain\",true]"
ok "ps lists what is not enforced" quietly jq -e '.not_enforced | map(.pointer) | index("/process/syscalls")' <<<"$(agent_of "$cgroup")"
like "ps as text has a line for it" "$(ask ps)" "$name +enforce +attach +yes .*$cgroup"
denial=".verdict == \"deny\" and .subject.address == \"$denied\" and .kind == \"connect\""
ok "the denial is in the log" wait_for 5 has_record "$log" "$denial"
is "with no container and the policy's digest" "$(records "$log" "$denial" | tail -1 | jq -r '"\(.container) \(.policy)"')" "null $digest"

# A process that lives across attach and swap.
mkfifo "$work/live.in"
# shellcheck disable=SC2016
"${inside[@]}" sh -c 'echo up; while read -r address token; do "$0" tcp $address '$granted_port' $token; echo done; done' "$prober" <"$work/live.in" >"$work/live.out" &
live_pid=$!
children+=("$live_pid")
exec 8>"$work/live.in"
wait_for 5 test -s "$work/live.out"
# What follows is about its cgroup: that must be no other than this test's own.
grep -q "^0::/$name\$" "/proc/$live_pid/cgroup" || exit 1
live_lines=0
live_attempt() { # ADDRESS
  new_token
  echo "$1 $token" >&8
  live_lines=$((live_lines + 1))
  wait_for 5 eval "[ \$(grep -c done $work/live.out) -ge $live_lines ]"
}
live_attempt $denied
ok "a process that lives there is denied" never_arrived "$token"
is "attach again exchanges the manifest" "$(exit_of ask attach -m "$other" --cgroup "$cgroup")" 0
live_attempt $denied
ok "and the live process has the new grant" arrived "$token"
live_attempt $granted
ok "and no more the old one" never_arrived "$token"
ok "the exchange is a record" has_record "$log" '.kind == "agent" and .reason == "swapped"'

cp "$plain" "$work/file.json"
ask attach -m "$work/file.json" --pid "$live_pid" >/dev/null
ok "attach --pid takes the cgroup of a process" is_in_force
cp "$other" "$work/file.json"
is "reload reads the file again" "$(exit_of ask reload)" 0
ok "and what it says now is in force" eval "opens $denied && stays_closed $granted"
echo '{"agentpol": 1' >"$work/file.json"
is "reload of a bad manifest is 2" "$(exit_of ask reload)" 2
like "and names file, line and column" "$(cat "$work/err")" "file\.json:[0-9]+:[0-9]+"
ok "and keeps what was in force" eval "opens $denied && stays_closed $granted"
is "attach of a bad manifest is 2" "$(exit_of ask attach -m "$work/file.json" --cgroup "$cgroup")" 2
ok "and keeps what was in force, too" eval "opens $denied && stays_closed $granted"
is "attach to what is no cgroup is 2" "$(exit_of ask attach -m "$plain" --cgroup "$cgroup/none")" 2
manifest "$work/syscalls.json" "$name" '"process": {"syscalls": {"deny": ["@clock"]}}'
is "attach of what a live cgroup can't be given is 3" "$(exit_of ask attach -m "$work/syscalls.json" --cgroup "$cgroup")" 3
like "and names it" "$(cat "$work/err")" "/process/syscalls: (system calls of a live cgroup|is enforced by killing)"

id=$(printf '%064x' $$)
mkdir "$cgroups/$name-$id"
is "attach --container finds the cgroup by its id's first digits" "$(exit_of ask attach -m "$plain" --container "$id")" 0
ok "and denies there" stays_closed $denied "$cgroups/$name-$id"
ok "and logs the container's id" wait_for 5 has_record "$log" ".container == \"$id\" and .verdict == \"deny\""
rmdir "$cgroups/$name-$id"
ok "a cgroup that is removed is a record" wait_for 5 has_record "$log" ".reason == \"vanished\" and .container == \"$id\""
ok "and is no more in ps" not grep -q "$id" <<<"$(ask ps)"

# Who asks and never reads the answers: 400,000 pings, before and after it follows an agent.
cat >"$work/deaf.py" <<'E2'
import json, socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.settimeout(5)
line = lambda **request: json.dumps(request).encode() + b"\n"
try:
    if sys.argv[2] == "follow":
        client.sendall(line(op="follow", cgroup=sys.argv[3]))
    client.sendall(line(op="ping") * 400000 + line(op="detach", cgroup=sys.argv[3] + "/none"))
    client.settimeout(1)
    while client.recv(1 << 20):
        pass
    print("let go")
except (BrokenPipeError, ConnectionResetError):
    print("let go")
except TimeoutError:
    print("kept")
E2
is "a client that asks and does not read is let go" "$(python3 "$work/deaf.py" "$socket" ask "$cgroup")" "let go"
is "one that follows is not read any more" "$(python3 "$work/deaf.py" "$socket" follow "$cgroup")" kept
is "and the daemon serves on" "$(exit_of ask ps)" 0

# A cgroup that came back under its name while no daemon looked is another one.
back=$cgroups/$name-back
mkdir "$back"
ask attach -m "$plain" --cgroup "$back" >/dev/null
stop_policyd TERM
rmdir "$back" && mkdir "$back"
start_policyd
ok "a cgroup that came back under its name is not taken for the one that was" opens $denied "$back"
is "and is not in ps" "$(agent_of "$back")" ""
cgroup_end "$back"

is "detach ends the policy" "$(exit_of ask detach --cgroup "$cgroup")" 0
ok "and all is open again" eval "opens $granted && opens $denied"
is "detach of what is under no manifest is 2" "$(exit_of ask detach --cgroup "$cgroup")" 2

# ---- who may speak to it ----

ask attach -m "$plain" --cgroup "$cgroup" >/dev/null
install -m 644 "$plain" "$work/public.json"
chmod 711 "${socket%/*}"
chmod 666 "$socket"
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
is "a peer that is not root is refused, though the socket's mode lets it in" "$(exit_of "${nobody[@]}" "$agentpol" ps --socket "$socket")" 3
like "as the daemon closes the connection" "$(cat "$work/err")" "closed the connection"
is "whenever the daemon closes it" "$(for _ in 1 2 3 4 5 6 7 8; do exit_of "${nobody[@]}" "$agentpol" attach -m "$work/public.json" --cgroup "$cgroup" --socket "$socket"; done | sort -u)" 3
chmod 600 "$socket"
is "and by the socket's mode before" "$(exit_of "${nobody[@]}" "$agentpol" ps --socket "$socket")" 3
like "with what to do" "$(cat "$work/err")" "use sudo"
is "who is under a policy can't detach itself, though root" "$(exit_of "${inside[@]}" "$agentpol" detach --socket "$socket" --cgroup "$cgroup")" 3
ok "and stays under it" is_in_force

hang_on() { # TEXT; a client that says that and stays
  "$prober" hang-on "$socket" "$@" >"$work/hanging" &
  children+=($!)
  wait_for 5 holds "$work/hanging" hanging
}
hang_on
hang_on '{"op": "attach", "cgr'
hang_on '{"op": "attach", "cgroup": "/", "manifest_path": "", "body_bytes": 5000}
{"agentpol"'
is "clients that hang hold nobody up" "$(exit_of timeout 5 "$agentpol" ps --socket "$socket")" 0
hang_on 'no json
'
is "nor does one that talks nonsense" "$(exit_of timeout 5 "$agentpol" ps --socket "$socket")" 0
ok "and the policy is in force" is_in_force

# ---- agentpol run with the daemon ----

run=("${near[@]}" "$agentpol" run --socket "$socket" --log "$work/no-log" -m "$plain")
run_agent() {
  ask ps --format json >"$work/ps" || echo "ps failed"
  jq -c '.agents[] | select(.tier == "launch") | [.agent, .effective, .processes]' "$work/ps"
}
mkfifo "$work/gate"
exec 7<>"$work/gate"
# shellcheck disable=SC2016
"${run[@]}" -- sh -c '"$0" tcp '"$denied $granted_port"' tk-run.denied; "$0" tcp '"$granted $granted_port"' tk-run.granted; read -r _ <"$1"; exit 5' \
  "$prober" "$work/gate" >"$work/run.out" 2>"$work/run.err" &
run_pid=$!
children+=("$run_pid")
wait_for 5 arrived tk-run.granted
is "run goes through the daemon" "$(run_agent)" "[\"$name\",true,1]"
ok "and gets its grant, and no more" never_arrived tk-run.denied
ok "and tells denials" wait_for 5 grep -q "deny $name: connect tcp $denied port $granted_port .*to allow: add" "$work/run.err"
is "and can't see or use the control socket" "$(exit_of "${run[@]}" --quiet -- "$agentpol" ps --socket "$socket")" 3
ok "and can't write to the daemon's log" not quietly "${run[@]}" --quiet -- sh -c 'test -s "$1" && echo x >>"$1"' _ "$log/audit.jsonl"
ok "nor look at its state" not quietly "${run[@]}" --quiet -- ls "$work/state"
echo >&7
wait "$run_pid"
is "and has its command's exit status" "$?" 5
is "and is gone from ps" "$(run_agent)" ""
is "and leaves no cgroup" "$(find "$cgroups/agentpol" -maxdepth 1 -name "$name-*")" ""
is "and leaves no state" "$(find "$work/state" -name '*.json' | wc -l)" 1
ok "and its going is a record" has_record "$log" '.reason == "detached" and .scope == null and .kind == "agent" and (.cgroup | tostring) != "'"$(stat -c %i "$cgroup")"'"'
ok "and has written to the daemon's log alone" not test -e "$work/no-log"
: >"$work/out"
"${run[@]}" --quiet -- sh -c 'echo up; sleep 300' >"$work/out" &
run_pid=$!
children+=("$run_pid")
wait_for 5 holds "$work/out" up
{ kill -9 "$run_pid" && wait "$run_pid"; } 2>/dev/null
ok "SIGKILL of run: its agent is gone from ps" wait_for 6 eval '[ -z "$(run_agent)" ]'
is "and its cgroup" "$(find "$cgroups/agentpol" -maxdepth 1 -name "$name-*")" ""

# ---- log show, log follow ----

shown() { "$agentpol" log show --log "$log" --format json "$@" | jq -r "$filter" | sort -u; }
filter='.kind' && is "log show --kind takes that kind alone" "$(shown --kind agent)" agent
filter='.verdict' && is "log show --verdict takes that verdict alone" "$(shown --verdict deny)" deny
filter='.agent' && is "log show --agent takes that agent alone" "$(shown --agent "$name")" "$name"
filter='.seq' && is "and another agent has nothing" "$(shown --agent nobody-else)" ""
is "log show shows all records" "$("$agentpol" log show --log "$log" --format json | wc -l)" "$(audit "$log" | wc -l)"
like "as text, a line has time, verdict and subject" "$("$agentpol" log show --log "$log" --verdict deny | grep " tcp " | tail -1)" "^[0-9:]{8} deny $name: connect tcp "
is "log show of a log that is not there is 2" "$(exit_of "$agentpol" log show --log "$work/none")" 2
"$agentpol" log follow --log "$log" --format json --verdict deny >"$work/followed" &
follow_pid=$!
children+=("$follow_pid")
ok "log follow begins with what is there" wait_for 5 test -s "$work/followed"
"${inside[@]}" "$prober" udp-sendto $denied 7999 tk-x >/dev/null
ok "and sees what comes" wait_for 5 holds "$work/followed" '"port":7999'
kill "$follow_pid"
wait "$follow_pid" 2>/dev/null

# ---- without the daemon ----

stop_policyd TERM
is "SIGTERM ends it with 0" "$?" 0
ok "and what was in force stays in force" is_in_force
ok "in a new child cgroup, too" eval "mkdir $cgroup/late && stays_closed $denied $cgroup/late"
is "and nobody answers" "$(exit_of ask ps)" 3
ok "another policyd comes up" start_policyd
like "and adopts" "$(cat "$work/policyd.out")" "adopted 1 agents"
is "and ps shows the agent, effective" "$(agent_of "$cgroup" | jq -c '[.agent, .effective, .policy]')" "[\"$name\",true,\"$digest\"]"
ok "and the policy is in force" is_in_force

# ---- SIGKILL under load ----

rounds() { grep -c round "$work/loop"; }
gone_on() { [ "$(rounds)" -ge "$1" ]; }
go_on() { wait_for 10 gone_on $(($(rounds) + 4)); } # 400 rounds of five verdicts
: >"$work/loop"
"${inside[@]}" "$prober" loop $granted $granted_port $denied $denied_port tk-loop >>"$work/loop" &
loop_pid=$!
children+=("$loop_pid")
wait_for 5 gone_on 2
for _ in 1 2 3; do
  stop_policyd KILL
  go_on
  start_policyd || break
  go_on
done
ok "after SIGKILL, each time another policyd comes up" grep -q "serving at" "$work/policyd.out"
is "and has adopted the agent" "$(agent_of "$cgroup" | jq -c '[.agent, .effective]')" "[\"$name\",true]"
stop_policyd KILL
kill "$loop_pid"
wait "$loop_pid"
like "no denied call succeeded, no granted one failed, daemon or not" "$(grep rounds= "$work/loop")" "^rounds=[0-9]{4,} let=0 refused=0$"
ok "and nothing that was denied arrived" never_arrived tk-loop
start_policyd
denied_at() { "${inside[@]}" "$prober" udp-sendto $denied "$1" tk-x >/dev/null; } # PORT
denied_at 7997
ok "denials are logged again" wait_for 5 has_record "$log" '.verdict == "deny" and .subject.port == 7997'
is "and seq goes on without a gap" "$(gaps_in "$log")" ""

# ---- SIGSTOP and a full ring ----

flooding() { "${inside[@]}" "$prober" flood "$1" $granted $granted_port; }
like "without a policy the flood's denied half is let" "$("${near[@]}" "$prober" flood 1000 $granted $granted_port | head -1)" "let=500 refused=0"
kill -STOP "$policyd_pid"
is "a flood while policyd is stopped: not one verdict of a million is wrong" "$(flooding 1000000)" "rounds=1000000 let=0 refused=0"
kill -CONT "$policyd_pid"
ok "what the ring could not hold is in the log as lost" wait_for 10 has_record "$log" '.kind == "lost" and .count > 0'
is "and policyd answers" "$(exit_of timeout 10 "$agentpol" ps --socket "$socket")" 0
denied_at 7998
ok "and a new kind of denial is told after the flood" wait_for 5 has_record "$log" '.subject.port == 7998'
is "and seq has no gap" "$(gaps_in "$log")" ""
ok "and the policy is in force" is_in_force

# ---- the end ----

stop_policyd TERM
ok "before --unload it is closed" stays_closed $denied
is "--unload ends enforcement" "$(exit_of "$policyd" --unload --config "$config")" 0
ok "and all is open" eval "opens $granted && opens $denied"
ok "and nothing is pinned" not test -e "$pins"

# In audit mode, and for no longer than this takes: what is in the root is the whole machine, and
# nobody would be left who may speak to the daemon.
manifest "$work/harmless.json" "$name" '"mode": "audit"'
start_policyd
for root in "--cgroup /" "--cgroup $cgroups" "--pid 1"; do
  case $root in --pid*) grep -q '^0::/$' /proc/1/cgroup || continue ;; esac
  # shellcheck disable=SC2086
  is "attach $root is refused: that is the whole machine" "$(exit_of ask attach $root -m "$work/harmless.json")" 2
  like "and says so" "$(cat "$work/err")" "root"
done
stop_policyd TERM
"$policyd" --unload --config "$config" 2>/dev/null

done_testing
