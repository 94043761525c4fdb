#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Unix sockets: what a pattern grants is reached, all else is refused where the manifest lists any;
# where it lists none, the sockets of container runtimes and the enforcer's own are. By every way in
# which a process can name one, under run and under attach, with the log's records.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
world_up unix

config=$work/policyd.json
socket=$work/control/policyd-own
log=$work/log
cat >"$config" <<JSON
{"log": "$log", "socket": "$socket", "state": "$work/state", "pin": "/sys/fs/bpf/agentpol-$name"}
JSON
# Short: a socket's path has 108 bytes.
place=/tmp/apu$$
mkdir -p "$place/granted/deep" "$place/other" "$place/run/containerd" "$place/docker"
tidy_place() { rm -rf "$place"; }
trap 'tidy_place; world_down' EXIT
abstract=apu-$$
"$prober" serve-unix \
  stream "$place/granted/s" packets "$place/granted/p" datagram "$place/granted/d" stream "$place/granted/deep/s" \
  stream "$place/other/s" packets "$place/other/p" datagram "$place/other/d" \
  stream "@$abstract-granted" datagram "@$abstract-granted-d" stream "@$abstract-other" datagram "@$abstract-other-d" \
  stream "$place/docker/docker.sock" stream "$place/run/containerd/shim" stream "@/containerd-shim/$abstract" \
  >"$work/served" 2>&1 &
children+=($!)
wait_for 5 holds "$work/served" open || skip_all "the server does not start: $(cat "$work/served")"
# The same sockets by other paths.
ln -s "$place/other/s" "$place/granted/link"
ln -s "$place/docker/docker.sock" "$place/docker/link"

listed=$work/listed.json
cat >"$listed" <<JSON
{"agentpol": 1, "name": "$name",
 "network": {"unix": ["$place/granted/*", "@$abstract-granted", "@$abstract-granted-d"]},
 "audit": {"allowed": ["connect"]}}
JSON
absent=$work/absent.json
echo "{\"agentpol\": 1, \"name\": \"$name\", \"network\": {}}" >"$absent"
opened=$work/opened.json
echo "{\"agentpol\": 1, \"name\": \"$name\", \"network\": {\"unix\": [\"$place/docker/docker.sock\", \"/**/policyd-own\"]}}" >"$opened"
sed 's/"name"/"mode": "audit", "name"/' "$listed" >"$work/audit.json"

"$policyd" --config "$config" --foreground >"$work/policyd.out" 2>&1 &
policyd_pid=$!
children+=("$policyd_pid")
wait_for 5 holds "$work/policyd.out" "serving at" || skip_all "policyd does not start: $(cat "$work/policyd.out")"

cgroup=$cgroups/$name
mkdir "$cgroup"
ask() { "$agentpol" "$1" --socket "$socket" "${@:2}"; } # VERB OPTION...
attach() { ask attach -m "$1" --cgroup "$cgroup" >"$work/out" 2>"$work/err"; } # MANIFEST
attach "$listed" || {
  grep -q "before Linux 6.7" "$work/err" && skip_all "this kernel does not ask about Unix sockets"
  sed 's/^/# /' "$work/err"
}
ask detach --cgroup "$cgroup"

# The way in which the policy is put on: attached, or run (without the daemon).
under=attach
manifest=$listed
put_under() { # MANIFEST
  manifest=$1
  [ $under = run ] || attach "$1" || sed 's/^/# /' "$work/err"
}
# shellcheck disable=SC2016
inside() { # COMMAND...
  case $under in
    run) "$agentpol" run --standalone -q --log "$work/run-log" --socket "$socket" -m "$manifest" -- "$@" ;;
    attach) sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$cgroup" "$@" ;;
    *) "$@" ;;
  esac
}
# Prints what the kernel says: nothing, or an errno.
try() { inside "$prober" unix "$1" "$2" 2>/dev/null; } # WAY NAME
# shellcheck disable=SC2016
try_in() { inside sh -c 'cd "$0" && exec "$@"' "$1" "$prober" unix "$2" "$3" 2>/dev/null; } # FOLDER WAY NAME
reached() { [ -z "$(try "$1" "$2")" ]; }
reached_in() { [ -z "$(try_in "$1" "$2" "$3")" ]; }
refused() { [ "$(try "$1" "$2")" = EPERM ]; }
refused_in() { [ "$(try_in "$1" "$2" "$3")" = EPERM ]; }

# Every attempt below, without a policy: it must succeed, or its refusal proves nothing.
attempts() { # CHECK CHECK_IN LABEL
  ok "$3 a stream" "$1" stream "$place/other/s"
  ok "$3 packets in sequence" "$1" packets "$place/other/p"
  ok "$3 a connected datagram socket" "$1" datagram "$place/other/d"
  ok "$3 a datagram by sendto" "$1" sendto "$place/other/d"
  ok "$3 an abstract stream" "$1" stream "@$abstract-other"
  ok "$3 an abstract datagram" "$1" sendto "@$abstract-other-d"
  ok "$3 a socket deeper than the pattern" "$1" stream "$place/granted/deep/s"
  ok "$3 a path with \"..\"" "$1" stream "$place/granted/../other/s"
  ok "$3 a granted socket by a path that is not in normal form" "$1" stream "$place//granted/./s"
  ok "$3 a relative path" "$2" "$place/other" stream s
  ok "$3 a granted socket by a relative path" "$2" "$place/granted" stream s
  ok "$3 by /proc/self/cwd" "$2" "$place/other" stream /proc/self/cwd/s
}
defaults() { # CHECK CHECK_IN LABEL
  ok "$3 docker.sock in any folder" "$1" stream "$place/docker/docker.sock"
  ok "$3 docker.sock by \"..\"" "$1" stream "$place/other/../docker/docker.sock"
  ok "$3 docker.sock by a relative path" "$2" "$place/docker" stream docker.sock
  ok "$3 docker.sock by ./" "$2" "$place/docker" stream .//./docker.sock
  ok "$3 a shim's abstract socket" "$1" stream "@/containerd-shim/$abstract"
}
under=nothing
attempts reached reached_in "without a policy:"
defaults reached reached_in "without a policy:"

