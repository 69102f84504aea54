# fish completion for tacit(1)

function __tacit_users
    timeout 2 tacit users --password-file /dev/null </dev/null 2>/dev/null | string replace -r ' .*' ''
end

function __tacit_profiles
    set -l data $XDG_DATA_HOME
    test -n "$data"; or set data ~/.local/share
    for folder in $data/tacit/profiles/*/
        basename $folder
    end
end

complete -c tacit -f
complete -c tacit -s p -l profile -x -a '(__tacit_profiles)' -d 'the account to use'
complete -c tacit -s s -l server -x -d 'the server'
complete -c tacit -s j -l json -d 'one JSON object per line'
complete -c tacit -s q -l quiet -d 'say only what was asked for'
complete -c tacit -l password-file -r -F -d 'read the password from a file'
complete -c tacit -l code-file -r -F -d 'read the code from a file'
complete -c tacit -l ca-file -r -F -d 'trust these certificate authorities'
complete -c tacit -l insecure-http -d 'allow http:// to other machines'
complete -c tacit -s h -l help -d 'say what a command does'
complete -c tacit -s V -l version -d 'print the version'

complete -c tacit -n __fish_use_subcommand -a register -d 'make an account'
complete -c tacit -n __fish_use_subcommand -a login -d 'log in, or use an account on a new device'
complete -c tacit -n __fish_use_subcommand -a link -d 'link a new device of yours by a code'
complete -c tacit -n __fish_use_subcommand -a logout -d 'end the session on the server'
complete -c tacit -n __fish_use_subcommand -a lock -d 'forget the keys until the password is given again'
complete -c tacit -n __fish_use_subcommand -a unlock -d 'keep the keys in the kernel for twelve hours'
complete -c tacit -n __fish_use_subcommand -a whoami -d 'show the account of this profile'
complete -c tacit -n __fish_use_subcommand -a users -d 'search the directory of the server'
complete -c tacit -n __fish_use_subcommand -a send -d 'send a message'
complete -c tacit -n __fish_use_subcommand -a reply -d 'answer a message'
complete -c tacit -n __fish_use_subcommand -a react -d 'react to a message'
complete -c tacit -n __fish_use_subcommand -a edit -d 'change an own message, for everybody'
complete -c tacit -n __fish_use_subcommand -a delete -d 'take an own message back, for everybody'
complete -c tacit -n __fish_use_subcommand -a inbox -d 'show unread messages and mark them read'
complete -c tacit -n __fish_use_subcommand -a chat -d 'talk: messages appear as they come'
complete -c tacit -n __fish_use_subcommand -a listen -d 'print what happens, as it happens'
complete -c tacit -n __fish_use_subcommand -a history -d 'show old messages, without asking the server'
complete -c tacit -n __fish_use_subcommand -a group -d 'groups'
complete -c tacit -n __fish_use_subcommand -a room -d 'groups whose name the server knows'
complete -c tacit -n __fish_use_subcommand -a session -d 'conversations that destroy themselves'
complete -c tacit -n __fish_use_subcommand -a outbox -d 'messages that wait to be sent'
complete -c tacit -n __fish_use_subcommand -a expire -d 'make messages disappear after a time'
complete -c tacit -n __fish_use_subcommand -a file -d 'send and fetch files'
complete -c tacit -n __fish_use_subcommand -a send-file -d 'send files to another device, without an account'
complete -c tacit -n __fish_use_subcommand -a receive -d 'receive what another device sends, without an account'
complete -c tacit -n __fish_use_subcommand -a agent -d 'serve a plain API on loopback for your own programs'
complete -c tacit -n __fish_use_subcommand -a verify -d 'compare the safety number with somebody'
complete -c tacit -n __fish_use_subcommand -a accept-key -d 'trust the changed key of somebody'
complete -c tacit -n __fish_use_subcommand -a devices -d 'list and revoke your devices'
complete -c tacit -n __fish_use_subcommand -a quit -d 'leave the prompt'

set -l names send reply react edit delete chat history expire verify accept-key
complete -c tacit -n "__fish_seen_subcommand_from $names" -a '(__tacit_users)'
complete -c tacit -n '__fish_seen_subcommand_from register login' -s u -l username -x -d 'the name'
complete -c tacit -n '__fish_seen_subcommand_from register login' -s e -l email -x -d 'the address'
complete -c tacit -n '__fish_seen_subcommand_from register' -s i -l invitation-file -r -F -d 'where the server asks for an invitation'
complete -c tacit -n '__fish_seen_subcommand_from chat' -l lines -d 'line by line, no full screen'
complete -c tacit -n '__fish_seen_subcommand_from login' -s c -l code -x -d 'by tacit link on another device'
complete -c tacit -n '__fish_seen_subcommand_from link' -s d -l digits -d 'a code of digits'
complete -c tacit -n '__fish_seen_subcommand_from link' -l qr -d 'draw the code'
complete -c tacit -n '__fish_seen_subcommand_from link' -s y -l yes -d 'do not ask'
complete -c tacit -n '__fish_seen_subcommand_from send-file receive' -l keep-contact -d 'keep each other as contacts'
complete -c tacit -n '__fish_seen_subcommand_from send-file' -s y -l yes -d 'keep the contact without asking'
complete -c tacit -n '__fish_seen_subcommand_from send-file' -F
complete -c tacit -n '__fish_seen_subcommand_from send-file' -s t -l text -d 'what follows is a text'
complete -c tacit -n '__fish_seen_subcommand_from send-file' -s c -l code -x -d 'the code of the receiver'
complete -c tacit -n '__fish_seen_subcommand_from send-file' -l name -x -d 'what standard input is called'
complete -c tacit -n '__fish_seen_subcommand_from receive' -a '(tacit --complete-code (commandline -ct) 2>/dev/null)'
complete -c tacit -n '__fish_seen_subcommand_from receive' -s o -l out -x -a '(__fish_complete_directories)' -d 'the folder'
complete -c tacit -n '__fish_seen_subcommand_from receive' -s y -l yes -d 'do not ask'
complete -c tacit -n '__fish_seen_subcommand_from send-file receive' -s d -l digits -d 'a code of digits'
complete -c tacit -n '__fish_seen_subcommand_from send-file receive' -l qr -d 'draw the code'
complete -c tacit -n '__fish_seen_subcommand_from send-file' -l store -d 'leave it at the server'
complete -c tacit -n '__fish_seen_subcommand_from send-file' -l expires -x -d 'how long it stays there'
complete -c tacit -n '__fish_seen_subcommand_from send-file' -l downloads -x -d 'how often it may be fetched'
complete -c tacit -n '__fish_seen_subcommand_from send-file' -l stored -d 'list what was left'
complete -c tacit -n '__fish_seen_subcommand_from send-file' -l revoke -x -d 'take one back'
complete -c tacit -n '__fish_seen_subcommand_from receive' -l link -r -d 'a file with the link'
complete -c tacit -n '__fish_seen_subcommand_from send-file receive' -l new -d 'do not go on with an interrupted transfer'
complete -c tacit -n '__fish_seen_subcommand_from send-file receive' -l wait -x -d 'how long a lost connection is waited for'
complete -c tacit -n '__fish_seen_subcommand_from inbox' -l peek -d 'leave the messages unread'
complete -c tacit -n '__fish_seen_subcommand_from inbox history' -s i -l ids -d 'show the numbers of messages'
complete -c tacit -n '__fish_seen_subcommand_from listen' -l until-eof -d 'end when standard input ends'
complete -c tacit -n '__fish_seen_subcommand_from history' -s n -l number -x -d 'how many'
complete -c tacit -n '__fish_seen_subcommand_from verify' -s c -l compare -x -d 'their number'
complete -c tacit -n '__fish_seen_subcommand_from accept-key' -s y -l yes -d 'do not ask'

set -l group create list show add remove leave send
complete -c tacit -n "__fish_seen_subcommand_from group; and not __fish_seen_subcommand_from $group" -a "$group"
complete -c tacit -n '__fish_seen_subcommand_from group; and __fish_seen_subcommand_from create add remove' -a '(__tacit_users)'

set -l room create list show add remove leave send
complete -c tacit -n "__fish_seen_subcommand_from room; and not __fish_seen_subcommand_from $room" -a "$room"
complete -c tacit -n '__fish_seen_subcommand_from room; and __fish_seen_subcommand_from create add remove' -a '(__tacit_users)'
complete -c tacit -n '__fish_seen_subcommand_from room; and __fish_seen_subcommand_from create' -s y -l yes -d 'do not ask'

set -l session create list close
complete -c tacit -n "__fish_seen_subcommand_from session; and not __fish_seen_subcommand_from $session" -a "$session"
complete -c tacit -n '__fish_seen_subcommand_from session; and __fish_seen_subcommand_from create' -a '(__tacit_users)'
complete -c tacit -n '__fish_seen_subcommand_from session; and __fish_seen_subcommand_from create' -s t -l ttl -x -d 'how long'

set -l outbox list drop
complete -c tacit -n "__fish_seen_subcommand_from outbox; and not __fish_seen_subcommand_from $outbox" -a "$outbox"

complete -c tacit -n '__fish_seen_subcommand_from file; and not __fish_seen_subcommand_from send get' -a 'send get'
complete -c tacit -n '__fish_seen_subcommand_from file; and __fish_seen_subcommand_from send' -F -a '(__tacit_users)'
complete -c tacit -n '__fish_seen_subcommand_from file; and __fish_seen_subcommand_from get' -s o -l output -r -F -d 'a folder, or a new name'

complete -c tacit -n '__fish_seen_subcommand_from devices; and not __fish_seen_subcommand_from revoke' -a revoke -d 'cut off a device that was lost'
complete -c tacit -n '__fish_seen_subcommand_from devices; and __fish_seen_subcommand_from revoke' -s y -l yes -d 'do not ask'
complete -c tacit -n '__fish_seen_subcommand_from send-file receive' -l relay-only -d 'never directly'
complete -c tacit -n '__fish_seen_subcommand_from send-file receive' -l direct -x -d 'no server: the address to call'
complete -c tacit -n '__fish_seen_subcommand_from send-file receive' -l listen -x -d 'no server: the port to wait at'
complete -c tacit -n '__fish_seen_subcommand_from agent' -s l -l listen -x -d 'where on loopback to listen'
complete -c tacit -n '__fish_seen_subcommand_from agent' -l no-token -d 'let any program of this machine in'
complete -c tacit -n '__fish_seen_subcommand_from agent' -l install -d 'write a systemd user unit'
complete -c tacit -n '__fish_seen_subcommand_from send-file receive' -l lan -d 'no server: on this network'
complete -c tacit -n '__fish_seen_subcommand_from send-file' -l receivers -x -d 'how many may come'
