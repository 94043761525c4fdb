#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the documentation says exists: pages render, options and verbs are documented and completed,
# the README's manifests are accepted, its commands and links lead somewhere, install installs.
set -u
build=${BUILD:-build}
case $build in /*) ;; *) build=$PWD/$build ;; esac
agentpol=$build/agentpol
policyd=$build/policyd
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

report() { # DESCRIPTION FAULTS: ok where there are none
  count=$((count + 1))
  if [ -z "$2" ]; then
    echo "ok $count - $1"
  else
    echo "not ok $count - $1"
    sed 's/^/# /' <<<"$2"
  fi
}
skip() { # DESCRIPTION REASON
  count=$((count + 1))
  echo "ok $count - $1 # SKIP $2"
}
page_of() { # VERB
  echo "docs/man/man1/agentpol-$1.1"
}
# The options that a help text names, one a line.
options_of() {
  grep -oE '(^|[^[:alnum:]_-])--?[[:alpha:]][[:alnum:]-]*' "$1" | grep -oE -- '--?[[:alpha:]][[:alnum:]-]*' |
    grep -E '^(--[a-z-]{2,}|-[a-zA-Z])$' | sort -u
}
# Which of them a text lacks.
missing_options() { # HELP TEXT
  options_of "$1" | while read -r option; do
    grep -qE -- "(^|[^[:alnum:]-])$option([^[:alnum:]-]|\$)" "$2" || echo "$option"
  done
}

"$agentpol" --help >"$work/agentpol.help"
"$policyd" --help >"$work/policyd.help"
verbs=$(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$work/agentpol.help")
report "agentpol --help lists verbs" "$([ -n "$verbs" ] || echo none)"
for verb in $verbs; do
  "$agentpol" "$verb" --help >"$work/$verb.help" 2>&1
done

# ---- manual pages ----

if command -v man >/dev/null && command -v groff >/dev/null; then
  # From the manual's own folder, where ".so man1/..." is looked for; wide, so that nothing breaks.
  render() { (cd docs/man && MANWIDTH=1000 man --warnings -E UTF-8 -l "${1#docs/man/}" 2>"$work/warnings" |
    sed -e 's/.\x08//g' -e 's/[−‐]/-/g' >"$work/page"); }
  renderer=man
elif command -v groff >/dev/null; then
  render() { (cd docs/man && groff -s -man -mandoc -Tutf8 -rLL=1000n -ww "${1#docs/man/}" 2>"$work/warnings" |
    sed -e 's/\x1b\[[0-9;]*m//g' -e 's/.\x08//g' -e 's/[−‐]/-/g' >"$work/page"); }
  renderer=groff
else
  renderer=""
fi
for page in docs/man/man*/*; do
  if [ -z "$renderer" ]; then
    skip "$page renders without warnings" "no groff here"
    continue
  fi
  render "$page"
  report "$page renders without warnings" "$(cat "$work/warnings"; [ -s "$work/page" ] || echo "an empty page")"
  cp "$work/page" "$work/$(basename "$page").text"
  report "$page has a section EXIT STATUS" "$(grep -q '^EXIT STATUS' "$work/page" || echo "it has none")"
done
report "every verb has a page" "$(for verb in $verbs; do [ -e "$(page_of "$verb")" ] || echo "$verb"; done)"
report "every page of a verb has its verb" \
  "$(for page in docs/man/man1/agentpol-*.1; do
       verb=${page##*/agentpol-} verb=${verb%.1}
       grep -qx "$verb" <<<"$verbs" || echo "$page"
     done)"
report "agentpol(1) names every verb" \
  "$(for verb in $verbs; do grep -qE "^\.It Cm $verb\$" docs/man/man1/agentpol.1 || echo "$verb"; done)"
for verb in $verbs; do
  if [ -n "$renderer" ]; then
    report "agentpol-$verb(1) has every option of its help" \
      "$(missing_options "$work/$verb.help" "$work/agentpol-$verb.1.text")"
  else
    skip "agentpol-$verb(1) has every option of its help" "no groff here"
  fi
done
if [ -n "$renderer" ]; then
  report "policyd(8) has every option of its help" "$(missing_options "$work/policyd.help" "$work/policyd.8.text")"
else
  skip "policyd(8) has every option of its help" "no groff here"
fi
report "every code that check knows is in its page" \
  "$(grep -ohE '"[MB][0-9]{3}"' user/json/json.h user/manifest/codes.h user/manifest/lint.c | tr -d '"' | sort -u |
     while read -r code; do grep -qE "^\.It $code( |\$)" docs/man/man1/agentpol-check.1 || echo "$code"; done)"
