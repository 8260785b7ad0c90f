#!/bin/bash
# Goal: `bkp disc write` puts generations onto optical discs (images stand for them), each read back byte by byte, registered and counted as
# another technology; what stands on a disc restores from it alone, by bkp-restore from what bsdtar or xorriso takes out of it.  A disc that
# is not blank, a source that is damaged, a device that keeps other bytes: refused or recorded, and never counted.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/keys.sh"
command -v xorriso >/dev/null || die "needs xorriso"

site_policy() {
	sed 's/^\t*//' >"$T/policy.yaml" <<-Y
	site: {name: テスト診療所, language: en}
	state: $T/state
	archive_size: 1 MiB
	datasets:
	  - {name: emr, title: 電子カルテ, paths: [$T/emr], priority: 1}
	  - {name: docs, title: 文書, paths: [$T/src], priority: 2}
	  - {name: images, paths: [$T/images], priority: 3}
	media:
	  - {name: nas, type: hdd, path: $T/nas, place: サーバ室}
	  - {name: BD, type: optical, offline: true, place: 金庫, datasets: [emr, docs, images]$1}
	Y
}
write() { # DISC WORDS...
	local image=$1
	shift
	status "$BKP" disc write --to "stdio:$T/$image" --operator Sato "$@"
}
field() { python3 -c 'import json,sys; v=json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."): v=v[int(k) if k.isdigit() else k]
print(str(v).lower() if isinstance(v,bool) else v)' "$T/out" "$1"; }
refused() { # EXIT CODE WORDS... after `write`: nothing was recorded but that somebody tried
	[ "$STATUS" = "$1" ] || fail "exit $STATUS, expected $1"
	said "$2"
	said '→'
}
discs() { grep -c '"event":"disc-written"' "$T/state/journal/000001.jsonl" || true; }
unpack() { # IMAGE DIR: by bsdtar, which reads Rock Ridge
	mkdir -p "$2"
	bsdtar -xf "$T/$1" -C "$2"
}

mkdir -p "$T/emr" "$T/src" "$T/images" "$T/nas"
for i in 1 2 3; do head -c 900000 /dev/urandom >"$T/emr/t$i"; done
echo カルテ >"$T/emr/患者 1=x.txt"
head -c 1200000 /dev/urandom >"$T/src/a"
head -c 7000000 /dev/urandom >"$T/images/big"
[ -s "$T/id.txt" ] || age-keygen -o "$T/id.txt" 2>/dev/null
site_policy ""
"$BKP" init --recipient "$(age-keygen -y "$T/id.txt")" --root-key-out "$T/root.key" >"$T/init.out"
ROOT=$(grep -oE 'RW[A-Za-z0-9+/=]{54}' "$T/init.out" | head -n 1)
expect 0 "$BKP" --quiet medium add nas
status "$BKP" medium add BD --path "$T/nas"
[ "$STATUS" = 64 ] && said 'bkp disc write' || die "a series was registered as a medium"
write none.iso
refused 2 E-DISC-06
expect 0 "$BKP" --quiet run --all
status "$BKP" rotate BD --operator Sato
[ "$STATUS" = 64 ] && said 'bkp disc write' || die "rotate of a series: $STATUS"
"$BKP" status --short >"$T/out" 2>&1 || true
said 'bkp disc write'

# ---- what is to come is said and nothing written
journal() { sha256sum <"$T/state/journal/000001.jsonl"; }
write plan.iso --disc 40MiB --dry-run
[ "$STATUS" = 0 ] && [ ! -e "$T/plan.iso" ] && [ "$(discs)" = 0 ] || fail "--dry-run"
said "disc 'BD-[0-9]{4}-001', the next of 1 .*min"
said 'emr@1'

# ---- one disc, everything
write one.iso --disc 40MiB
[ "$STATUS" = 0 ] || fail "the first disc"
L1=$(record disc-written | sed -n 's/.*"medium":"\([^"]*\)".*/\1/p')
NAME=$(sed -n "s/^disc '\(BD-[0-9]*-001\)'.*/\1/p" "$T/out")
[ -n "$NAME" ] || die "no name"
said "write on the disc"
said "to '金庫', then record it with 'bkp medium move $NAME"
[ "$(grep -c 'docs@1\|emr@1\|images@1' "$T/out")" = 6 ] || fail "plan and label"
bytes=$(record disc-written | sed -n 's/.*"bytes":\([0-9]*\).*/\1/p')
record disc-written | grep -q "\"sha256\":\"$(head -c "$bytes" "$T/one.iso" | sha256sum | cut -c1-64)\"" ||
	die "the image is not the one on record: $(record disc-written)"
record verified | grep -q "$L1" || die "not recorded as verified"
[ "$(blkid -p -s UUID -o value "$T/one.iso")" = "$(record medium-added | sed -n 's/.*"fs_uuid":"\([^"]*\)".*/\1/p')" ] || die "fs_uuid"
[ ! -e "$T/state/disc" ] || die "the folder of the papers stays"
xorriso -indev "stdio:$T/one.iso" -toc >"$T/toc" 2>&1
grep -q "Volume id *: '${NAME//-/_}'" "$T/toc" || fail "the volume's name" "$T/toc"
unpack one.iso "$T/d1"
diff -r "$T/nas/"*-*-*-*-*/datasets "$T/d1/"*-*-*-*-*/datasets >&2 || die "the disc holds other files than the NAS"
for g in "$T"/d1/*-*-*-*-*/datasets/*/generations/*; do (cd "$g/../.." && sha256sum --quiet -c "$g/SHA256SUMS") || die "sha256sum $g"; done
# the names survive in Joliet, and in what xorriso takes out
bsdtar -tf "$T/one.iso" --options '!rockridge' | sed 's,/$,,' | sort >"$T/joliet"
bsdtar -tf "$T/one.iso" | sed 's,/$,,' | sort | diff - "$T/joliet" >&2 || die "Joliet and Rock Ridge differ"
grep -qE 'archives/[0-9a-f]{2}/[0-9a-f]{64}' "$T/joliet" || die "no long name in Joliet"
xorriso -osirrox on -indev "stdio:$T/one.iso" -extract / "$T/d1x" >"$T/x.log" 2>&1 || fail "osirrox" "$T/x.log"
diff -r "$T/d1" "$T/d1x" >&2 || die "xorriso takes out other files than bsdtar"
grep -q "On the disc $NAME" "$T/d1/README.txt" && grep -q 'emr@1 .*whole' "$T/d1/README.txt" &&
	signed "$ROOT" "$(repo_of "$T/d1")" "$T/d1/README.txt" ||
	fail "README.txt does not name what is on it, or is not signed" "$T/d1/README.txt"
"$BKP" journal verify --file "$T"/d1/*-*-*-*-*/journal/000001.jsonl --root-key "$ROOT" >/dev/null || die "the journal on the disc"

# ---- another computer, the disc alone
mv "$T/nas" "$T/nas.away"; mv "$T/state" "$T/state.away"
expect 0 "$RESTORE" --medium "$T/d1" --root-key "$ROOT" --quiet verify 1
for s in emr docs images; do expect 0 restore_to "$T/d1" 1 "$T/o.$s" $s; done
diff -r "$T/emr" "$T/o.emr$T/emr" && diff -r "$T/src" "$T/o.docs$T/src" && diff -r "$T/images" "$T/o.images$T/images" ||
	die "restored from the disc alone it differs"
mv "$T/nas.away" "$T/nas"; mv "$T/state.away" "$T/state"
say "a disc restores alone: bsdtar and xorriso take out equal files, sha256sum -c, diff -r of what bkp-restore makes of it"

# ---- it counts: another technology, offline once it is recorded as taken away
expect 0 "$BKP" --quiet medium move "$NAME" --operator Sato --place 金庫
"$BKP" status --json >"$T/out" || true
python3 - "$T/out" "$NAME" <<'P' || fail "how it is judged"
import json, sys
s = json.load(open(sys.argv[1]))
m = [m for m in s["media"] if m["label"] == sys.argv[2]]
assert len(m) == 1 and m[0]["technology"] == "optical disc" and m[0]["offline"] and m[0]["offline_kind"] == "removed", m
d = {d["dataset"]: d for d in s["datasets"]}["emr"]
assert d["three"]["have"] == 3 and d["offline_recovery_point"]["generation"] == 1, d
P
write again.iso --disc 40MiB
refused 2 E-DISC-06
said 'on discs of the series already'
[ ! -e "$T/again.iso" ] || die "an image was begun"
expect 0 "$BKP" medium show "$NAME"

# ---- several discs: newest of the most urgent first, each whole on one disc; the same command goes on
for i in 4 5 6; do head -c 900000 /dev/urandom >"$T/emr/t$i"; done
head -c 2000000 /dev/urandom >"$T/src/b"
expect 0 "$BKP" --quiet run --all
tools=$(find "$BKP_BIN/tools" -type f -printf '%s+2048+1200+' 2>/dev/null || true)
reserve=$((${tools}0 + 2 * $(stat -c %s "$T/state/journal/000001.jsonl") + (2 << 20) + 200000))
SIZE=$((reserve + 6500000))
write two.iso --disc $SIZE --json emr docs
[ "$STATUS" = 0 ] && [ "$(field left)" = 1 ] && [ "$(field generations.0.dataset)" = emr ] && [ "$(field verified)" = true ] ||
	fail "two discs: the first"
[ "$(stat -c %s "$T/two.iso")" -le $SIZE ] || die "larger than the disc: $(stat -c %s "$T/two.iso") of $SIZE"
write three.iso --disc $SIZE --json emr docs
[ "$STATUS" = 0 ] && [ "$(field left)" = 0 ] && [ "$(field generations.0.dataset)" = docs ] || fail "two discs: the second"
unpack two.iso "$T/d2"
expect 0 "$RESTORE" --medium "$T/d2" --root-key "$ROOT" --quiet verify emr@2
say "what does not fit waits for the next disc; the same command goes on there"

# ---- one generation that is larger than a disc
SIZE=$((reserve + 3500000))
n=0
while :; do
	n=$((n + 1))
	write "part$n.iso" --disc $SIZE --json images@2
	[ "$STATUS" = 0 ] || fail "part $n"
	[ "$(field generations.0.dataset)" = images ] && [ "$(field generations.0.archives)" -lt "$(field generations.0.of)" ] ||
		fail "it is no part"
	[ "$(stat -c %s "$T/part$n.iso")" -le $SIZE ] || die "larger than the disc"
	unpack "part$n.iso" "$T/p$n"
	grep -q 'images@2 .*a part, archives' "$T/p$n/README.txt" || fail "README.txt of a part" "$T/p$n/README.txt"
	[ "$(field left)" -gt 0 ] || break
	[ $n -lt 9 ] || die "no end"
done
[ $n -gt 1 ] || die "it was not cut"
write more.iso --disc $SIZE images@2
refused 2 E-DISC-06
status "$RESTORE" --medium "$T/p1" --root-key "$ROOT" --quiet verify images@2
[ "$STATUS" != 0 ] || die "a part verifies as if it were whole"
mkdir "$T/all"
for i in $(seq $n); do chmod -R u+w "$T/all"; cp -r "$T/p$i/." "$T/all/"; done
expect 0 "$RESTORE" --medium "$T/all" --root-key "$ROOT" --quiet verify images@2
expect 0 restore_to "$T/all" 2 "$T/o.all" images
diff -r "$T/images" "$T/o.all$T/images" || die "put together it differs"
"$BKP" generations --json >"$T/out"
python3 - "$T/out" <<'P' || fail "a part counts as a copy"
import json, sys
def walk(o):
    if isinstance(o, dict):
        if o.get("dataset") == "images" and o.get("generation") == 2:
            yield o
        for v in o.values():
            yield from walk(v)
    elif isinstance(o, list):
        for v in o:
            yield from walk(v)
g = list(walk(json.load(open(sys.argv[1]))))
assert g and all("BD-" not in json.dumps(x) for x in g), g
P
say "one that is larger than a disc: cut by archives over $n discs, whole again when they are put together, and no copy before"

# ---- refused, and nothing is harmed
before=$(sha256sum <"$T/one.iso")
write one.iso emr@1 --again
refused 2 E-DISC-04
[ "$(sha256sum <"$T/one.iso")" = "$before" ] || die "a disc that was written was touched"
truncate -s 1M "$T/disk.img"
loop=$(loop_of "$T/disk.img" 2>/dev/null || true)
if [ -n "$loop" ]; then
	zero=$(sha256sum <"$T/disk.img")
	for d in "$loop" "stdio:$loop"; do
		status "$BKP" disc write emr@1 --again --to "$d" --operator Sato
		refused 64 E-DISC-02
	done
	losetup -d "$loop"
	[ "$(sha256sum <"$T/disk.img")" = "$zero" ] || die "a disk was written to"
fi
write x.iso emr@1 --again --disc 1MiB
refused 2 E-DISC-05
count=$(discs)
a=$(set_of "$T/nas" emr)/$(sed -n 's/^[0-9a-f]*  \(archives.*\)/\1/p' "$(set_of "$T/nas" emr)/generations/000001/SHA256SUMS" | head -n 1)
thaw "$T/nas"
cp -a "$a" "$T/kept"; chmod u+w "$a"; printf X | dd of="$a" bs=1 seek=5000 conv=notrunc status=none
write x.iso emr@1 --again --disc 40MiB
refused 2 E-DISC-07
[ ! -e "$T/x.iso" ] || die "a damaged source was written to a disc"
cp -a "$T/kept" "$a"

# ---- a drive that keeps other bytes than it was given: a false xorriso changes one behind its back
mkdir "$T/bin"
cat >"$T/bin/xorriso" <<X
#!/bin/sh
$(command -v xorriso) "\$@"; code=\$?
f=\${BKP_DRIVE#stdio:}
case "\$*" in *-commit*)
	case \$FALSE in
	flip) printf X | dd of="\$f" bs=1 seek=\$((\$(stat -c %s "\$f") / 2)) conv=notrunc status=none ;;
	cut) truncate -s -200000 "\$f" ;;
	more) $(command -v xorriso) -dev "stdio:\$f" -map /etc/hostname /added -commit >/dev/null 2>&1 ;;
	die) kill -9 \$PPID; exit 1 ;;
	esac ;;
