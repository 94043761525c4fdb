#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boots what is built in build/ on other kernels and runs the kernel tests there: Debian's cloud
# kernels under QEMU, unpacked and not installed. TAP; run from the top of the repository after
# `make tests`. Needs no root; tools/vm-init is what runs inside.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: tools/vm.sh [--deps] [--update] [--fetch] [--thorough] [KERNEL...]

Boots each KERNEL (a version's start: 6.1, 6.12, 7.3, 6.18.15) under QEMU and runs the kernel tests.
Without KERNEL: 5.10 (must be refused cleanly) 6.1 6.12 7.3.

  --deps    install what is missing here first (apt, as root)
  --thorough  all turns of the tests' long loops, not a tenth of them
  --update  ask for a newer package of each KERNEL, though one is in the cache
  --fetch   only fetch the kernels

Environment:
  AGENTPOL_VM_CACHE    where kernels are kept (default ${XDG_CACHE_HOME:-~/.cache}/agentpol/kernels)
  AGENTPOL_VM_MIRROR   a mirror of Debian (default http://deb.debian.org)
  AGENTPOL_VM_ACCEL    QEMU's accelerator (default tcg)
  AGENTPOL_VM_TIMEOUT  seconds that one kernel's tests may take (default 900)
  AGENTPOL_VM_JOBS     kernels at a time (default: two for each CPU here, four at most)
  AGENTPOL_VM_LOGS     a folder that keeps each boot's console and output
TEXT
}

readonly default_kernels=(5.10 6.1 6.12 7.3)
readonly oldest_supported=5.15
readonly boot_timeout=60 boot_tries=3
# What the tests need of what Debian builds as modules; a kernel in the cache has those of when it was
# fetched, and tests that miss one are skipped there.
readonly modules=(veth tcp_diag udp_diag raw_diag)
readonly packages=(qemu-system-x86 busybox-static cpio kmod xz-utils zstd lz4 dash iproute2 debian-archive-keyring)

# Who has no $HOME (a service, a build) has one all the same.
home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
cache=${AGENTPOL_VM_CACHE:-${XDG_CACHE_HOME:-$home/.cache}/agentpol/kernels}
mirror=${AGENTPOL_VM_MIRROR:-http://deb.debian.org}
accel=${AGENTPOL_VM_ACCEL:-tcg}
timeout=${AGENTPOL_VM_TIMEOUT:-900}
build=${BUILD:-build}
# A guest waits for its kernel half of the time: for each program of the LSM that it takes off.
jobs=${AGENTPOL_VM_JOBS:-$(($(nproc) * 2))}
[ "$jobs" -le 4 ] || jobs=4

ok() { echo "ok - $1"; }
not_ok() { echo "not ok - $1"; }
skip() { echo "ok - $1 # SKIP $2"; }

# Numbers the tests of all kernels; false when one has failed.
number() {
  awk '/^ok - / {sub(/^ok/, "ok " ++count)} /^not ok - / {sub(/^not ok/, "not ok " ++count); failed = 1} {print; fflush()}
       END {print "1.." count + 0; exit failed}'
}

# version_at_least VERSION LEAST
version_at_least() { [ "$(printf '%s\n' "$2" "$1" | sort -V | head -1)" = "$2" ]; }

# ---- what this machine must have ----

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || echo "$package"
  done
}

install_packages() {
  local -a missing
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -gt 0 ] || return 0
  echo "# installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || {
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  }
}

# ---- kernels ----

# Source lists of our own, so that the machine's are neither needed nor changed.
apt_options=()
prepare_apt() {
  local apt=$cache/apt keyring=/usr/share/keyrings/debian-archive-keyring.gpg suite
  [ "${#apt_options[@]}" -eq 0 ] || return 0
  mkdir -p "$apt/lists/partial" "$apt/archives/partial"
  {
    for suite in bullseye bookworm bookworm-backports trixie trixie-backports; do
      echo "deb [arch=amd64 signed-by=$keyring] $mirror/debian $suite main"
    done
    for suite in bullseye bookworm trixie; do
      echo "deb [arch=amd64 signed-by=$keyring] $mirror/debian-security $suite-security main"
    done
  } >"$apt/sources.list"
  apt_options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt" -o APT::Architecture=amd64
    -o Acquire::Languages=none -o APT::Sandbox::User=root)
  apt-get "${apt_options[@]}" -qq update >&2
}

