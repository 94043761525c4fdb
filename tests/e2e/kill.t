#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# "on_violation": "kill": who tries what is denied ends by SIGKILL, and nobody else does. Each
# attempt with "deny" first, where the process lives on.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
world_up kill

python=$(command -v python3) || skip_all "no python3 here"
listen_port=8765
manifest_that() { # FILE on_violation [MODE]
  local more="\"mode\": \"${3:-enforce}\", \"process\": {\"on_violation\": \"$2\"}"
  manifest "$1" "$name" "$more" '{"to": "granted.example", "ports": [443]}' \
    "\"resolvers\": [\"$granted\"], \"listen\": [{\"ports\": [$listen_port]}], \"unix\": [\"$work/allowed.sock\"]"
}
manifest_that "$work/deny.json" deny
manifest_that "$work/kill.json" kill
manifest_that "$work/audit.json" kill audit

# Tries ATTEMPT, says how it ended, and is alive after SECONDS.
cat >"$work/try.py" <<PY
import ctypes, errno, os, socket, struct, sys, time

libc = ctypes.CDLL(None, use_errno=True)

def connect(address, port):
    with socket.socket() as s:
        s.settimeout(2)
        s.connect((address, port))

def datagram(address, port, data=b"x"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(data, (address, port))

def bind(port):
    with socket.socket() as s:
        s.bind(("0.0.0.0", port))

def unix(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)

# Through a connected socket, so that the packet's hook is the first that says no.
def question(name):
    labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("$granted", 53))
        s.send(struct.pack(">6H", 7, 256, 1, 0, 0, 0) + labels + struct.pack(">2H", 1, 1))

def call(function, *arguments):
    if function(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "call")

# Somebody outside wants in, at a port that is not granted.
def listen():
    s = socket.socket()
    s.bind(("0.0.0.0", 0))
    s.listen()
    s.settimeout(2)
    print("listening", s.getsockname()[1], flush=True)
    s.accept()

ATTEMPTS = {
    "granted connect": lambda: connect("$granted", $granted_port),
    "connect": lambda: connect("$denied", $granted_port),
    "datagram": lambda: datagram("$denied", $granted_port),
    "bind": lambda: bind(9),
    "granted question": lambda: question("granted.example"),
    "question": lambda: question("denied.example"),
    "unix": lambda: unix("$work/denied.sock"),
    "ptrace": lambda: call(libc.ptrace, 0, 0, 0, 0),
    "vsock": lambda: socket.socket(40, socket.SOCK_STREAM).close(),
    "packet": lambda: socket.socket(17, socket.SOCK_RAW).close(),
    "clone3": lambda: call(libc.syscall, 435, 0, 0),
    "listen": listen,
    "nscd": lambda: unix("/var/run/nscd/socket"),
    "nothing": lambda: None,
}
attempt, seconds = sys.argv[1], float(sys.argv[2])
try:
    ATTEMPTS[attempt]()
    print("done", flush=True)
except OSError as e:
    print(errno.errorcode.get(e.errno, e), flush=True)
time.sleep(seconds)
print("alive")
PY
run() { # MANIFEST COMMAND...
  timeout 30 "${near[@]}" "$agentpol" run --standalone --log "$work/log" -m "$work/$1.json" -- "${@:2}" >"$work/out" 2>"$work/err" </dev/null
}
try() { run "$1" "$python" "$work/try.py" "$2" "${3:-0.5}"; } # MANIFEST ATTEMPT [SECONDS]
status_of() { # COMMAND...
  "$@"
  echo $?
}
killed() { [ "$(status_of try kill "$1" 10)" = 137 ] && ! grep -q alive "$work/out"; } # ATTEMPT
lives() { try "$1" "$2" && grep -q alive "$work/out"; }                                 # MANIFEST ATTEMPT

"$python" - "$work/denied.sock" <<'PY' &
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); time.sleep(600)
PY
children+=($!)
wait_for 5 test -S "$work/denied.sock"

# ---- by itself ----

for attempt in "granted connect" "granted question" nothing; do
  ok "$attempt: nobody is killed" lives kill "$attempt"
  is "and it works" "$(head -1 "$work/out")" "done"
done
ok "clone3 has no better answer than ENOSYS, and is no violation" lives kill clone3
is "as C libraries expect it" "$(head -1 "$work/out")" ENOSYS
# glibc asks for nscd by itself, as when Python looks for the home of who has no $HOME.
ok "nor is a look for nscd" lives kill nscd
like "which is denied" "$(head -1 "$work/out")" "EPERM|ENOENT"
ok "as without a home" env -u HOME timeout 30 "${near[@]}" "$agentpol" run --standalone --log "$work/log" -m "$work/kill.json" -- "$python" "$work/try.py" nothing 0

