# SPDX-License-Identifier: Apache-2.0
# bash completion for policyd.

_policyd() {
  local word=${COMP_WORDS[COMP_CWORD]}

  case ${COMP_WORDS[COMP_CWORD - 1]} in
    -c | --config)
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "-c --config -f --foreground --unload --print-default-config
    -h --help -V --version" -- "$word")
}
complete -o filenames -F _policyd policyd