report "every code that import knows is in its page" \
  "$(grep -ohE '"I[0-9]{3}"' user/manifest/import_findings.c | tr -d '"' | sort -u |
     while read -r code; do grep -qE "^\.It $code( |\$)" docs/man/man1/agentpol-import.1 || echo "$code"; done)"
report "every key that the schema has is in agentpol-manifest(5)" \
  "$(jq -r '[.. | objects | .properties? // empty | keys[]] | unique[]' policies/manifest.schema.json |
     while read -r key; do grep -qF -- "$key" docs/man/man5/agentpol-manifest.5 || echo "$key"; done)"
report "policyd(8) has every key of the configuration" \
  "$("$policyd" --print-default-config | jq -r 'keys[]' |
     while read -r key; do grep -qx "\.It Ql $key" docs/man/man8/policyd.8 || echo "$key"; done)"

# ---- completions ----

bash_completes() { # WORD...; what bash offers for the last one
  # shellcheck disable=SC2016
  bash --norc --noprofile -c 'source docs/completions/agentpol.bash; source docs/completions/policyd.bash
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_$1"; printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}
bash_completes agentpol "" >"$work/offers"
report "bash completes every verb" "$(for verb in $verbs; do grep -qx "$verb" "$work/offers" || echo "$verb"; done)"
for verb in $verbs; do
  bash_completes agentpol "$verb" - >"$work/offers"
  report "bash completes the options of $verb" "$(missing_options "$work/$verb.help" "$work/offers")"
done
bash_completes policyd - >"$work/offers"
report "bash completes the options of policyd" "$(missing_options "$work/policyd.help" "$work/offers")"
bash_completes agentpol check --format = s >"$work/offers"
report "bash completes a value behind =" "$(grep -qx sarif "$work/offers" || cat "$work/offers")"

for verb in $verbs; do
  sed -n "/^_agentpol_$verb() {/,/^}/p" docs/completions/_agentpol >"$work/offers"
  report "zsh completes the options of $verb" "$(missing_options "$work/$verb.help" "$work/offers")"
done
sed -n '/^_agentpol_policyd() {/,/^}/p' docs/completions/_agentpol >"$work/offers"
report "zsh completes the options of policyd" "$(missing_options "$work/policyd.help" "$work/offers")"
report "zsh completes every verb" \
  "$(for verb in $verbs; do grep -q "^    '$verb:" docs/completions/_agentpol || echo "$verb"; done)"
if command -v zsh >/dev/null; then
  report "zsh reads its completions" "$(zsh -n docs/completions/_agentpol 2>&1)"
else
  skip "zsh reads its completions" "no zsh here"
fi

if command -v fish >/dev/null; then
  fish_completes() { # LINE DASHES
    HOME=$work fish --no-config -c "source docs/completions/agentpol.fish; source docs/completions/policyd.fish
      complete -C '$1 -'; complete -C '$1 --'" 2>&1 | cut -f1
  }
  for verb in $verbs; do
    fish_completes "agentpol $verb" >"$work/offers"
    report "fish completes the options of $verb" "$(missing_options "$work/$verb.help" "$work/offers")"
  done
  fish_completes policyd >"$work/offers"
  report "fish completes the options of policyd" "$(missing_options "$work/policyd.help" "$work/offers")"
else
  skip "fish completes the options of all" "no fish here"
fi
report "fish completes every verb" \
  "$(for verb in $verbs; do grep -q -- "-a $verb -d" docs/completions/agentpol.fish || echo "$verb"; done)"

# ---- README ----

awk -v out="$work/manifest" '/^```json manifest$/ {n++; inside = 1; next} /^```/ {inside = 0}
  inside {print > (out n ".json")}' README.md
report "the README has a manifest" "$(ls "$work"/manifest*.json >/dev/null 2>&1 || echo none)"
for manifest in "$work"/manifest*.json; do
  report "the README's $(basename "$manifest" .json) is accepted" \
    "$("$agentpol" check "$manifest" >"$work/out" 2>&1 || cat "$work/out")"
done
cp "$work/manifest1.json" "$work/order-bot.json"
report "the README's check says what it says" \
  "$(grep -qxF "$(cd "$work" && "$agentpol" check order-bot.json)" README.md || echo "another line")"
report "the README's decide answers what it says" \
  "$(sed -n 's/^\$ \(echo .* | agentpol decide .*\)/\1/p' README.md >"$work/decide.sh"
     (cd "$work" && PATH=$build:$PATH bash decide.sh) >"$work/out" 2>&1
     [ -s "$work/out" ] && grep -qxFf "$work/out" README.md || cat "$work/out")"
