#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Attempts to break out by processes and files, under `agentpol run`: breach/ makes them and judges
# them, each without a policy too. What only a live cgroup's LSM programs stop is named and skipped;
# it is tried in the VM (tools/vm-init).
#
#   RUN_OPTIONS   more words for `agentpol run`
#   BREACH_ONLY   only the attempts whose name has this in it
set -u
cd "$(dirname "$0")/../.." || exit 3
build=${BUILD:-build}
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root" && exit 0; }
world=$(mktemp -d)
trap 'rm -rf "$world"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 711 "$world"
breach=$build/tests/evasion/breach/breach
"$breach" world "$world" || exit 3
cp "$build/agentpol" "$world/agentpol"
read -ra run <<<"run --standalone --quiet --log $world/log -m $world/manifest.json ${RUN_OPTIONS:-}"

# Where rules of files and programs can't be enforced, a manifest with them is refused.
tiers=launch,landlock
if ! "$world/agentpol" "${run[@]}" -- /bin/sh -c : >"$world/refusal" 2>&1; then
  tiers=launch
  run+=(--allow-degraded)
  sed 's/^/# /' "$world/refusal"
fi
only=()
[ -z "${BREACH_ONLY:-}" ] || only=(--only "$BREACH_ONLY")
timeout 120 "$breach" suite "$world" $tiers "${only[@]}" -- \
  "$world/agentpol" "${run[@]}" -- "$world/bin/breach" batch 2>"$world/errors"
status=$?
sed 's/^/# /' "$world/errors"
exit $status
