# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2086,SC2154 # names are shared with evasion.t and lib.sh
# All attempts of the evasion suite, a line each:
#
#   attempt TIER ID "WHAT" COMMAND...
#
# TIER is what stops it:
#   cgroup   the programs in the kernel: under `run` and under `attach`
#   run      what `run` takes away before the start (system calls, capabilities, descriptors); under
#            `attach` it gets out, as the README's Limits say
#   nothing  it gets out under both, as the README's Limits say
# TOKEN stands for the attempt's own token, PHASE for where it is made. An attempt has succeeded when
# its token is seen at the far end, whatever the command was told. `hello` is `attempt` for what may
# not get one byte out of its TCP connection.

ids=()
declare -A tier_of what_of command_of is_silent
lies=() # names that the liar answers; the manifest grants them
attempt() { # TIER ID WHAT COMMAND...
  [ -z "${tier_of[$2]:-}" ] || echo "# two attempts are called $2"
  ids+=("$2")
  tier_of[$2]=$1 what_of[$2]=$3 command_of[$2]="${*:4}"
}
hello() {
  attempt "$@"
  is_silent[$2]=1
}

# ---- network: the ways of tests/tools/prober.c, where nothing is granted ----

never4=203.0.113.80 never6=2001:db8::80 learnt=203.0.113.11
ways4="tcp tcp-mapped mptcp tfo-sendto tfo-connect udp-sendto udp-connect udp-sendmmsg udp-afunspec udp-mapped
  udp-inet-on-inet6 udp-connected-sendto reconnect-udp udplite fragment ping-socket raw-icmp raw-hdrincl iouring-connect"
ways6="tcp tfo-sendto udp-sendto udp-connect udp-sendmmsg reconnect-udp fragment ipv6-dstopts ping-socket raw-icmp iouring-connect"
for way in $ways4; do
  attempt cgroup "net4-$way" "$way to an address that no rule and no name grants" \
    "$prober $way $never4 7001 TOKEN $granted $granted_port"
done
for way in $ways6; do
  attempt cgroup "net6-$way" "$way to an IPv6 address that no rule and no name grants" \
    "$prober $way $never6 7001 TOKEN $granted6 $granted_port"
done
for way in tcp tcp-mapped mptcp tfo-sendto tfo-connect udp-sendto udp-connect udp-connected-sendto udp-mapped iouring-connect; do
  attempt cgroup "resolver-port-$way" "$way to another port of a resolver" \
    "$prober $way $resolver 7002 TOKEN $granted $granted_port"
  attempt cgroup "learnt-port-$way" "$way to an address that a name has opened, on a port that its rule does not grant" \
    "$prober $way $learnt 7002 TOKEN $granted $granted_port"
done
for way in tcp mptcp tfo-sendto tfo-connect udp-sendto udp-connect udp-sendmmsg udp-afunspec udp-mapped udplite fragment raw-hdrincl iouring-connect; do
  attempt cgroup "resolver-53-$way" "$way to a resolver's port 53 with what is no DNS" \
    "$prober $way $resolver 53 TOKEN $granted $granted_port"
done
attempt cgroup net-ip-options "a source route by an address that is not granted" \
  "$prober ip-options $granted $granted_port TOKEN $denied"
attempt cgroup net-ipv6-rthdr "an IPv6 segment route by an address that is not granted" \
  "$prober ipv6-rthdr $granted6 $granted_port TOKEN $denied6"
