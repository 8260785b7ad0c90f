#!/bin/bash
# Goal: every message has its Japanese, msgfmt finds nothing wrong with it, and the programs speak it where no locale is
# installed, as under cron and on a rescue system.
# shellcheck source=tests/lib/site.sh
. "$(dirname "$0")/../lib/site.sh"

PO=$SRC_ROOT/bkp/po/ja.po
cd "$T"

# extract TREE POT: the messages of the programs, in the order of ja.po
extract() {
	(cd "$1" && find bkp restore -name '*.[ch]' | LC_ALL=C sort |
		xgettext -f - -o "$2" -ktext -kN_ -kTEXT_LATER --from-code=UTF-8 --no-location --add-comments=none)
}

# problems POT PO: names what is wrong with the translation; nothing when all is well
problems() {
	msgmerge -q --no-fuzzy-matching "$2" "$1" -o merged.po 2>&1 || echo "msgmerge failed"
	msgattrib --untranslated --no-obsolete --no-wrap merged.po | grep '^msgid ".' | sed 's/^msgid/no Japanese for/'
	msgattrib --only-obsolete --no-wrap merged.po | sed -n 's/^#~ msgid "\(..*\)/no source says any more "\1/p'
	msgattrib --only-fuzzy --no-obsolete --no-wrap merged.po | grep '^msgid ".' | sed 's/^msgid/marked fuzzy/'
	msgfmt -c -o /dev/null "$2" 2>&1
	msgfmt -c -o /dev/null merged.po 2>&1
	# the macros of inttypes.h make messages that differ between machines; %ju does not
	grep -o '<PRI[a-zA-Z0-9]*>' "$1" | sort | uniq -c | sed 's/^/a message holds a macro:/'
	# the table of the .mo is looked up as it is: text() knows neither contexts nor plurals
	grep -nE '^(msgctxt|msgid_plural)' "$2" | sed 's/^/text() cannot look this up: /'
	return 0
}

extract "$SRC_ROOT" "$T/all.pot"
messages=$(grep -c '^msgid ' all.pot)
[ "$messages" -gt 700 ] || die "only $messages messages were found in $SRC_ROOT"
problems all.pot "$PO" >found
[ ! -s found ] || { cat found >&2; die "the Japanese is not complete"; }

# The check itself notices what it is for.
mkdir -p tree/bkp tree/restore
cat >tree/bkp/x.c <<'X'
const char *a = text("a message that nobody has translated");
const char *b = text("%" PRIu64 " generations");
const char *c = text("cannot open '%s'");
X
extract "$T/tree" "$T/tree.pot" 2>/dev/null
problems tree.pot "$PO" >noticed
grep -q 'no Japanese for "a message that nobody' noticed || die "an untranslated message is not noticed"
grep -q 'holds a macro: *1 <PRIu64>' noticed || die "a macro is not noticed"
grep -q 'no source says any more "cannot read' noticed || die "a translation of nothing is not noticed"
sed "/^msgid \"cannot open '%s'\"/{n;s/%s/%d/}" "$PO" >wrong.po
problems tree.pot wrong.po | grep -q 'format specifications' || die "a wrong format is not noticed"

# speaks LANGUAGE WORD COMMAND...: in a world without locales
mkdir -p no-locales
speaks() {
	local want=$1 word=$2
	shift 2
	env -i PATH="$PATH" HOME="$T" LOCPATH="$T/no-locales" LANG=C BKP_POLICY="$T/policy.yaml" "$@" >spoken 2>&1 || true
	grep -qF -- "$word" spoken || { cat spoken >&2; die "not said: '$word' by $*"; }
	if [ "$want" = en ] && LC_ALL=C grep -q $'[\xe3-\xe9]' spoken; then
		cat spoken >&2
		die "Japanese where English was asked for: $*"
	fi
}
speaks ja '使い方: bkp' "$BKP" --lang ja
speaks en 'usage: bkp' "$BKP" --lang en
speaks ja '保管庫を作る' "$BKP" --lang ja init --help
speaks ja "'/nowhere' を開けません: ファイルまたはフォルダーがありません" "$BKP" --lang ja --policy /nowhere check
speaks en "cannot open '/nowhere': No such file or directory" "$BKP" --lang en --policy /nowhere check
speaks ja '媒体からデータを復旧する' "$RESTORE" --lang ja --help
speaks en 'brings data back' "$RESTORE" --lang en --help
speaks ja "媒体 '/nowhere' を開けません" "$RESTORE" --lang ja --medium /nowhere generations
speaks en "cannot open medium '/nowhere'" "$RESTORE" --lang en --medium /nowhere generations

# each command's one line of help, too
for p in "$BKP" "$RESTORE"; do
	"$p" --lang ja --help >help
	commands=$(sed -n '/^  [a-z]\|^    [^ ]/p' help)
	[ -n "$commands" ] || die "no commands in the help of $p"
	! LC_ALL=C grep -v $'[\xe3-\xe9]' <<<"$commands" >&2 || die "English in the Japanese help of $p"
done

# the policy's language, and --lang over it
site_policy "  - {name: docs, title: 文書, paths: [/usr/share/doc]}"
sed -i 's/language: en/language: ja/' policy.yaml
speaks ja "に保管庫がありません" "$BKP" generations
speaks en "there is no repository in" "$BKP" --lang en generations

say "all $((messages - 1)) messages have their Japanese, and it is spoken with LANG=C and no locale"