# The packages that together are one kernel: newer ones come in parts. A part in <> is gone from the archive.
parts_of_package() {
  echo "$1"
  apt-cache "${apt_options[@]}" depends --no-recommends --no-suggests "$1" |
    sed -nE 's/^ *Depends: (<?linux-(binary|modules)-[0-9].*)/\1/p'
}

# find_package KERNEL: the newest cloud kernel of that version that is there whole
find_package() {
  local package
  apt-cache "${apt_options[@]}" pkgnames "linux-image-$1" |
    grep -E "^linux-image-${1//./\\.}[.+-].*[a-z0-9]-cloud-amd64\$" | sort -Vr |
    while read -r package; do
      parts_of_package "$package" | grep -q '<' || { echo "$package" && break; }
    done
}

# unpack_image BZIMAGE VMLINUX: the ELF inside, by the header of the x86 boot protocol
unpack_image() {
  local image=$1 sectors offset length start magic
  local -a unpacker
  sectors=$(od -An -tu1 -j $((0x1f1)) -N1 "$image")
  offset=$(od -An -tu4 -j $((0x248)) -N4 "$image")
  length=$(od -An -tu4 -j $((0x24c)) -N4 "$image")
  start=$(((sectors + 1) * 512 + offset))
  magic=$(od -An -tx1 -j "$start" -N4 "$image" | tr -d ' ')
  case $magic in
    fd377a58) unpacker=(xz -dc --single-stream) ;;
    28b52ffd) unpacker=(zstd -dcq) ;;
    02214c18) unpacker=(lz4 -dcq) ;;
    1f8b*) unpacker=(gzip -dc) ;;
    *) return 1 ;;
  esac
  # The unpacked size comes after the stream, which unpackers take ill.
  tail -c +$((start + 1)) "$image" | head -c $((length - 4)) | "${unpacker[@]}" >"$2" 2>/dev/null
  [ "$(od -An -tx1 -N4 "$2" | tr -d ' ')" = 7f454c46 ]
}

# The modules that are needed, unpressed, numbered in the order of loading.
collect_modules() { # TREE VERSION FOLDER
  local number=0 path module
  mkdir -p "$3"
  /sbin/depmod -b "$1" "$2"
  for module in "${modules[@]}"; do
    /sbin/modprobe -d "$1" -S "$2" --show-depends "$module" || return 1
  done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' >"$3/order"
  while read -r path; do
    number=$((number + 1))
    module=$3/$(printf '%02d' $number)-$(basename "${path%%.ko*}").ko
    case $path in
      *.xz) xz -dc "$path" >"$module" ;;
      *.zst) zstd -dcq "$path" >"$module" ;;
      *) cp "$path" "$module" ;;
    esac
  done <"$3/order"
  rm "$3/order"
}

