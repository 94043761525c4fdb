#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `agentpol check` over the corpus of good and bad manifests, its formats, and its agreement with
# policies/manifest.schema.json. TAP; run from the top of the repository.
set -uo pipefail
agentpol=$PWD/${BUILD:-build}/agentpol
case ${BUILD:-build} in /*) agentpol=$BUILD/agentpol ;; esac
schema=$PWD/policies/manifest.schema.json
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
count=0

# result NAME CONDITION-STATUS
result() {
  count=$((count + 1))
  if [ "$2" -eq 0 ]; then echo "ok $count - $1"; else echo "not ok $count - $1"; fi
}

skip() {
  count=$((count + 1))
  echo "ok $count - $1 # SKIP $2"
}

# show FILE: what went wrong, as TAP comments
show() { sed 's/^/# /' "$1" | head -20; }

expect_status() { # NAME STATUS COMMAND...
  local name=$1 wanted=$2 got
  shift 2
  "$@" >"$folder/out" 2>"$folder/err"
  got=$?
  [ "$got" -eq "$wanted" ]
  result "$name" $?
  [ "$got" -eq "$wanted" ] || { echo "# exit $got, wanted $wanted"; show "$folder/out"; show "$folder/err"; }
}

python3 tests/manifest/corpus.py "$folder"
result "the corpus is made" $?
[ "$(awk -F '\t' '$2 != "good"' "$folder/index.tsv" | wc -l)" -ge 250 ]
result "it has at least 250 bad manifests" $?
cd "$folder" || exit 1

# One launch for each: the exit code and a position belong to each file alone.
: >faults
while IFS=$'\t' read -r file class _; do
  "$agentpol" check "$file" >out 2>err
  status=$?
  if [ "$class" = good ]; then
    [ "$status" -le 1 ] || echo "$file: exit $status: $(head -1 out)" >>faults
  elif [ "$status" -ne 2 ] || ! grep -q "^$file:[0-9][0-9]*:[0-9][0-9]*: error\[M" out; then
    echo "$file: exit $status: $(head -1 out)" >>faults
  fi
done <index.tsv
[ ! -s faults ]
result "each bad manifest exits 2 with file:line:column, each good one 0 or 1" $?
show faults

# All at once: the code and the JSON pointer that each bad one must have among its errors.
"$agentpol" check --format json good/* bad/* >all.json 2>err
[ $? -eq 2 ]
result "one run over all of them exits 2" $?
jq -r '.manifests[] | .file as $f | .usable as $u | [$f, $u, "-", "-"], (.diagnostics[] | [$f, $u, .code, .pointer]) | @tsv' \
  all.json >found.tsv
awk -F '\t' '
  NR == FNR { if ($3 == "-") usable[$1] = $2; else { code[$1, $3]; pair[$1, $3, $4] } next }
  ($2 == "good") != (usable[$1] == "true") { print $1 ": usable is " usable[$1]; next }
  $2 == "good" || $3 == "-" { next }
  $4 == "-" && !(($1, $3) in code) { print $1 ": no " $3; next }
  $4 != "-" && !(($1, $3, $4) in pair) { print $1 ": no " $3 " at " $4 }
' found.tsv index.tsv >faults
[ ! -s faults ]
result "each has the error code and the pointer that the index names" $?
show faults

cat >agree.py <<'PYTHON'
import json, sys
import jsonschema

schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
faults = 0
for line in open("index.tsv"):
    file, kind = line.split("\t")[:2]
    if kind == "bad-beyond-schema":
        continue
    accepted = validator.is_valid(json.load(open(file, encoding="utf-8")))
    if accepted != (kind == "good"):
        print("%s: the schema %s it" % (file, "accepts" if accepted else "refuses"))
        faults += 1
sys.exit(faults > 0)
PYTHON
if /usr/bin/python3 -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null; then
  /usr/bin/python3 agree.py "$schema" >faults 2>&1
  result "the JSON Schema accepts all good and refuses all bad-schema manifests" $?
  show faults
else
  skip "the JSON Schema agrees with the reader" "python3-jsonschema is not installed"
fi

cat >risky.json <<'JSON'
{"agentpol": 1, "name": "risky",
 "network": {"egress": [{"to": "@any", "ports": ["*"]}, {"to": "*.com", "ports": [443]}]},
 "tools": {"a": {"effect": "read"}, "b": {"effect": "read", "requires": ["a"]}},
 "process": {"exec": []}, "budgets": {"calls": 9}}
JSON
expect_status "a finding of level error exits 1" 1 "$agentpol" check risky.json
grep -q '^risky.json:2:32: error\[B001\]: /network/egress/0/to: ' out
result "and stands at its value" $?
grep -q '^  a -> b ' out
result "the order of tools is printed" $?
for example in support-bot web-research air-gapped; do
  expect_status "$example.json has no finding of level error" 0 "$agentpol" check "$OLDPWD/policies/$example.json"
done
expect_status "standard input is read for -" 0 "$agentpol" check - <good/000-least.json
grep -q '^standard input: ok (a: 0 rules' out
result "and is called standard input" $?

"$agentpol" check --format sarif risky.json good/000-least.json bad/*missing* >risky.sarif 2>err
jq -e '.version == "2.1.0" and (.runs | length) == 1 and .runs[0].tool.driver.name == "agentpol"
  and ([.runs[0].tool.driver.rules[].id] | length == (unique | length))
  and ([.runs[0].tool.driver.rules[].id] as $ids | [.runs[0].results[] | .ruleId as $r | $ids | index($r) != null] | all)
  and ([.runs[0].results[] | (.message.text | length > 0) and (.level | IN("error", "warning", "note"))
        and .locations[0].physicalLocation.region.startLine >= 1
        and (.locations[0].physicalLocation.artifactLocation.uri | test("^[-A-Za-z0-9._~/%]+$"))] | all)
  and (.runs[0].results | length > 5)' risky.sarif >/dev/null
result "SARIF 2.1.0 has its rules, results and regions" $?

jq -e '[.manifests[].file] | length == (unique | length)' all.json >/dev/null
result "JSON is one object with each manifest once" $?
"$agentpol" check --format json risky.json >risky-report.json
jq -e '.manifests[0] | .usable and .errors == 1 and .name == "risky" and (.digest | startswith("sha256:"))
    and .order == [{"before": "a", "after": "b", "by": "requires"}]
    and (.diagnostics | map(.code) == ["B001", "B005"])' risky-report.json >/dev/null
result "JSON tells digest, order and findings" $?

"$agentpol" check --format github risky.json >out
grep -q '^::error file=risky.json,line=2,col=32,title=B001::/network/egress/0/to: ' out && ! grep -qv '^::' out
result "github format is one annotation a line" $?

printf '{"agentpol": 1, "name": "a", "x\\u001b[31m": 1}' >escape.json
"$agentpol" check escape.json >out 2>err
! grep -q $'\x1b' out err
result "a manifest's own text can't command the terminal" $?

expect_status "a missing file is unusable" 2 "$agentpol" check nosuch.json
expect_status "no manifest is a wrong command line" 2 "$agentpol" check
expect_status "an unknown format is a wrong command line" 2 "$agentpol" check --format xml risky.json
expect_status "an unknown option is a wrong command line" 2 "$agentpol" check --nope risky.json
expect_status "--help is answered" 0 "$agentpol" check --help
grep -q '^Usage: agentpol check' out
result "with the usage" $?
echo "1..$count"
