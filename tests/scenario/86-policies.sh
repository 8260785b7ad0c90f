#!/bin/bash
# Goal: every policy below policies/ passes `bkp check` without a word in both languages, holds no secret and takes none; every
# procedure beside it is valid, can be printed, and names only data sets and probes of the policy that names it; each says in Japanese
# and English what to change, and marks those lines.
set -eu
. "$(dirname "$0")/../lib/site.sh"
cd "$SRC_ROOT/policies"

for p in *.yaml; do
	for lang in ja en; do
		expect 0 "$BKP" check --policy "$p" --lang $lang
		[ ! -s "$T/err" ] || fail "$p: bkp check says something" "$T/err"
	done
	! grep -q 'NOT MET\|CAUTION' "$T/out" || die "$p does not allow 3-2-1"
	# a secret: refused, and not repeated
	sed 's|^schedule: .*|notify: {command: "PGPASSWORD=Zq7xPw3Lk mail"}|; /^notify: .*bkp-/d' "$p" >"$T/secret.yaml"
	expect 64 "$BKP" check --policy "$T/secret.yaml" --lang en
	grep -q 'password' "$T/err" || fail "$p: why it is refused" "$T/err"
	! grep -q Zq7xPw3Lk "$T/out" "$T/err" || die "$p: the secret is repeated"
done
say "$(ls -- *.yaml | wc -l) policies: 'bkp check' is content and silent in both languages, each allows 3-2-1, a secret in them is refused"

named=
for p in postgresql mariadb orca-clinic orthanc pacs ss-mix2; do
	grep -q '直すところ' $p.yaml && grep -q '^# In English: ' $p.yaml || die "$p: it is not said what to change"
	[ "$(sed 1,/^site:/d $p.yaml | grep -c '← 直す')" -ge 2 ] || die "$p: no marked lines"
	# the procedures that it names, commented out until its user has adapted them
	for f in $(sed -n 's/^# procedures: \[\(.*\)\]/\1/p' $p.yaml | tr , ' '); do
		f=procedures/${f##*/}
		named="$named $f"
		expect 0 "$RESTORE" procedure check "$f"
		expect 0 "$RESTORE" procedure print "$f"
		grep -q '<html' "$T/out" || die "$f: nothing to print"
		for d in $(sed -n 's/^dataset: //p' "$f"); do
			grep -q "^  - name: $d\$" $p.yaml || die "$f: the data set $d is not in $p.yaml"
		done
		for d in $(sed -n 's/^probe: //p' "$f"); do
			sed -n "/^  - name: $d\$/,/^\$/p" $p.yaml | grep -q '^    probe: ' ||
				die "$f: the data set $d of $p.yaml has no probe"
		done
		grep -q '^always: true' "$f" || die "$f: what it starts is not stopped when a step fails"
	done
done
for f in procedures/*.md; do
	case " $named " in *" $f "*) continue ;; esac
	# a sample for any tree of files: README.md says which policies it suits
	grep -qF "($f)" README.md || die "$f: neither a policy nor policies/README.md names it"
	expect 0 "$RESTORE" procedure check "$f"
	expect 0 "$RESTORE" procedure print "$f"
done
say "each says in Japanese and English what to change and marks it; $(ls procedures | wc -l) procedures are valid, printable, and fit the" \
	"policy that names them"
