#!/bin/bash
# Goal: bkp check --live says before the night whether it can work: paths that are gone or empty, programs that are not there, media
# that are not registered or not mounted, room, the locale, who is told, the state folder; ○, △ and × with the next action, the same as
# JSON, exit 0, 1, 2, 3; it takes no lock and changes nothing.  schedule install says when cron has no mailer.
. "$(dirname "$0")/../lib/site.sh"
export TZ=Asia/Tokyo
mkdir -p "$T/src" "$T/m1" "$T/m2" "$T/bin"
echo x >"$T/src/file"
cat >"$T/policy.yaml" <<Y
site: {name: テスト診療所, language: en}
state: $T/state
datasets:
  - {name: docs, paths: [$T/src]}
  - name: emr
    command: "exec 2>/dev/null; LC_ALL=C cat /etc/passwd 2>/dev/null | { sort -u; } && (cd / ;
      echo \$(date +%s) 'no-program | here') # nothing | at-all"
    store_as: emr.txt
    before: "if true; then test -d '$T'; fi"
media:
  - {name: m1, type: hdd, path: $T/m1, place: サーバ室}
  - {name: m2, type: ssd, path: $T/m2, place: 別室}
  - {name: RDX-01, type: rdx, offline: true, place: 別棟}
notify: {command: "cat >>$T/told"}
Y
cp "$T/policy.yaml" "$T/good.yaml"
# line TEXT: it is said, and behind it what to do
line() { grep -A 1 -F -- "$1" "$T/out" | tail -n 1 | grep -q '^  → ' || fail "not said, or not what to do: $1"; }
fine() { grep -qF -- "○ $1" "$T/out" || fail "not said: ○ $1"; }

# before there is a repository
expect 2 "$BKP" check --live
line "× E-STATE-01: there is no repository in '$T/state'"
line '△ medium m1 is not registered'
fine "docs: '$T/src'"
fine "emr: programs of 'command'"
fine "emr: programs of 'before'"
fine "notify: programs of 'command'"
site_make
status "$BKP" check --live
[ "$STATUS" = 1 ] || fail "exit $STATUS" "$T/out" # RDX-01 is not registered
line '△ medium RDX-01 is not registered'
grep -q "register it with 'bkp medium add RDX-01 --path DIR'" "$T/out" || die "a medium without a path: $(cat "$T/out")"
fine 'medium m1: '
grep -q 'what a night takes is not known yet' "$T/out" || die "room before the first night"
mkdir "$T/drive"
"$BKP" medium add RDX-01 --path "$T/drive" >/dev/null 2>&1
expect 0 "$BKP" run --all
status "$BKP" check --live
! grep -v 'the clock is not synchronised' "$T/out" | grep -q '^[△×]' || fail "something is wrong with what is right" "$T/out"
[ "$STATUS" = "$(grep -c '^△' "$T/out")" ] || die "exit $STATUS"
fine 'medium RDX-01 is kept offline'
grep -q 'of room; a night takes at most [0-9]' "$T/out" || die "room: $(cat "$T/out")"
say "a site as it should be: every line ○, with what a night takes; before init and medium add it is said what to do"

# everything is wrong
before=$(sha256sum <"$T/state/journal/000001.jsonl")
mkdir "$T/empty"
sed -i -e "s|paths: \[$T/src\]|paths: [$T/src, $T/gone, $T/empty]|" -e 's/sort -u/no-such-sort -u/' \
	-e 's|cat >>|/usr/bin/no-such-mail; cat >>|' \
	-e '1i locale: xx_XX.UTF-8' "$T/policy.yaml"
mv "$T/m2" "$T/away"; mkdir "$T/m2"
expect 2 flock "$T/state/lock" "$BKP" check --live
line "× docs: '$T/gone': No such file or directory"
line "△ docs: '$T/empty' is empty"
line "× emr: the program 'no-such-sort' of 'command' is not found"
line "× notify: the program '/usr/bin/no-such-mail' of 'command' is not found"
line "× the locale 'xx_XX.UTF-8', in which commands run, is not installed"
line '× E-MEDIA-01'
tail -n 1 "$T/out" | grep -q '^the next night cannot work as planned' || die "no verdict"
expect 2 "$BKP" check --live --quiet
! grep -q '^○' "$T/out" && grep -q '^×' "$T/out" || die "--quiet: $(cat "$T/out")"
expect 2 "$BKP" check --live --json
python3 - "$T/out" <<'P' || fail "the object" "$T/out"
import json, sys
o = json.load(open(sys.argv[1]))
assert o["ready"] is False
f = {x["what"]: x for x in o["findings"]}
assert {x["verdict"] for x in f.values()} >= {"ok", "attention", "missing"}
assert all("next" in x for x in f.values() if x["verdict"] != "ok"), f
P
status "$BKP" check --live --lang ja
grep -q "× emr: 'command' のプログラム 'no-such-sort' が見つかりません" "$T/out" || fail "in Japanese" "$T/out"
[ "$before" = "$(sha256sum <"$T/state/journal/000001.jsonl")" ] || die "check --live wrote to the journal"
rmdir "$T/m2"; mv "$T/away" "$T/m2"
say "paths, programs, locale, notify and a medium that is not mounted: each is said with what to do, exit 2, as JSON and in Japanese;" \
	"nothing is changed, no lock is waited for"

# a journal that cannot be believed
cp "$T/good.yaml" "$T/policy.yaml"
cp "$T/state/journal/000001.jsonl" "$T/journal"
sed -i '2s/"time"/"tame"/' "$T/state/journal/000001.jsonl"
expect 3 "$BKP" check --live
cp "$T/journal" "$T/state/journal/000001.jsonl"
expect 64 "$BKP" check --live --diff
# no room for another night like the last (needs root)
if [ "$(id -u)" = 0 ]; then
	mkdir "$T/small"
	mount -t tmpfs -o size=3m tmpfs "$T/small"
	sed -i "\$i\\  - {name: small, type: ssd, path: $T/small, place: 棚}" "$T/policy.yaml"
	"$BKP" medium add small >/dev/null 2>&1
	head -c 2000000 /dev/urandom >"$T/src/more"
	status "$BKP" run --all
	[ "$STATUS" -le 1 ] || die "run: $STATUS"
	expect 2 "$BKP" check --live
	line '× medium small: '
	say "a medium without room for a night like one of the last is said before the night"
fi
