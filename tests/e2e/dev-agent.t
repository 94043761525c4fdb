#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# policies/dev-agent.json holds a real set of programs: they do their work in the project, a build of this project
# among it, and reach nothing else. As a user of its own, as `agentpol run --user` is meant.
set -u
# The manifest grants /tmp: the world is to be elsewhere.
export TMPDIR=/var/tmp
. tests/e2e/lib.sh
world_up dev
. tests/e2e/postgres.sh

for tool in bash python3 node git gcc make curl; do
  PATH=/usr/bin:/bin command -v "$tool" >/dev/null || skip_all "no $tool in /usr/bin"
done
user=nobody
# The manifest's project stands below a folder that everybody may pass through.
project=$work/project
sed "s|/workspace|$project|g" policies/dev-agent.json >"$work/m.json"
mkdir "$project"
git clone -q --no-hardlinks . "$project/agentpol" 2>/dev/null || skip_all "this is no clone of git"
chown -R "$user" "$project"
echo "not yours" >"$work/outside"
mkdir -m 1777 "$work/open"

agent() { # SCRIPT: what a shell of the agent says and returns
  "$agentpol" run -q -m "$work/m.json" --standalone --log "$work/log" --user "$user" -- \
    /usr/bin/env -i PATH=/usr/bin:/bin HOME="$project" LANG=C.UTF-8 bash -c "cd '$project' || exit; $1" 2>&1
}
works() { is "$1" "$(agent "$2"; echo "exit $?")" "${3:+$3
}exit 0"; } # DESCRIPTION SCRIPT WANTED
# As that user alone, without a policy: what is barred is barred by the policy.
control() { # DESCRIPTION SCRIPT
  ok "without a policy: $1" quietly setpriv --reuid "$user" --clear-groups /usr/bin/env -i PATH=/usr/bin:/bin HOME="$project" \
    bash -c "cd '$project' || exit; $2"
  rm -f "$project/l" "$work/open/beside"
}
barred() { # DESCRIPTION SCRIPT: fails, and says nothing of what it was after
  local said status
  control "$1" "$2"
  said=$(agent "$2")
  status=$?
  ok "$1" test "$status" -ne 0
  ok "$1: not a word of it" not grep -q "not yours" <<<"$said"
}

works "bash: pipes, files, here documents" 'echo b a | tr " " "\n" | sort >out && cat out <<<ignored' 'a
b'
works "python3: a module, a subprocess, a temporary file" \
  'python3 -c "import json, subprocess, tempfile; tempfile.TemporaryFile().write(b\"x\"); print(json.dumps(subprocess.check_output([\"echo\", \"hi\"]).decode()))"' '"hi\n"'
works "node: files and a child process" \
  'node -e "const {execSync} = require(\"child_process\"); require(\"fs\").writeFileSync(\"n\", \"1\"); console.log(String(execSync(\"echo from node\")).trim())"' 'from node'
works "git: a repository, a commit, its log" \
  'git init -q repo && cd repo && echo x >f && git add f && git -c user.name=a -c user.email=a@example.com commit -qm first && git log --format=%s' 'first'
works "gcc: a program is made and runs" \
  'printf "#include <stdio.h>\nint main(void){puts(\"made\");return 0;}\n" >a.c && gcc -O2 -o a a.c && ./a' 'made'

# A server of the project's own, which it may bind and reach.
works "curl: the project's own server on loopback" \
  'python3 -m http.server 8123 --bind 127.0.0.1 >/dev/null 2>&1 & for i in $(seq 50); do curl -sf http://127.0.0.1:8123/a.c >page && break; sleep 0.1; done; head -1 page; kill %1' \
  '#include <stdio.h>'
if pg_there && pg_up "$work/pg" 15432 127.0.0.1; then
  works "psql: the test database on loopback" 'psql -X -At -h 127.0.0.1 -p 15432 -U postgres -c "SELECT 6 * 7"' '42'
else
  skip "psql: the test database on loopback" "no PostgreSQL here"
fi

works "a build of this project" 'cd agentpol && make -s -j2 all OPTIMISE=-O0 >build.log 2>&1 || tail -3 build.log; build/agentpol --version' \
  "$("$agentpol" --version)"
works "and its result checks a manifest" 'cd agentpol && build/agentpol check policies/demo.json >/dev/null'

barred "a file outside the project" "cat $work/outside"
barred "by a link from inside" "ln -s $work/outside l && cat l"
barred "a file in an open folder beside the project is written" "echo x >$work/open/beside"
ok "and is not there" not test -e "$work/open/beside"
barred "a program that was copied to where none may be executed" "cp /usr/bin/id /tmp/id-$$ && /tmp/id-$$; r=\$?; rm -f /tmp/id-$$; exit \$r"
barred "a user namespace" "unshare -U true"
done_testing