esac
exit \$code
X
chmod +x "$T/bin/xorriso"
for how in flip cut more; do
	rm -f "$T/bad.iso"
	status env PATH="$T/bin:$PATH" FALSE=$how "$BKP" disc write emr@1 --again --disc 40MiB --to "stdio:$T/bad.iso" --operator Sato
	refused 2 E-DISC-08
	record medium-retired | grep -q '"operator":"Sato"' || die "$how: not recorded"
	[ "$(discs)" = "$count" ] || die "$how: it counts"
done
# bkp is killed while it burns: the next command says that this disc is waste
status env PATH="$T/bin:$PATH" FALSE=die "$BKP" disc write emr@1 --again --disc 40MiB --to "stdio:$T/died.iso" --operator Sato
[ "$STATUS" = 137 ] || fail "it was not killed: $STATUS"
DIED=$(record medium-added | sed -n 's/.*"medium":"\([^"]*\)".*/\1/p')
expect 2 env PATH=/nowhere "$BKP" disc write emr@1 --again --disc 40MiB --to "stdio:$T/bad2.iso" --operator Sato
said E-DISC-03
# the number of waste is not given again
write after.iso emr@1 --again --disc 40MiB
[ "$STATUS" = 0 ] || fail "after waste"
grep '"event":"medium-retired"' "$T/state/journal/000001.jsonl" | grep -q "\"medium\":\"$DIED\".*broken off" ||
	die "the disc that was broken off is not retired"
grep '"event":"medium-added"' "$T/state/journal/000001.jsonl" | grep -oE '"label":"BD-[0-9]{4}-[0-9]{3}"' >"$T/names"
[ "$(wc -l <"$T/names")" -gt 8 ] && [ -z "$(sort "$T/names" | uniq -d)" ] ||
	die "a name was given twice"
expect 0 "$BKP" journal verify --root-key "$ROOT"
say "a flipped byte, a disc cut short, a file too many: none counts; a damaged source, a disc that is not blank, a disk: none is touched"
