#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An include may only run down the table of rooms, and a library is called in its own rooms alone.
set -euo pipefail
cd "$(dirname "$0")/.."

# room: what it may include besides itself
declare -A may=(
  [base]=""
  [json]="base"
  [policy]="base"
  [compile]="base policy"
  [kernel]="base policy compile"
  [sql]="base policy"
  [call]="base json policy sql"
  [manifest]="base json policy call"
  [audit]="base json"
  [policyd]="base json policy manifest compile kernel sql call audit"
  [agentpol]="base json policy manifest compile kernel sql call audit policyd"
)
# header: rooms that may include it
declare -A only=(
  ["bpf/libbpf.h"]="kernel" ["bpf/bpf.h"]="kernel" ["bpf/btf.h"]="kernel"
  ["cjson/cJSON.h"]="json audit"
  ["pcre2.h"]="call"
  ["seccomp.h"]="compile policyd"
  ["pg_query.h"]="sql" ["openssl/ssl.h"]="sql policyd"
  ["bpf/abi.h"]="compile kernel policyd agentpol"
)
fault=0
while IFS=: read -r file line text; do
  room=${file#user/}; room=${room%%/*}
  header=$(sed -E 's/^[^"<]*["<]([^">]+)[">].*/\1/' <<<"$text")
  target=${header%%/*}
  if [ -n "${may[$target]+known}" ] && [[ $text == *\"* ]] && [ "$target" != "$room" ] &&
     [[ " ${may[$room]} " != *" $target "* ]]; then
    echo "$file:$line: $room may not include $header (it may include: ${may[$room]:-nothing})"
    fault=1
  fi
  if [ -n "${only[$header]+known}" ] && [[ " ${only[$header]} " != *" $room "* ]]; then
    echo "$file:$line: $header belongs to: ${only[$header]}"
    fault=1
  fi
done < <(grep -nE '^[[:space:]]*#[[:space:]]*include' user/*/*.[ch])
while IFS=: read -r file line text; do
  case $text in
  *\"bpf/*) ;;
  *\"*) echo "$file:$line: bpf/ includes bpf/ alone"; fault=1 ;;
  esac
done < <(grep -nE '^[[:space:]]*#[[:space:]]*include' bpf/*.[ch])
if [ "$fault" -eq 0 ]; then echo "layers: no include runs up"; fi
exit "$fault"