attempt run net-packet "an AF_PACKET socket" "$prober packet $never4 7001 TOKEN"
attempt cgroup net-icmp-resolver "ICMP to a resolver" "$prober raw-icmp $resolver 0 TOKEN"
attempt cgroup net-icmp-learnt "ICMP to an address that a name has opened" "$prober ping-socket $learnt 0 TOKEN"
attempt cgroup net-mdns "a name by multicast DNS" "$evade dns.ungranted udp 224.0.0.251 5353 TOKEN"
attempt cgroup net-llmnr "a name by link-local multicast name resolution" "$evade dns.ungranted udp 224.0.0.252 5355 TOKEN"
attempt cgroup net-broadcast "a question to everybody on the link" "$evade dns.ungranted udp 10.77.0.255 53 TOKEN"
attempt cgroup net-dot "a name over TLS, at a resolver's port 853" "$evade tls.foreign tcp $resolver 853 TOKEN"
attempt cgroup net-doh "a name over HTTPS, at a server that nothing grants" "$evade tls.foreign tcp $never4 443 TOKEN"
attempt cgroup net-ring-message "io_uring's own socket and sendmsg" "$evade text udp-ring-message $never4 7001 TOKEN"
attempt cgroup net-ring-zerocopy "io_uring's send without a copy" "$evade text udp-ring-zerocopy $never4 7001 TOKEN"
attempt cgroup net-udp-splice "a file spliced into a datagram" "$evade text udp-splice $never4 7001 TOKEN"
attempt cgroup net-udp-sendfile "a file sent as a datagram" "$evade text udp-sendfile $never4 7001 TOKEN"
attempt cgroup net-tcp-sendfile "a file sent over TCP" "$evade text tcp-sendfile $never4 7001 TOKEN"
attempt cgroup net-later-fragment "a fragment that is not the first, to an address that is granted for other ports" \
  "$evade text raw-later-fragment $granted 7002 TOKEN"
attempt cgroup net-later-fragment6 "the same in IPv6" "$evade text raw6-later-fragment $granted6 7002 TOKEN"
attempt cgroup net-whole-fragment6 "a fragment header in front of a denied port, in IPv6" "$evade text raw6-fragment $granted6 7002 TOKEN"
attempt cgroup net-options6 "options in front of a denied port, in IPv6" "$evade text raw6-options $granted6 7002 TOKEN"
attempt cgroup net-tiny-fragment "a port in one fragment, data in the next" "$evade text raw-tiny-fragment $granted 7002 TOKEN"
attempt cgroup net-in-ip "a packet in a packet, the outer one to a granted address" "$evade text raw-in-ip $granted $granted_port TOKEN"
attempt cgroup net-unknown-protocol "a protocol that nobody knows, to a granted address" "$evade text raw-unknown-protocol $granted $granted_port TOKEN"
attempt cgroup net-raw-segment "a TCP segment without a connection" "$evade text raw-segment $granted 7002 TOKEN"
attempt cgroup net-raw-syn "data in a SYN of our own" "$evade text raw-syn-data $granted 7002 TOKEN"

# ---- network: sockets from outside, and answers to who comes in ----

attempt run outside-inherited "a socket that was inherited" "$prober inherited-fd $denied $denied_port TOKEN 9"
attempt run outside-pidfd "a socket taken out of a process by pidfd_getfd" "$prober pidfd-getfd $denied $denied_port TOKEN $helper_pid $held"
attempt nothing outside-rights "a socket that a helper outside hands over by SCM_RIGHTS" "$prober scm-rights $denied $denied_port TOKEN $helper"
attempt cgroup inside-listen "an answer to who connects in" "$prober listen-answer 0.0.0.0 0 TOKEN | tee $work/listens.PHASE.tcp"
attempt cgroup inside-udp "an answer to a datagram on a bound port" "$prober udp-answer 0.0.0.0 0 TOKEN | tee $work/listens.PHASE.udp"

# ---- names: what is asked for ----

ask="$evade dns.ungranted" at="$resolver 53 TOKEN"
attempt cgroup name-a "an address of a name that is not granted" "$ask udp $at"
attempt cgroup name-a6 "the same, asked over IPv6" "$ask udp $resolver6 53 TOKEN"
for type in 0:none 2:NS 5:CNAME 6:SOA 10:NULL 12:PTR 15:MX 16:TXT 28:AAAA 33:SRV 35:NAPTR 41:OPT 46:RRSIG 48:DNSKEY 64:SVCB \
  65:HTTPS 99:SPF 249:TKEY 250:TSIG 251:IXFR 252:AXFR 255:ANY 256:URI 65280:private 65535:last; do
  attempt cgroup "name-type-${type#*:}" "the same for the type ${type#*:}" "$evade dns.type:${type%:*} udp $at"
done
for class in 0:none 2:CS 3:CH 4:HS 254:NONE 255:ANY; do
  attempt cgroup "name-class-${class#*:}" "the same in the class ${class#*:}" "$evade dns.class:${class%:*} udp $at"
