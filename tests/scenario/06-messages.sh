#!/bin/bash
# Goal: every message has its Japanese, msgfmt finds nothing wrong with it, and the programs speak it where no locale is
# installed, as under cron and on a rescue system.
# shellcheck source=tests/lib/site.sh
. "$(dirname "$0")/../lib/site.sh"

PO=$SRC_ROOT/bkp/po/ja.po
cd "$T" || exit 1

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
	# what no Japanese says: a mark of doubt in front of a full stop, two stops, half-width Japanese, words that mean one thing twice
	grep '^msgstr' "$2" | grep -E '\?。|。。|、、|。、|：：|保全（|検証済み|大量変更の監視|カタログ|エントリ|ホールド|受取人|実行利用者|媒体の媒体|をを|がが|はは[^い]' |
		sed 's/^/not to be said: /'
	# the table of the .mo is looked up as it is: text() knows neither contexts nor plurals
	grep -nE '^(msgctxt|msgid_plural)' "$2" | sed 's/^/text() cannot look this up: /'
	return 0
}

extract "$SRC_ROOT" "$T/all.pot"
messages=$(grep -c '^msgid ' all.pot)
[ "$messages" -gt 700 ] || die "only $messages messages were found in $SRC_ROOT"
problems all.pot "$PO" >found
[ ! -s found ] || fail "the Japanese is not complete" found

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
printf 'msgid "x"\nmsgstr "失敗: ?。直してください"\n' >words.po
problems tree.pot words.po | grep -q 'not to be said' || die "wrong words are not noticed"
problems tree.pot wrong.po | grep -q 'format specifications' || die "a wrong format is not noticed"

# speaks LANGUAGE WORD COMMAND...: in a world without locales
mkdir -p no-locales
speaks() {
	local want=$1 word=$2
	shift 2
	env -i PATH="$PATH" HOME="$T" LOCPATH="$T/no-locales" LANG=C BKP_POLICY="$T/policy.yaml" "$@" >spoken 2>&1 || true
	grep -qF -- "$word" spoken || fail "not said: '$word' by $*" spoken
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

# a mistake at the keyboard is answered with the word that was meant; whatever is said has a code and a next action
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
said() { # EXIT TEXT COMMAND...
	local want=$1 word=$2
	shift 2
	case $1 in *=*) expect "$want" env -u BKP_LANG "$@" ;; *) expect "$want" "$@" ;; esac
	grep -qF -- "$word" err || fail "not said: '$word' by $*" err
	grep -qE '^bkp(-restore)?: [EW]-[A-Z]+-[0-9]{2}: ' err || fail "no code: $*" err
	# line by line: behind the last line with a code stands what to do
	awk '/^bkp(-restore)?: [EW]-/ {if (open) exit 1; open = 1} /^  → ./ {open = 0} END {exit open}' err ||
		fail "nothing to do is named: $*" err
}
said 64 "did you mean 'run'?" "$BKP" rum
said 64 "did you mean 'schedule'?" "$BKP" help schedul
said 64 "did you mean '--quiet'?" "$BKP" run --quite
said 64 "did you mean '--anchor'?" "$BKP" run --ancor=x
said 64 "see 'bkp run --help'" "$BKP" run --zzz
said 64 "did you mean 'docs'?" "$BKP" run --dry-run dosc
said 64 "did you mean 'm1'?" "$BKP" medium add n1
for command in list extract drill cat; do said 64 "did you mean 'bkp-restore $command'?" "$BKP" $command 1; done
said 64 "did you mean 'bkp-restore extract'?" "$BKP" restore
said 64 "a full-width blank (U+3000)" "$BKP" medium move m1 --operator　事務長
"$BKP" --help | grep -q bkp-restore || die "--help does not name bkp-restore"
said 64 "did you mean 'extract'?" "$RESTORE" extrakt 1
said 64 "did you mean '--identity'?" "$RESTORE" --identiti x list 1
said 64 "option '--identity' needs a value" "$RESTORE" list 1 --identity
said 64 "did you mean 'BKP_LANG=ja'?" BKP_LANG=jp "$BKP" check
said 64 "did you mean 'BKP_LANG=ja'?" BKP_LANG=jp "$RESTORE" generations
said 64 "codes look like" "$BKP" explain E-NOTHING-99
said 64 "codes look like" "$RESTORE" explain E-NOTHING-99
said 3 "bkp init" "$BKP" generations
said 3 "→" "$RESTORE" --medium /nowhere generations
"$BKP" -V | grep -q '^bkp [0-9]' || die "-V"
# a secret key on the command line is never taken, nor repeated
key=$(age-keygen 2>/dev/null | grep AGE-SECRET)
said 64 "burn it" "$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$key"
! grep -qi "${key#AGE-SECRET-KEY-}" out err || die "the secret key is shown once more"
[ ! -e state ] || die "a repository was made"
site_make 2>err; unset BKP_LANG
said 64 "did you mean 'docs'?" "$BKP" run 文書
# who may not is told so, and not that something is damaged
if [ "$(id -u)" = 0 ]; then
	mkdir "$T/closed"; cp "$T/policy.yaml" "$T/closed/"; chmod 600 "$T/closed/policy.yaml"; chmod 755 "$T" "$T/closed"
	stranger=(setpriv --reuid 65534 --regid 65534 --clear-groups "$BKP")
	said 3 "run it as root (sudo)" "${stranger[@]}" status
	said 2 "run it as root (sudo)" "${stranger[@]}" run --all
	said 64 "run it as root (sudo)" "${stranger[@]}" --policy "$T/closed/policy.yaml" status
