# SPDX-License-Identifier: Apache-2.0
# bash completion for agentpol. Needs nothing but bash; uses bash-completion for COMMAND where it is.

_agentpol_options() { # VERB
  case $1 in
    check) echo "-f --format -h --help" ;;
    compile) echo "--emit --tool --format --all -h --help" ;;
    decide) echo "-m --manifest --schema -h --help" ;;
    sql) echo "-m --manifest --tool --schema -f --format -h --help" ;;
    test) echo "-f --format -h --help" ;;
    import) echo "--from -n --name -f --format -h --help" ;;
    run) echo "-m --manifest -t --tool -u --user -q --quiet --fd --leases --allow-degraded --log --socket
               --standalone -h --help" ;;
    mcp) echo "-m --manifest --pin --repin --http --upstream --tool-scope -u --user --allow-degraded -q
               --quiet --log --socket --standalone -h --help" ;;
    attach) echo "-m --manifest --cgroup --pid --container --unit -t --tool --allow-degraded
                  --keep-open --format --socket -h --help" ;;
    detach) echo "--cgroup --pid --container --unit --socket -h --help" ;;
    ps) echo "--format --socket -h --help" ;;
    reload | approve | refuse | session) echo "--socket -h --help" ;;
    approvals) echo "--format --socket -h --help" ;;
    doctor) echo "--format --syscalls --socket -h --help" ;;
    log) echo "-a --agent -k --kind -v --verdict -s --since --egress --log --format -h --help" ;;
    *) echo "-h --help -V --version" ;;
  esac
}

_agentpol_takes_value() { # OPTION
  case $1 in
    -m | --manifest | --schema | -t | --tool | -u | --user | --fd | --leases | --http | --upstream | --pin | --log | --socket | --cgroup | --pid | \
      --container | --unit | --from | -n | --name | --format | --emit | -a | --agent | -k | --kind | -v | --verdict | -s | \
      --since) return 0 ;;
  esac
  return 1
}

_agentpol_values() { # VERB OPTION WORD; 1 where the option has no list of values
  local words
  case $2 in
    --format | -f)
      case $1 in
        check) words="text json sarif github" ;;
        test) words="text tap json" ;;
        *) words="text json" ;;
      esac ;;
    --from) words="mcp openai anthropic" ;;
    --emit) words="maps seccomp landlock oci" ;;
    -k | --kind) words="connect listen socket dns call traffic agent lost" ;;
    -v | --verdict) words="allow deny would-deny noted" ;;
    -u | --user)
      mapfile -t COMPREPLY < <(compgen -u -- "$3")
      return 0 ;;
    --cgroup | --log)
      mapfile -t COMPREPLY < <(compgen -d -- "$3")
      return 0 ;;
    --pid)
      words=$(cd /proc && echo [0-9]*) ;;
    --unit)
      words=$(systemctl list-units --type=service --no-legend --plain 2>/dev/null | cut -d' ' -f1) ;;
    -s | --since) words="30min 2h 1d 7d" ;;
    -t | --tool | -n | --name | -a | --agent | --container | --fd | --leases | --http | --upstream)
      return 0 ;; # known to the manifest, the log or the runtime alone
    *) return 1 ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$3")
}

_agentpol() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb="" i
  local verbs="check compile decide sql test import run mcp attach detach ps reload approvals approve refuse session doctor log"

  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      -*) ;;
      *)
        verb=${COMP_WORDS[i]}
        break ;;
    esac
  done
  if [ -z "$verb" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$verbs $(_agentpol_options)" -- "$word")
    return
  fi
  if [ "$verb" = run ] || [ "$verb" = mcp ]; then
    # What stands behind the options is another command's line.
    for ((i++; i < COMP_CWORD; i++)); do
      case ${COMP_WORDS[i]} in
        --) i=$((i + 1)); break ;;
        -*) _agentpol_takes_value "${COMP_WORDS[i]}" && i=$((i + 1)) ;;
        *) break ;;
      esac
    done
    if [ "$i" -lt "$COMP_CWORD" ] && declare -F _command_offset >/dev/null; then
      _command_offset "$i"
      return
    fi
    if [ "${COMP_WORDS[COMP_CWORD - 1]}" = -- ] || [ "$i" -lt "$COMP_CWORD" ]; then
      mapfile -t COMPREPLY < <(compgen -c -f -- "$word")
      return
    fi
  fi
  # "--format=te" comes as three words, since "=" is in COMP_WORDBREAKS.
  if [ "$previous" = "=" ]; then
    _agentpol_values "$verb" "${COMP_WORDS[COMP_CWORD - 2]}" "$word" && return
  elif [ "$word" = "=" ]; then
    _agentpol_values "$verb" "$previous" "" && return
  elif _agentpol_values "$verb" "$previous" "$word"; then
    return
  fi
  case $word in
    -*) mapfile -t COMPREPLY < <(compgen -W "$(_agentpol_options "$verb")" -- "$word") ;;
    *)
      case $verb in
        session) mapfile -t COMPREPLY < <(compgen -W "reset" -- "$word") ;;
        sql) mapfile -t COMPREPLY < <(compgen -W "snapshot" -- "$word") ;;
        log) mapfile -t COMPREPLY < <(compgen -W "show follow stats" -- "$word") ;;
        check | compile | decide | test | import | run | mcp | attach) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
      esac ;;
  esac
}
complete -o filenames -F _agentpol agentpol
