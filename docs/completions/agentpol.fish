# SPDX-License-Identifier: Apache-2.0
# fish completion for agentpol.

# True where the verb is $argv[1] (none given: where there is no verb yet).
function __agentpol_verb
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        string match -q -- '-*' $word; and continue
        test "$word" = "$argv[1]"
        return
    end
    test -z "$argv[1]"
end

complete -c agentpol -f
complete -c agentpol -n __agentpol_verb -s h -l help -d 'List the commands'
complete -c agentpol -n __agentpol_verb -s V -l version -d 'Tell the version'
complete -c agentpol -n __agentpol_verb -a check -d 'Read and lint manifests'
complete -c agentpol -n __agentpol_verb -a compile -d 'Show what a manifest becomes'
complete -c agentpol -n __agentpol_verb -a decide -d 'Judge requests against a manifest'
complete -c agentpol -n __agentpol_verb -a sql -d 'Show what a statement touches'
complete -c agentpol -n __agentpol_verb -a test -d 'Run policy tests'
complete -c agentpol -n __agentpol_verb -a import -d 'Make a manifest of a tool list'
complete -c agentpol -n __agentpol_verb -a run -d 'Run a command under a manifest'
complete -c agentpol -n __agentpol_verb -a mcp -d 'Stand between an MCP client and a tool server'
complete -c agentpol -n __agentpol_verb -a attach -d 'Put a live cgroup under a manifest'
complete -c agentpol -n __agentpol_verb -a detach -d 'Take the policy off a cgroup'
complete -c agentpol -n __agentpol_verb -a ps -d 'List what is under a policy'
complete -c agentpol -n __agentpol_verb -a reload -d 'Make the daemon read its manifests again'
complete -c agentpol -n __agentpol_verb -a approvals -d 'List the tool calls that wait for a person'
complete -c agentpol -n __agentpol_verb -a approve -d 'Let a call that waits go on'
complete -c agentpol -n __agentpol_verb -a refuse -d 'Deny a call that waits'
complete -c agentpol -n __agentpol_verb -a session -d 'Begin the session of tool calls anew'
complete -c agentpol -n __agentpol_verb -a doctor -d 'Tell what this machine can enforce'
complete -c agentpol -n __agentpol_verb -a log -d 'Review the audit log'

complete -c agentpol -n '__agentpol_verb check' -F
complete -c agentpol -n '__agentpol_verb check' -s f -l format -x -a 'text json sarif github' -d 'Form of the result'
complete -c agentpol -n '__agentpol_verb check' -s h -l help -d 'Tell the options'

complete -c agentpol -n '__agentpol_verb compile' -F
complete -c agentpol -n '__agentpol_verb compile' -l emit -x -a 'maps seccomp landlock oci' -d 'What to show'
complete -c agentpol -n '__agentpol_verb compile' -l tool -x -d 'Join the grants of a tool'
complete -c agentpol -n '__agentpol_verb compile' -l format -x -a 'text json' -d 'Form of the result'
complete -c agentpol -n '__agentpol_verb compile' -l all -d 'Every row of a large table'
complete -c agentpol -n '__agentpol_verb compile' -s h -l help -d 'Tell the options'

complete -c agentpol -n '__agentpol_verb decide' -F
complete -c agentpol -n '__agentpol_verb decide' -s m -l manifest -r -F -d 'Manifest to judge by'
complete -c agentpol -n '__agentpol_verb decide' -l schema -r -F -d 'Snapshot of the SQL server'
complete -c agentpol -n '__agentpol_verb decide' -s h -l help -d 'Tell the options'

complete -c agentpol -n '__agentpol_verb sql' -a snapshot -d 'Ask a server for its catalog'
complete -c agentpol -n '__agentpol_verb sql' -s m -l manifest -r -F -d 'Manifest to judge by'
complete -c agentpol -n '__agentpol_verb sql' -l tool -x -d 'Tool whose sql it is'
complete -c agentpol -n '__agentpol_verb sql' -l schema -r -F -d 'Snapshot of the SQL server'
complete -c agentpol -n '__agentpol_verb sql' -s f -l format -x -a 'text json' -d 'Form of the result'
complete -c agentpol -n '__agentpol_verb sql' -s h -l help -d 'Tell the options'

complete -c agentpol -n '__agentpol_verb test' -F
complete -c agentpol -n '__agentpol_verb test' -s f -l format -x -a 'text tap json' -d 'Form of the result'
complete -c agentpol -n '__agentpol_verb test' -s h -l help -d 'Tell the options'

complete -c agentpol -n '__agentpol_verb import' -F
complete -c agentpol -n '__agentpol_verb import' -l from -x -a 'mcp openai anthropic' -d 'Form of the list'
complete -c agentpol -n '__agentpol_verb import' -s n -l name -x -d 'Name of the agent'
complete -c agentpol -n '__agentpol_verb import' -s f -l format -x -a 'text json' -d 'Form of the findings'
complete -c agentpol -n '__agentpol_verb import' -s h -l help -d 'Tell the options'
complete -c agentpol -n '__agentpol_verb run' -a '(__fish_complete_command)'
complete -c agentpol -n '__agentpol_verb run' -s m -l manifest -r -F -d 'The manifest'
complete -c agentpol -n '__agentpol_verb run' -s t -l tool -x -d 'Grant what that tool may do, too'
complete -c agentpol -n '__agentpol_verb run' -s u -l user -x -a '(__fish_complete_users)' -d 'Run it as that user'
complete -c agentpol -n '__agentpol_verb run' -s q -l quiet -d 'Do not tell denials'
complete -c agentpol -n '__agentpol_verb run' -l leases -x -d 'Open grants of calls as a descriptor says'
complete -c agentpol -n '__agentpol_verb run' -l fd -x -d 'Pass on a descriptor'
complete -c agentpol -n '__agentpol_verb run' -l allow-degraded -d 'Take a manifest though not all of it can be enforced'
complete -c agentpol -n '__agentpol_verb run' -l log -x -a '(__fish_complete_directories)' -d 'Audit log without policyd'
complete -c agentpol -n '__agentpol_verb run' -l socket -r -F -d 'Control socket of policyd'
complete -c agentpol -n '__agentpol_verb run' -l standalone -d 'Do without policyd though it runs'
complete -c agentpol -n '__agentpol_verb run' -s h -l help -d 'Tell the options'

