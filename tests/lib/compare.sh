#!/bin/bash
# compare.sh SRC DST [--user]: exits 0 only when DST is SRC again, judged by tools that are not ours.  Prints differences.
#
# rsync, find, getfacl, getfattr and lsattr see all that a path can name; treedump.py sees the rest too ("beyond-path-max"
# and "depth-4096" at the top are left to it, and files of more than 1 GiB are not read by rsync).  Sockets are not compared.
# --user: SRC was restored by an ordinary user; what that user cannot restore is not compared.
set -u
src=$(realpath "$1"); dst=$(realpath "$2"); mode=${3:-}
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
found() { # what was compared; the differences are on stdin
	local lines
	lines=$(head -c 100000)
	[ -z "$lines" ] && return
	touch "$work/different" # in a file: this may run in a subshell
	printf -- '--- %s\n%s\n' "$1" "$(printf '%s\n' "$lines" | head -n 40)"
}
sync -f "$dst" # allocation is counted when it has happened

# ---- rsync: content, links, owners, modes, times, ACLs, attributes
options=(-aHAXnc --delete --itemize-changes --super --numeric-ids
	--exclude=/beyond-path-max/ --exclude=/depth-4096/)
left_out=(-type s)
[ "$mode" = --user ] && left_out=(\( -type s -o -type b -o -type c \))
[ "$mode" = --user ] && options+=(--no-owner --no-group --no-devices '--filter=-x trusted.*' '--filter=-x security.*')
for tree in "$src" "$dst"; do
	(cd "$tree" && # --max-size would read them all the same
		find . \( -path ./beyond-path-max -o -path ./depth-4096 \) -prune -o \
		\( "${left_out[@]}" -o -type f -size +1G \) -printf '/%P\0')
done | sed -z 's/[][*?\\]/\\&/g' >"$work/left-out"
rsync "${options[@]}" --from0 --exclude-from="$work/left-out" "$src/" "$dst/" >"$work/rsync" 2>&1 ||
	echo "rsync: exit status $?" >>"$work/rsync"
# rsync names a further name of a FIFO even when it is one; whose inode it is, find and treedump tell
grep -av '^hS          ' "$work/rsync" | found rsync

# ---- find, getfacl, getfattr, lsattr: each side alone, then side by side
each() { # name command…: the output for both trees must be equal
	local name=$1
	shift
	(cd "$src" && "$@") >"$work/a" 2>"$work/a.err"
	(cd "$dst" && "$@") >"$work/b" 2>"$work/b.err"
	diff -a "$work/a" "$work/b" | cat -v | cut -c1-500 | found "$name"
	diff -a "$work/a.err" "$work/b.err" | cat -v | found "$name, complaints"
}
shallow() { # find … with the trees that paths cannot name left out
	find . \( -path ./beyond-path-max -o -path ./depth-4096 \) -prune -o "$@"
}
of_find() {
	local owner='%U %G ' perm='%m '
	[ "$mode" = --user ] && owner='' perm=
	find . "${left_out[@]}" -prune -o -type d -printf "%y $perm$owner%T@ %p\0" | sort -z | tr '\0' '\n'
	find . "${left_out[@]}" -prune -o ! -type d -printf "%y $perm$owner%T@ %s %n %l %p\0" | sort -z | tr '\0' '\n'
}
of_getfacl() {
	local hide=-n
	[ "$mode" = --user ] && hide=-nc
	shallow ! -type l ! -type s ! -type b ! -type c -print0 | sort -z | xargs -0 -r getfacl -p "$hide"
}
of_getfattr() {
	local match=-
	[ "$mode" = --user ] && match='^user\.'
	shallow ! -type s ! -type b ! -type c -print0 | sort -z | xargs -0 -r getfattr -h -d -m "$match" -e hex
}
of_lsattr() { # only what people set; an ordinary user cannot set a and i
	local kept=acdijstuACDPST
	[ "$mode" = --user ] && kept=cdsuACP
	shallow \( -type f -o -type d \) -print0 | sort -z | xargs -0 -r lsattr -d 2>/dev/null |
		perl -pe 's/^([-A-Za-z]{16,24}) /my $f = $1; $f =~ s{[^'$kept']}{}g; "$f "/e'
}
each find of_find
each getfacl of_getfacl
each getfattr of_getfattr
each lsattr of_lsattr

# ---- everything at any depth, and allocation: a hole must not have become zeros
python3 "$here/treedump.py" "$src" $mode >"$work/a" 3>"$work/a.blocks" 2>"$work/a.err" || cat "$work/a.err" >>"$work/a"
python3 "$here/treedump.py" "$dst" $mode >"$work/b" 3>"$work/b.blocks" 2>"$work/b.err" || cat "$work/b.err" >>"$work/b"
diff "$work/a" "$work/b" | cut -c1-500 | found treedump
awk -F'\t' 'NR == FNR { blocks[$1] = $2; next }
	($1 in blocks) && $2 > blocks[$1] * 1.01 + 96 { print $1 ": " $2 " blocks where " blocks[$1] " were enough" }' \
	"$work/a.blocks" "$work/b.blocks" | found allocation
[ -s "$work/a" ] || echo "nothing was compared" | found treedump
[ ! -e "$work/different" ]
