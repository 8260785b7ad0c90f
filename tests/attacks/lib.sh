# shellcheck shell=bash
# For attacks (tests/attacks.sh).  Sourced in place of tests/lib/site.sh, which it brings with it.
#   detected ATTACK CODE COMMAND...   runs it; it must exit 1, 2 or 3 and say CODE (a message's code, or a text, on either output);
#                                     prints the table's line.  Output stays in $T/out and $T/err, the exit status in $STATUS.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/site.sh"

detected() {
	local attack=$1 code=$2
	shift 2
	status "$@"
	case $STATUS in
	1 | 2 | 3) ;;
	*) fail "$attack: exit $STATUS: $*" ;;
	esac
	grep -qaF -e "$code" "$T/out" "$T/err" || fail "$attack: '$code' is not said: $*"
	printf 'attack\t%s: %s\t%s by %s\t%s\n' "$(basename "$0" .sh | cut -d- -f1)" "$attack" "$code" "$(what "$@")" "$STATUS"
}

# what COMMAND...: program and subcommand, without options and their values
what() {
	local w="" a
	for a in "$@"; do
		case $a in
		*/bkp | */bkp-restore) w=$(basename "$a") ;;
		run | verify | status | check | rotate | extract | cat | list | drill | generations | journal | expire | repair | \
			mirror | medium | restore | export)
			[ -z "$w" ] || { w="$w $a"; break; } ;;
		*/rescue.py) w=rescue.py ;;
		esac
	done
	echo "${w:-$(basename "$1")}"
}
