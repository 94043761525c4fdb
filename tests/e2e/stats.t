#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `agentpol log stats`: the inventory of an agent that asks a real resolver for names and fetches from
# web servers, in audit mode and under a policy; what was counted reaches the log however a policy
# ends.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
for tool in dnsmasq curl python3 unshare; do
  command -v "$tool" >/dev/null || skip_all "no $tool here (Debian: dnsmasq-base, curl, python3, util-linux)"
done
world_up stats
log=$work/log

# ---- an internet at the far end: public addresses, since a name opens no internal one ----

resolver=203.0.113.53
for address in "$resolver" 203.0.113.10 203.0.113.11 203.0.113.12; do
  "${far[@]}" ip addr add $address/32 dev lo
done
"${far[@]}" dnsmasq --keep-in-foreground --no-resolv --no-hosts --user=root --pid-file= --bind-interfaces \
  --listen-address=$resolver --host-record=api.example.com,203.0.113.10 --host-record=api.example.com,203.0.113.11 \
  --host-record=files.example.com,203.0.113.12 --host-record=unused.example.com,203.0.113.10 \
  --local=/example.com/ >"$work/dnsmasq.out" 2>&1 &
children+=($!)
mkdir "$work/www"
head -c 1000 /dev/zero >"$work/www/small"
"${far[@]}" python3 -m http.server --bind 0.0.0.0 --directory "$work/www" 80 >"$work/www.out" 2>&1 &
children+=($!)
echo "nameserver $resolver" >"$work/resolv.conf"
fetches() { "${near[@]}" curl -fsS --max-time 2 -o /dev/null "http://203.0.113.10/small" 2>/dev/null; }
wait_for 10 fetches || skip_all "the far end's web server does not start"

# With that resolver, in a mount namespace of its own.
there() { # COMMAND...
  # shellcheck disable=SC2016
  "${near[@]}" unshare --mount --propagation private sh -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$work/resolv.conf" "$@"
}
run() { # MANIFEST COMMAND...
  local file=$1
  shift
  there "$agentpol" run -q --standalone --log "$log" -m "$file" -- "$@"
}
stats() { "$agentpol" log stats --log "$log" "$@"; }
# The members of the inventory's destinations that a jq condition takes.
inventory() { # CONDITION MEMBERS
  stats --egress --format json | jq -c ".destinations[] | select($1) | $2"
}
get() { printf 'curl -sS --noproxy "*" --max-time 5 -o /dev/null http://%s/small; ' "$@"; }

# ---- audit mode: an inventory of what nobody has granted ----

cat >"$work/audit.json" <<JSON
{"agentpol": 1, "name": "$name", "mode": "audit",
 "network": {"egress": [{"to": "files.example.com", "ports": [80]}]}}
JSON
run "$work/audit.json" sh -c "$(get api.example.com api.example.com api.example.com files.example.com 203.0.113.12)
  getent hosts unused.example.com >/dev/null; '$prober' udp-sendto $granted $granted_port tk-1.1"

is "a name that was resolved is one destination, with its addresses below" \
  "$(inventory '.name == "api.example.com"' '[.agent, .port, .proto, .verdict, (.addresses - ["203.0.113.10", "203.0.113.11"])]')" \
  "[\"$name\",80,\"tcp\",\"would-deny\",[]]"
is "its connects are all counted" "$(inventory '.name == "api.example.com"' '.connects["would-deny"]')" 3
ok "its bytes are those of three requests" test "$(inventory '.name == "api.example.com"' .bytes)" -gt 600
ok "and no more, though the answers are larger" test "$(inventory '.name == "api.example.com"' .bytes)" -lt 3000
like "its process is told" "$(inventory '.name == "api.example.com"' .processes)" '^\["[^"]*/curl"\]$'
is "the edit grants the name, not the address" "$(inventory '.name == "api.example.com"' .hint)" \
  '{"op":"add","path":"/network/egress/-","value":{"to":"api.example.com","ports":[80]}}'
like "it has been seen first and last" "$(inventory '.name == "api.example.com"' '[.first, .last]')" \
  '^\["20[0-9-]+T[0-9:.]+Z","20[0-9-]+T[0-9:.]+Z"\]$'
is "a name that is granted has its rule" "$(inventory '.name == "files.example.com"' '[.verdict, .rule, .hint]')" \
  '["allow","/network/egress/0",null]'
