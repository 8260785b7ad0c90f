#!/bin/bash
# Goal: bkp guard canary add makes files that nobody changes in every part of a data set, valid ones of their neighbours' kind, names,
# owners, modes and times; first it says which, and only a person, or --yes, makes them; none is made over or through anything. One that is
# changed, renamed or gone makes the night suspect, though statistics see nothing; no path of one is in the journal or on a medium in the
# clear; a list that is lost, and canaries that were removed, are said. What is accepted is given up, remove takes away what is as made.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
in_memory
mkdir -p "$T/m1" "$T"/src/{scan,pacs,few} "$T"/src/letters/{2025,2026} "$T"/src/images/{a/deep,b} "$T/src/mixed"
age-keygen -o "$T/id.txt" 2>/dev/null
sed 's/^\t*//' >"$T/policy.yaml" <<-Y
	site: {name: テスト診療所, language: en}
	state: $T/state
	people:
	  - {name: 佐藤, roles: [operator]}
	datasets:
	  - name: docs
	    paths: [$T/src]
	    exclude: [/$T/src/excluded]
	  - {name: dump, command: "seq 1 1000", store_as: x.sql}
	media:
	  - {name: m1, type: hdd, path: $T/m1, place: サーバ室}
Y
sed -i "s|/$T/src/excluded|$T/src/excluded|" "$T/policy.yaml"
python3 - "$T/src" <<'P'
import os, random, sys
src, rnd = sys.argv[1], random.Random(66)
def put(name, b):
    os.makedirs(os.path.dirname(src + "/" + name), exist_ok=True)
    open(src + "/" + name, "wb").write(b)
text = lambda n: b"".join(b"line %d\n" % rnd.randrange(10**6) for _ in range(n))
for i in range(1, 41):
    if i != 17:
        put("scan/scan%04d.pdf" % i, b"%PDF-1.4\n" + text(200))
    put("letters/2025/Yamada Taro %d.txt" % i, text(20))
    put("letters/2026/Yamada Taro %d.docx" % i, b"PK\3\4" + text(20))
    put("images/a/deep/IMG_%d.JPG" % i, b"\xff\xd8\xff\xe0" + text(100))
    put("images/b/%d.csv" % i, text(30))
    put("pacs/%d.dcm" % i, bytes(128) + b"DICM" + text(10))
    put("mixed/%d" % i, bytes(128) + b"DICM" + text(10) if i % 2 else b"MSH|^~\\&|x")
    put("excluded/%d.txt" % i, text(2))
    put("%d.hl7" % i, b"MSH|^~\\&|x\r")
for i in range(19):
    put("few/%d.txt" % i, b"x")