done
attempt cgroup name-granted-chaos "a granted name in the class CH" "$evade dns.granted-class:3 udp $at"
attempt cgroup name-granted-any "a granted name in the class ANY" "$evade dns.granted-class:255 udp $at"
attempt cgroup name-upper "a name in other letters' case" "$evade dns.upper udp $at"
attempt cgroup name-below-exact "a name below one that is granted exactly" "$evade dns.below-exact udp $at"
attempt cgroup name-granted-in-front "a granted name in front of one that is not" "$evade dns.granted-in-front udp $at"
attempt cgroup name-glued "a name that ends in a wildcard's letters, not in its labels" "$evade dns.glued udp $at"
attempt cgroup name-dot-in-zone "a dot inside a label, where the wildcard's own would be" "$evade dns.dot-in-zone udp $at"
attempt cgroup name-dot-in-front "a dot inside a label, in front of the wildcard" "$evade dns.dot-in-front udp $at"
attempt cgroup name-dot-exact "a granted name as one label" "$evade dns.dot-exact udp $at"
attempt cgroup name-nul-in-zone "a NUL at a wildcard's end" "$evade dns.nul-in-zone udp $at"
attempt cgroup name-nul-in-exact "a NUL behind a granted name, and more" "$evade dns.nul-in-exact udp $at"
attempt cgroup name-long "a name of 255 bytes" "$evade dns.long udp $at"
attempt cgroup name-overlong "a name of more, below a wildcard" "$evade dns.overlong udp $at"
attempt cgroup name-label-64 "a label of 64 bytes" "$evade dns.label-kind:64 udp $at"
attempt cgroup name-label-bits "a bit-string label" "$evade dns.label-kind:0x41 udp $at"
attempt cgroup name-label-reserved "a label of a reserved kind" "$evade dns.label-kind:0x9f udp $at"
attempt cgroup name-root "the root" "$evade dns.root udp $at"
attempt cgroup name-top "a top-level domain" "$evade dns.top udp $at"
attempt cgroup name-wildcard-base "a wildcard's name without a label in front" "$evade dns.wildcard-base udp $at"
attempt cgroup name-pointer-behind "a compressed question whose end lies behind it" "$evade dns.pointer-behind udp $at"
attempt cgroup name-pointer-loop "a pointer to itself" "$evade dns.pointer-loop udp $at"
attempt cgroup name-pointer-pair "two pointers to each other" "$evade dns.pointer-pair udp $at"
attempt cgroup name-unended "a name that the message ends before" "$evade dns.unended udp $at"
attempt cgroup name-cut "a question without its class" "$evade dns.cut udp $at"

# ---- names: messages that are more than one question ----

for opcode in 1:IQUERY 2:STATUS 4:NOTIFY 5:UPDATE 6:DSO 15:last; do
  attempt cgroup "message-${opcode#*:}" "a granted name in a message of the kind ${opcode#*:}" "$evade dns.opcode:${opcode%:*} udp $at"
done
attempt cgroup message-response "a granted name in a response" "$evade dns.response udp $at"
attempt cgroup message-response-record "data in a response's record" "$evade dns.response-record udp $at"
attempt cgroup message-two-questions "a granted question and one that is not" "$evade dns.two-questions udp $at"
attempt cgroup message-two-granted "two granted questions" "$evade dns.two-granted udp $at"
attempt cgroup message-uncounted "a second question that is not counted" "$evade dns.uncounted-question udp $at"
attempt cgroup message-no-question "a question in a message that says it has none" "$evade dns.no-question udp $at"
attempt cgroup message-answer "a record among a question's answers" "$evade dns.answer udp $at"
attempt cgroup message-authority "a record in the authority section" "$evade dns.authority udp $at"
attempt cgroup message-additional "a record in the additional section" "$evade dns.additional udp $at"
attempt cgroup message-tsig "a signature" "$evade dns.tsig udp $at"
attempt cgroup message-opt-padding "1,200 bytes of EDNS padding" "$evade dns.opt-option:12 udp $at"
attempt cgroup message-opt-local "1,200 bytes of an EDNS option that nobody knows" "$evade dns.opt-option:65001 udp $at"
attempt nothing message-opt-plain "a cookie of 40 bytes and padding of 64, which a resolver keeps to itself" "$evade dns.opt-plain udp $at"
attempt cgroup message-opt-two "two OPT records" "$evade dns.opt-two udp $at"
attempt cgroup message-opt-owner "an OPT record with a name" "$evade dns.opt-owner udp $at"
attempt cgroup message-opt-as-answer "an OPT record as an answer" "$evade dns.opt-as-answer udp $at"
attempt cgroup message-opt-short "an option that is longer than its record" "$evade dns.opt-short udp $at"
attempt cgroup message-opt-trailing "bytes behind an OPT record" "$evade dns.opt-trailing udp $at"
attempt cgroup message-trailing "bytes behind the question" "$evade dns.trailing udp $at"
attempt cgroup message-trailing-1400 "many bytes behind the question" "$evade dns.trailing-far:1400 udp $at"
attempt cgroup message-fragments "so many that IP sends fragments" "$evade dns.trailing-far:6000 udp $at"
attempt cgroup message-fragments6 "the same in IPv6" "$evade dns.trailing-far:6000 udp $resolver6 53 TOKEN"

