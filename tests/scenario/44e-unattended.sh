#!/bin/bash
# Goal: a rehearsal of a sample that nobody watches (issue 18, point 2): cron begins it with the line of docs/ja/drill.md as it stands, it
# draws medium and generation, asks nobody, says one line whatever happens, and leaves a signed record that the host takes over; a
# question that was not asked makes it a sample, which counts for no full drill.
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/servers.sh"
unset TZ LANG LC_ALL
[ "$(id -u)" = 0 ] || { echo "proved: nothing: cron's folders need root"; exit 0; }
PATH=$PATH:/usr/sbin:/sbin
command -v cron >/dev/null || die "the package cron is not installed"
exec </dev/null

mkdir -p "$T/src" "$T/people"
echo 患者 >"$T/src/a"
minisign -G -W -f -p "$T/people/pc.pub" -s "$T/people/pc.key" >/dev/null
site_policy "  - {name: docs, title: 文書, paths: [$T/src], rto: 1h}
  - {name: list, title: 一覧, paths: [$T/people]}"
cat >>"$T/policy.yaml" <<Y
procedures: [$T/docs.md]
people:
  - {name: 復旧用PC, roles: [restorer], public_key: $(tail -n 1 "$T/people/pc.pub")}
  - {name: 院長, roles: [manager]}
Y
block() { # KIND ID, more keys on standard input
	printf '\n```%s\nwho: 事務長\nwhat: %s\nhow: 自動\npass: 成功\nminutes: 5\nid: %s\n' "$1" "$2" "$2"; cat -; printf '```\n'
}
{
	printf '# 文書の復旧\n'
	block gate hole <<<'role: 責任者'
	block restore docs <<<'dataset: docs'
	block check same <<<'command: cat docs'"$T"'/src/a
value: 患者'
	block confirm eyes <<<'names: [患者]'
} >"$T/docs.md"
{ printf '# 自動だけ\n'; block restore docs <<<'dataset: docs'; } >"$T/machine.md"
site_make 2>/dev/null
for i in 1 2 3; do echo "$i" >"$T/src/b"; expect 0 "$BKP" --quiet run --all; done
rehearse() { # PROCEDURE OPTIONS...: exit status in $STATUS, its folder in $DIR
	local p=$1
	shift
	sleep 1.1 # each has a folder by the second
	status "$RESTORE" --medium "$T/m1" --medium "$T/m2" --identity "$T/id.txt" --sign-slip "$T/people/pc.key" --operator 復旧用PC \
		drill "$T/$p.md" --unattended --to "$T/all" "$@"
	[ "$(wc -l <"$T/out")" = 1 ] && [ ! -s "$T/err" ] || fail "not one line" "$T/out" "$T/err"
	DIR=$(find "$T/all" -mindepth 1 -maxdepth 1 -type d | LC_ALL=C sort | tail -n 1)
}

# ---- questions: not asked, on a terminal neither; a sample, signed, taken over, and no full drill
rehearse docs
[ "$STATUS" = 0 ] || fail "exit $STATUS" "$T/out" "$DIR.log"
grep -q "rehearsal of '文書の復旧': a sample passed (people were not asked); docs@[123] from 'm[12]' .* → bkp journal import $DIR/drill.json" \
	"$T/out" || fail "the line" "$T/out"
jq -c '[.verdict, .unattended, [.steps[].mark], .isolation.state, .erased.ok, (.random.seed | test("^[0-9]+$"))]' "$DIR/drill.json" >"$T/is"
[ "$(cat "$T/is")" = '["partial",true,["not-asked","passed","passed","not-asked"],"isolated",true,true]' ] ||
	fail "the record" "$DIR/drill.json"
