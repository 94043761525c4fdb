#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# File and exec lists of a command that is run, where Landlock keeps them: each rule tried from
# inside and looked at from outside, and the same attempts without the rule, which succeed.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
world_up files

python=$(command -v python3) || skip_all "no python3 here"
landlock=$("$python" -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))')
[ "$landlock" -ge 3 ] || skip_all "Landlock of this kernel can't keep files (ABI $landlock)"

run() { # MANIFEST COMMAND...; what it says goes to $work/out and $work/err
  local manifest=$1
  shift
  timeout 30 "$agentpol" run --standalone --log "$work/log" -m "$manifest" -- "$@" >"$work/out" 2>"$work/err" </dev/null
}
inside() { run "$work/m.json" sh -c "$1"; } # SCRIPT; under the manifest
freely() { run "$work/free.json" sh -c "$1"; }
# The attempt works without file rules, and not with them.
barred() { # DESCRIPTION SCRIPT
  ok "without rules: $1" freely "$2"
  fresh
  ok "$1 is refused" not inside "$2"
}
granted() { ok "$1" inside "$2"; } # DESCRIPTION SCRIPT

area=$work/area
fresh() {
  rm -rf "$area"
  mkdir -p "$area/in" "$area/out/sub" "$area/out/private" "$area/tools" "$area/elsewhere"
  echo readable >"$area/in/file"
  echo "as it was" >"$area/out/file"
  echo secret >"$area/out/private/key"
  echo secret >"$area/out/token"
  echo foreign >"$area/elsewhere/file"
  cp "$(type -P true)" "$area/tools/allowed"
  cp "$(type -P true)" "$area/elsewhere/program"
  printf '#!/bin/sh\necho script\n' >"$area/tools/script"
  chmod 755 "$area/tools/"*
  ln -s ../elsewhere/file "$area/out/link"
}
fresh
system='"/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache"'
cat >"$work/m.json" <<JSON
{"agentpol": 1, "name": "$name",
 "files": {"read": [$system, "$area/in", "$area/tools"], "write": ["$area/out", "/dev/null"], "deny": ["$area/out/private", "$area/out/token"]},
 "process": {"exec": ["/usr/bin/*", "/bin/sh", "$area/tools/*"]}}
JSON
printf '{"agentpol": 1, "name": "%s"}' "$name" >"$work/free.json"

# ---- read ----

granted "a file of a read list is read" "cat $area/in/file"
is "as it is" "$(cat "$work/out")" readable
granted "and its folder is listed" "ls $area/in"
barred "to write it" "echo no >$area/in/file"
is "it is as it was" "$(cat "$area/in/file")" readable
barred "to append to it" "echo no >>$area/in/file"
barred "to truncate it" "$python -c 'import os; os.truncate(\"$area/in/file\", 0)'"
is "not a byte is gone" "$(cat "$area/in/file")" readable
barred "to remove it" "rm -f $area/in/file"
barred "to rename it" "mv $area/in/file $area/in/other"
barred "to make a file beside it" "echo no >$area/in/new"
barred "to make a folder there" "mkdir $area/in/new"
barred "to make a link there" "ln -s x $area/in/new"
is "nothing was made" "$(ls "$area/in")" file
barred "to read what is on no list" "cat $area/elsewhere/file"
barred "to list a folder that is on none" "ls $area/elsewhere"
barred "to read it by a link in a granted folder" "cat $area/out/link"
barred "to read it by dots" "cat $area/in/../elsewhere/file"
barred "to read it by the root of /proc" "cat /proc/self/root$area/elsewhere/file"

# ---- write ----

granted "a file below a write entry is made, read and removed" "echo new >$area/out/sub/x && grep -q new $area/out/sub/x && rm $area/out/sub/x"
granted "one is written" "echo changed >$area/out/file"
is "and is changed" "$(cat "$area/out/file")" changed
granted "and moved to another folder below" "mv $area/out/file $area/out/sub/file"
fresh
barred "to move a file of a read list there" "mv $area/in/file $area/out/"
barred "to link a file that is on no list there" "ln $area/elsewhere/file $area/out/hard"
barred "to move one out" "mv $area/out/file $area/elsewhere/moved"
granted "standard output that is a file on no list stays open" "echo still"
is "and takes what is written" "$(cat "$work/out")" still

# ---- deny ----

barred "to read below a denied folder" "cat $area/out/private/key"
barred "to make a file in it" "echo no >$area/out/private/new"
barred "to read a denied file" "cat $area/out/token"
barred "to write it" "echo no >$area/out/token"
barred "to remove it" "rm -f $area/out/token"
barred "to move it away" "mv $area/out/token $area/out/other"
barred "to move its folder away" "mv $area/out/private $area/out/other"
is "what is denied is as it was" "$(cat "$area/out/token" "$area/out/private/key" | uniq)" secret

sed "s|\"$area/out/token\"|\"$area/out/later\"|" "$work/m.json" >"$work/later.json"
run "$work/later.json" true
is "a denied path that is not there and could be made is refused" "$?" 3
like "with what to do" "$(cat "$work/err")" "/files/deny/1: $area/out/later is not there"
sed "s|\"$area/out/token\"|\"$area/in/later\", \"$area/none/at/all\"|" "$work/m.json" >"$work/later.json"
ok "one that can't be made is no reason to refuse" run "$work/later.json" true
sed "s|\"$area/out\", |\"$area/out\", \"$area/result\", |" "$work/m.json" >"$work/later.json"
ok "a write entry that is not there does not stop the command" run "$work/later.json" true
like "but is told" "$(cat "$work/err")" "/files/write/1: $area/result is not there"

# ---- exec ----

granted "a program of the exec list runs" "$area/tools/allowed"
granted "and a script, by its interpreter" "$area/tools/script"
barred "to execute what is on no list" "$area/elsewhere/program"
barred "to execute what it has made" "cp $area/tools/allowed $area/out/new && $area/out/new"
barred "to execute a new file in a folder whose files are granted" "cp $area/tools/allowed $area/tools/new && $area/tools/new"
run "$work/m.json" "$area/elsewhere/program"
is "a command on no list is 126" "$?" 126
printf '{"agentpol": 1, "name": "%s", "process": {"exec": ["%s/tools/allowed"]}}' "$name" "$area" >"$work/exec.json"
ok "an exec list alone needs no file lists" run "$work/exec.json" "$area/tools/allowed"
run "$work/exec.json" /usr/bin/true
is "and keeps" "$?" 126
printf '{"agentpol": 1, "name": "%s", "process": {"exec": ["/opt/**/x"]}}' "$name" >"$work/exec.json"
run "$work/exec.json" /usr/bin/true
is "a pattern that can't be bound is 2" "$?" 2
todo "the loader runs no file that is on no exec list" "Landlock does not see it; ps says so" \
  not inside "cp $area/tools/allowed $area/out/new && /lib64/ld-linux-x86-64.so.2 $area/out/new"

# ---- what else a domain keeps, and audit mode ----

if [ "$landlock" -ge 6 ]; then
  sleep 300 &
  outside=$!
  children+=("$outside")
  ok "a process outside is not signalled" not inside "kill -0 $outside"
  ok "one inside is" inside "sleep 300 & kill \$!"
else
  skip "a process outside is not signalled" "needs Landlock ABI 6"
fi
is "no core is dumped" "$(inside "ulimit -c" && cat "$work/out")" 0
sed 's|"agentpol": 1,|"agentpol": 1, "mode": "audit",|' "$work/m.json" >"$work/audit.json"
ok "audit mode takes no file away" run "$work/audit.json" cat "$area/elsewhere/file" "$area/out/token"

done_testing