P
touch "$T/src/MADE-FOR-TESTS"
chown -R 1234:2345 "$T/src/letters"
find "$T/src/letters" -type f -exec chmod 0640 {} +
find "$T/src" -type f -exec touch -d 2025-03-01 {} +
"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
"$BKP" --quiet medium add m1 2>/dev/null
files() { (cd "$T/src" && find . -type f | LC_ALL=C sort); }
journal() { cat "$T/state/journal/"*.jsonl; }
suspect() { python3 -c 'import json, sys
print([d for d in json.load(open(sys.argv[1]))["datasets"] if d["dataset"] == "docs"][0].get(sys.argv[2], ""))' "$T/json" "${1:-suspect}"; }
canary() { # ENDING: the path of one
	"$BKP" --json guard canary list | python3 -c 'import json, sys
print([c["path"] for c in json.load(sys.stdin)["canaries"] if c["path"].endswith(sys.argv[1])][0])' "$1"
}
for _ in 1 2; do night 0; done
files >"$T/before"
at_first=$(journal | grep -vc '"event":"outcome"')

# ---- which ones is said first; nothing is made without a person
canaries=(guard canary add --datasets docs --exclude "$T/src/pacs")
expect 0 "$BKP" "${canaries[@]}" --dry-run
grep "^  $T" "$T/out" >"$T/dry"
[ "$(wc -l <"$T/dry")" = 7 ] || fail "not the seven parts"
expect 64 "$BKP" "${canaries[@]}" --operator 佐藤
said "say --yes"
expect 64 "$BKP" --json "${canaries[@]}" --operator 佐藤
expect 64 "$BKP" "${canaries[@]}" --yes
expect 64 "$BKP" "${canaries[@]}" --yes --operator 鈴木
expect 64 "$BKP" "${canaries[@]}" --yes --operator 佐藤 --count 65
expect 64 "$BKP" "${canaries[@]}" --yes --operator 佐藤 --count 3 --per-folder
expect 64 "$BKP" guard canary
expect 64 "$BKP" guard canary list --yes
expect 64 "$BKP" guard canary plant
expect 1 "$BKP" guard canary add --datasets dump --yes --operator 佐藤
said W-GUARD-03
typed() { python3 - "$@" <<'P'
import os, pty, sys
pid, tty = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen, answered = b"", False
while True:
    try:
        b = os.read(tty, 65536)
    except OSError:
        break
    if not b:
        break
    seen += b
    if "yes/no".encode() in seen and not answered:
        answered = True
        os.write(tty, sys.argv[1].encode() + b"\n")
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
P
}
expect 0 typed no "$BKP" "${canaries[@]}" --operator 佐藤
said "nothing was made"
files | cmp -s - "$T/before" || die "something was made"
[ "$(journal | grep -vc '"event":"outcome"')" = "$at_first" ] || die "something was recorded"
expect 0 typed はい "$BKP" "${canaries[@]}" --operator 佐藤
said "7 canaries were made"
say "which canaries would be made is said, and they are made when a person at the terminal agrees; twelve kinds of bad input make none"

# ---- those that were shown; like their neighbours; valid by other people's tools
files | LC_ALL=C comm -13 "$T/before" - | sed "s|^\.|  $T/src|" >"$T/made"
LC_ALL=C sort "$T/dry" | cmp -s - <(LC_ALL=C sort "$T/made") || fail "not those that were shown" "$T/dry" "$T/made"
grep -qx "  $T/src/scan/scan0017.pdf" "$T/made" || die "not the number that is free between two"
for f in "$T"/src/{pacs,few,excluded}; do
	! grep -q "^  $f" "$T/made" || die "a canary at $f"
done
python3 - "$T/src" "$T/made" <<'P' || die "not like their neighbours"
import os, sys, time
for path in (l.strip("\n")[2:] for l in open(sys.argv[2], encoding="utf-8")):
    st, top = os.stat(path), path[len(sys.argv[1]) + 1:].split("/")[0]
    like = [os.stat(os.path.join(os.path.dirname(path), n)) for n in os.listdir(os.path.dirname(path))]
    assert (st.st_uid, st.st_gid, st.st_mode) in {(s.st_uid, s.st_gid, s.st_mode) for s in like if s.st_ino != st.st_ino}, path
    assert top != "letters" or (st.st_uid, st.st_gid, st.st_mode & 0o7777) == (1234, 2345, 0o640), path
    assert abs(st.st_mtime - min(s.st_mtime for s in like)) < 700, path
    assert 100 < st.st_size < 10000 or path.endswith(".hl7"), path
    assert b"Yamada" not in open(path, "rb").read(), path
P
pdftotext "$(canary .pdf)" - | grep -q "NOT A MEDICAL RECORD" || die "no PDF"
python3 - "$(canary .docx)" <<'P' || die "no docx"
import sys, xml.dom.minidom, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None and set(z.namelist()) == {"[Content_Types].xml", "_rels/.rels", "word/document.xml"}
for n in z.namelist():
    xml.dom.minidom.parseString(z.read(n))
assert "診療の記録ではありません" in z.read("word/document.xml").decode()
P
python3 - "$(canary .JPG)" >"$T/jpeg.svg" <<'P'
import base64, sys
b = base64.b64encode(open(sys.argv[1], "rb").read()).decode()
print('<svg xmlns="http://www.w3.org/2000/svg" width="320" height="416">')
print('<image width="320" height="416" href="data:image/jpeg;base64,%s"/></svg>' % b)
P
if command -v rsvg-convert >/dev/null; then
	rsvg-convert "$T/jpeg.svg" -o "$T/jpeg.png" 2>"$T/err"
	[ "$(stat -c %s "$T/jpeg.png")" -gt 3000 ] || die "no JPEG"
fi
grep -q "診療の記録ではありません" "$(canary .txt)" || die "the text does not say what it is"
expect 0 "$BKP" guard canary list
[ "$(grep -c "as made" "$T/out")" = 7 ] || fail "not listed"
[ "$(stat -c %a "$T/state/canaries" "$T/state/canaries/docs" | xargs)" = "700 600" ] || die "others can read which they are"
! journal | grep -q "Yamada\|scan0\|/src/" || die "the journal names a folder: $(journal | grep -o '.\{40\}Yamada.\{20\}' | head -n 1)"
night 0
[ -z "$(suspect)$(suspect unguarded)" ] || die "seven new files are suspect: $(cat "$T/json")"
grep -rqa "Yamada" "$T/m1" && die "a medium names one in the clear"
say "each is a valid file of its neighbours' kind with their owner, mode and time; what they are called is in the state folder alone"

# ---- changed, renamed, gone: one file of 350
alarm() { # WHAT COMMAND...: a night is suspect for it, and is accepted
	local what=$1
	shift
	"$@"
	night 1
	case $(suspect) in "1 canary files were changed or are gone"*) ;; *) die "$what: $(suspect)" ;; esac
	expect 1 "$BKP" guard show docs
	said "1 canary files, which nobody ever changes"
	expect 0 "$BKP" accept "docs@$G" --operator 佐藤 --reason "a test"
	said "Canaries that had changed are given up"
	night 0
}
encrypt() { head -c "$(stat -c %s "$1")" /dev/urandom >"$T/noise" && cat "$T/noise" >"$1"; }
pdf=$(canary .pdf) txt=$(canary .txt) csv=$(canary .csv)
alarm "encrypted" encrypt "$pdf"
alarm "encrypted and renamed" mv "$txt" "$txt.locked"
alarm "deleted" rm "$csv"
expect 0 "$BKP" guard canary list
[ "$(grep -c "given up" "$T/out")" = 3 ] && [ "$(grep -c "as made" "$T/out")" = 4 ] || fail "not given up"
journal | grep '"event":"committed"' | grep -q '"placed":\[[0-9]*\]' || die "which one is not on record"
! journal | grep -q "Yamada\|scan0" || die "the journal names a folder"
say "one that is encrypted, renamed or deleted makes the night suspect, whatever the others do; accepted it is given up"

