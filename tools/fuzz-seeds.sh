#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Seeds for build/fuzz/fuzz_sql: the statements that tests know, a file each, since random bytes are
# hardly ever SQL. Usage: fuzz-seeds.sh FOLDER; then: build/fuzz/fuzz_sql -max_total_time=600 WORK FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?name a folder}
mkdir -p "$folder"
{
  grep -vE '^(#|$)' tests/evasion/sql/statements.txt | cut -f2-
  grep -vE '^(--|$)' tests/sql/cases.sql | sed 's/;$//'
} | awk -v folder="$folder" '{file = sprintf("%s/%04d", folder, NR); printf "%s", $0 >file; close(file)}'
echo "$folder: $(find "$folder" -type f | wc -l) seeds"