is "an internal address is granted by its address" "$(inventory ".addresses == [\"$granted\"]" '[.proto, .hint.value]')" \
  "[\"udp\",{\"to\":\"$granted\",\"ports\":[$granted_port],\"proto\":\"udp\"}]"
is "a name that was asked for and not reached is listed" "$(inventory '.name == "unused.example.com"' '[.proto, .port, .bytes]')" '["dns",null,0]'
is "a UDP socket that was connected and has sent nothing is not listed" "$(inventory '.name == "api.example.com" and .proto == "udp"' .)" ""
is "one that was reached is not listed twice" "$(inventory '.proto == "dns"' .name)" '"unused.example.com"'
is "the resolver is no rule's to grant: names are" "$(inventory ".addresses == [\"$resolver\"]" '[.port, .verdict, .rule, .hint]' | sort -u)" \
  '[53,"allow","/network/resolvers",null]'
is "the total is the sum" "$(stats --egress --format json | jq '[.total.bytes == ([.destinations[].bytes] | add), .total.destinations == (.destinations | length)]' -c)" '[true,true]'

# The edits are what the inventory is for.
stats --egress --format json | jq --arg name "$name" '{agentpol: 1, name: $name, audit: {allowed: ["connect"]}, network: {egress:
  ([.destinations[].hint.value | select(. != null)] + [{to: "files.example.com", ports: [80]}])}}' >"$work/learnt.json"
ok "a manifest of its edits is good" quietly "$agentpol" check "$work/learnt.json"
ok "and lets the same run through" run "$work/learnt.json" sh -ec "curl -fsS --max-time 5 -o /dev/null http://api.example.com/small; curl -fsS --max-time 5 -o /dev/null http://files.example.com/small"
# Not by UDP: getaddrinfo(3) connects such a socket to each address, without sending, and is denied.
is "which is told as allowed, by the rule" "$(inventory '.name == "api.example.com" and .proto == "tcp"' '[.verdict, .connects.allow, (.rule | startswith("/network/egress/"))]')" '["allow",1,true]'

# ---- for people ----

stats --egress >"$work/table"
is "no row of the table is wider than 100 columns" "$(grep -E '^  [^ ]' "$work/table" | awk 'length > 100')" ""
like "a row has name, port, connects, bytes, verdict, first and last" "$(grep '^  api.example.com .*80/tcp' "$work/table")" \
  '^  api\.example\.com +80/tcp +4 +[0-9.]+ (B|KiB) +allowed +[0-9]{2}-[0-9]{2} [0-9:]{5} [0-9]{2}-[0-9]{2} [0-9:]{5}$'
like "with its addresses, processes and rule below" "$(grep -A4 '^  api.example.com .*80/tcp' "$work/table" | tr '\n' ' ')" \
  'at 203\.0\.113\.1[01].* by [^ ]*curl .*granted by /network/egress/'
like "and a total at the end" "$(tail -1 "$work/table")" '^total: [0-9]+ destinations, .* connects \([0-9]+ allowed, [0-9]+ would-deny, [0-9]+ denied\)$'
is "--since leaves out what is older" "$(stats --egress --since 2099-01-01 --format json | jq -c .total.destinations)" 0
is "--since takes what is younger" "$(stats --since 1h --format json | jq .records)" "$(audit "$log" | wc -l)"
is "without --egress the records are counted" "$(stats --format json | jq '[.counts[].records] | add')" "$(audit "$log" | wc -l)"
like "in a table, too" "$(stats | grep ' traffic ')" "$name +traffic +(allow|would-deny) +(-|egress) +[1-9]"
like "show has traffic in words" "$("$agentpol" log show --log "$log" --kind traffic | grep api.example)" \
  "traffic tcp 203\.0\.113\.1[01] port 80 \(api\.example\.com\), [0-9]+ bytes in [0-9]+ packets"
like "and questions, with their type" "$("$agentpol" log show --log "$log" --kind dns | grep unused)" \
  "dns (A|AAAA) unused\.example\.com at udp ${resolver//./\\.} port 53"

# ---- bytes, exactly ----

printf '{"agentpol": 1, "name": "%s", "audit": {"allowed": ["connect"]}, "network": {"egress": [{"to": "%s", "ports": [%s], "proto": "udp"}]}}' \
  "$name-udp" $granted $granted_port >"$work/udp.json"
