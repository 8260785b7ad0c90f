#!/bin/bash
# Goal: a stranger with a medium and the root public key on paper gets the forms without the host: 'bkp report pack --medium DIR --root-key
# KEY' is, but for the signature, what the host makes of that moment; media carry the texts of the policies that the journal names, which
# verify and repair look after; what was altered on the medium (a record, a policy's text), another key, a medium without texts: refused,
# and it is said where. And with a pack of the host, the root key and stock tools alone he finds it whole by docs/ja/audit.md, typed as it
# stands, and finds each change.
. "$(dirname "$0")/../lib/site.sh"
mkdir -p "$T/src"
seq 100 >"$T/src/list"
site_make
root=$(sed -n 's/^root public key: //p' "$T/init.out")
cat >>"$T/policy.yaml" <<Y
people:
  - {name: 佐藤, roles: [operator, manager]}
Y
expect 0 "$BKP" --quiet run --all
first=$(sha256sum <"$T/policy.yaml" | cut -c-64)
sed -i 's/title: 文書/title: 文書と画像/' "$T/policy.yaml"
echo new >>"$T/src/list"
expect 0 "$BKP" --quiet run --all
second=$(sha256sum <"$T/policy.yaml" | cut -c-64)
repo=$(repo_of "$T/m1")

# ---- the texts on the media
for m in m1 m2; do
	for p in $first $second; do
		[ "$(sha256sum <"$(repo_of "$T/$m")/policy/$p.yaml" | cut -c-64)" = "$p" ] || die "$m has no text of policy $p"
	done
done
cmp -s "$repo/policy/$second.yaml" "$T/policy.yaml" || die "the text is another"
while read -r p; do [ -e "$repo/policy/$p.yaml" ] || die "the journal names $p"; done < <(
	grep '"event":"policy"' "$T/state/journal/000001.jsonl" | jq -r .sha256)
expect 0 "$BKP" verify --quiet
echo x >"$repo/policy/note.txt"
echo y >"$repo/policy/$(printf 0%.0s $(seq 64)).yaml"
thaw "$repo/policy"
chmod u+w "$repo/policy/$first.yaml"
sed -i '1s/./x/' "$repo/policy/$first.yaml"
status "$BKP" verify --medium m1
[ "$STATUS" -ge 1 ] && said "E-VERIFY-15.*policy/$first.yaml" && said "W-VERIFY-16.*policy/note.txt" && said "E-VERIFY-15.*policy/0000" ||
	fail "a text that was changed: exit $STATUS"
status "$BKP" repair m1
[ "$(sha256sum <"$repo/policy/$first.yaml" | cut -c-64)" = "$first" ] || fail "the text is not mended"
rm "$repo/policy/note.txt" "$repo/policy/000"*
expect 0 "$BKP" verify --quiet
say "media carry the text of each policy that the journal names; verify finds one changed, one of another name, one that is foreign;" \
	"repair mends"

# ---- from the medium alone
expect 0 "$BKP" --quiet run --all
sleep 1.1
moment=$(date -u +%FT%TZ)
sleep 1.1
expect 0 "$BKP" --quiet run --all # so that the medium's journal ends behind the moment
expect 0 "$BKP" report pack --at "$moment" --out "$T/host"
mkdir "$T/away"
cp -a "$T/m1" "$T/away/disk"
alone() { # COMMAND...: without policy and state folder
	(cd "$T/away" && env -u BKP_POLICY "$@")
}
expect 0 alone "$BKP" report pack --medium "$T/away/disk" --root-key "$root" --at "$moment" --out "$T/medium"
diff -rq --exclude=SHA256SUMS.minisig --exclude=keys.jsonl "$T/host" "$T/medium" >"$T/diff" || fail "the medium's pack is another" "$T/diff"
[ ! -e "$T/medium/SHA256SUMS.minisig" ] || die "a medium signs"
expect 0 alone "$BKP" --lang ja report pack --medium "$T/away/disk" --root-key "$root" --out "$T/newest" --profile clinic
[ -e "$T/newest/00_目次.html" ] || die "no 目次"
expect 0 alone "$BKP" report generations --format csv --medium "$T/away/disk" --root-key "$root"
grep -q 'docs@4' "$T/out" || fail "one form from the medium"
expect 0 alone "$BKP" report rule --medium "$T/away/disk" --root-key "$root" --at 2199-01-01
said W-REPORT-04
say "from the medium and the root key alone: what the host makes of that moment, byte for byte but for the signature"