# ---- announced or not, and slow: a file a night, names and times kept
env "${NIGHT_ENV[@]}" "$BKP" announce all --datasets all --until "$(date -d "@$(($(date +%s) + NIGHT * 86400 + 9 * 86400))" +%F)" \
	--expect changed,deleted,renamed,new-kinds,encrypted --operator 佐藤 >/dev/null
encrypt "$(canary .docx)"
night 1
case $(suspect) in "1 canary"*) ;; *) die "a canary was announced away: $(cat "$T/json")" ;; esac
expect 0 "$BKP" accept "docs@$G" --operator 佐藤 --reason "a test"
night 0

# ---- the list is lost, or another
cp -p "$T/state/canaries/docs" "$T/list"
sed -i '$d' "$T/state/canaries/docs"
night 1
case $(suspect unguarded) in "the list of the canaries of 'docs'"*) ;; *) die "a list that is another is believed: $(cat "$T/json")" ;; esac
expect 2 "$BKP" guard canary list
said E-GUARD-05
rm "$T/state/canaries/docs"
night 1
cp -p "$T/list" "$T/state/canaries/docs"
night 0
say "a list of canaries that is lost or was altered is said every night until it is back"

# ---- a second time adds others; remove takes what is as made, and is told the next morning
expect 0 "$BKP" guard canary add --datasets docs --exclude "$T/src/pacs" --count 2 --yes --operator 佐藤
said "2 canaries were made"
night 0
echo "somebody writes" >>"$(canary .JPG)"
expect 1 "$BKP" guard canary list
files >"$T/then"
expect 1 "$BKP" guard canary remove --operator 佐藤
said "W-GUARD-04: '.*JPG' is left where it is"
LC_ALL=C comm -13 "$T/before" <(files) >"$T/left" # four that were given up, of which one is gone, and the one that was changed
[ "$(wc -l <"$T/left")" = 4 ] || fail "what is left" "$T/left"
[ -z "$(LC_ALL=C comm -23 "$T/before" <(files))" ] || die "a file that was there before is gone"
night 1
[ "$(suspect unguarded)" = "its canaries were removed since it was captured last" ] ||
	die "that they were removed is not told: $(cat "$T/json")"
[ -z "$(suspect)" ] || die "what was removed is missed: $(suspect)"
night 0
expect 0 "$BKP" guard canary list
said "there are no canaries"
"$BKP" journal verify >/dev/null || die "the journal does not verify"
expect 0 "$BKP" journal export --format csv
said "7 canaries were made in docs"
say "remove takes away what is as it was made, leaves what somebody changed, and is told the next morning"

# ---- a folder that cannot be written to: none is made; a link in the place of one is not followed
files >"$T/then"
if chattr +i "$T/src/scan" 2>/dev/null; then
	expect 2 "$BKP" guard canary add --datasets docs --yes --operator 佐藤
	chattr -i "$T/src/scan"
	said "E-GUARD-04.*scan"
	files | cmp -s - "$T/then" || die "some were made"
	! journal | grep -q "scan0" || die "the journal names a file"
fi
mv "$T/src/letters" "$T/elsewhere"
ln -s "$T/elsewhere" "$T/src/letters"
expect 0 "$BKP" guard canary add --datasets docs --yes --operator 佐藤
[ -z "$(find "$T/elsewhere" -newer "$T/then" -type f)" ] || die "a canary was made behind a link"
say "where one cannot be made none is; a link is not followed"
