# bash completion of bkp and bkp-restore: commands, options and generations are what the programs say themselves.
_bkp() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' policy=() whole i
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--policy) policy=(--policy "${COMP_WORDS[i + 1]}"); i=$((i + 1)) ;;
		--lang | --medium | --identity | --root-key | --passphrase-file) i=$((i + 1)) ;;
		-*) ;;
		*) command=${COMP_WORDS[i]}; break ;;
		esac
	done
	case $before in
	--policy | --identity | --passphrase-file | --root-key-out | --identity-out) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
	--medium | --to) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
	--lang) mapfile -t COMPREPLY < <(compgen -W "ja en" -- "$word"); return ;;
	esac
	if [[ $word == -* ]]; then
		# "  --option VALUE   what it means", and "(-o)" at the end of the line
		mapfile -t COMPREPLY < <(compgen -W "$("$program" ${command:+"$command"} --help 2>/dev/null | grep -oE '^  --[a-z-]+')" -- "$word")
	elif [ -z "$command" ]; then
		# "  command       what it does"; "bkp-restore --medium DIR command …"
		mapfile -t COMPREPLY < <(compgen -W "help $({ "$program" help all || "$program" --help; } 2>/dev/null |
			sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p; s/^bkp-restore \(--medium DIR \)*\([a-z]\+\) .*/\2/p')" -- "$word")
	else
		case ${program##*/}/$command in
		bkp/verify | bkp/generations | bkp/accept | bkp/hold | bkp/release | bkp/expire | bkp/guard)
			# "emr@42" at the beginning of a line; @ breaks words, so only what is behind it is completed
			whole=${COMP_LINE:0:COMP_POINT}
			whole=${whole##* }
			mapfile -t COMPREPLY < <(compgen -W "$("$program" "${policy[@]}" generations --all 2>/dev/null |
				grep -oE '^[a-z][a-z0-9-]*@[0-9]+')" -- "${whole:-$word}")
			[[ $whole != *@* ]] || COMPREPLY=("${COMPREPLY[@]#"${whole%@*}@"}") ;;
		*) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
		esac
	fi
}
complete -F _bkp bkp bkp-restore
