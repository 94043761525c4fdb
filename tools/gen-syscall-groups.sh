#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints user/policy/syscall_groups.inc: systemd's groups of system calls as C tables. @known is
# systemd's list and whatever else is in a group (uselib, say): all that can be named.
#   tools/gen-syscall-groups.sh > user/policy/syscall_groups.inc
set -euo pipefail

version=$(systemd-analyze --version | sed -nE '1s/^systemd ([0-9]+).*/\1/p')
cat <<HEAD
/* SPDX-License-Identifier: Apache-2.0 */
/* Made by tools/gen-syscall-groups.sh from systemd $version; do not edit. */
/* clang-format off */
HEAD
systemd-analyze syscall-filter 2>/dev/null | awk '
  function variable(group) { sub(/^@/, "", group); gsub(/-/, "_", group); return "group_" group }
  /^@/ { groups[++count] = $1; next }
  /^[[:space:]]+[@a-z_0-9]/ && count {
    members[count] = members[count] "\t\"" $1 "\",\n"
    if (groups[count] == "@known") known[$1] = 1
    else if ($1 !~ /^@/) names[++name_count] = $1
  }
  END {
    for (i = 1; i <= name_count; i++)
      if (!(names[i] in known)) {
        known[names[i]] = 1
        members[count] = members[count] "\t\"" names[i] "\",\n"
      }
    if (groups[count] != "@known") { print "@known is not the last group" > "/dev/stderr"; exit 1 }
    for (i = 1; i <= count; i++)
      printf "static const char *const %s[] = {\n%s\tNULL,\n};\n", variable(groups[i]), members[i]
    print "static const struct syscall_group systemd_groups[] = {"
    for (i = 1; i <= count; i++)
      printf "\t{\"%s\", %s},\n", groups[i], variable(groups[i])
    print "};"
  }'