for under in attach run; do
  put_under "$listed"
  ok "$under: a granted stream is reached" reached stream "$place/granted/s"
  ok "$under: packets in sequence" reached packets "$place/granted/p"
  ok "$under: a datagram by connect" reached datagram "$place/granted/d"
  ok "$under: a datagram by sendto" reached sendto "$place/granted/d"
  ok "$under: an abstract stream" reached stream "@$abstract-granted"
  ok "$under: an abstract datagram" reached sendto "@$abstract-granted-d"
  attempts refused refused_in "$under: refused:"
  defaults refused refused_in "$under: refused:"
  ok "$under: refused: an abstract name by its start" refused stream "@$abstract-grante"
  is "$under: what is not there is told apart" "$(try stream "$place/granted/none")" ENOENT
  ok "$under: refused: the enforcer's own" refused stream /run/agentpol/policyd.sock
  todo "$under: refused: a link of a granted name" "the path that is given is judged, not what it leads to" \
    refused stream "$place/granted/link"

  put_under "$absent"
  ok "$under: without a list a socket is reached" reached stream "$place/other/s"
  ok "$under: by a relative path, too" reached_in "$place/other" stream s
  ok "$under: and an abstract one" reached sendto "@$abstract-other-d"
  defaults refused refused_in "$under: without a list refused:"
  is "$under: the folders of runtimes" "$(try stream /run/containerd/s/x)$(try stream /var/run/crio/x)$(try stream /run/user/1000/podman/x)" \
    EPERMEPERMEPERM
  ok "$under: policyd's own socket, wherever it is configured" refused stream "$socket"
  ok "$under: also by \"..\"" refused stream "$work/../${socket#/tmp/}"
  todo "$under: refused: docker.sock by a link" "the path that is given is judged, not what it leads to" \
    refused stream "$place/docker/link"

  put_under "$opened"
  ok "$under: a list opens docker.sock" reached stream "$place/docker/docker.sock"
  ok "$under: but not the enforcer's own" refused stream "$socket"

  put_under "$work/audit.json"
  attempts reached reached_in "$under, audit mode:"
done

# ---- what is told ----

under=attach
put_under "$listed"
refused stream "$place/other/s"
mine=".kind == \"connect\" and .subject.unix == \"$place/other/s\""
ok "a denial is a record with its hint" wait_for 5 has_record "$log" \
  "$mine and .verdict == \"deny\" and .reason == \"unix\" and .rule == \"/network/unix\" and .pid > 0
   and .hint == {op: \"add\", path: \"/network/unix/-\", value: \"$place/other/s\"}"
ok "so is what audit mode would deny" has_record "$log" "$mine and .verdict == \"would-deny\""
ok "and what is allowed, where the manifest asks for it" \
  has_record "$log" ".subject.unix == \"@$abstract-granted\" and .verdict == \"allow\" and .rule == \"/network/unix/1\""
ok "a path that is not plain has no hint, and says why" \
  has_record "$log" ".subject.unix == \"$place/granted/../other/s\" and .hint == null and (.message | test(\"normal form\"))"
ok "the enforcer's own has its reason" has_record "$log" ".subject.unix == \"$socket\" and .reason == \"enforcer\" and .hint == null"
ok "a default that is denied says what would open it" has_record "$log" \
  ".subject.unix == \"$place/docker/docker.sock\" and .hint == {op: \"add\", path: \"/network/unix\", value: [\"$place/docker/docker.sock\"]}"
"$agentpol" run --standalone --log "$work/run-log" --socket "$socket" -m "$listed" -- "$prober" unix stream "$place/other/s" >/dev/null 2>"$work/told"
like "run tells it" "$(cat "$work/told")" "deny $name: connect unix $place/other/s by .*: no pattern grants .*; to allow: add /network/unix/- \"$place/other/s\""
like "ps is effective, and says what a path can't tell" "$(ask ps)" "enforce *attach *yes .*/network/unix: a Unix socket is judged by the path"
escape=$'\e[31m'
inside "$prober" unix stream "$place/$escape" >/dev/null
wait_for 5 has_record "$log" ".subject.unix == \"$place/\\u001b[31m\""
"$agentpol" log show --log "$log" >"$work/shown" 2>&1
ok "a name can't command the terminal that shows it" not grep -q $'\e' "$work/shown"

# ---- the life of it ----

kill -9 "$policyd_pid"
wait "$policyd_pid" 2>/dev/null
ok "with policyd killed, granted is granted" reached stream "$place/granted/s"
ok "and denied is denied" refused stream "$place/other/s"
"$policyd" --config "$config" --foreground >"$work/policyd.out" 2>&1 &
policyd_pid=$!
children+=("$policyd_pid")
wait_for 5 holds "$work/policyd.out" "serving at"
like "the next policyd has it" "$(ask ps)" "enforce *attach *yes "
ok "granted is granted" reached stream "$place/granted/s"
ok "and denied is denied" refused stream "$place/other/s"
put_under "$absent"
ok "and a swap is one" reached stream "$place/other/s"
ask detach --cgroup "$cgroup"
ok "after detach all is reached" reached stream "$place/docker/docker.sock"
kill "$policyd_pid"
wait "$policyd_pid"
"$policyd" --unload --config "$config" 2>/dev/null

done_testing