# ---- names: ways to a resolver ----

attempt cgroup way-stranger "a granted name at a server that is no resolver" "$evade dns.granted udp $stranger 53 TOKEN"
attempt cgroup way-stranger-tcp "the same over TCP" "$evade dns.granted tcp $stranger 53 TOKEN"
attempt cgroup way-stranger-public "the same at a public address" "$evade dns.granted udp 203.0.113.66 53 TOKEN"
attempt cgroup way-port-54 "a granted name at another port of a resolver" "$evade dns.granted udp $resolver 54 TOKEN"
attempt cgroup way-port-54-tcp "the same over TCP" "$evade dns.granted tcp $resolver 54 TOKEN"
for carrier in udp-connected udp-mapped udp-unspecified udp-connected-sendto udp-many udp-more udp-corked udp-pieces udp-segment-second \
  udp-segment-last udp-segment-control udp-ip-options udplite udp-ring udp-ring-zerocopy udp-ring-message tcp tcp-mapped tcp-bytes \
  tcp-halves tcp-behind-one tcp-behind-many tcp-apart tcp-after-answer tcp-reconnected tcp-straddling tcp-unended tcp-orphaned tcp-length-long tcp-length-zero \
  tcp-length-short tcp-more tcp-corked tcp-urgent tcp-urgent-between tcp-small-segments tcp-fastopen tcp-fastopen-connect mptcp mptcp-bytes \
  tcp-ring tcp-ring-zerocopy raw-headers raw-slack raw-udp-short raw-tiny-fragment raw-later-fragment raw-overlap raw-in-ip raw-segment \
  raw-syn-data raw-udp; do
  attempt cgroup "way-$carrier" "a name that is not granted, by $carrier (see evade's carriers)" "$ask $carrier $at"
done
for carrier in udp-segment-last udp-destination-options udp-hop-options tcp-bytes raw-udp raw6-fragment raw6-options; do
  attempt cgroup "way6-$carrier" "the same over IPv6, by $carrier" "$ask $carrier $resolver6 53 TOKEN"
done
attempt run way-packet "the same by an AF_PACKET socket" "$ask packet $at"
attempt cgroup way-tcp-big "60,000 bytes behind a question over TCP" "$evade dns.trailing-far:60000 tcp $at"
attempt cgroup way-tcp-big-bytes "2,000 bytes behind a question over TCP, byte by byte" "$evade dns.trailing-far:2000 tcp-bytes $at"
for carrier in udp-zerocopy udp-vmsplice udp-sendfile udp-splice udp-ring-change tcp-zerocopy tcp-vmsplice tcp-sendfile tcp-splice tcp-ring-change; do
  attempt cgroup "change-$carrier" "a granted question that becomes another one behind the check, by $carrier" "$ask $carrier $slow_resolver 53 TOKEN"
done

# ---- names: what answers may open ----

