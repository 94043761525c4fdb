#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a command under a policy reaches beside sockets: other processes' memory, multicast joins that
# the kernel itself sends, other cgroups, file systems under odd names. Each attempt is made without
# a policy too, where it succeeds.
set -u
cd "$(dirname "$0")/../.." || exit 3
. tests/e2e/lib.sh
[ "$(id -u)" -eq 0 ] || skip_all "needs root"
world_up reach
manifest "$work/m.json" "e2e-reach-$$"
# Of the system calls that are denied by default only one is left.
manifest "$work/loose.json" "e2e-loose-$$" '"process": {"syscalls": {"deny": ["ptrace"]}}'

python=$(command -v /usr/bin/python3 || command -v python3)
run() { # MANIFEST OPTION... -- COMMAND...
  local file=$1
  shift
  "${near[@]}" "$agentpol" run -q --standalone --log "$work/log" -m "$file" "$@"
}

# ---- memory of a process outside ----

cat >"$work/victim.py" <<'E2'
import ctypes, sys, time
word = ctypes.create_string_buffer(b"untouched")
print(ctypes.addressof(word), flush=True)
for _ in range(600):
    time.sleep(0.05)
    open(sys.argv[1], "w").write(word.value.decode())
E2
cat >"$work/poke.py" <<'E2'
import sys
with open(f"/proc/{sys.argv[1]}/mem", "r+b", buffering=0) as memory:
    memory.seek(int(sys.argv[2]))
    memory.write(b"OWNED\0")
E2
chmod 755 "$work"
chmod 644 "$work"/*.py

victim() { # USER; sets $victim_pid, $address, $told
  told=$work/told-$1
  touch "$told" && chmod 666 "$told"
  setpriv --reuid "$1" --regid "$1" --clear-groups --bounding-set -all --inh-caps -all \
    "$python" "$work/victim.py" "$told" >"$work/address-$1" &
  victim_pid=$!
  children+=("$victim_pid")
  wait_for 5 test -s "$work/address-$1"
  address=$(cat "$work/address-$1")
  wait_for 5 holds "$told" untouched
}
is_owned() { wait_for 2 holds "$told" OWNED; }

landlock=$("$python" -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))')
for user in 65534 0; do
  victim "$user"
  if [ "$landlock" -lt 2 ]; then
    skip "uid $user does not write to a process outside" "no Landlock that can rename (ABI $landlock)"
  else
    ok "uid $user is refused a process's memory outside" not quietly \
      run "$work/m.json" --user "$user" -- "$python" "$work/poke.py" "$victim_pid" "$address"
    ok "and the memory is as it was" not is_owned
  fi
  ok "without a policy it is written to (uid $user)" quietly \
    setpriv --reuid "$user" --regid "$user" --clear-groups --bounding-set -all --inh-caps -all \
    "$python" "$work/poke.py" "$victim_pid" "$address"
  ok "and says so" is_owned
  kill "$victim_pid" 2>/dev/null
done
ok "a file is renamed from folder to folder as ever" run "$work/m.json" -- \
  sh -c "mkdir $work/a $work/b && touch $work/a/f && mv $work/a/f $work/b/f"

# ---- what the kernel sends by itself ----

cat >"$work/join.py" <<'E2'
import socket, struct
group = bytes([0xff, 0x0e]) + b"AGENTPOL-LEAK!"
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
index = socket.if_nametoindex("veth0") if "veth0" in dict(map(reversed, socket.if_nameindex())) else 0
six.setsockopt(socket.IPPROTO_IPV6, 20, group + struct.pack("I", index))
E2
is "a multicast group is not joined" \
  "$(run "$work/m.json" -- "$python" "$work/join.py" 2>&1 | tail -n 1)" \
  "PermissionError: [Errno 1] Operation not permitted"
ok "without a policy it is" "${near[@]}" "$python" "$work/join.py"

# ---- clone3 into another cgroup ----

cat >"$work/clone3.py" <<'E2'
import ctypes, errno, os, struct, sys
folder = os.open(sys.argv[1], os.O_RDONLY)
arguments = ctypes.create_string_buffer(struct.pack("11Q", 0x200000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, folder))
libc = ctypes.CDLL(None, use_errno=True)
pid = libc.syscall(435, arguments, 88)
if pid == 0:
    os._exit(0)
print("made" if pid > 0 else errno.errorcode[ctypes.get_errno()])
E2
mkdir "$cgroups/e2e-free-$$"
is "clone3 makes no child in another cgroup, whatever else is allowed" \
  "$(run "$work/loose.json" -- "$python" "$work/clone3.py" "$cgroups/e2e-free-$$" 2>&1)" ENOSYS
is "without a policy it does" "$("$python" "$work/clone3.py" "$cgroups/e2e-free-$$")" made
cgroup_end "$cgroups/e2e-free-$$"

# ---- file systems under other names ----

mkdir "$work/a b" "$work/proc2"
mount -t cgroup2 none "$work/a b"
mount -t proc proc "$work/proc2"
writes() { sh -c ': >>"$1"' _ "$1"; }
export -f writes
ok "a cgroup mount with a space in its name is read-only" not quietly \
  run "$work/m.json" -- sh -c ': >>"$1"' _ "$work/a b/cgroup.procs"
ok "outside it is writable" quietly writes "$work/a b/cgroup.procs"
ok "a second /proc is read-only" not quietly \
  run "$work/m.json" -- sh -c ': >>"$1"' _ "$work/proc2/sys/kernel/core_pattern"
ok "outside it is writable, too" quietly writes "$work/proc2/sys/kernel/core_pattern"
umount "$work/a b" "$work/proc2"

done_testing