complete -c agentpol -n '__agentpol_verb mcp' -a '(__fish_complete_command)'
complete -c agentpol -n '__agentpol_verb mcp' -s m -l manifest -r -F -d 'The manifest'
complete -c agentpol -n '__agentpol_verb mcp' -l pin -r -F -d 'Keep what the server says of its tools'
complete -c agentpol -n '__agentpol_verb mcp' -l repin -d 'Take what it says now'
complete -c agentpol -n '__agentpol_verb mcp' -l http -x -d 'Listen for Streamable HTTP'
complete -c agentpol -n '__agentpol_verb mcp' -l upstream -x -d 'The server behind it'
complete -c agentpol -n '__agentpol_verb mcp' -l tool-scope -d "Run the server with its tools' grants alone"
complete -c agentpol -n '__agentpol_verb mcp' -s u -l user -x -a '(__fish_complete_users)' -d 'Run the server as that user'
complete -c agentpol -n '__agentpol_verb mcp' -l allow-degraded -d 'Take a manifest though not all of it can be enforced'
complete -c agentpol -n '__agentpol_verb mcp' -s q -l quiet -d 'Do not tell denials'
complete -c agentpol -n '__agentpol_verb mcp' -l log -x -a '(__fish_complete_directories)' -d 'Audit log'
complete -c agentpol -n '__agentpol_verb mcp' -l socket -r -F -d 'Control socket of policyd'
complete -c agentpol -n '__agentpol_verb mcp' -l standalone -d 'Do without policyd though it runs'
complete -c agentpol -n '__agentpol_verb mcp' -s h -l help -d 'Tell the options'

complete -c agentpol -n '__agentpol_verb attach' -s m -l manifest -r -F -d 'The manifest'
complete -c agentpol -n '__agentpol_verb attach' -s t -l tool -x -d 'Grant what that tool may do, too'
complete -c agentpol -n '__agentpol_verb attach' -l allow-degraded -d 'Take a manifest though not all of it can be enforced'
complete -c agentpol -n '__agentpol_verb attach' -l keep-open -d 'Refuse rather than close what is open and not granted'
complete -c agentpol -n '__agentpol_verb attach' -l format -x -a 'text json' -d 'Form of the result'
for verb in attach detach
    complete -c agentpol -n "__agentpol_verb $verb" -l cgroup -x -a '(__fish_complete_directories)' -d 'A cgroup v2 folder'
    complete -c agentpol -n "__agentpol_verb $verb" -l pid -x -a '(__fish_complete_pids)' -d 'The cgroup of a process'
    complete -c agentpol -n "__agentpol_verb $verb" -l container -x -d 'The cgroup of a container'
    complete -c agentpol -n "__agentpol_verb $verb" -l unit -x -d 'The cgroup of a systemd unit'
end
for verb in attach detach ps reload approvals approve refuse session doctor
    complete -c agentpol -n "__agentpol_verb $verb" -l socket -r -F -d 'Control socket of policyd'
    complete -c agentpol -n "__agentpol_verb $verb" -s h -l help -d 'Tell the options'
end
complete -c agentpol -n '__agentpol_verb session' -a reset
complete -c agentpol -n '__agentpol_verb approvals' -l format -x -a 'text json' -d 'Form of the result'
complete -c agentpol -n '__agentpol_verb ps' -l format -x -a 'text json' -d 'Form of the result'
complete -c agentpol -n '__agentpol_verb doctor' -l format -x -a 'text json' -d 'Form of the result'
complete -c agentpol -n '__agentpol_verb doctor' -l syscalls -d 'What denies each system call'

complete -c agentpol -n '__agentpol_verb log' -a 'show follow stats'
complete -c agentpol -n '__agentpol_verb log' -s a -l agent -x -d 'Of that agent alone'
complete -c agentpol -n '__agentpol_verb log' -s k -l kind -x -a 'connect listen socket dns call traffic agent lost' -d 'Of that kind alone'
complete -c agentpol -n '__agentpol_verb log' -s v -l verdict -x -a 'allow deny would-deny noted' -d 'Of that verdict alone'
complete -c agentpol -n '__agentpol_verb log' -s s -l since -x -a '30min 2h 1d 7d' -d 'Of then and later'
complete -c agentpol -n '__agentpol_verb log' -l egress -d 'What was reached, or tried (stats)'
complete -c agentpol -n '__agentpol_verb log' -l log -x -a '(__fish_complete_directories)' -d 'Where the log is'
complete -c agentpol -n '__agentpol_verb log' -l format -x -a 'text json' -d 'Form of the result'
complete -c agentpol -n '__agentpol_verb log' -s h -l help -d 'Tell the options'