# A lie about MODE.N.liar.example would open 203.0.113.N; it is asked for by UDP and by TCP.
lie() { # MODE N WHAT
  local name=$1.$2.liar.example
  lies+=("$name")
  attempt cgroup "answer-$1" "$3" "$evade text tcp 203.0.113.$2 7001 TOKEN $name@$liar $name%$liar"
}
lie owner-other 101 "an answer with another name's address besides"
lie owner-first 102 "the same in front of the true answer"
lie owner-granted 103 "with the address of a name that is granted, but was not asked for"
lie owner-below 104 "with the address of a name below"
lie owner-above 105 "with the address of a name above"
lie owner-root 106 "with an address of the root"
lie owner-dots 107 "with the name as one label"
lie owner-nul 108 "with a NUL behind the name"
lie authority 109 "an address in the authority section"
lie additional 110 "an address in the additional section"
lie chain-broken 111 "an alias, and the address of something else"
lie chain-of-other 112 "another name's chain"
lie chain-loop 113 "an alias of itself"
lie dname-elsewhere 114 "a DNAME above nothing that was asked for"
lie hint-other 115 "an HTTPS record of another name"
lie ident 116 "an answer with another id"
lie question-other 117 "an answer to a granted question that was not asked"
lie question-ungranted 118 "an answer to a question that is not granted"
lie question-none 119 "an answer without a question"
lie question-again 120 "a second answer, to what was not asked"
lie query 121 "a query that has an answer"
lie opcode 122 "an answer of another kind of message"
lie class 123 "an address in another class"
lie pointer-loop 124 "a compression loop"
lie pointer-pair 125 "a compression loop of two"
lie pointer-forward 126 "a pointer forward"
lie long-address 127 "an address of 16 bytes in a record for 4"
lie short-text 128 "an address inside another record"
lie from-stranger 129 "an answer from a server that was not asked"
lie from-port 130 "an answer from a resolver's other port"
lies+=(honest.131.liar.example own.132.liar.example)
attempt cgroup answer-stranger "an answer of a server that may not be asked" \
  "$evade text tcp 203.0.113.132 7001 TOKEN own.132.liar.example@$stranger own.132.liar.example%$stranger"
attempt cgroup answer-never "an address of a granted name that was not asked for" "$evade text tcp 203.0.113.14 7001 TOKEN"
attempt cgroup answer-outside "an address that somebody outside the policy has asked for" "$evade text tcp 203.0.113.13 7001 TOKEN"
attempt cgroup answer-other-policy "an address that another policy has asked for, which grants the same" \
  "$evade text tcp 203.0.113.18 7001 TOKEN"
attempt cgroup answer-alias-port "an alias of a name that is not granted, then a port that is not" \
  "$evade text tcp 203.0.113.53 7002 TOKEN chain.example@$resolver"
attempt cgroup answer-udp "UDP to an address that a name has opened for TCP" "$evade text udp 203.0.113.11 7001 TOKEN port.example@$resolver"
attempt cgroup answer-failed "an address of a name that is not granted, after asking for it" \
  "$evade text tcp 203.0.113.90 7001 TOKEN port.denied.example@$resolver"
attempt cgroup answer-other-rule "an address on the port of another rule's name" \
  "$evade text tcp 203.0.113.11 443 TOKEN port.example@$resolver"

# ---- names: granted ones that point inwards ----

rebinds=()
rebind() { # NAME ADDRESS WHAT [TYPE]
  rebinds+=("$1.example")
  attempt cgroup "rebind-${1##*rebind-}" "a granted name that points to $3" "$evade text tcp $2 7001 TOKEN $1.example${4:+:$4}@$resolver"
}
rebind rebind-loopback 127.0.0.1 "loopback"
rebind rebind-any 0.0.0.0 "0.0.0.0, which is loopback"
rebind rebind-10 10.0.0.5 "10/8"
rebind rebind-172 172.16.7.5 "172.16/12"
rebind rebind-192 192.168.7.5 "192.168/16"
rebind rebind-metadata 169.254.169.254 "a cloud's metadata"
rebind rebind-alibaba 100.100.100.200 "another cloud's metadata"
rebind rebind-azure 168.63.129.16 "a third cloud's"
rebind rebind-loopback6 ::1 "loopback in IPv6"
rebind rebind-mapped ::ffff:127.0.0.1 "loopback as a mapped address"
rebind rebind-mapped-10 ::ffff:10.0.0.5 "10/8 as a mapped address"
rebind rebind-local6 fd00::1 "fc00::/7"
rebind rebind-aws6 fd00:ec2::254 "metadata in IPv6"
rebind rebind-chain 10.0.0.6 "an alias that points inwards"
rebind host.rebind-dname 10.0.0.7 "a DNAME that points inwards"
rebind rebind-hint 10.0.0.8 "an HTTPS record whose hint points inwards" 65
rebind rebind-mixed 10.0.0.9 "a public and a private address"

# ---- TLS: an address that several names share ----

