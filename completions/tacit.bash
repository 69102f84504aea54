# bash completion for tacit(1)

_tacit_users() # usernames; nothing when the profile is locked: completion asks no questions
{
	timeout 2 tacit "${profile[@]}" users --password-file /dev/null </dev/null 2>/dev/null |
		while read -r name _; do printf '%s\n' "$name"; done
}

_tacit()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local -a words=() profile=()
	local i word
	local globals='--profile --server --json --quiet --password-file --code-file --ca-file
		--insecure-http --help --version'
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-p | --profile) profile=(--profile "${COMP_WORDS[++i]}") ;;
		-s | --server | --password-file | --code-file | --ca-file | -o | --output | -n | \
			--number | -e | --email | -u | --username | -i | --invitation-file | -c | \
			--compare | -t | --ttl | --code | --name | --wait | --out) ((i++)) ;;
		-*) ;;
		*) words+=("$word") ;;
		esac
	done

	case $prev in
	-p | --profile)
		COMPREPLY=($(compgen -W "$(ls "${XDG_DATA_HOME:-$HOME/.local/share}/tacit/profiles" \
			2>/dev/null)" -- "$cur"))
		return ;;
	--password-file | --code-file | --ca-file | -i | --invitation-file | -o | --output | --out)
		compopt -o filenames
		COMPREPLY=($(compgen -f -- "$cur"))
		return ;;
	-s | --server | -n | --number | -e | --email | -u | --username | -c | \
		--compare | -t | --ttl | --code | --name | --wait)
		return ;;
	esac

	local command=${words[0]-} options=
	case "$command ${words[1]-}" in
	'group create' | 'group list' | 'group show' | 'group add' | 'group remove' | 'group leave' | \
		'group send' | 'room create' | 'room list' | 'room show' | 'room add' | 'room remove' | 'room leave' | \
		'room send' | 'session create' | 'session list' | 'session close' | 'outbox list' | 'outbox drop' | 'file send' | \
		'file get' | 'devices revoke')
		command="$command ${words[1]}" ;;
	esac
	case $command in
	register) options='--username --email --invitation-file' ;;
	login) options='--username --email --code' ;;
	link) options='--digits --qr --yes' ;;
	inbox) options='--peek --ids' ;;
	chat) options='--lines' ;;
	listen) options='--until-eof' ;;
	'session create') options='--ttl' ;;
	history) options='--number --ids' ;;
	'file get') options='--output' ;;
	send-file) options='--text --code --digits --qr --name --receivers --store --expires --downloads --stored --revoke --new --keep-contact --yes --wait --relay-only --lan --direct --listen' ;;
	receive) options='--out --link --yes --digits --qr --keep-contact --new --wait --relay-only --lan --direct --listen' ;;
	agent) options='--listen --no-token --install' ;;
	verify) options='--compare' ;;
	accept-key | 'devices revoke' | 'room create') options='--yes' ;;
	esac
	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$options $globals" -- "$cur"))
		return
	fi

	case $command in
	'') COMPREPLY=($(compgen -W 'register login link logout lock unlock whoami users send reply react edit delete inbox chat
		listen history group room session outbox expire file send-file receive agent verify accept-key devices quit' -- "$cur")) ;;
	group | room) COMPREPLY=($(compgen -W 'create list show add remove leave send' -- "$cur")) ;;
	session) COMPREPLY=($(compgen -W 'create list close' -- "$cur")) ;;
	outbox) COMPREPLY=($(compgen -W 'list drop' -- "$cur")) ;;
	file) COMPREPLY=($(compgen -W 'send get' -- "$cur")) ;;
	devices) COMPREPLY=($(compgen -W 'revoke' -- "$cur")) ;;
	'session create') COMPREPLY=($(compgen -W "$(_tacit_users)" -- "$cur")) ;;
	send | reply | react | edit | delete | chat | history | expire | verify | accept-key)
		((${#words[@]} == 1)) &&
			COMPREPLY=($(compgen -W "$(_tacit_users)" -- "$cur")) ;;
	send-file)
		compopt -o filenames
		COMPREPLY=($(compgen -f -- "$cur")) ;;
	receive) # as 7-amb: words of codes
		((${#words[@]} == 1)) &&
			COMPREPLY=($(compgen -W "$(tacit --complete-code "$cur" 2>/dev/null)" -- "$cur")) ;;
	'group create' | 'group add' | 'group remove' | 'room create' | 'room add' | 'room remove')
		((${#words[@]} > 2)) && COMPREPLY=($(compgen -W "$(_tacit_users)" -- "$cur")) ;;
	'file send')
		if ((${#words[@]} == 2)); then
			COMPREPLY=($(compgen -W "$(_tacit_users)" -- "$cur"))
		else
			compopt -o filenames
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	esac
}

complete -F _tacit tacit