# ---- what is refused
refused() { # CODE TEXT COMMAND...
	local code=$1 words=$2
	shift 2
	status alone "$@" --out "$T/refused"
	[ "$STATUS" -ge 2 ] && said "$code" && said "$words" && [ ! -e "$T/refused" ] ||
		fail "not refused with $code, $words: $*: exit $STATUS"
}
from() { refused "$1" "$2" "$BKP" report pack --medium "$T/away/disk" --root-key "$root"; }
fresh() {
	"$SRC_ROOT/tests/lib/rmtree.sh" "$T/away/disk"
	cp -a "$T/m1" "$T/away/disk"
	thaw "$T/away/disk"
	R=$(repo_of "$T/away/disk")
}
refused E-USAGE-01 root-key "$BKP" report pack --medium "$T/away/disk"
refused E-VAULT-03 '' "$BKP" report pack --medium "$T/away/disk" --root-key "$(minisign -G -W -f -p "$T/k.pub" -s "$T/k.key" >/dev/null &&
	sed -n 2p "$T/k.pub")"
refused E-SIG-05 '' "$BKP" report pack --medium "$T/away/disk" --root-key nothing
fresh
n=$(grep -n '"event":"committed"' "$R/journal/000001.jsonl" | sed -n 2p | cut -d: -f1)
chmod u+w "$R/journal/000001.jsonl"
sed -i "${n}s/\"bytes\":\([0-9]\)/\"bytes\":9\1/" "$R/journal/000001.jsonl"
from E-JOURNAL "line $n "
fresh
chmod u+w "$R/policy/$second.yaml"
echo '# less' >>"$R/policy/$second.yaml"
from E-RECORD-01 "policy/$second.yaml"
rm "$R/policy/$second.yaml"
from E-REPORT-03 'not on the medium'
ln -s /etc/passwd "$R/policy/$second.yaml"
from E-IO '' # no link is followed
fresh
rm -rf "$R/policy"
from E-REPORT-03 'not on the medium'
say "another key, a record altered (its line is named), a policy's text altered, gone, or a link: refused, and nothing is written"

# ---- a stranger, by the document
sed -n '/^## 9. 帳票一式/,$p' "$SRC_ROOT/docs/ja/audit.md" | awk '/^```bash$/ {on = 1; next} /^```$/ {on = 0} on' >"$T/audit.sh"
mkdir "$T/tools"
for p in sh cat sed base64 tail head grep cut tr mktemp sha256sum openssl minisign; do ln -s "$(command -v $p)" "$T/tools/$p"; done
audit() { # PACK ROOT REPO: how many ○ in $good
	sed -e "s|^PACK=[^ ]*|PACK='$1'|" -e "s|^ROOT=[^ ]*|ROOT='$2'|" -e "s|^REPO=[^ ]*|REPO='$3'|" "$T/audit.sh" >"$T/audit.this"
	env -i PATH="$T/tools" TMPDIR="$T" LANG=C.UTF-8 "$T/tools/sh" "$T/audit.this" >"$T/out" 2>"$T/err" </dev/null || true
	good=$(grep -c '^○' "$T/out" || true)
}
expect 0 "$BKP" --quiet run --all # carries the record of the pack to the media
begun=$(date +%s%N)
audit "$T/host" "$root" "$repo"
ms=$((($(date +%s%N) - begun) / 1000000))
[ "$good" = 4 ] || fail "what is whole is not found whole"
audit "$T/host" "$(sed -n 2p "$T/k.pub")" "$repo"
[ "$good" -lt 4 ] && ! grep -q 署名のとおり "$T/out" || fail "another root key"
cp -a "$T/host" "$T/changed"
sed -i 's/good/held/' "$T/changed/04_generations.html"
audit "$T/changed" "$root" "$repo"
! grep -q 署名のとおり "$T/out" || fail "a page that was changed"
(cd "$T/changed" && sha256sum -- 0* 1* >SHA256SUMS)
audit "$T/changed" "$root" "$repo"
! grep -q '署名のとおり\|作ったことが' "$T/out" || fail "a page that was changed, with its list"
say "docs/ja/audit.md as it stands, by sh, openssl, sha256sum and minisign alone: pack and root key are whole ($ms ms); a page changed," \
	"also with its list, or another key: found"
