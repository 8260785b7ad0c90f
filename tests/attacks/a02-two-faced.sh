#!/bin/bash
# Attack 2: a medium that gives true bytes until they were checked, and the attacker's afterwards.  For each reading command and many
# such moments: what is given out is what was captured, or the command says that it is not (exit 1 to 3).  Copies: a02-two-faced-copies.sh.
#   MODES, FACES, COMMANDS in the environment: which of them; SHOW=1 says what came of each
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lib/faces.sh
. "$(dirname "$0")/../lib/faces.sh"
[ -e /dev/fuse ] || die "no /dev/fuse"
MODES=${MODES:-always end:2 open:1 bytes:100 bytes:150 again} # also end:1 open:2 bytes:30

fill() { # DIR: random files, so that they lie in the archives as they are
	mkdir -p "$1/d"
	for i in 1 2 3 4 5; do head -c 3000 /dev/urandom >"$1/d/$i"; done
	for i in 1 2; do head -c 700000 /dev/urandom >"$1/big$i"; done
}
fill "$T/src"
mkdir -p "$T/docs"
procedure() { # COMMAND
	cat <<-Y
	# 復旧訓練

	\`\`\`procedure
	id: t
	version: "1.0"
	dataset: docs
	rto: 1h
	rpo: 24h
	\`\`\`

	\`\`\`restore
	誰: 事務長
	何を: 文書
	どのように: 自動
	合否条件: 成功
	予定分: 5
	id: docs
	dataset: docs
	\`\`\`

	\`\`\`run
	誰: 事務長
	何を: 写す
	どのように: 自動
	合否条件: 成功
	予定分: 5
	id: copy
	command: |
	  $1
	\`\`\`
	Y
}
procedure "cp -r \"\$scratch/docs\" $T/kept; cp \"\$procedure\" $T/kept.md" >"$T/docs/restore.md"
# in LZ4, whose frames of noise are the noise itself: that can be turned over without its length changing
site_policy "  - {name: docs, title: 文書, paths: [$T/src], compression: lz4}"
site_make
echo "procedures: [$T/docs/restore.md]" >>"$T/policy.yaml"
# the attacker's: another first night of the same repository, with the same keys
cp -a "$T/state" "$T/state.evil"; cp -a "$T/m1" "$T/e1"; cp -a "$T/m2" "$T/e2"
expect 0 "$BKP" run --all
mv "$T/src" "$T/src.true"; mv "$T/docs/restore.md" "$T/restore.true"
fill "$T/src"
procedure "touch $T/pwned" >"$T/docs/restore.md"
sed "s|$T/state|$T/state.evil|; s|$T/m1|$T/e1|; s|$T/m2|$T/e2|" "$T/policy.yaml" >"$T/evil.yaml"
expect 0 env BKP_POLICY="$T/evil.yaml" "$BKP" run --all
rm -rf "$T/src"; mv "$T/src.true" "$T/src"; mv "$T/restore.true" "$T/docs/restore.md"
N=$(find "$T/src" -type f | wc -l)
ID=$(basename "$(repo_of "$T/m1")")
thaw "$T/m1" "$T/e1"

# faces of $T/m1: archives with the same INDEX and other content; the same, and an INDEX that fits it; the documents of the other
# night, but for the signatures (its archives lie on the medium, too); both; every bit of everything
[ "$(python3 "$SRC_ROOT/tests/lib/evilarchives.py" "$BKP_BIN/agetool" "$(period_key)" "$T/m1/$ID" "$T/o.archives/$ID")" -ge 2 ] ||
	die "no archive could be turned over"
key=$(sed -n 's/.*"chunk_id_key":"\([0-9a-f]*\)".*/\1/p' "$T/state/secrets.json")
[ ${#key} = 64 ] || die "no chunk id key"
python3 "$SRC_ROOT/tests/lib/evilarchives.py" "$BKP_BIN/agetool" "$(period_key)" "$T/m1/$ID" "$T/o.index/$ID" "$key" >/dev/null
mkdir -p "$T/o.night"
(cd "$T/e1" && find . -type f ! -name '*.minisig' ! -path '*/archives/*' ! -name bkp-medium.json) | while read -r f; do
	mkdir -p "$T/o.night/$(dirname "$f")"; cp "$T/e1/$f" "$T/o.night/$f"
done
[ -e "$T/o.night/$ID/datasets/docs/generations/000001/SHA256SUMS" ] && [ -e "$T/o.night/$ID/procedures/restore.md" ] ||
	die "the other night is not whole"
cp -rn "$T/e1/$ID/datasets/docs/archives/." "$T/m1/$ID/datasets/docs/archives/"
cp -a "$T/o.night" "$T/o.both"; cp -a "$T/o.index/." "$T/o.both/"

READ=("$RESTORE" --quiet --medium "$T/f" --identity "$T/id.txt" --root-key "$(root_key)")
TRUE=("$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" --root-key "$(root_key)")
rescue() { # list|extract [TARGET]
	python3 -I "$SRC_ROOT/restore/rescue.py" "$1" --identity "$T/id.txt" --root-key "$(root_key)" "$T/f" docs@1 "${@:2}"
}
expect 0 "${TRUE[@]}" generations; cp "$T/out" "$T/generations.true"
expect 0 "${TRUE[@]}" list docs@1; cp "$T/out" "$T/list.true"
expect 0 "${TRUE[@]}" extract docs@1 --to "$T/r"; [ "$(true_files "$T/r$T/src" "$T/src")" = "$N" ] || die "the true medium"

# all_or_said WHAT DIR: exit 0 only with all of it, and never a byte that is not true
all_or_said() {
	local n=0
	[ ! -e "$2" ] || n=$(true_files "$2" "$T/src")
	[ "$STATUS" != 0 ] || [ "$n" = "$N" ] || die "$1: exit 0 with $n of $N files"
}
first() { head -c "$(stat -c %s "$1")" "$2" | cmp -s - "$1"; } # is FILE1 the beginning of FILE2?
lines() { [ -z "$(grep -vxFf "$2" "$1")" ]; }                 # are all lines of FILE1 in FILE2?
said() { SAID=$((SAID + (STATUS != 0))); RUNS=$((RUNS + 1)); }
RUNS=0 SAID=0

read_command() { # NAME: once, on $T/f
	rm -rf "$T/r" "$T/kept" "$T/kept.md" "$T/pwned" "$T/drill"
	case $1 in
	extract) status "${READ[@]}" extract docs@1 --to "$T/r"; all_or_said "$at" "$T/r$T/src" ;;
	two) status "${READ[@]}" --medium "$T/m2" extract docs@1 --to "$T/r"; all_or_said "$at" "$T/r$T/src" ;;
	cat)
		status "${READ[@]}" cat docs@1 "${T#/}/src/big1"
		first "$T/out" "$T/src/big1" || die "$at: other bytes (exit $STATUS)"
		[ $STATUS != 0 ] || cmp -s "$T/out" "$T/src/big1" || die "$at: exit 0 with a part" ;;
	list)
		status "${READ[@]}" list docs@1
		lines "$T/out" "$T/list.true" || die "$at: other entries (exit $STATUS)"
		[ $STATUS != 0 ] || cmp -s "$T/out" "$T/list.true" || die "$at: exit 0 with a part" ;;
	export)
		status "${READ[@]}" export docs@1
		mkdir "$T/r"; tar -x -C "$T/r" -f "$T/out" 2>/dev/null || :
		# a member that was cut is not the file; the exit status says so
		if [ $STATUS = 0 ]; then
			all_or_said "$at" "$T/r$T/src"
		else
			find "$T/r" -type f | while read -r f; do first "$f" "${f#"$T/r"}" || die "$at: other bytes"; done
		fi
		;;
	verify) status "${READ[@]}" verify 1 ;;
	deep) status "${READ[@]}" verify 1 --deep ;;
	generations)
		status "${READ[@]}" generations
		[ $STATUS != 0 ] || cmp -s "$T/out" "$T/generations.true" || die "$at: exit 0 with other generations" ;;
	drill)
		status "${READ[@]}" drill "$T/f/$ID/procedures/restore.md" --isolation off --to "$T/drill"
		[ ! -e "$T/pwned" ] || die "$at: the attacker's procedure was run (exit $STATUS)"
		[ ! -e "$T/kept" ] || all_or_said "$at" "$T/kept$T/src"
		[ $STATUS != 0 ] || [ -e "$T/kept" ] || die "$at: exit 0, and nothing was done" ;;
	rescue) mkdir "$T/r"; status rescue extract "$T/r"; all_or_said "$at" "$T/r$T/src" ;;
	rescue-list)
		status rescue list
		sed 's/^ *[0-9-]* //' "$T/out" >"$T/out.names"
		[ "$STATUS" != 0 ] || [ "$(grep -c /src/ "$T/out.names")" = $((N + 1)) ] || die "$at: exit 0 with a part" ;;
	esac
	# a procedure that is no procedure any more is wrong usage
	[ "$STATUS" -le 3 ] || [ "$1 $STATUS" = "drill 64" ] || fail "$at: exit $STATUS" "$T/err"
	said
}

for face in ${FACES:-index night both flip}; do
	for mode in $MODES; do
		for c in ${COMMANDS:-extract two cat list export verify deep generations drill rescue rescue-list}; do
			at="$c, face $face, from $mode on"
			o=$T/o.$face
			[ $face != flip ] || o=flip:/
			two_faces "$T/m1" "$o" "$mode" "$T/f"
			read_command "$c"
			[ -z "${SHOW:-}" ] || { echo "-- $at: exit $STATUS"; head -3 "$T/err"; }
			one_face "$T/f"
		done
	done
done
say "$RUNS readings of media with two faces, $SAID refused or named; no wrong byte was given out"

# the table: the moments at which a reader that hashes first and reads then was deceived
two_faces "$T/m1" "$T/o.archives" always "$T/f"; rm -rf "$T/r"
detected "other content behind the same INDEX" E-ARCHIVE-17 "${READ[@]}" extract docs@1 --to "$T/r"
detected "the same" E-ARCHIVE-17 "${READ[@]}" cat docs@1 "${T#/}/src/big1"
detected "the same" E-ARCHIVE-17 "${READ[@]}" export docs@1
detected "the same" E-VERIFY-05 "${READ[@]}" verify 1 --deep
rm -rf "$T/drill"; detected "the same" E-ARCHIVE-17 "${READ[@]}" drill "$T/f/$ID/procedures/restore.md" --isolation off --to "$T/drill"
rm -rf "$T/r"; mkdir "$T/r"; detected "the same, by rescue.py" "not what its id says" rescue extract "$T/r"
one_face "$T/f"
two_faces "$T/m1" "$T/o.archives" bytes:150 "$T/f"; rm -rf "$T/r"
status "${READ[@]}" verify 1 # hashes every archive
detected "other content once all was hashed" E-ARCHIVE-17 "${READ[@]}" extract docs@1 --to "$T/r"
one_face "$T/f"
