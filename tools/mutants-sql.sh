#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Takes each check of the SQL decision out in turn (tests/sql/mutants.txt) and asks the oracle: one
# that it does not find out is a hole in the tests. Works on a copy of the tree.
#   tools/mutants-sql.sh [PATTERN]   only those whose line has the pattern
set -euo pipefail
cd "$(dirname "$0")/.."
pattern=${1:-}
corpus=$(realpath -m "${AGENTPOL_CORPUS:-../shared/corpus}")
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

make --no-print-directory -s build/agentpol
git ls-files -z | grep -zv '^docs/' | xargs -0 cp -a --parents -t "$copy"
cp -a docs build "$copy/"
cd "$copy"
export AGENTPOL_CORPUS=$corpus BUILD=build

# The hand-written cases first: they take two seconds. 0: found out.
found_out() {
  if ! make -s --no-print-directory WARNINGS=-w build/agentpol >"$copy/make.log" 2>&1; then
    echo "# it does not compile:"
    sed 's/^/# /' "$copy/make.log" | grep error | head -5
    return 2
  fi
  tests/sql/oracle.py --cases >"$copy/oracle.log" 2>&1 || { by=cases; return 0; }
  tests/sql/oracle.py --quick >"$copy/oracle.log" 2>&1 || { by=statements; return 0; }
  return 1
}

count=0
survived=0
while IFS=$'\t' read -r file expression what; do
  case $file in '' | '#'*) continue ;; esac
  case "$file $expression $what" in *"$pattern"*) ;; *) continue ;; esac
  count=$((count + 1))
  cp -a "user/sql/$file" original
  sed -i "$expression" "user/sql/$file"
  if cmp -s original "user/sql/$file"; then
    echo "not ok $count - $what: the expression changes nothing in $file"
    survived=$((survived + 1))
    continue
  fi
  status=0
  found_out || status=$?
  if [ "$status" -eq 0 ]; then
    echo "ok $count - without \"$what\": found out by $by"
  else
    survived=$((survived + 1))
    echo "not ok $count - without \"$what\": not found out"
  fi
  cp -a original "user/sql/$file"
  touch "user/sql/$file"
done <"$OLDPWD/tests/sql/mutants.txt"
echo "1..$count"
echo "# $((count - survived)) of $count are found out"
exit $((survived > 0))
