# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2086,SC2154,SC2317 # names are shared with names.t, lib.sh and world.sh
# policyd, live cgroups under it, and what becomes of names when it is killed, comes back and reloads.

config=$work/policyd.json socket=$work/control/policyd.sock log=$work/log
cat >"$config" <<JSON
{"log": "$log", "socket": "$socket", "state": "$work/state", "pin": "/sys/fs/bpf/agentpol-$name"}
JSON
daemon_start() {
  : >"$work/policyd.out"
  "$policyd" --config "$config" --foreground >>"$work/policyd.out" 2>&1 &
  policyd_pid=$!
  children+=("$policyd_pid")
  wait_for 10 holds "$work/policyd.out" "serving at"
}
daemon_kill() {
  { kill -9 "$policyd_pid" && wait "$policyd_pid"; } 2>/dev/null
}
ask() { # VERB OPTION...
  "$agentpol" "$1" --socket "$socket" "${@:2}"
}
exit_of() { # COMMAND...; prints the exit status
  "$@" >"$work/out" 2>"$work/err"
  echo $?
}

# ---- an agent: a cgroup with a process that sees a resolv.conf of its own ----

# The far end of what is held open: gives back what comes, and writes it down.
cat >"$work/echo.py" <<'PY'
import socketserver, sys
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while word := self.request.recv(4096):
            print(word.decode(), flush=True)
            self.request.sendall(word)
socketserver.ThreadingTCPServer.daemon_threads = True
server = socketserver.ThreadingTCPServer(("0.0.0.0", int(sys.argv[1])), Echo)
print("ready", flush=True)
server.serve_forever()
PY
# Holds connections: "open NAME PORT" and "say NAME WORD", a line each; says what became of it.
cat >"$work/talker.py" <<'PY'
import socket, sys
held = {}
print("up", flush=True)
for line in sys.stdin:
    verb, name, word = line.split()
    try:
        if verb == "open":
            held[name] = socket.create_connection((name, int(word)), timeout=5)
        else:
            held[name].sendall(word.encode())
            if held[name].recv(4096) != word.encode():
                raise OSError("another answer")
        print("went", flush=True)
    except OSError as error:
        print(f"failed {error}", flush=True)
