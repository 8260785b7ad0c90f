#!/bin/bash
# Goal: policies/orthanc.yaml stops a real Orthanc (SQLite), captures its folder, starts it again, also on nights that fail; a second
# Orthanc on what was restored gives the same answers and every instance byte for byte; the procedure is drilled.
# There is no init where tests run, so that `systemctl stop|start orthanc` alone is answered by a script in front of the PATH.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/servers.sh"
PORT=$(free_port)
SECOND=$(free_port)

install -d -o orthanc -g orthanc "$T/first" "$T/first/db" "$T/second"
orthanc_conf "$T/first" $PORT
orthanc_start "$T/first" $PORT
python3 "$SRC_ROOT/tests/lib/clinical.py" dicom "$T/modality" 36
upload() { local f; for f in "$@"; do curl -fsS -o /dev/null --data-binary "@$f" "http://127.0.0.1:$PORT/instances"; done; }
upload "$T"/modality/*.dcm
statistics() { curl -fsS "http://127.0.0.1:$1/statistics"; }
statistics $PORT >"$T/truth"
grep -q '"CountInstances" : 36' "$T/truth" || fail "Orthanc did not take the instances" "$T/truth"

mkdir "$T/shim" "$T/etc" "$T/kitei"
cat >"$T/shim/systemctl" <<S
#!/bin/sh
# a service's stop and start as systemd would do them; "broken" in $T/first makes stop fail
echo "\$*" >>$T/calls
pid=\$(cat $T/first/orthanc.pid)
case "\$*" in
'stop orthanc')
	[ ! -e $T/first/broken ] || { echo 'Failed to stop orthanc.service' >&2; exit 1; }
	kill "\$pid" && while [ -e "/proc/\$pid" ]; do sleep 0.05; done ;;
'start orthanc')
	[ ! -e "/proc/\$pid" ] || exit 0
	setsid --fork sh -c 'echo \$\$ >$T/first/orthanc.pid
		exec setpriv --reuid=orthanc --regid=orthanc --init-groups -- /usr/sbin/Orthanc $T/first/orthanc.json' \
		>>$T/first/log 2>&1 </dev/null ;;
*) exit 5 ;;
esac
S
chmod +x "$T/shim/systemctl"
export NIGHTLY_PATH=$T/shim:/usr/bin:/bin
cp "$T/first/orthanc.json" "$T/etc/"
cp "$SRC_ROOT/policies/procedures/orthanc.md" "$T/kitei/"
policy_of orthanc "s|/var/lib/orthanc/db-v6|$T/first/db|" "s|/etc/orthanc\]|$T/etc]|" 's|min_entries: 1000|min_entries: 36|' \
	"s|^# procedures: |procedures: |" "s|/srv/kitei|$T/kitei|g"

# ---- the night
answers() { wait_for "Orthanc answers again ($1)" orthanc_answers "$T/first" "$PORT"; }
calls() { tr '\n' ' ' <"$T/calls" 2>/dev/null; rm -f "$T/calls"; }
expect 0 nightly "$BKP" run --all
[ "$(calls)" = "stop orthanc start orthanc " ] || die "not stopped once and started once"
answers "a good night"
statistics $PORT | cmp - "$T/truth" || die "the capture changed Orthanc"
say "Orthanc was stopped, captured and started again; it answers as before"

# ---- nights that fail: it is started all the same
sed 's/min_entries: 36/min_entries: 36000/' "$BKP_POLICY" >"$T/many.yaml"
expect 1 nightly BKP_POLICY="$T/many.yaml" "$BKP" run images
[ "$(calls)" = "stop orthanc start orthanc " ] || die "not stopped and started"
answers "too few entries"
mv "$T/first/db" "$T/first/unmounted"
expect 2 nightly "$BKP" run images
[ "$(calls)" = "stop orthanc start orthanc " ] || die "not stopped and started, the folder being away"
rm -rf "$T/first/db" # an Orthanc without its folder begins an empty one
NIGHT_PID=$(cat "$T/first/orthanc.pid")
[ ! -e "/proc/$NIGHT_PID" ] || orthanc_stop "$T/first"
rm -rf "$T/first/db"
mv "$T/first/unmounted" "$T/first/db"
orthanc_start "$T/first" $PORT
touch "$T/first/broken"
expect 2 nightly "$BKP" run images
grep -q 'Failed to stop' "$T/out" "$T/err" || fail "why it failed is not said"
rm "$T/first/broken"
answers "a stop that failed"
rm -f "$T/calls"
# somebody ends the run, or the time limit of the site does, while Orthanc is stopped
printf '#!/bin/sh\n[ ! -e %s/slow ] || sleep 300\nexec /usr/bin/sqlite3 "$@"\n' "$T" >"$T/shim/sqlite3"
chmod +x "$T/shim/sqlite3"
touch "$T/slow"
rm -f "$T/calls"
# shellcheck disable=SC2016
nightly sh -c 'echo $$ >"$0"; exec "$@"' "$T/run.pid" "$BKP" run images >"$T/out" 2>"$T/err" &
run=$!
probing() { pgrep -f "^/bin/sh $T/shim/sqlite3"; }
wait_for "the probe runs" probing
! curl -fsS -o /dev/null "http://127.0.0.1:$PORT/system" 2>/dev/null || die "Orthanc runs while it is captured"
kill -TERM "$(cat "$T/run.pid")"
code=0
wait $run || code=$?
[ $code -ge 1 ] || die "a run that was ended exits 0"
[ "$(calls)" = "stop orthanc start orthanc " ] || die "not started after the run was ended"
answers "a run that was ended"
rm "$T/slow"
say "too few entries, the folder away, a stop that fails, a run ended by SIGTERM: the night says so, and Orthanc is started all the same"

# ---- why it is stopped: the index of an Orthanc that has received something is locked, and the probe tells
python3 "$SRC_ROOT/tests/lib/clinical.py" dicom "$T/later" 3 2
upload "$T"/later/*.dcm
sed '/^    before: /d; /^    after: /d' "$BKP_POLICY" >"$T/running.yaml"
expect 1 nightly BKP_POLICY="$T/running.yaml" "$BKP" run images
grep -q 'locked' "$T/out" "$T/err" || fail "it is not said that the index is in use"
say "without before and after the probe finds the index locked, and the generation does not count"
orthanc_stop "$T/first"

# ---- a second Orthanc, from the medium
"$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract images@1 --to "$T/r"
mv "$(find "$T/r" -type d -path "*$T/first/db")" "$T/second/db"
chown -R orthanc:orthanc "$T/second"
orthanc_start "$T/second" $SECOND
statistics $SECOND | cmp - "$T/truth" || die "the second Orthanc has other statistics"
curl -fsS "http://127.0.0.1:$SECOND/instances" | grep -o '[0-9a-f-]\{44\}' >"$T/ids"
[ "$(wc -l <"$T/ids")" = 36 ] || die "it lists $(wc -l <"$T/ids") instances"
while read -r id; do curl -fsS "http://127.0.0.1:$SECOND/instances/$id/file" | sha256sum; done <"$T/ids" | sort >"$T/found"
for f in "$T"/modality/*.dcm; do sha256sum <"$f"; done | sort | cmp - "$T/found" || die "an instance differs from what the modality sent"
orthanc_stop "$T/second"
say "a second Orthanc: equal statistics, and 36 instances byte for byte what the modality sent"

# ---- the drill, and the recovery by the same document
recovery_set_up
printf '  - {step: %s, answer: yes, note: 控え}\n' 1 2 eyes >>"$T/attest.yaml"
bring_back() { # drill|recover DIR [OPTION...]
	"$RESTORE" --lang ja --medium "$T/m1" --identity "$T/id.txt" "$1" "$(echo "$T"/m1/*-*-*-*-*/procedures/orthanc.md)" --to "$2" \
		--at 1 --attest "$T/attest.yaml" --operator 事務長 --set "folder=$T/first/db" --set "virusdb=$T/virus" "${@:3}"
}
expect 0 bring_back drill "$T/drill" --set "port=$(free_port)"
[ "$(drill_field "$T/drill" "d['verdict'], [s['check']['found'] for s in d['steps'] if s['id'] == 'index'], d['erased']['ok']")" \
	= "('passed', ['1|3\n2|6\n3|12\n4|36'], True)" ] ||
	die "the drill: $(drill_field "$T/drill" "d['verdict'], d['steps']")"