for attempt in connect datagram bind question unix; do
  if [ "$attempt" = unix ] && [ "$(printf '%s\n6.7\n' "$(uname -r)" | sort -V | head -1)" != 6.7 ]; then
    skip "$attempt" "no hook before Linux 6.7"
    continue
  fi
  ok "\"deny\": $attempt, and it lives on" lives deny "$attempt"
  is "with EPERM" "$(head -1 "$work/out")" EPERM
  ok "audit mode: $attempt kills nobody" lives audit "$attempt"
  ok "\"kill\": $attempt, and it dies" killed "$attempt"
  like "that is told, and what was denied first" "$(cat "$work/err")" "deny $name.*$name: agent killed: .*python.* \\(pid [0-9]+\\): the process was denied"
done
for attempt in ptrace vsock packet; do
  ok "\"deny\": $attempt, and it lives on" lives deny "$attempt"
  is "with EPERM" "$(head -1 "$work/out")" EPERM
  # A filter's kill is SIGSYS.
  is "\"kill\": $attempt, and it dies" "$(status_of try kill "$attempt" 10)" $((128 + 31))
  is "without another word" "$(cat "$work/out")" ""
done
ok "audit mode: ptrace kills nobody" lives audit ptrace

is "each kill by agentpol is a record" \
  "$(audit "$work/log" | jq -r 'select(.reason == "killed" and .verdict == "noted" and .pid > 0) | .kind' | sort | uniq -c | xargs)" \
  "$(grep -c . <<<"connect
datagram
bind
question
unix") agent"

# ---- who ----

# The shell has done nothing: its children have.
# shellcheck disable=SC2016
several='for i in 1 2 3 4 5 6 7; do "$@" >/dev/null; echo $?; done; echo here'
is "the process that tried is killed, not who started it; each one of many" \
  "$(run kill sh -c "$several" _ "$python" "$work/try.py" connect 10; xargs <"$work/out")" "137 137 137 137 137 137 137 here"

"${near[@]}" timeout 30 "$agentpol" run --standalone --log "$work/log" -m "$work/kill.json" -- "$python" "$work/try.py" listen 0.5 >"$work/out" 2>"$work/err" </dev/null &
run_pid=$!
children+=("$run_pid")
wait_for 5 holds "$work/out" listening
port=$(awk '/listening/ {print $2}' "$work/out")
ok "a peer that wants in is not let in" not "${far[@]}" timeout 2 bash -c "echo >/dev/tcp/$peer_of_far/$port" 2>/dev/null
wait "$run_pid"
like "and kills nobody" "$(cat "$work/out")" "alive"
like "though it is logged" "$(cat "$work/err")" "listen"

# ---- policyd, on a live cgroup ----

cat >"$work/policyd.json" <<JSON
{"log": "$work/daemon", "socket": "$work/control/policyd.sock", "state": "$work/state", "pin": "/sys/fs/bpf/agentpol-$name"}
JSON
start_policyd() {
  : >"$work/policyd.out"
  "$policyd" --config "$work/policyd.json" --foreground >"$work/policyd.out" 2>&1 &
  policyd_pid=$!
  children+=("$policyd_pid")
  wait_for 5 holds "$work/policyd.out" "serving at"
}
ok "policyd starts" start_policyd
ask() { "$agentpol" "$1" --socket "$work/control/policyd.sock" "${@:2}"; }
mkdir "$cgroups/$name" "$cgroups/$name/child" "$cgroups/$name-other"
# In a cgroup below it, as containers have.
# shellcheck disable=SC2016
join=(sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"')
live() { timeout 30 "${join[@]}" "$cgroups/$name/child" "${near[@]}" "$python" "$work/try.py" "$@" >"$work/out" 2>"$work/err"; }
attached() { ask attach -m "$work/$1.json" --cgroup "$cgroups/$name" --allow-degraded >"$work/attached" 2>&1; }
ok "a live cgroup takes \"deny\"" attached deny
is "and who is denied lives on" "$(status_of live connect 0.5)" 0
ok "it takes \"kill\" in its place" attached kill
is "a granted connect kills nobody" "$(status_of live "granted connect" 0.5)" 0
is "a denied one does" "$(status_of live connect 10)" 137
is "also one that a packet was" "$(status_of live question 10)" 137
ok "and it is logged" has_record "$work/daemon" '.reason == "killed"'

kill -STOP "$policyd_pid"
live connect 60 2>/dev/null &
late=$!
wait_for 20 holds "$work/out" EPERM
is "as long as policyd is stopped, it is a denial" "$(head -1 "$work/out")" EPERM
kill -CONT "$policyd_pid"
wait "$late" 2>/dev/null
is "and later a kill" $? 137

kill -STOP "$policyd_pid"
live connect 60 2>/dev/null &
late=$!
wait_for 20 holds "$work/out" EPERM
moved=$(head -1 "$cgroups/$name/child/cgroup.procs")
while read -r pid; do echo "$pid" >"$cgroups/$name-other/cgroup.procs"; done < <(cat "$cgroups/$name/child/cgroup.procs")
kill -CONT "$policyd_pid"
is "a round is answered after that" "$(ask ps >/dev/null; echo $?)" 0
sleep 0.3
ok "who has been taken out of the cgroup meanwhile is not killed" test -e "/proc/$moved"
cgroup_end "$cgroups/$name-other"
wait "$late" 2>/dev/null
ask detach --cgroup "$cgroups/$name" >/dev/null

done_testing