# fetch_kernel KERNEL: into the cache: vmlinux or vmlinuz, modules/, package, release. The folder appears when whole.
fetch_kernel() {
  local folder=$cache/$1 package work tree release
  [ ! -f "$folder/release" ] || [ -n "$update" ] || return 0
  prepare_apt || return 1
  package=$(find_package "$1")
  if [ -z "$package" ]; then
    echo "no whole linux-image-$1*-cloud-amd64 in Debian" >&2
    return 1
  fi
  [ "$(cat "$folder/package" 2>/dev/null)" != "$package" ] || return 0
  work=$(mktemp -d "$cache/new.XXXXXX") tree=$work/tree
  mkdir -p "$tree" "$work/deb" "$work/kernel"
  (cd "$work/deb" && parts_of_package "$package" | xargs apt-get "${apt_options[@]}" -qq download) >&2 || return 1
  for deb in "$work"/deb/*.deb; do dpkg-deb -x "$deb" "$tree"; done
  [ -d "$tree/lib/modules" ] || { mkdir -p "$tree/lib" && ln -s ../usr/lib/modules "$tree/lib/modules"; }
  release=$(ls "$tree/lib/modules")
  cp "$tree/boot/vmlinuz-$release" "$work/kernel/vmlinuz" 2>/dev/null ||
    cp "$tree/lib/modules/$release/vmlinuz" "$work/kernel/vmlinuz" || return 1
  unpack_image "$work/kernel/vmlinuz" "$work/kernel/vmlinux" || rm -f "$work/kernel/vmlinux"
  collect_modules "$tree" "$release" "$work/kernel/modules" || return 1
  echo "$package" >"$work/kernel/package"
  echo "$release" >"$work/kernel/release"
  rm -rf "$folder"
  mv "$work/kernel" "$folder"
  rm -rf "$work"
}

# ---- what runs inside ----

# Each file and the libraries that it is linked with, at their own paths.
copy_with_libraries() { # ROOT FROM TO
  local library
  install -D "$2" "$1$3"
  ldd "$2" | grep -oE '/[^ ]+' | while read -r library; do
    [ -e "$1$library" ] || install -D "$library" "$1$library"
  done
}

programs=(agentpol policyd tests/kernel/test_enforcement tests/kernel/test_differential
  tests/kernel/test_sockets tests/kernel/test_unix tests/kernel/test_traffic tests/kernel/test_names
  tests/kernel/test_steer tests/kernel/test_guard tests/kernel/test_watch tests/kernel/test_leases)
statics=(tests/evasion/breach/breach) # no library goes with them
init=tools/vm-init
make_initramfs() { # KERNEL-FOLDER TO
  local root=$scratch/root program
  rm -rf "$root"
  mkdir -p "$root"/{bin,dev,proc,sys,tmp,run,etc,modules,usr/bin}
  install "$(command -v busybox)" "$root/bin/busybox"
  install "$init" "$root/init"
  for program in "${programs[@]}"; do
    copy_with_libraries "$root" "$build/$program" "/agentpol/${program##*/}"
  done
  for program in "${statics[@]}"; do
    install "$build/$program" "$root/agentpol/${program##*/}"
  done
  # busybox's own ip makes no veth, and its shell would not ask for another one.
  copy_with_libraries "$root" "$(command -v dash)" /bin/sh
  copy_with_libraries "$root" "$(PATH=$PATH:/sbin:/usr/sbin command -v ip)" /usr/bin/ip
  cp "$1"/modules/*.ko "$root/modules/"
  echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
  echo 'root:x:0:' >"$root/etc/group"
  (cd "$root" && find . -print0 | cpio --null --quiet -o -H newc -R 0:0 | gzip -1) >"$2"
}

# ---- boot ----

# QEMU's cmpxchg16b makes some boots of 6.x crash. Linux 7 makes no socket storage without it (it allocates that by
# kmalloc_nolock(), mm/slub.c), and every accepted connection would be denied.
cpu_for() { # KERNEL-FOLDER
  case ${1##*/} in [0-6].*) echo max,-cx16 ;; *) echo max ;; esac
}

machine=() # more of QEMU's options
lsm=landlock,lockdown,yama,integrity,apparmor,bpf

# boot KERNEL-FOLDER INITRAMFS EXPECT: console and output come to the scratch folder; true when init said that it has
# ended. A boot that never reached user space is tried again, one that did never.
boot() {
  local image=$1/vmlinux try pid started
  [ -f "$image" ] || image=$1/vmlinuz
  for ((try = 1; try <= boot_tries; try++)); do
    : >"$scratch/console" && : >"$scratch/output"
    qemu-system-x86_64 -accel "$accel" -nodefaults -no-reboot -machine pc -smp 1 -m 1024 \
      -cpu "$(cpu_for "$1")" -display none -kernel "$image" -initrd "$2" \
      -serial "file:$scratch/console" -serial "file:$scratch/output" \
      -device isa-debug-exit,iobase=0xf4,iosize=0x04 "${machine[@]}" \
      -append "console=ttyS0 panic=-1 quiet loglevel=4 lsm=$lsm EXPECT=$3 SHARE=$share" \
      </dev/null >"$scratch/qemu" 2>&1 &
    pid=$! qemu=$! started=$SECONDS
    while kill -0 "$pid" 2>/dev/null; do
      sleep 0.2
      if grep -q '^# user space' "$scratch/output"; then
        [ $((SECONDS - started)) -lt "$timeout" ] || break
      elif [ $((SECONDS - started)) -ge "$boot_timeout" ]; then
        break
      fi
    done
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    qemu=
    grep -q '^# user space' "$scratch/output" && break
    echo "# boot $try never reached user space: $(tail -1 "$scratch/console" | cut -c 1-150)"
  done
  [ "$try" -le "$boot_tries" ]
}

# The TAP from inside, with the kernel before each name and numbers of ours.
relay() { # KERNEL OUTPUT
  local line name
  while IFS= read -r line; do
    name=$(sed -E 's/^(not )?ok [0-9]* *-? *//' <<<"$line")
    case $line in
      'ok '*' # SKIP '*) skip "$1: ${name%% # SKIP*}" "${name##*# SKIP }" ;;
      'ok '*) ok "$1: $name" ;;
      'not ok '*) not_ok "$1: $name" ;;
      '# '*) echo "# $1: ${line#\# }" ;;
      '1..'*) ;;
      ?*) echo "# $1: $line" ;;
    esac
  done <"$2"
}