fi
said 64 "did you mean 'm1'?" "$BKP" verify --medium n1
said 64 "did you mean 'm1'?" "$BKP" expire --dry-run --medium n1
# Ctrl-C of a restore: what it left and what to do; here it waits for the program already when that begins
mkdir -p src/d && for i in 1 2 3 4 5; do head -c 300000 /dev/urandom >"src/d/$i"; done
expect 0 "$BKP" run --all
interrupted() {
	python3 -c 'import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]); os.kill(os.getpid(), signal.SIGINT); os.execv(sys.argv[1], sys.argv[1:])' "$@"
}
said 2 "stays in '$T/back'" interrupted "$RESTORE" --medium m1 --identity id.txt extract docs@1 --to "$T/back"
grep -q '^bkp-restore: E-RESTORE-15: ' err || die "not interrupted: $(cat err)"
[ -z "$(find back -type f -name '*.tmp')" ] || die "parts of files are left: $(find back)"
expect 0 "$RESTORE" --medium m1 --identity id.txt extract docs@1 --to "$T/back" --overwrite
diff -r src "back$T/src" || die "the second try is not the tree"
# and of what leaves nothing behind: each stands in a write that nobody reads
cat >stuck.py <<'P'
import fcntl, os, signal, struct, subprocess, sys, termios, time
r, w = os.pipe()
if sys.argv[1] == "full":
    os.set_blocking(w, False)
    try:
        while True:
            os.write(w, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(w, True)
p = subprocess.Popen(sys.argv[2:], stdout=w)
asleep = 0
for _ in range(600):  # the pipe is full, and who writes into it sleeps
    n = struct.unpack("i", fcntl.ioctl(r, termios.FIONREAD, b"    "))[0]
    still = n > 61000 and open(f"/proc/{p.pid}/stat").read().rpartition(")")[2].split()[0] == "S"
    asleep = asleep + 1 if still else 0
    if asleep == 6:
        break
    time.sleep(0.1)
p.send_signal(signal.SIGINT)
sys.exit(p.wait())
P
stuck() { # CODE TEXT WHERE ARGUMENT...
	local want=$1 text=$2 where=$3
	shift 3
	said "$want" "$text" python3 stuck.py "$where" "$RESTORE" --medium m1 --identity id.txt "$@"
	grep -q '^bkp-restore: E-RESTORE-15: ' err || die "$1 was not interrupted: $(cat err)"
}
stuck 2 "not the whole file" empty cat docs@1 "${T#/}/src/d/1"
stuck 2 "the archive that was written is not whole" empty export docs@1
stuck 3 "what was not read by then" full verify 1
BKP_LANG=ja stuck 2 "途中まで" empty export docs@1
# a pipe that is closed ends it like any other program; who ignores the signal is told once, however many tables there are
cat >closed.py <<'P'
import os, subprocess, sys
for ignored in False, True:
    r, w = os.pipe()
    os.close(r)
    p = subprocess.run(sys.argv[1:], stdout=w, stderr=subprocess.PIPE, text=True, restore_signals=not ignored)
    assert p.returncode == (2 if ignored else -13), (ignored, p)
    assert p.stderr.count("E-IO-03: ") == ignored and "E-MEM" not in p.stderr and (ignored or not p.stderr), (ignored, p.stderr)
P
for c in status "expire --dry-run" "medium show m1" "expire --dry-run --json" "status --json"; do
	# shellcheck disable=SC2086 # words
	python3 closed.py "$BKP" $c || die "a closed pipe: $c"
done
# in Japanese, too, with each option explained
"$BKP" --lang ja help run | grep -E '^  --' | LC_ALL=C grep -v $'[\xe3-\xe9]' && die "English in the Japanese help of run"

say "all $((messages - 1)) messages have their Japanese, and it is spoken with LANG=C and no locale"