[ ! -e "$T/drill/scratch" ] && ! pgrep -f "$T/drill/scratch" >/dev/null || die "something was left behind"
echo "confirm: images@1" >>"$T/attest.yaml"
expect 0 bring_back recover "$T/o/recovery" --set "store=$T/o/store" --set "port=$(free_port)"
install -d -o orthanc -g orthanc "$T/third"
THIRD=$(free_port)
orthanc_conf "$T/third" "$THIRD"
sed -i "s|\"$T/third/db\"|\"$T/o/store\"|g" "$T/third/orthanc.json"
orthanc_start "$T/third" "$THIRD"
statistics "$THIRD" | cmp - "$T/truth" || die "the recovered Orthanc has other statistics"
curl -fsS "http://127.0.0.1:$THIRD/instances" | grep -o '[0-9a-f-]\{44\}' >"$T/ids"
while read -r id; do curl -fsS "http://127.0.0.1:$THIRD/instances/$id/file" | sha256sum; done <"$T/ids" | sort | cmp - "$T/found" ||
	die "an instance of the recovered Orthanc differs from what the modality sent"
orthanc_stop "$T/third"
say "the drill: index equal to the probe, every MD5 right, Orthanc starts on it, is stopped, all is erased; the recovery by the same" \
	"document, gates signed: an Orthanc on it gives the same answers, 36 instances byte for byte"