cdn=203.0.113.20 cdn6=2001:db8::20 asked=cdn.example@$resolver
tls_at="$cdn 443 TOKEN $asked"
hello cgroup tls-foreign "another name at the same address" "$evade tls.foreign tcp $tls_at"
hello cgroup tls-foreign6 "the same in IPv6" "$evade tls.foreign tcp $cdn6 443 TOKEN cdn.example@$resolver6"
hello cgroup tls-foreign-8443 "the same on port 8443" "$evade tls.foreign tcp $cdn 8443 TOKEN $asked"
for carrier in tcp-bytes tcp-halves tcp-thirds tcp-more tcp-small-segments tcp-fastopen tcp-fastopen-connect mptcp mptcp-bytes tcp-mapped \
  tcp-ring tcp-ring-zerocopy tcp-urgent tcp-unended tcp-orphaned; do
  hello cgroup "tls-foreign-${carrier#tcp-}" "another name, by $carrier" "$evade tls.foreign $carrier $tls_at"
done
hello cgroup tls-urgent-between "an urgent byte in front of a granted hello" "$evade tls.granted tcp-urgent-between $tls_at"
for size in 1 16 60 200; do
  hello cgroup "tls-foreign-records-$size" "another name, in records of $size bytes" "$evade tls.foreign-records:$size tcp $tls_at"
done
hello cgroup tls-foreign-records-bytes "another name, in records of 16 bytes and segments of one" "$evade tls.foreign-records:16 tcp-bytes $tls_at"
hello cgroup tls-foreign-grease "another name among values that mean nothing" "$evade tls.foreign-grease tcp $tls_at"
hello cgroup tls-foreign-upper "another name in other letters' case" "$evade tls.foreign-upper tcp $tls_at"
hello cgroup tls-foreign-dot "another name with a dot at its end" "$evade tls.foreign-dot tcp $tls_at"
hello cgroup tls-foreign-padded "another name behind 12,000 bytes" "$evade tls.foreign-padded:12000 tcp $tls_at"
hello cgroup tls-foreign-far "another name behind 40,000 bytes" "$evade tls.foreign-padded:40000 tcp $tls_at"
hello cgroup tls-below "a name below the granted one" "$evade tls.below tcp $tls_at"
hello cgroup tls-nul "the granted name, a NUL, and more" "$evade tls.nul tcp $tls_at"
hello cgroup tls-other-rule "a name that another rule grants, elsewhere" "$evade tls.other-rule tcp $tls_at"
hello cgroup tls-other-wildcard "a name that a wildcard grants, elsewhere" "$evade tls.other-wildcard tcp $tls_at"
hello cgroup tls-address "an address as the name" "$evade tls.address tcp $tls_at"
hello cgroup tls-nameless "no name" "$evade tls.nameless tcp $tls_at"
hello cgroup tls-empty-name "an empty name" "$evade tls.empty-name tcp $tls_at"
hello cgroup tls-list-granted-first "two names, the granted one first" "$evade tls.list-granted-first tcp $tls_at"
hello cgroup tls-list-foreign-first "two names, the granted one last" "$evade tls.list-foreign-first tcp $tls_at"
hello cgroup tls-twice-granted-first "two extensions, the granted name first" "$evade tls.twice-granted-first tcp $tls_at"
hello cgroup tls-twice-foreign-first "two extensions, the granted name last" "$evade tls.twice-foreign-first tcp $tls_at"
hello cgroup tls-other-type "the granted name with another type" "$evade tls.other-type tcp $tls_at"
hello cgroup tls-ech "an encrypted hello" "$evade tls.ech tcp $tls_at"
hello cgroup tls-esni "an encrypted name, as it was drafted" "$evade tls.esni tcp $tls_at"
hello cgroup tls-early-data "early data behind a granted hello" "$evade tls.early-data tcp $tls_at"
hello cgroup tls-foreign-then-granted "two hellos, the granted one last" "$evade tls.foreign-then-granted tcp $tls_at"
hello cgroup tls-granted-then-foreign "two hellos in a record, the granted one first" "$evade tls.granted-then-foreign tcp $tls_at"
hello cgroup tls-http "HTTP in the clear" "$evade tls.http tcp $tls_at"
hello cgroup tls-plain-first "plain bytes in front of a granted hello" "$evade tls.plain-then-granted tcp $tls_at"
hello cgroup tls-plain-fastopen "plain bytes in the first packet" "$evade text tcp-fastopen $tls_at"
hello cgroup tls-data-first "a data record in front of it" "$evade tls.record-first:23 tcp $tls_at"
hello cgroup tls-alert-first "an alert in front of it" "$evade tls.record-first:21 tcp $tls_at"
hello cgroup tls-change-first "a change of ciphers in front of it" "$evade tls.record-first:20 tcp $tls_at"
hello cgroup tls-heartbeat-first "a heartbeat in front of it" "$evade tls.record-first:24 tcp $tls_at"
hello cgroup tls-data-between "a data record in the middle of it" "$evade tls.record-between:23 tcp $tls_at"
hello cgroup tls-alert-between "an alert in the middle of it" "$evade tls.record-between:21 tcp $tls_at"
hello cgroup tls-empty-records "empty records in front of another name" "$evade tls.empty-records tcp $tls_at"
hello cgroup tls-sslv2 "a hello of SSL 2" "$evade tls.sslv2 tcp $tls_at"
hello cgroup tls-other-handshake "another handshake message in front of it" "$evade tls.other-handshake:0 tcp $tls_at"
hello cgroup tls-finished-first "a Finished in front of it" "$evade tls.other-handshake:20 tcp $tls_at"
hello cgroup tls-record-short "a record that is shorter than it says" "$evade tls.record-short tcp $tls_at"
hello cgroup tls-hello-long "a hello that is shorter than it says" "$evade tls.hello-long tcp $tls_at"
hello cgroup tls-hello-endless "a hello of 16 MiB" "$evade tls.hello-endless tcp $tls_at"
attempt cgroup tls-retry "another name in the hello after a HelloRetryRequest" \
  "$evade tls.foreign tcp-after-answer 203.0.113.30 443 TOKEN hrr.twins.example@$resolver"
