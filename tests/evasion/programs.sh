# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2086,SC2154 # names are shared with evasion.t and lib.sh
# Programs as people run them, under a manifest whose resolvers are the system's: what is granted
# works without their knowing of any policy, and the neighbour on the same address does not.

printf 'nameserver %s\noptions timeout:2 attempts:2\n' $resolver >"$work/resolv.conf"
chmod 644 "$work/resolv.conf"
in_system=("${near[@]}" "${with_conf[@]}" "$work/resolv.conf")
system_egress='{"to": ["cdn.example", "*.twins.example"], "ports": [443]}'
cat >"$work/programs" <<SH
try() { name=\$1; shift; echo "\$name \$("\$@" 2>&1 | tr '\n' ' ')"; }
try glibc $work/bin/lookup cdn.example
[ -x $work/bin/lookup-musl ] && try musl $work/bin/lookup-musl cdn.example
try dig dig +short +time=2 +tries=1 cdn.example A
try dig-tcp dig +short +tcp +time=2 +tries=1 cdn.example A
try curl curl -sSk --max-time 4 https://cdn.example/
try curl-wildcard curl -sSk --max-time 4 https://any.twins.example/
try foreign-lookup $work/bin/lookup other.example
try foreign-curl curl -sSk --max-time 2 https://other.example/
try foreign-neighbour curl -sSk --max-time 2 --connect-to other.example:443:cdn.example:443 https://other.example/
SH
programs_make() {
  cp "$build/tests/tools/lookup" "$work/bin/"
  quietly musl-gcc -static -O1 -o "$work/bin/lookup-musl" tests/tools/lookup.c
  manifest "$work/system.json" "$name-system" "" "$system_egress" '"resolvers": "system"'
  "${in_system[@]}" sh "$work/programs" >"$work/programs.free" 2>&1
  "${in_system[@]}" "$agentpol" run --standalone --quiet "${run_options[@]}" --log "$work/log.system" -m "$work/system.json" -- \
    sh "$work/programs" >"$work/programs.run" 2>&1
}
program_said() { sed -n "s/^$2 //p" "$work/programs.$1"; } # PHASE PROGRAM
programs_judge() {
  local program
  for program in glibc musl dig dig-tcp curl curl-wildcard foreign-lookup foreign-curl foreign-neighbour; do
    printf '# %-18s| %-48s| %s\n' "$program" "$(program_said free $program)" "$(program_said run $program)"
  done
  for program in glibc musl dig dig-tcp; do
    if ! command -v musl-gcc >/dev/null && [ $program = musl ]; then
      skip "program $program finds a granted name" "no musl-gcc here"
      continue
    fi
    like "program $program finds a granted name" "$(program_said run $program)" "203\.0\.113\.20"
  done
  is "program curl gets a page of a granted name" "$(program_said run curl)" "served cdn.example "
  is "program curl gets a page below a wildcard" "$(program_said run curl-wildcard)" "served any.twins.example "
  for program in foreign-curl foreign-neighbour; do
    is "program $program gets another name's page without a policy" "$(program_said free $program)" "served other.example "
    ok "program $program gets none under it" not grep -q "^$program served" "$work/programs.run"
  done
  like "program foreign-lookup finds another name without a policy" "$(program_said free foreign-lookup)" "203\.0\.113\.20"
  ok "program foreign-lookup finds none under it" not grep -q "^foreign-lookup 203" "$work/programs.run"
}
