# SPDX-License-Identifier: Apache-2.0
# fish completion for policyd.
complete -c policyd -f
complete -c policyd -s c -l config -r -F -d 'Configuration'
complete -c policyd -s f -l foreground -d 'Stay in the foreground'
complete -c policyd -l unload -d 'End all enforcement and remove what is pinned'
complete -c policyd -l print-default-config -d 'Print the defaults'
complete -c policyd -s h -l help -d 'Tell the options'
complete -c policyd -s V -l version -d 'Tell the version'
