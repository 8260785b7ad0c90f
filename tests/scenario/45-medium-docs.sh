#!/bin/bash
# Goal: a medium explains itself. What README.txt says is true: its commands, taken from it letter by letter, check the tools,
# show the generations and restore, in an empty root folder that holds nothing but the medium and the identity, and with stock
# tools. Whatever stands on the medium under these names, nothing is written through it.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/keys.sh"

# the static program is made by the release build; there bkp finds it beside itself
[ ! -x "${BKP_RELEASE:-$BKP_BIN}/tools/bkp-restore" ] || BKP=${BKP_RELEASE:-$BKP_BIN}/bkp
tools=${BKP%/bkp}/tools
static=
[ ! -x "$tools/bkp-restore" ] || static=yes

mkdir -p "$T/src" "$T/proc" "$T/m1" "$T/m2"
echo 患者 >"$T/src/カルテ.txt"
head -c 3000000 /dev/urandom >"$T/src/image"
chmod 0640 "$T/src/image"
procedure() { # FILE TITLE
	cat >"$1" <<-P
	# $2

	\`\`\`restore
	dataset: docs
	誰: 事務長
	何を: 媒体を取り出す
	どのように: 別棟の保管庫から
	合否条件: 手元にある
	予定分: 10
	\`\`\`
	P
}
procedure "$T/proc/電子カルテの復旧.md" 電子カルテを戻す
procedure "$T/proc/network.md" "the network & <others>"
site_make
printf 'procedures: [%s, %s]\n' "$T/proc/電子カルテの復旧.md" "$T/proc/network.md" >>"$T/policy.yaml"
expect 0 "$BKP" run --all
echo more >"$T/src/more"
expect 0 "$BKP" run --all
M=$T/m1
repo=$(basename "$(repo_of "$M")")

# ---- what is there
for f in README.txt tools/FORMAT.md tools/rescue.py tools/SHA256SUMS tools/SHA256SUMS.minisig; do
	[ -f "$M/$f" ] || die "$f is not on the medium"
done
cmp "$tools/rescue.py" "$M/tools/rescue.py"
cmp "$SRC_ROOT/docs/format.md" "$M/tools/FORMAT.md"
[ "$(stat -c %a "$M/tools/rescue.py" "$M/tools/FORMAT.md" "$M/README.txt" | tr '\n' ' ')" = "555 444 444 " ] || die "modes"
iconv -f UTF-8 -t UTF-16 "$M/README.txt" >/dev/null || die "README.txt is not UTF-8"
[ "$(wc -l <"$M/README.txt")" -le 150 ] || die "README.txt is longer than 150 lines"
! grep -n '@[A-Z_]*@' "$M/README.txt" || die "names in README.txt were not replaced"
for w in テスト診療所 "$repo" m1 "$(sed -n 's/^root public key: *//p' "$T/init.out")"; do
	grep -qF -e "$w" "$M/README.txt" || die "README.txt does not name $w"
done
python3 - "$M/README.txt" <<'P'
import sys, unicodedata
for n, line in enumerate(open(sys.argv[1], encoding="utf-8"), 1):
    width = sum(2 if unicodedata.east_asian_width(c) in "FW" else 1 for c in line.rstrip("\n"))
    assert width <= 100, "line %d of README.txt has %d columns: %s" % (n, width, line)
P

for f in 電子カルテの復旧 network; do
	cmp "$T/proc/$f.md" "$M/$repo/procedures/$f.md"
	python3 -c 'import html.parser, sys; html.parser.HTMLParser().feed(open(sys.argv[1], encoding="utf-8").read())' \
		"$M/$repo/procedures/$f.html"
done
grep -q '電子カルテを戻す' "$M/$repo/procedures/電子カルテの復旧.html" || die "the form has no title"
grep -qF 'the network &amp; &lt;others&gt;' "$M/$repo/procedures/network.html" || die "the form's title"

# ---- its commands, letter by letter: the first half is Japanese, the second English; both must say the same
commands() { sed -e ':a' -e '/\\$/{N;s/\\\n *//;ta' -e '}' | sed -n 's/^   \$ //p'; }
sed '/^This disk holds/,$d' "$M/README.txt" | commands >"$T/ja"
sed -n '/^This disk holds/,$p' "$M/README.txt" | commands >"$T/en"
[ "$(wc -l <"$T/ja")" -ge 8 ] || die "no commands in README.txt"
diff "$T/ja" "$T/en" || die "the two languages have other commands"
has() { grep -q "$1" "$T/ja" || die "README.txt has no command like '$1'"; }
has '^cd /mnt/medium$'; has '^ID=/mnt/key/id.txt$'; has '^minisign .* \$D/SHA256SUMS'; has '\$D && sha256sum -c'
has '^S=docs$'; has '^B=\$REPO/datasets/\$S; L='; has '\$B && sha256sum -c \$L'
has '^python3 \$D/rescue.py extract .* \$S@latest /srv/rescued/\$S$'
has '^minisign .*/procedures/SHA256SUMS'; has '/procedures && sha256sum -c'
[ -z "$static" ] ||
	{ has ' generations$'; has ' verify \$S@latest$'; has ' extract \$S@latest --to /srv/restored/\$S$'; has \
	' drill .*/procedures/.*[.]md --to /srv/drill$'; }

# a root folder with the medium, read-only, at /mnt/medium, the identity at /mnt/key and an empty /srv; nothing else
R=$T/root
mkdir -p "$R/mnt/medium" "$R/mnt/key" "$R/srv"
mount --bind "$M" "$R/mnt/medium"
mount -o remount,bind,ro,nosuid,nodev "$R/mnt/medium"
cp "$T/id.txt" "$R/mnt/key/id.txt"
inside() { # COMMAND...: alone in $R, without an environment
	python3 -c 'import os, sys
os.chroot(sys.argv[1]); os.chdir("/mnt/medium"); os.execve(sys.argv[2], sys.argv[2:], {})' "$R" "$@"
}
ran=0
while IFS= read -r line; do
	case $line in
	mount\ * | mkdir\ *) continue ;; # done above
	cd\ *)
		[ -f "$R${line#cd }/README.txt" ] && cd "$R${line#cd }" || die "README.txt is not where it says"
		continue
		;;
	KEY=* | ID=* | S=*) eval "$line"; continue ;;
	"\$D"/bkp-restore\ *) eval "inside tools${line#\$D}" >"$T/out" 2>"$T/err" </dev/null || fail "README.txt says: $line" ;;
	*) # a shell on some Linux: same paths, by hand of the test only where it stands elsewhere (07 types them into plain shells)
		line=${line//\$ID/$R$ID}
		line=${line/ \/srv\// $R/srv/}
		eval "$line" >"$T/out" 2>"$T/err" </dev/null || fail "README.txt says: $line"
		;;
	esac
	case $line in *generations) grep -q '^  docs@2  .* good ' "$T/out" || die "generations: $(cat "$T/out")" ;; esac
	ran=$((ran + 1))
done <"$T/ja"
cd /
equal() { out=$(rsync -aHAXnci --delete "$T/src/" "$1/docs$T/src/" | grep -v '^\.d' || :); [ -z "$out" ] || die "$1 differs: $out"; }
equal "$R/srv/rescued"
[ -z "$static" ] || equal "$R/srv/restored"
umount "$R/mnt/medium"

# ---- nothing is written when nothing has changed, but for the number of the newest generation
find "$M/tools" "$M/$repo" -maxdepth 2 -not -path "*/journal/*" -type f -printf '%p %i %T@\n' | sort >"$T/before"
expect 0 "$BKP" run --all
find "$M/tools" "$M/$repo" -maxdepth 2 -not -path "*/journal/*" -type f -printf '%p %i %T@\n' | sort | diff "$T/before" - ||
	die "files were written anew"
[ "$(grep -c 'docs@3 ' "$M/README.txt")" = 2 ] || die "README.txt does not name the newest generation"

# ---- a procedure that is wrong is said and does not keep the others away
echo 'no title' >"$T/proc/network.md"
expect 1 "$BKP" run --all
grep -q 'E-DOCS-02: .*network.md' "$T/err" || die "the wrong procedure is not named: $(cat "$T/err")"
grep -q 'm1: .*read back and equal' "$T/out" || die "the medium suffers for the procedure: $(cat "$T/out")"
expect 1 "$BKP" run --json --all
python3 -c 'import json, sys; o = json.load(open(sys.argv[1])); assert "network.md" in o["missing"], o' "$T/out"
! grep -q network "$M/$repo/procedures/SHA256SUMS" || die "the wrong procedure is signed"
(cd "$M/$repo/procedures" && sha256sum --quiet -c SHA256SUMS && signed "$KEY" .. SHA256SUMS) || die "the list of procedures"
procedure "$T/proc/network.md" network
expect 0 "$BKP" run --all

# ---- a tool that was replaced is found by the commands of README.txt, and mended by the next run
thaw "$M"
cp "$M/tools/rescue.py" "$T/rescue.good"
chmod u+w "$M/tools/rescue.py"; echo 'print("stolen")' >"$M/tools/rescue.py"
! (cd "$M/tools" && sha256sum --quiet -c SHA256SUMS >/dev/null 2>&1) || die "a replaced tool passes"
(cd "$M/tools" && sha256sum * 2>/dev/null | grep -v SUMS >"$T/forged"; cat "$T/forged" >SHA256SUMS.new; mv SHA256SUMS.new SHA256SUMS)
! signed "$KEY" "$M/$repo" "$M/tools/SHA256SUMS" 2>/dev/null || die "a forged list passes"
expect 1 "$BKP" run --all
grep -q "W-DOCS-05: medium 'm1': 2 files .*: 'tools/SHA256SUMS', 'tools/rescue.py'$" "$T/err" ||
	die "what was forged is not said: $(cat "$T/err")"
repaired() { # FILES: what the newest record "repaired" names
	python3 - "$T/state/journal/000001.jsonl" <<'P'
import json, sys
r = [o for o in map(json.loads, open(sys.argv[1], encoding="utf-8")) if o.get("event") == "repaired"]
print(" ".join(r[-1]["files"]) if r else "", r[-1]["count"] if r else "")
P
}
[ "$(repaired)" = "tools/SHA256SUMS tools/rescue.py 2" ] || die "the record: $(repaired)"
cmp "$T/rescue.good" "$M/tools/rescue.py"
signed "$KEY" "$M/$repo" "$M/tools/SHA256SUMS" || die "the list was not mended"

# ---- any of the files that are replaced; said once, and what is mended is not said again
thaw "$M"
for file in README.txt README.txt.minisig tools/FORMAT.md tools/SHA256SUMS.minisig "$repo/procedures/network.md" "$repo/keys.jsonl"; do
	chmod u+w "$M/$file"; echo forged >>"$M/$file"
	expect 1 "$BKP" run --all
	# a text that is new every night and a signature that do not agree: nobody knows which of them was changed
	named=${file/README.txt.minisig/README.txt}
	grep -q "W-DOCS-05: medium 'm1': 1 files .*: '$named'$" "$T/err" || die "$file: $(cat "$T/err")"
	[ "$(repaired)" = "$named 1" ] || die "$file: the record: $(repaired)"
	expect 0 "$BKP" run --all
	thaw "$M"
done
say "each file for people that somebody changed is named by the run that mends it, once, and recorded"

# ---- links, folders, FIFOs under these names
mkdir "$T/victim"; echo precious >"$T/victim/README.txt"; echo precious >"$T/victim/rescue.py"; cp -a "$T/victim" "$T/victim.was"
rm -f "$M/README.txt" "$M/tools/rescue.py"
ln -s "$T/victim/README.txt" "$M/README.txt"; ln -s "$T/victim/rescue.py" "$M/tools/rescue.py"
rm "$M/tools/FORMAT.md"; mkfifo "$M/tools/FORMAT.md"
ln -s "$T/victim/README.txt" "$M/tools/.SHA256SUMS.tmp"; ln -s "$T/victim/README.txt" "$M/.README.txt.tmp"
expect 1 "$BKP" run --all
for file in README.txt tools/rescue.py tools/FORMAT.md; do grep -q "W-DOCS-05: .*'$file'" "$T/err" ||
	die "$file is not named: $(cat "$T/err")"; done
[ -f "$M/README.txt" ] && [ ! -L "$M/README.txt" ] || die "the link README.txt was not replaced"
[ -f "$M/tools/FORMAT.md" ] && cmp "$T/rescue.good" "$M/tools/rescue.py" || die "tools/ was not mended"
rm -r "$M/tools"; ln -s "$T/victim" "$M/tools"
expect 1 "$BKP" run --all
grep -q 'E-DOCS-01: m1: ' "$T/err" || die "a link in place of tools/ is not said: $(cat "$T/err")"
rm "$M/tools"; rm "$M/README.txt"; mkdir "$M/README.txt"
expect 1 "$BKP" run --all
grep -q 'E-DOCS-01: m1: ' "$T/err" || die "a folder in place of README.txt is not said: $(cat "$T/err")"
rmdir "$M/README.txt"
diff -r "$T/victim.was" "$T/victim" || die "something was written through a link"
expect 0 "$BKP" run --all
expect 0 "$BKP" verify --quiet
say "$ran commands of README.txt work as they stand${static:+, tools/bkp-restore alone in an empty root folder}; replaced tools are found" \
	"by minisign and sha256sum; no link on the medium is written through"

# installed under any prefix, bkp finds the tools that were installed with it
cmake --install "$BKP_RELEASE" --prefix "$T/installed" >/dev/null
thaw "$T/m1"; rm -r "$T/m1/tools"
expect 0 "$T/installed/sbin/bkp" run --all
cmp "$T/m1/tools/bkp-restore" "$BKP_RELEASE/tools/bkp-restore" || die "an installed bkp brings no tools"
[ -s "$T"/installed/share/doc/bkp/ja/rotation.md ] && [ -s "$T"/installed/share/bkp/policies/procedures/emr-postgresql.md ] ||
	die "pages and procedures are not installed"
say "installed under another prefix, bkp brings the tools installed with it"

# ---- a list that is announced and not there yet is no list that is missing
cp -a "$M/tools" "$T/tools.whole"
thaw "$M"
{ cat "$M/tools/SHA256SUMS.minisig" "$M/tools/SHA256SUMS"; } >"$M/tools/SHA256SUMS.next"
rm "$M/tools/SHA256SUMS" "$M/tools/SHA256SUMS.minisig" "$M/tools/FORMAT.md"
expect 0 "$BKP" verify --quiet --medium m1
rm "$M/tools/SHA256SUMS.next"
expect 2 "$BKP" verify --quiet --medium m1
expect 0 "$BKP" run --quiet --all
diff -r "$T/tools.whole" "$M/tools" || die "the tools were not brought again"

# ---- killed at each step of replacing README.txt, tools and procedures, each with its signature: no reader finds a fault, the next run
# ends it
mkdir "$T/sbin"; cp "$BKP_RELEASE/bkp" "$T/sbin/"; cp -r "$BKP_RELEASE/tools" "$T/sbin/"
other="$T/sbin/bkp"
expect 0 "$other" run --quiet --all
echo "# another" >>"$T/sbin/tools/rescue.py"; echo another >>"$T/sbin/tools/FORMAT.md"
expect 0 "$other" accept --tools --operator Sato --reason "built here" --quiet
sed -i 's/別棟の保管庫から/新館の保管庫から/' "$T/proc/network.md"
mkdir "$T/was"; thaw "$T/m1" "$T/m2"; cp -a "$T/state" "$T/m1" "$T/m2" "$T/was/"
strace -qq -o "$T/trace" -e trace=renameat,unlinkat "$other" run --quiet --all || die "the run under strace"
mapfile -t steps < <(awk -F'[(,]' '{n[$1]++} /\.next"|README.txt|SHA256SUMS|rescue.py|FORMAT.md|network/ && !/ENOENT/ {print $1, n[$1]}' \
	"$T/trace")
[ ${#steps[@]} -ge 20 ] || die "only ${#steps[@]} steps were found: $(cat "$T/trace")"
announced=0 before=$(basename "$(find "$T/was/m1" -path "*/generations/*" -type d | sort | tail -n 1)")
before=docs@$((10#$before))
for step in "${steps[@]}"; do
	thaw "$T/m1" "$T/m2"; rm -rf "$T/state" "$T/m1" "$T/m2"; cp -a "$T/was/." "$T/"
	status strace -qq -o /dev/null -e trace="${step% *}" -e inject="${step% *}:signal=KILL:when=${step#* }" "$other" run --quiet --all
	[ "$STATUS" = 137 ] || die "not killed at $step: $STATUS"
	for m in m1 m2; do whole "$T/$m" "$before" || die "killed at $step, $m: $(cat "$T/out")"; done
	for next in "$T"/m?/README.txt.next "$T"/m?/tools/SHA256SUMS.next "$T"/m?/*-*/procedures/SHA256SUMS.next; do
		[ -e "$next" ] || continue
		announced=$((announced + 1)) # as docs/format.md says, with stock tools
		head -n 4 "$next" >"$T/text.minisig"; tail -n +5 "$next" >"$T/text"
		signed "$KEY" "$(repo_of "${next%/"${next#"$T"/m?/}"}")" "$T/text" || die "killed at $step: $next is not signed"
	done
	expect 0 "$other" run --quiet --all
	[ -z "$(find "$T/m1" "$T/m2" -name '*.next' -o -name '.*.tmp')" ] ||
		die "killed at $step: left over: $(find "$T/m1" "$T/m2" -name '*.next' -o -name '.*.tmp')"
	(cd "$T/m1/tools" && sha256sum --quiet -c SHA256SUMS && signed "$KEY" "$(repo_of "$T/m1")" SHA256SUMS) ||
		die "killed at $step: tools"
	for m in m1 m2; do whole "$T/$m" "$before" || die "after $step, $m: $(cat "$T/out")"; done
done
[ "$announced" -ge 10 ] || die "only $announced announced texts were seen"
say "killed at ${#steps[@]} steps of replacing the texts, the tools and their signatures: every reader finds the medium whole, the next" \
	"run ends it"