keep_logs() { # KERNEL
  [ -n "${AGENTPOL_VM_LOGS:-}" ] || return 0
  mkdir -p "$AGENTPOL_VM_LOGS"
  cp "$scratch/console" "$AGENTPOL_VM_LOGS/$1.console"
  cp "$scratch/output" "$AGENTPOL_VM_LOGS/$1.output"
}

run_kernel() { # KERNEL
  local folder=$cache/$1 expect=enforce started=$SECONDS
  version_at_least "$1" "$oldest_supported" || expect=refuse
  make_initramfs "$folder" "$scratch/initramfs"
  if ! boot "$folder" "$scratch/initramfs" "$expect"; then
    keep_logs "$1"
    not_ok "$1: boots"
    return
  fi
  keep_logs "$1"
  relay "$1" "$scratch/output"
  if grep -q '^# end' "$scratch/output"; then
    ok "$1: ran to the end"
  else
    not_ok "$1: ran to the end"
    echo "# $1: console: $(tail -3 "$scratch/console" | tr '\n\r' '| ' | cut -c 1-600)"
  fi
  echo "# $1: $(cat "$folder/package"), $((SECONDS - started)) s"
}

# one_kernel KERNEL: in a scratch folder of its own, so that several can run
one_kernel() {
  scratch=$scratch/$1
  mkdir "$scratch"
  trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null' EXIT
  trap 'exit 130' INT TERM
  run_kernel "$1"
}

# Each kernel's output in one piece, in the order in which they were asked for.
run_kernels() {
  local kernel
  local -A started=()
  local -a waiting=()
  # shellcheck disable=SC2046
  trap 'kill $(jobs -p) 2>/dev/null; exit 143' TERM
  for kernel in "${kernels[@]}"; do
    if ! fetch_kernel "$kernel" 2>"$scratch/fetch"; then
      skip "$kernel" "not fetched: $(tail -1 "$scratch/fetch" | tr -d '#')"
    elif [ -n "$only_fetch" ]; then
      ok "$kernel: $(cat "$cache/$kernel/package")"
    else
      waiting+=("$kernel")
    fi
  done
  for kernel in "${waiting[@]}"; do
    while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do wait -n || true; done
    (one_kernel "$kernel") >"$scratch/$kernel.tap" &
    started[$kernel]=$!
  done
  for kernel in "${waiting[@]}"; do
    wait "${started[$kernel]}" || true
    cat "$scratch/$kernel.tap"
  done
}

skip_all() { echo "1..0 # SKIP $1" && exit 0; }

# What is missing here is a reason to skip all.
prepare() {
  local program
  local -a missing
  [ "$(uname -m)" = x86_64 ] || skip_all "the VM runner knows x86_64 alone"
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -eq 0 ] || skip_all "missing here: ${missing[*]} (tools/vm.sh --deps installs them)"
  for program in "${programs[@]}" "${statics[@]}"; do
    [ -n "$only_fetch" ] || [ -x "$build/$program" ] || skip_all "$build/$program is not built (make tests)"
  done
  mkdir -p "$cache"
  scratch=$(mktemp -d)
  trap cleanup EXIT
  trap 'exit 130' INT TERM
}

cleanup() {
  # shellcheck disable=SC2046
  kill $(jobs -p) 2>/dev/null || true
  [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true
  wait
  rm -rf "$scratch" "$cache"/new.??????
}

share=10 update='' only_fetch='' kernels=() qemu='' scratch=''

# tools/bench-vm.sh has a main of its own.
[ "${BASH_SOURCE[0]}" = "$0" ] || return 0

while [ $# -gt 0 ]; do
  case $1 in
    --deps) install_packages ;;
    --thorough) share=100 ;;
    --update) update=1 ;;
    --fetch) only_fetch=1 ;;
    -h | --help) usage && exit 0 ;;
    -*) usage >&2 && exit 2 ;;
    *) kernels+=("$1") ;;
  esac
  shift
done
[ "${#kernels[@]}" -gt 0 ] || kernels=("${default_kernels[@]}")
prepare
# In the background, so that a signal is heard at once.
run_kernels | number &
wait $!
