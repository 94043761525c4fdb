#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the hooks of the LSM cost, on kernels that have them: instructions a call, counted by QEMU, in one boot a
# kernel, beside what seccomp and Landlock cost there. Run from the top of the repository; needs no root.
#   tools/bench-vm.sh [KERNEL...]     (default: 6.1 6.12 7.3)
set -euo pipefail
# shellcheck source=tools/vm.sh
. tools/vm.sh

programs=(agentpol policyd tools/bench-vm)
statics=()
init=tools/bench-vm-init
# One instruction is one nanosecond, and a sleep takes none.
machine=(-icount "shift=0,sleep=off")
lsm="$lsm init_on_alloc=0 nokaslr norandmaps"

# Without what would bring chance into it, and a string instruction that counts as one.
cpu_for() { # KERNEL-FOLDER
  local without=-rdrand,-rdseed,-erms
  case ${1##*/} in [0-6].*) echo "max,-cx16,$without" ;; *) echo "max,$without" ;; esac
}

print_table() { # KERNEL
  awk -v kernel="$1" '
    $1 == "cost" {
      if (!($2 in seen)) {seen[$2] = 1; who[++rows] = $2}
      if (!($3 in known)) {known[$3] = 1; operation[++columns] = $3}
      cost[$2, $3] = $4
    }
    END {
      printf "Linux %s, instructions a call and the ratio to nothing\n%-20s", kernel, ""
      for (i = 1; i <= columns; i++) printf "  %22s", operation[i]
      print ""
      for (j = 1; j <= rows; j++) {
        printf "%-20s", who[j]
        for (i = 1; i <= columns; i++)
          printf "  %13d  x %.3f", cost[who[j], operation[i]], cost[who[j], operation[i]] / cost["nothing", operation[i]]
        print ""
      }
      print ""
    }' "$scratch/output"
}

kernels=("$@")
[ "${#kernels[@]}" -gt 0 ] || kernels=(6.1 6.12 7.3)
prepare
for kernel in "${kernels[@]}"; do
  fetch_kernel "$kernel"
  make_initramfs "$cache/$kernel" "$scratch/initramfs"
  [ ! -t 2 ] || echo "Linux $kernel ..." >&2
  boot "$cache/$kernel" "$scratch/initramfs" bench
  if ! grep -q '^# end' "$scratch/output" || grep '^# failed' "$scratch/output" >&2; then
    echo "bench-vm: Linux $kernel did not come to its end" >&2
    exit 1
  fi
  print_table "$(sed -n 's/^# user space: Linux //p' "$scratch/output")"
done
