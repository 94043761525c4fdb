# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2086,SC2154 # names are shared with evasion.t and lib.sh
# What the manifest of the evasion suite grants, a line each: it has to arrive under the policy as it
# does without, or that nothing else gets out says little.
#
#   grant ID "WHAT" COMMAND...

granted_ids=()
grant() { # ID WHAT COMMAND...
  granted_ids+=("$1")
  what_of[$1]=$2 command_of[$1]="${*:3}"
}

# ---- addresses, as ever ----

grant grant-tcp "TCP to a granted address" "$evade text tcp $granted $granted_port TOKEN"
grant grant-udp "UDP to a granted address" "$evade text udp $granted $granted_port TOKEN"
grant grant-tcp6 "TCP to a granted IPv6 address" "$evade text tcp $granted6 $granted_port TOKEN"
for carrier in tcp udp udp-connected; do
  grant "grant-beside-$carrier" "$carrier to another server at a resolver's address on loopback" "$evade text $carrier 127.0.0.1 8125 TOKEN"
done

# ---- questions ----

look="$evade dns.granted" at="$resolver 53 TOKEN"
grant grant-ask "a question for a granted name" "$look udp $at"
grant grant-ask6 "the same over IPv6" "$look udp $resolver6 53 TOKEN"
grant grant-ask-opt "with an OPT record" "$evade dns.granted-opt udp $at"
for type in 16 28 33 65; do
  grant "grant-ask-type-$type" "of type $type" "$evade dns.granted-type:$type udp $at"
done
for carrier in udp-connected udp-mapped udp-pieces tcp tcp-mapped tcp-bytes tcp-halves tcp-small-segments; do
  grant "grant-ask-$carrier" "by $carrier" "$look $carrier $at"
done
grant grant-ask6-tcp "by TCP over IPv6" "$look tcp-bytes $resolver6 53 TOKEN"

# ---- names that open ----

opens() { # ID WHAT ADDRESS ASK...
  grant "grant-open-$1" "$2" "$evade text tcp $3 7001 TOKEN ${*:4}"
}
opens name "a granted name's address" 203.0.113.11 port.example@$resolver
opens name-tcp "asked for by TCP" 203.0.113.10 granted.example%$resolver
opens name6 "an IPv6 address, asked for over IPv6" 2001:db8::10 granted.example@$resolver6
opens wildcard "a name below a wildcard" 203.0.113.50 any.wild.example@$resolver
opens alias "an alias of a name that is not granted" 203.0.113.53 chain.example@$resolver
opens dname "a name below a DNAME" 203.0.113.54 host.dname.example@$resolver
opens hint "an HTTPS record's hint" 203.0.113.55 https.example:65@$resolver
opens ttl0 "a time to live of 0" 203.0.113.15 ttl0.example@$resolver
opens huge "a time to live of 68 years" 203.0.113.16 huge.example@$resolver
opens large "the last of 60 addresses, which need TCP" 198.51.100.60 large.example%$resolver
opens honest "a liar's true answer" 203.0.113.100 honest.131.liar.example@$liar
opens mixed "the public one of a public and a private address" 203.0.113.17 rebind-mixed.example@$resolver

# ---- TLS ----

tls_at="$cdn 443 TOKEN $asked"
for carrier in tcp tcp-bytes tcp-halves tcp-thirds tcp-small-segments tcp-mapped; do
  grant "grant-tls-$carrier" "a hello with a granted name, by $carrier" "$evade tls.granted $carrier $tls_at"
done
grant grant-tls6 "the same in IPv6" "$evade tls.granted tcp $cdn6 443 TOKEN cdn.example@$resolver6"
grant grant-tls-8443 "the same on port 8443" "$evade tls.granted tcp $cdn 8443 TOKEN $asked"
grant grant-tls-records "the same in records of 60 bytes" "$evade tls.granted-records:60 tcp $tls_at"
grant grant-tls-grease "among values that mean nothing" "$evade tls.granted-grease tcp $tls_at"
grant grant-tls-upper "in other letters' case" "$evade tls.granted-upper tcp $tls_at"
for size in 1500 4000 9000 15000; do
  grant "grant-tls-padded-$size" "of more than $size bytes" "$evade tls.granted-padded:$size tcp $tls_at"
done
grant grant-tls-free "what is no TLS, where the manifest says so" "$evade text tcp 203.0.113.12 443 TOKEN free.example@$resolver"

real() { # ID WHAT ADDRESS NAME...
  grant "grant-real-$1" "$2" "$evade text none $3 443 TOKEN ${*: -1}@$resolver; $python $here/client.py $3 443 TOKEN ${*:4}"
}
real tls "a TLS client" $cdn cdn.example
real retry "a TLS client whose hello is asked for again" 203.0.113.30 hrr.twins.example
real resumed "a TLS client that resumes its session" 203.0.113.40 old.example old.example
