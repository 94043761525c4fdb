#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Egress by host name, with a real resolver and the clients that people have: what is granted works
# and what is not fails at once; with policyd, by itself, and when nobody is there to help. What tries
# to get out is the evasion suite's affair.
#
#   EVASION_SLOW    if set: wait for what takes more than a minute, too
set -u
cd "$(dirname "$0")/../.." || exit 3
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
# shellcheck source=tests/evasion/world.sh
. tests/evasion/world.sh
world_up names
internet_up
chmod 755 "$work"
# shellcheck source=tests/e2e/names_clients.sh
. tests/e2e/names_clients.sh
# shellcheck source=tests/e2e/names_daemon.sh
. tests/e2e/names_daemon.sh
# shellcheck source=tests/e2e/names_resolvers.sh
. tests/e2e/names_resolvers.sh
# shellcheck source=tests/e2e/names_records.sh
. tests/e2e/names_records.sh

clients_find
daemon_start

# ---- clients, in four ways ----

printf 'nameserver %s\nnameserver %s\noptions timeout:1 attempts:1\n' $resolver $resolver6 >"$work/resolv.conf"
manifest "$work/clients.json" "$name" "" "{\"to\": \"$asked_granted\", \"ports\": [443]}" '"resolvers": "system"'
agent_up clients "$work/resolv.conf" "$work/clients.json"
clients_ask free in-time "${near[@]}" "${with_conf[@]}" "$work/resolv.conf" &
free_pid=$!
clients_ask alone at-once "${near[@]}" "${with_conf[@]}" "$work/resolv.conf" \
  "$agentpol" run --standalone --quiet --log "$work/log.alone" -m "$work/clients.json" -- &
alone_pid=$!
clients_ask daemon at-once "${inside[@]}"
wait $free_pid $alone_pid
kill -STOP "$policyd_pid"
clients_ask stopped in-time "${inside[@]}"
kill -CONT "$policyd_pid"
clients_judge_free
clients_judge alone "under run --standalone"
clients_judge daemon "under attach"
clients_judge_log
clients_judge stopped "while policyd is stopped" later

daemon_judge
resolvers_judge
search_judge
records_judge
[ -z "${EVASION_SLOW:-}" ] || expiry_judge

done_testing