retry_at="203.0.113.30 443 TOKEN hrr.twins.example@$resolver"
attempt cgroup tls-retry-change "the same behind a change of ciphers" "$evade tls.second-behind-change tcp-after-answer $retry_at"
attempt cgroup tls-retry-change-apart "the same, the change in a segment of its own" "$evade tls.second-behind-change tcp-after-answer-apart $retry_at"
attempt cgroup tls-retry-alert "the same behind a warning" "$evade tls.second-behind-alert tcp-after-answer $retry_at"
attempt cgroup tls-apart "another name in a second hello that nobody asked for" "$evade tls.foreign tcp-apart $retry_at"
attempt cgroup tls-reconnected "another name on a socket that was connected before" "$evade tls.foreign tcp-reconnected $retry_at"
attempt cgroup learnt-own-space "an answer that is made in a network namespace of the agent's own" \
  "unshare -Urn $python $here/own_space.py $resolver granted.example 203.0.113.91; $evade text tcp 203.0.113.91 7001 TOKEN"
attempt cgroup tls-reconnected-late "the same behind a connection that has sent data" "$evade tls.foreign tcp-reconnected-late $retry_at"
attempt cgroup tls-quic "QUIC" "$evade tls.quic udp $tls_at"
attempt cgroup tls-quic-connected "QUIC, over IPv6" "$evade tls.quic udp-connected $cdn6 443 TOKEN cdn.example@$resolver6"
attempt cgroup tls-real-foreign "a TLS client that asks for another name" "$python $here/client.py $cdn 443 TOKEN other.example"
attempt cgroup tls-real-nameless "a TLS client that gives no name" "$python $here/client.py $cdn 443 TOKEN -"
attempt cgroup tls-resumed-nameless "a session of the granted name, resumed without one" \
  "$evade text none 203.0.113.40 443 TOKEN old.example@$resolver; $python $here/client.py 203.0.113.40 443 TOKEN - old.example"
attempt cgroup tls-resumed-foreign "a session of the granted name, resumed under another" \
  "$evade text none 203.0.113.40 443 TOKEN old.example@$resolver; $python $here/client.py 203.0.113.40 443 TOKEN other.example old.example"
for carrier in tcp-zerocopy tcp-vmsplice tcp-sendfile tcp-splice tcp-ring-change; do
  attempt cgroup "tls-change-${carrier#tcp-}" "a granted hello that becomes another one behind the check, by $carrier" \
    "$evade tls.foreign $carrier 203.0.113.65 443 TOKEN slow.twins.example@$slow_resolver"
done
