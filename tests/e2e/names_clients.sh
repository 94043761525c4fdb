# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2086,SC2154,SC2317 # names are shared with names.t, lib.sh and world.sh
# What asks for names, as people have it, in the four ways that a policy can be in force: each finds
# the granted name and its page, and is told at once that it can't have the other.

python=$(command -v /usr/bin/python3 || command -v python3)
asked_granted=cdn.example asked_denied=foreign.example # both have the same addresses
# In milliseconds, of the best of three where the first took longer: the machine may be busy.
at_once=1000 tries=3

cat >"$work/fetch.js" <<'JS'
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
process.removeAllListeners("warning");
const [how, name] = process.argv.slice(2), before = performance.now();
const say = text => console.log(`ms=${Math.round(performance.now() - before)} ${text}`);
const ask = how === "fetch" ? fetch(`https://${name}/`).then(answer => answer.text())
  : require("dns").promises.resolve4(name).then(String);
ask.then(say, error => say(`${error.message} ${(error.cause ?? error).code}`)).finally(() => process.exit());
JS
cat >"$work/fetch.py" <<'PY'
import ssl, sys, time, urllib.request
before = time.monotonic()
try:
    said = urllib.request.urlopen(f"https://{sys.argv[1]}/", timeout=5, context=ssl._create_unverified_context()).read().decode()
except OSError as error:
    said = str(error)
print(f"ms={(time.monotonic() - before) * 1000:.0f} {said}")
PY
cat >"$work/clients.sh" <<SH
ask() { # CLIENT NAME
  case \$1 in
    glibc) $work/bin/lookup \$2 ;;
    musl) $work/bin/lookup-musl \$2 ;;
    dig) dig +short +time=1 +tries=1 \$2 A ;;
    dig-tcp) dig +short +tcp +time=1 +tries=1 \$2 A ;;
    dig6) dig @$resolver6 +short +time=1 +tries=1 \$2 AAAA ;;
    dig6-tcp) dig @$resolver6 +short +tcp +time=1 +tries=1 \$2 A ;;
    curl4) curl -4 -sSk --max-time 4 https://\$2/ ;;
    curl6) curl -6 -sSk --max-time 4 https://\$2/ ;;
    python) $python $work/fetch.py \$2 ;;
    node) node $work/fetch.js fetch \$2 ;;
    c-ares) node $work/fetch.js resolve \$2 ;;
  esac 2>&1 | tr '\n' ' '
}
timed() { # CLIENT NAME; sets ms, said
  before=\$EPOCHREALTIME
  said=\$(ask "\$@")
  ms=\$(((\${EPOCHREALTIME/./} - \${before/./}) / 1000))
  [[ ! \$said =~ ^ms=([0-9]+)\ (.*) ]] || { ms=\${BASH_REMATCH[1]}; said=\${BASH_REMATCH[2]}; }
}
one() { # CLIENT
  local ms said best= kept try=0
  timed \$1 $asked_granted
  echo "\$1 granted \$ms \$said"
  while [ \$try -lt $tries ]; do
    try=\$((try + 1))
    timed \$1 $asked_denied
    [ -n "\$best" ] && [ \$ms -ge \$best ] || { best=\$ms; kept=\$said; }
    [ \$best -ge $at_once ] || break
  done
  echo "\$1 denied \$best \$kept"
}
for client in \$2; do
  if [ \$1 = at-once ]; then one \$client; else one \$client & fi
done
wait
SH
clients_find() { # sets $clients
  cp "$build/tests/tools/lookup" "$work/bin/"
  clients="glibc dig dig-tcp dig6 dig6-tcp curl4 curl6 python"
  if quietly musl-gcc -static -O1 -o "$work/bin/lookup-musl" tests/tools/lookup.c; then clients+=" musl"; fi
  if command -v node >/dev/null; then clients+=" node c-ares"; fi
  for client in musl node; do
    [[ " $clients " == *" $client "* ]] || skip "$client finds a granted name" "no $client here"
  done
}
# What each was told goes to a file of the phase. How fast is looked at where one asks after the other.
clients_ask() { # PHASE at-once|in-time COMMAND...
  "${@:3}" bash "$work/clients.sh" "$2" "$clients" >"$work/clients.$1" 2>&1
}
client_said() { # PHASE CLIENT granted|denied; MS and WORDS
  sed -n "s/^$2 $3 //p" "$work/clients.$1"
}
clients_judge() { # PHASE "WHERE" [later]
  local client said
  for client in $clients; do
    said=$(client_said "$1" "$client" granted)
    echo "# $1, $client: granted in $said"
    like "$client has the granted name, $2" "$said" "203\.0\.113\.20|2001:db8::20|served $asked_granted"
    said=$(client_said "$1" "$client" denied)
    echo "# $1, $client: denied in $said"
    ok "$client has not the other, $2" not grep -qE "203\.0\.113|2001:db8|served" <<<"${said:-served nothing}"
    [ "${3:-}" = later ] || ok "$client is told so at once, $2" [ "${said%% *}" -lt $at_once ]
  done
}
# Without a policy each has the other name, too, or its denial proves nothing.
clients_judge_free() {
  local client
  for client in $clients; do
    like "without a policy $client has both names" "$(client_said free "$client" denied)" "203\.0\.113\.20|2001:db8::20|served $asked_denied"
  done
}
# A library that sorts addresses connects a datagram socket to each, at a port that means nothing.
clients_judge_log() {
  is "nobody who asked for granted names is told of anything else" "$(records "$work/log.alone" ".verdict == \"deny\" and .subject.name != \"$asked_denied\"")" ""
}