# 20 bytes of IP and 8 of UDP in front of each.
run "$work/udp.json" sh -c "for i in 1 2 3 4 5; do '$prober' udp-sendto $granted $granted_port tk-exact; done"
is "what left is counted to the byte, headers too" "$(inventory ".agent == \"$name-udp\"" '[.bytes, .packets]')" "[$((5 * (28 + 8))),5]"

# ---- more destinations than the kernel's table holds ----

cat >"$work/many.json" <<JSON
{"agentpol": 1, "name": "$name-many", "mode": "audit", "network": {"egress": [{"to": "@loopback", "ports": ["*"], "proto": "udp"}]}}
JSON
cat >"$work/many.py" <<'E2'
import socket
sender, sent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0
for address, ports in ("127.0.0.1", 65535), ("127.0.0.2", 3000):
    for port in range(1024, ports + 1):
        while True:
            try:
                sender.sendto(b"x", (address, port))
                break
            except ConnectionRefusedError:  # of an earlier one
                pass
        sent += 1
for port in range(1024, 3000):  # what is in the table goes on
    try:
        sender.sendto(b"x", ("127.0.0.1", port))
        sent += 1
    except ConnectionRefusedError:
        pass
print(sent)
E2
chmod 644 "$work/many.py"
sent=$(run "$work/many.json" python3 "$work/many.py")
counted=$(records "$log" ".agent == \"$name-many\" and .kind == \"traffic\"" | jq -s '[.[].subject.packets] | add')
lost=$(records "$log" '.kind == "lost" and .reason == "traffic"' | jq -s '[.[].count] | add')
is "each packet is counted, or told as not counted" "$((counted + lost))" "$sent"
ok "a full table is told" test "$lost" -gt 0
like "a list that is cut off says so" "$(stats --egress --agent "$name-many" | tail -1)" "^cut off: [0-9]+ records"
is "and has all bytes in the total" "$(stats --egress --agent "$name-many" --format json | jq .total.packets)" "$counted"
is "records have no gap" "$(gaps_in "$log")" ""

# ---- however a policy ends ----

cgroup=$cgroups/$name
mkdir "$cgroup" "$cgroup/gone"
cat >"$work/policyd.json" <<JSON
{"log": "$work/dlog", "socket": "$work/control/policyd.sock", "state": "$work/state", "pin": "/sys/fs/bpf/agentpol-$name"}
JSON
start_policyd() {
  "$policyd" --config "$work/policyd.json" --foreground >"$work/policyd.out" 2>&1 &
  policyd_pid=$!
  children+=("$policyd_pid")
  wait_for 10 holds "$work/policyd.out" "serving at"
}
start_policyd
ask() { "$agentpol" "$1" --socket "$work/control/policyd.sock" "${@:2}" >/dev/null; }
# shellcheck disable=SC2016
send() { # CGROUP
  sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$1" "${near[@]}" "$prober" udp-sendto $granted $granted_port tk-more
}
sum() { records "$work/dlog" ".kind == \"traffic\" and .agent == \"$1\"" | jq -s '[.[].subject.packets] | add // 0'; }
has_sum() { [ "$(sum "$1")" = "$2" ]; }
manifest "$work/one.json" "$name-one" '"audit": {"allowed": ["connect"]}'
manifest "$work/two.json" "$name-two" '"audit": {"allowed": ["connect"]}'
ask attach -m "$work/one.json" --cgroup "$cgroup"
send "$cgroup" && send "$cgroup"
is "what goes on is not told at once" "$(sum "$name-one")" 0
ask attach -m "$work/two.json" --cgroup "$cgroup"
ok "a policy that is replaced: what it let through is told under its name" wait_for 5 has_sum "$name-one" 2
send "$cgroup"
kill -9 "$policyd_pid" && wait "$policyd_pid" 2>/dev/null
send "$cgroup"
start_policyd
ask detach --cgroup "$cgroup"
is "a detach tells what was left, also of a time without policyd" "$(sum "$name-two")" 2
ask attach -m "$work/two.json" --cgroup "$cgroup/gone"
send "$cgroup/gone"
rmdir "$cgroup/gone"
ok "a cgroup that vanishes: what it had sent is told" wait_for 5 has_sum "$name-two" 3
is "the sums of policyd's log have no gap" "$(gaps_in "$work/dlog")" ""

done_testing
