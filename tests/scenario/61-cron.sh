#!/bin/bash
# Goal: the night run under Debian's own cron daemon and nothing else: in a mount namespace of its own 'bkp schedule install' writes
# /etc/cron.d/bkp, cron starts 'bkp run' at the slot with its bare environment, names of any bytes come back byte for byte, nothing
# is said when all is well, and what a person should see is mailed, in Japanese though no locale is set.
. "$(dirname "$0")/../lib/site.sh"
unset TZ LANG LC_ALL
[ "$(id -u)" = 0 ] || { echo "proved: nothing: cron's folders need root"; exit 0; }
PATH=$PATH:/usr/sbin:/sbin
command -v cron >/dev/null || die "the package cron is not installed"
began=$SECONDS

# ---- a site with names that are no UTF-8; 'broken' works until the slot
mkdir -p "$T/src" "$T/m1" "$T/m2"
python3 - "$T/src" <<'P'
import os, sys
d = os.fsencode(sys.argv[1])
os.mkdir(d + "/外来/".encode()); os.mkdir(d + b"/" + "検査".encode("cp932"))
for name in ["外来/診療録.txt".encode(), "検査".encode("cp932") + b"/" + "表示ソ能".encode("cp932") + b".dat",
             b"euc-" + "心電図".encode("euc_jp"), b"\xff\xfe", b"100% \\n", "結果\n二行目".encode()]:
    open(d + b"/" + name, "wb").write(name)
P
first=$(($(date +%s) / 60 * 60 + 60))
[ $((first - $(date +%s))) -ge 8 ] || first=$((first + 60))
cat >"$T/policy.yaml" <<Y
site: {name: テスト診療所, language: ja}
state: $T/state
schedule: {at: "$(date -d "@$first" +%H:%M)"}
datasets:
  - {name: docs, title: 文書, paths: [$T/src]}
  - {name: world, command: "env | sort; echo \"umask \$(umask)\"; tty; cat; pwd", store_as: world.txt}
  - {name: broken, command: "cat $T/dump", store_as: dump, at: "$(date -d "@$((first + 60))" +%H:%M)"}
media:
  - {name: m1, type: hdd, path: $T/m1, place: サーバ室}
  - {name: m2, type: ssd, path: $T/m2, place: 別室}
Y
echo dump >"$T/dump"
site_make 2>/dev/null
sed -i 's/tty; cat; pwd/tty || true; cat; pwd/' "$T/policy.yaml"
policy_accept
"$BKP" run --all --quiet || die "the first run"
# cron reads % as a new line, and sh splits at blanks
mkdir "$T/運用 100%"
mv "$T/policy.yaml" "$T/運用 100%/方 針.yaml"
export BKP_POLICY="$T/運用 100%/方 針.yaml"
rm "$T/dump"
echo 新しい診療録 >"$T/src/新.txt"

# ---- the world of cron: this machine's, but for what cron reads and writes
cat >"$T/sendmail" <<Y
#!/bin/sh
n=\$(ls "$T" | grep -c '^mail\.')
{ echo "\$@"; cat; } >"$T/mail.\$n"
Y
chmod 755 "$T/sendmail"
R=$(mktemp -d "${TMPDIR:-/tmp}/bkp-root.XXXXXX") # nothing is ever removed below it but itself
cat >"$T/outside.sh" <<'Y'
set -eu
mount --make-rprivate / 2>/dev/null || true # in a chroot / is no mount point
mount --rbind / "$R"
mount --make-rprivate "$R"
exec chroot "$R" /bin/bash "$T/inside.sh"
Y
cat >"$T/inside.sh" <<'Y'
set -eu
mount -t proc proc /proc
mkdir -p "$T/realsbin" "$T/sbin"
mount --bind /usr/sbin "$T/realsbin"
cp -rs "$T/realsbin/." "$T/sbin/"
ln -sf "$T/sendmail" "$T/sbin/sendmail"
mount --bind "$T/sbin" /usr/sbin
for d in /etc/cron.d /var/spool/cron /run; do mount -t tmpfs none "$d"; done
mkdir -p /var/spool/cron/crontabs
: >"$T/crontab"
mount --bind "$T/crontab" /etc/crontab
sed '/pam_loginuid/d' /etc/pam.d/cron >"$T/pam" # containers have no audit
mount --bind "$T/pam" /etc/pam.d/cron
"$BKP" schedule install --kind cron --mailto jimu@example.jp >"$T/installed"
"$BKP" schedule show >"$T/shown"
cp /etc/cron.d/bkp "$T/cron.d"
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$(command -v cron)" -f &
until [ -e "$T/mail.0" ] || [ -e "$T/stop" ]; do sleep 0.2; done
sleep 0.5
Y
export T R BKP
unshare -m -p -f --kill-child --propagation unchanged bash "$T/outside.sh" >"$T/out" 2>"$T/err" </dev/null &
unshared=$!
stop_cron() {
	touch "$T/stop"
	wait "$unshared" 2>/dev/null || true
	umount -l "$R" 2>/dev/null || true
	rmdir "$R"
}
trap 'stop_cron; site_cleanup' EXIT
committed() { grep -c '"event":"committed"' "$T/state/journal/000001.jsonl" || true; }
wait_for() { # SECONDS WHAT COMMAND...
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		kill -0 "$unshared" 2>/dev/null || [ -e "$T/mail.0" ] || fail "the world of cron ended"
		[ $SECONDS -lt $end ] || fail "$what" "$T/out" "$T/err" "$T"/mail.* "$T/cron.d"
		sleep 0.3
	done
}