PY
echo_port=7013
echo_up() {
  "${far[@]}" "$python" "$work/echo.py" $echo_port >"$work/echoed" 2>"$work/echo.err" &
  children+=($!)
  wait_for 5 holds "$work/echoed" ready
}
agent_cgroup() { # AGENT CONF; sets $cgroup, $talker_pid and the words of $inside
  cgroup=$cgroups/$name-$1
  mkdir "$cgroup"
  mkfifo "$work/talk.$1"
  exec {talk}<>"$work/talk.$1"
  # shellcheck disable=SC2016
  sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$cgroup" "${near[@]}" "${with_conf[@]}" "$2" \
    "$python" "$work/talker.py" <"$work/talk.$1" >"$work/talked.$1" 2>&1 &
  talker_pid=$!
  children+=("$talker_pid")
  talked=$work/talked.$1
  wait_for 5 test -s "$talked"
  # shellcheck disable=SC2016
  inside=(sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$cgroup" nsenter --mount="/proc/$talker_pid/ns/mnt" "${near[@]}")
}
agent_up() { # AGENT CONF MANIFEST
  agent_cgroup "$1" "$2"
  ask attach -m "$3" --cgroup "$cgroup" >"$work/attached" 2>&1 && return
  echo "Bail out! $3 is not taken: $(cat "$work/attached")"
  exit 1
}
talk() { # VERB NAME WORD; false where it failed
  local lines
  lines=$(wc -l <"$talked")
  echo "$*" >&"$talk"
  has_answered() { [ "$(wc -l <"$talked")" -gt "$lines" ]; }
  wait_for 10 has_answered && [ "$(tail -1 "$talked")" = went ]
}
still_talks() { # NAME
  new_token
  talk say "$1" "$token"
}
talks_no_more() { # NAME
  new_token
  not talk say "$1" "$token" && settle && not holds "$work/echoed" "$token"
}
finds() { "${inside[@]}" "$work/bin/lookup" "$1" >"$work/found" 2>&1; } # NAME
# By the address: nothing is asked for.
reaches() { # ADDRESS
  new_token
  "${inside[@]}" "$prober" tcp "$1" 7001 "$token" >"$work/out" 2>&1
  wait_for 5 arrived "$token"
}
is_kept_from() { # ADDRESS
  new_token
  "${inside[@]}" "$prober" tcp "$1" 7001 "$token" >"$work/out" 2>&1
  never_arrived "$token" && [ "$(cat "$work/out")" = EPERM ]
}
# A hello for another name at an address that a name has opened: has one byte of it left?
greets_in_vain() { # COMMAND...
  local port
  new_token
  port=$("$@" "$evade" tls.foreign tcp 203.0.113.20 443 "${token//[-.]/}" cdn.example@$resolver | sed -n 's/.*port \([0-9]*\) .*/\1/p')
  witness_settle
  [ -n "$port" ] && ! grep -q "^payload 203.0.113.20 443 $port\$" "$witnessed"
}

names_in_force() { finds cdn.example && not finds other.example; }

daemon_judge() {
  local names='{"to": ["port.example", "never-asked.example", "*.twins.example"], "ports": [7001, 7013]}, {"to": "cdn.example", "ports": [443]}'
  manifest "$work/agent.json" "$name-daemon" "" "$names" '"resolvers": "system"'
  echo_up
  agent_up daemon "$work/resolv.conf" "$work/agent.json"
  ok "a foreign hello leaves without a policy" not greets_in_vain "${near[@]}"
  ok "an address is closed before its name was asked for" is_kept_from 203.0.113.11
  ok "a connection opens by its name" talk open port.example $echo_port
  ok "and the address is open then" reaches 203.0.113.11

  daemon_kill
  ok "policyd killed: a granted name is found and another is not" names_in_force
  ok "and what is open goes on" still_talks port.example
  ok "and what was learnt stays open" reaches 203.0.113.11
  ok "and what is learnt now opens" eval "finds any.twins.example && reaches 203.0.113.21"
  ok "and what nobody asked for is closed" is_kept_from 203.0.113.14
  ok "and a foreign hello carries nothing out" greets_in_vain "${inside[@]}"
  daemon_start
  like "the next policyd adopts" "$(cat "$work/policyd.out")" "adopted [1-9]"
  ok "and names go on" names_in_force
  ok "and what is open goes on with it" still_talks port.example
  ok "and what was learnt before and between is open" eval "reaches 203.0.113.11 && reaches 203.0.113.21"
  ok "and a foreign hello carries nothing out with it" greets_in_vain "${inside[@]}"
  ok "and denials are logged" wait_for 5 has_record "$log" '.kind == "dns" and .reason == "dns" and .subject.name == "other.example"'

  is "reload of what has not changed" "$(exit_of ask reload)" 0
  ok "keeps an open connection" still_talks port.example
  ok "and what was learnt" reaches 203.0.113.21
  ok "and names" names_in_force
  manifest "$work/agent.json" "$name-daemon" "" "{\"to\": \"chain.example\", \"ports\": [7001]}, $names" '"resolvers": "system"'
  is "reload of more names" "$(exit_of ask reload)" 0
  ok "keeps an open connection, too" still_talks port.example
  ok "and what was learnt, too" reaches 203.0.113.21
  ok "and opens the new name" eval "finds chain.example && reaches 203.0.113.53"
  manifest "$work/agent.json" "$name-daemon" "" '{"to": "*.twins.example", "ports": [7001, 7013]}, {"to": "cdn.example", "ports": [443]}' '"resolvers": "system"'
  is "reload that takes a name away" "$(exit_of ask reload)" 0
  ok "ends its connection" talks_no_more port.example
  like "and tells who holds it" "$(tail -1 "$talked")" "abort|reset|pipe"
  ok "and closes its address" is_kept_from 203.0.113.11
  ok "and keeps the others" reaches 203.0.113.21
}
# An answer opens for a minute at the least.
expiry_judge() {
  manifest "$work/expiry.json" "$name-expiry" "" "{\"to\": \"ttl0.example\", \"ports\": [7001, $echo_port]}" '"resolvers": "system"'
  agent_up expiry "$work/resolv.conf" "$work/expiry.json"
  ok "an answer without time to live opens" eval "talk open ttl0.example $echo_port && reaches 203.0.113.15"
  sleep 50
  ok "and is open for most of a minute" reaches 203.0.113.15
  sleep 20
  ok "and closed behind it" is_kept_from 203.0.113.15
  ok "an open connection stays" still_talks ttl0.example
  is "a reload later on" "$(exit_of ask reload)" 0
  ok "keeps it, too" still_talks ttl0.example
  ok "and opens nothing anew" is_kept_from 203.0.113.15
  ok "asked again, it is open again" eval "finds ttl0.example && reaches 203.0.113.15"
}
