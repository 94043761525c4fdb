#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `agentpol compile --emit oci` in a container of runc: each attempt in one that has all privileges
# and no profile, where it works, and in the same one with the profile merged into its config.json.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

for tool in runc jq unshare python3; do
  command -v "$tool" >/dev/null || skip_all "no $tool here"
done
[ "$(id -u)" = 0 ] || skip_all "needs root"
agentpol=$build/agentpol
name=e2e-oci-$$
work=$(mktemp -d)
clean_up() {
  local id
  for id in $(runc --root "$work/state" list -q 2>/dev/null); do runc --root "$work/state" delete --force "$id"; done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- a bundle: the machine's programs in a root of its own ----

mkdir -p "$work/bundle/rootfs/"{usr,proc,sys,dev,tmp,etc,secret,run/user/0}
for link in bin sbin lib lib64; do
  [ -L "/$link" ] || skip_all "/$link is no link to /usr here"
  ln -s "usr/$link" "$work/bundle/rootfs/$link"
done
echo secret >"$work/bundle/rootfs/secret/key"
echo hidden >"$work/bundle/rootfs/etc/masked"
echo listed >"$work/bundle/rootfs/etc/readable"
echo socket >"$work/bundle/rootfs/run/user/0/bus"
cd "$work/bundle" || exit 1
runc spec
# Limits of a runtime's own are not what is shown here, and can't be set on every machine.
all=$(python3 -c 'import json; print(json.dumps(["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_NET_RAW", "CAP_SYS_PTRACE", "CAP_SETUID"]))')
jq --argjson all "$all" --arg path "/$name" '
  .process.terminal = false | .process.rlimits = [] | .process.noNewPrivileges = false
  | .process.capabilities = {bounding: $all, effective: $all, permitted: $all}
  | del(.linux.resources) | .root.readonly = false | .linux.cgroupsPath = $path | .linux.maskedPaths = ["/etc/masked"] | .linux.readonlyPaths = []
  | .mounts += [{destination: "/usr", type: "bind", source: "/usr", options: ["bind", "ro"]}]' config.json >"$work/plain.json" || exit 1

# As agentpol-compile(1) has it: paths are added, the rest takes the place of what is there.
merge() { # FRAGMENT
  jq -s '.[0].linux as $old | .[0] * .[1]
    | .linux.maskedPaths += $old.maskedPaths | .linux.readonlyPaths += $old.readonlyPaths' "$work/plain.json" "$1"
}
profile() { # NAME MORE; $work/NAME.json is the merged config
  printf '{"agentpol": 1, "name": "oci"%s}' "$2" >"$work/$1.manifest"
  "$agentpol" compile "$work/$1.manifest" --emit oci >"$work/$1.fragment" && merge "$work/$1.fragment" >"$work/$1.json"
}
ok "a profile is made" profile tight ', "files": {"read": ["/"], "deny": ["/secret"]}' 2>/dev/null
ok "one that kills" profile kill ', "process": {"on_violation": "kill"}'
ok "one of audit mode" profile audit ', "mode": "audit"'
ok "one that keeps and excepts" profile loose ', "process": {"capabilities": ["CAP_SYS_ADMIN"], "syscalls": {"deny": ["@escape"], "allow": ["mount"]}}'

runs=0
inside() { # PROFILE COMMAND...; its output in $work/out
  local config=$work/$1.json
  shift
  runs=$((runs + 1))
  jq '.process.args = $ARGS.positional' --args -- "$@" <"$config" >config.json
  timeout 30 runc --root "$work/state" run "$name-$runs" >"$work/out" 2>"$work/err" </dev/null
}
status_of() { # COMMAND...
  "$@"
  echo $?
}
python() { inside "$1" python3 -c "$2"; } # PROFILE SCRIPT
attempt_all() { # WHAT COMMAND...; works without the profile alone
  local what=$1
  shift
  ok "without a profile: $what" inside plain "$@"
  ok "with it: no $what" not inside tight "$@"
}

# ---- what it keeps away ----

attempt_all "mount" mount -t tmpfs none /tmp
attempt_all "user namespace" unshare -U true
attempt_all "vsock" python3 -c 'import socket; socket.socket(40, 1)'
attempt_all "typing into the terminal's input, as far as the call goes" python3 -c '
import fcntl, os, errno
try: fcntl.ioctl(0, 0x5412, b"x")
except OSError as e: raise SystemExit(e.errno == errno.EPERM)'
attempt_all "denied file" cat /secret/key
attempt_all "socket of users' services" cat /run/user/0/bus
attempt_all "32-bit entry" python3 -c '
import ctypes, mmap, platform
if platform.machine() != "x86_64": raise SystemExit(1)
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes.fromhex("b814000000cd80c3"))  # getpid, by int 0x80
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()'

inside tight cat /proc/self/status
of_status() { awk -v key="$1:" '$1 == key {print $2}' "$work/out"; }
for set in CapEff CapPrm CapInh CapBnd CapAmb; do
  is "$set is empty" "$(of_status $set)" 0000000000000000
done
is "NoNewPrivs is set" "$(of_status NoNewPrivs)" 1
is "a filter is set" "$(of_status Seccomp)" 2
inside tight sh -c 'ulimit -H -c'
is "no core is dumped" "$(cat "$work/out")" 0
# shellcheck disable=SC2016
inside tight sh -c 'while read -r _ _ _ _ point options _; do echo "$point ${options%%,*}"; done </proc/self/mountinfo'
for place in /proc/sys /sys /sys/fs/cgroup; do
  ok "$place is read-only" holds "$work/out" "$place ro"
done
ok "what the runtime itself hides stays hidden" holds "$work/out" "/etc/masked"

# ---- what it leaves ----

inside tight sh -c 'cat /etc/readable; echo written >/tmp/file && cat /tmp/file; (echo child)'
is "programs run, read, write and fork" "$(xargs <"$work/out")" "listed written child"
ok "threads start, though clone3 is not there" python tight '
import threading; t = threading.Thread(target=print); t.start(); t.join()'
ok "inet and Unix sockets are made" python tight '
import socket
for family in (1, 2, 10): socket.socket(family, socket.SOCK_STREAM)'
ok "what is kept and excepted works" inside loose mount -t tmpfs none /tmp

# ---- kill, audit ----

is "\"kill\": who tries it ends by SIGSYS" "$(status_of inside kill unshare -U true)" $((128 + 31))
is "and nobody else" "$(status_of inside kill true)" 0
ok "audit mode takes nothing away" inside audit unshare -U true
is "and keeps the capabilities" "$(jq -c .process.capabilities "$work/audit.json")" "$(jq -c .process.capabilities "$work/plain.json")"

# ---- limits ----

profile limits ', "process": {"limits": {"pids": 64, "memory": "1GiB", "cpu": "150%"}}'
is "limits are those of the specification" "$(jq -cS .linux.resources "$work/limits.fragment")" \
  '{"cpu":{"period":100000,"quota":150000},"memory":{"limit":1073741824,"swap":1073741824},"pids":{"limit":64}}'
is "without limits there are none" "$(jq .linux.resources "$work/tight.fragment")" null
"$agentpol" compile "$work/tight.manifest" --emit oci 2>&1 >/dev/null | grep -q "/files: .* no OCI profile"
is "what a profile can't say is told" $? 0

done_testing