# ---- the first minute: two data sets, nothing said
# three are of the first run; when the second has ended each medium has its copy of the journal
both() { [ "$(committed)" = 5 ] && [ "$(grep -c '"event":"outcome","command":"run"' "$T/state/journal/000001.jsonl")" = 2 ]; }
wait_for 80 "cron did not capture" both
[ "$(date +%s)" -ge "$first" ] || die "captured before the slot"
[ "$(cd "$(repo_of "$T/m1")/datasets" && echo */generations/000002)" = "docs/generations/000002 world/generations/000002" ] ||
	die "not the two data sets that were due: $(ls -d "$(repo_of "$T/m1")"/datasets/*/generations/*)"
"$RESTORE" --quiet --medium "$T/m2" --identity "$T/id.txt" extract docs@2 --same-owner --to "$T/o" >"$T/restored" 2>&1 ||
	fail "restore" "$T/restored"
"$SRC_ROOT/tests/lib/compare.sh" "$T/src" "$T/o$T/src" >"$T/differences" || fail "what cron captured is not the tree" "$T/differences"
(cd "$T/src" && LC_ALL=C find . -print0 | LC_ALL=C sort -z | sha256sum) >"$T/names"
(cd "$T/o$T/src" && LC_ALL=C find . -print0 | LC_ALL=C sort -z | sha256sum) | cmp -s - "$T/names" || die "names are not the same bytes"
say "cron starts the run at its slot, with a policy whose path has blanks, % and Japanese; names in CP932, EUC-JP and UTF-8 come back" \
	"byte for byte"

"$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" cat world@2 world.txt >"$T/world" || die "cat"
grep -qx 'SHELL=/bin/sh' "$T/world" && grep -qx 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "$T/world" ||
	fail "the environment" "$T/world"
grep -qx 'LC_ALL=C.UTF-8' "$T/world" || fail "the command does not run in a UTF-8 locale" "$T/world"
! grep -vE '^(BKP_(DATASET|GENERATION)|(LANG|LC_ALL)=C.UTF-8$)' "$T/world" | grep -qE '^(LANG|LC_|TERM|BKP_|TZ|DISPLAY)' ||
	fail "this is not cron's bare environment" "$T/world"
grep -qx 'not a tty' "$T/world" || fail "there is a terminal" "$T/world"
[ ! -e "$T/mail.0" ] || fail "mail, though all is well" "$T/mail.0"
say "under its bare environment (no terminal; commands in C.UTF-8), and nothing is said when all is well"

# ---- the second minute: what fails is mailed
mailed() { [ -s "$T/mail.0" ]; }
wait_for 80 "a failed run was not mailed" mailed
wait "$unshared" || true
grep -q '^To: jimu@example.jp' "$T/mail.0" || fail "mailed to somebody else" "$T/mail.0"
grep -q 'E-RUN-01\|E-CMD-02' "$T/mail.0" && grep -q '対象データ' "$T/mail.0" && grep -q broken "$T/mail.0" ||
	fail "the mail does not say it in Japanese" "$T/mail.0"
[ "$(compgen -G "$T/mail.*")" = "$T/mail.0" ] || fail "more than one mail" "$T"/mail.*
[ "$(committed)" = 5 ] || die "a generation of nothing"
grep -q '"event":"failed"' "$T/state/journal/000001.jsonl" || die "the failure is not recorded"
grep -q 'cron: .*fits\|installed, fits\|cron' "$T/shown" || fail "schedule show" "$T/shown"
grep -q -- "--catch-up" "$T/cron.d" || die "nothing catches up"
[ ! -e /etc/cron.d/bkp ] || ! grep -q "$T" /etc/cron.d/bkp || die "the machine's own cron was changed"
[ $((SECONDS - began)) -lt 150 ] || die "took $((SECONDS - began)) s"
grep -qi '^Content-Type: text/plain; charset=UTF-8' "$T/mail.0" || fail "the mail says it is of another encoding" "$T/mail.0"
say "a run that failed is mailed once, in Japanese, to the address given; the machine's own cron is untouched"