[ "$(ls "$DIR")" = "drill.html
drill.json
drill.json.minisig" ] || die "left: $(ls "$DIR")"
minisign -Vq -p "$T/people/pc.pub" -m "$DIR/drill.json" || die "the signature"
grep -q 'people were not asked' "$DIR/drill.html" || die "the page"
expect 0 "$BKP" journal import "$DIR/drill.json"
record drill | jq -e '.verdict == "partial" and .signed_by == "復旧用PC"' >/dev/null || die "the journal: $(record drill)"
state() { "$BKP" status --json 2>/dev/null | jq -r '.datasets[0].drill.state'; }
[ "$(state)" = never ] || die "a sample counts as a drill: $(state)"
# nobody to ask is nobody to ask, though there is a terminal
sleep 1.1
timeout 60 script -qec "$RESTORE --medium $T/m1 --identity $T/id.txt drill $T/docs.md --unattended --to $T/all" /dev/null >"$T/out" 2>&1 ||
	fail "on a terminal" "$T/out"
[ "$(wc -l <"$T/out")" = 1 ] && grep -q 'a sample passed' "$T/out" || fail "on a terminal" "$T/out"
say "questions and gates are not asked, on a terminal neither: a sample, isolated, erased, signed, taken over as that, and no full drill"

# ---- answered beforehand, or nothing to ask: a full one
printf 'by: 事務長\nanswers:\n  - {step: hole, answer: yes, note: 模擬}\n  - {step: eyes, answer: yes}\n' >"$T/yes.yaml"
rehearse docs --attest "$T/yes.yaml"
[ "$STATUS" = 0 ] && [ "$(jq -r .verdict "$DIR/drill.json")" = passed ] || fail "answered beforehand: $STATUS" "$T/out"
rehearse machine
[ "$STATUS" = 0 ] && [ "$(jq -r .verdict "$DIR/drill.json")" = passed ] || fail "nothing to ask: $STATUS" "$T/out"
expect 0 "$BKP" journal import "$DIR/drill.json"
[ "$(state)" = holds ] || [ "$(state)" = procedure-edited ] || die "a whole drill: $(state)"
# drawn: within a few the media and generations are not always the same
for i in 1 2 3 4 5; do rehearse machine; done
[ "$(jq -r '[.medium.label, .generations[0].generation] | @text' "$T"/all/*/drill.json | sort -u | wc -l)" -gt 1 ] ||
	die "ten rehearsals took one generation of one medium"
say "answered beforehand, or without questions: a full drill; medium and generation are drawn"

# ---- what goes wrong is said in one line, with what to do
mv "$T/m2" "$T/away"
rehearse machine
[ "$STATUS" = 0 ] && grep -q "from 'm1'" "$T/out" || fail "a disk that is away" "$T/out"
mv "$T/m1" "$T/away1"
rehearse machine
[ "$STATUS" = 3 ] && grep -q 'the rehearsal was NOT DONE: E-.* → .*log' "$T/out" || fail "no disk: $STATUS" "$T/out"
mv "$T/away" "$T/m2"; mv "$T/away1" "$T/m1"
{ printf '# 失敗\n'; block run fails <<<'command: "false"'; } >"$T/fails.md"
rehearse fails
[ "$STATUS" = 2 ] && grep -q "rehearsal of '失敗': failed; .*E-DRILL-.* → .*bkp journal import" "$T/out" || fail "a failure: $STATUS" "$T/out"
echo '# nothing' >"$T/nothing.md"
rehearse nothing
[ "$STATUS" = 64 ] && grep -q 'NOT DONE: .*nothing.md' "$T/out" || fail "no procedure: $STATUS" "$T/out"
flock "$T/all/lock" sh -c "touch $T/held; exec sleep 30" >/dev/null 2>&1 &
holder=$!
wait_for "the lock" test -e "$T/held"
rehearse machine
[ "$STATUS" = 2 ] && grep -q "NOT DONE: E-DRILL-31: another rehearsal is under way in '$T/all' → let it end" "$T/out" ||
	fail "two at once" "$T/out"
kill "$(pgrep -P $holder)"
wait $holder 2>/dev/null || true
chmod 777 "$T/all"
rehearse machine
[ "$STATUS" = 2 ] && grep -q 'E-DRILL-31.*others may write there' "$T/out" || fail "a folder of all" "$T/out"
chmod 700 "$T/all"
for o in --keep --json; do
	status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" drill "$T/docs.md" --unattended --to "$T/all" $o
	[ "$STATUS" = 64 ] || fail "$o: $STATUS"
done
say "a disk that is away is passed over; no disk, a failed step, no procedure, two at once, a folder of others: one line with what to do"

# ---- by cron: the line of the page as it stands, but for the time; its paths are mounted where it says
cat >"$T/sendmail" <<Y
#!/bin/sh
cat >"$T/mail.new"; mv "$T/mail.new" "$T/mail"
Y
chmod 755 "$T/sendmail"
mkdir "$T/bin"
ln -s "$RESTORE" "$T/bin/bkp-restore"
grep -E '^[0-9*]+ [0-9*]+ .* root bkp-restore .*--unattended' "$SRC_ROOT/docs/ja/drill.md" >"$T/line" ||
	die "docs/ja/drill.md has no line for cron"
{ echo "PATH=$T/bin:/usr/bin:/bin"; sed -E 's/^([^ ]+ ){5}/* * * * * /' "$T/line"; } >"$T/cron.d"
cat >"$T/inside.sh" <<'Y'
set -eu
mount --make-rprivate /
mount -t proc proc /proc
mkdir -p "$T/realsbin" "$T/sbin"
mount --bind /usr/sbin "$T/realsbin"
cp -rs "$T/realsbin/." "$T/sbin/"
ln -sf "$T/sendmail" "$T/sbin/sendmail"
mount --bind "$T/sbin" /usr/sbin
for d in /etc/cron.d /var/spool/cron /run /mnt /srv; do mount -t tmpfs -o mode=755 none "$d"; done
mkdir -p /var/spool/cron/crontabs /mnt/a/bkp /mnt/b/bkp /srv/keys
mount --bind "$T/m1" /mnt/a/bkp
cp "$T/id.txt" /srv/keys/drill-identity.txt
cp "$T/people/pc.key" /srv/keys/drill-pc.key
cp "$T/docs.md" /srv/keys/recovery.md
: >"$T/crontab"
mount --bind "$T/crontab" /etc/crontab
sed '/pam_loginuid/d' /etc/pam.d/cron >"$T/pam" # containers have no audit
mount --bind "$T/pam" /etc/pam.d/cron
cp "$T/cron.d" /etc/cron.d/bkp-rehearsal
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$(command -v cron)" -f &
for i in $(seq 900); do [ ! -e "$T/mail" ] || break; sleep 0.1; done
cp -r /srv/rehearsals "$T/rehearsals"
Y
export T
unshare -m -p -f --kill-child --propagation unchanged bash "$T/inside.sh" >"$T/out" 2>"$T/err" ||
	fail "the world of cron" "$T/out" "$T/err"
[ -e "$T/mail" ] || fail "no mail" "$T/out" "$T/err" "$T"/rehearsals/*.log
sed '1,/^$/d' "$T/mail" >"$T/body"
[ "$(wc -l <"$T/body")" = 1 ] && grep -q '抜き取り.*bkp journal import /srv/rehearsals/' "$T/body" ||
	fail "the mail" "$T/mail" "$T"/rehearsals/*.log
record=$(echo "$T"/rehearsals/*/drill.json)
minisign -Vq -p "$T/people/pc.pub" -m "$record" || die "the signature"
jq -e '.verdict == "partial" and .isolation.state == "isolated" and .operator == "復旧用PC"' "$record" >/dev/null ||
	fail "the record" "$record"
expect 0 "$BKP" journal import "$record"
say "Debian's cron begins it with the line of docs/ja/drill.md as it stands: one Japanese line is mailed, the signed record is taken over"