# Code of all pages: blocks and what stands between single backquotes.
code_of() {
  awk '/^```/ {inside = !inside; next} inside || /^    [^ ]/' "$1"
  grep -oE '`[^`]+`' "$1" | tr -d '`'
}
pages="README.md CONTRIBUTING.md CHANGELOG.md docs/performance.md docs/tools.md"
for page in $pages; do code_of "$page"; done >"$work/code"
report "the commands that are named exist" \
  "$(grep -oE '(^|[ |(])agentpol [a-z]+' "$work/code" | awk '{print $NF}' | sort -u |
     while read -r verb; do grep -qx "$verb" <<<"$verbs" || echo "agentpol $verb"; done)"
report "the make targets that are named exist" \
  "$(grep -oE '(^|[ (])make [a-z-]+' "$work/code" | awk '{print $NF}' | sort -u |
     while read -r target; do grep -qE "^$target:" Makefile docs/*.mk || echo "make $target"; done)"
report "the options that are named with a command exist" \
  "$(grep -E '(^|[ (])(agentpol [a-z]+|policyd) ' "$work/code" | grep -v '^agentpol: ' | sed 's/ -- .*//; s/#.*//' |
     while read -r line; do
       name=$(grep -oE '(agentpol [a-z]+|policyd)( |$)' <<<"$line" | tail -1 | awk '{print $NF}')
       [ -e "$work/$name.help" ] || continue
       grep -oE -- ' --[a-z][a-z-]+' <<<"${line#*"$name"}" | tr -d ' ' | while read -r option; do
         grep -qE -- "$option([^a-z-]|\$)" "$work/$name.help" || echo "$name $option"
       done
     done)"
report "relative links lead somewhere" \
  "$(for page in $pages; do
       grep -oE '\]\([^)]+\)' "$page" | sed -E 's/^\]\(//; s/\)$//; s/#.*//' | grep -vE '^(https?:|$)' |
         while read -r link; do [ -e "$(dirname "$page")/$link" ] || echo "$page: $link"; done
     done)"
report "folders that the README names exist" \
  "$(sed -n '/^## Rooms/,/^## /s/^| `\([^`]*\)`.*/\1/p' README.md | while read -r room; do [ -d "$room" ] || echo "$room"; done)"
report "everything has its SPDX line" \
  "$(for file in $pages docs/*.mk docs/*.service docs/completions/* tests/e2e/docs.t; do
       head -3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file"
     done)"

# ---- install ----

makefile=(-f Makefile)
grep -q 'docs/install\.mk' Makefile || makefile+=(-f docs/install.mk)
make_target() { # TARGET
  # What is built is what is tested: nothing is made anew here.
  env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory "${makefile[@]}" -o "$BUILD/agentpol" -o "$BUILD/policyd" \
    BUILD="$BUILD" DESTDIR="$work/root" PREFIX=/usr "$1" 2>&1
}
BUILD=${BUILD:-build}
report "make install honours DESTDIR and PREFIX" "$(make_target install >"$work/out" || cat "$work/out")"
report "what belongs there is there" \
  "$(for file in bin/agentpol sbin/policyd share/man/man1/agentpol-run.1 share/man/man5/agentpol-manifest.5 \
       share/man/man8/policyd.8 share/agentpol/policies/manifest.schema.json share/bash-completion/completions/agentpol \
       share/zsh/site-functions/_agentpol share/fish/vendor_completions.d/agentpol.fish lib/systemd/system/policyd.service \
       share/doc/agentpol/LICENSE share/doc/agentpol/LICENSE.bpf; do [ -s "$work/root/usr/$file" ] || echo "$file"; done)"
report "the installed programs run" "$("$work/root/usr/bin/agentpol" --version >/dev/null 2>&1 || echo no)"
report "the unit names installed programs" \
  "$(grep -oE '^Exec[A-Za-z]*=[^ ]+' "$work/root/usr/lib/systemd/system/policyd.service" | cut -d= -f2 |
     while read -r program; do [ -x "$work/root$program" ] || echo "$program"; done)"
report "make uninstall leaves no file" "$(make_target uninstall; find "$work/root" -type f -o -type l)"

echo "1..$count"
