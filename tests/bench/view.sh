#!/bin/bash
# How long until charts can be read: a medium (ext4 on a loop device, just mounted, caches dropped) with 60,000 files: SS-MIX2 and
# an export as HTML; `bkp-restore view`, and Chromium opening the first page.  As root.  tests/bench/view.sh [PATIENTS]
. "$(dirname "$0")/../lib/site.sh"
patients=${1:-1700}
export HOME=$T
python3 "$SRC_ROOT/tests/lib/charts.py" ssmix2 "$T/src/ss" "$patients" 5
python3 "$SRC_ROOT/tests/lib/charts.py" html "$T/src/html" $((60000 - patients * 21))
truncate -s 2G "$T/disk"
mkfs.ext4 -q "$T/disk"
L=$(loop_of "$T/disk")
mkdir -p "$T/m1"
mount "$L" "$T/m1"
site_make 2>/dev/null
"$BKP" --quiet run --all || [ $? = 1 ]
cat >"$T/chromium-timed" <<B
#!/bin/sh
for last; do :; done
chromium --headless=new --disable-gpu --disable-dev-shm-usage --user-data-dir=\$HOME/own --dump-dom "\$last" >\$HOME/dom 2>/dev/null
date +%s.%N >\$HOME/opened
exec sleep 600
B
chmod 755 "$T/chromium-timed"
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.1f s", b - a}'; }
look() { # WORDS COMMAND...
	local words=$1 begun rss
	shift
	umount "$T/m1"
	sync
	echo 3 >/proc/sys/vm/drop_caches
	begun=$(now)
	mount "$L" "$T/m1"
	BROWSER=$T/chromium-timed "$@" --medium "$T/m1" --identity "$T/id.txt" view docs --to "$T/v" >"$T/address" 2>"$T/err" &
	until [ -s "$T/v/scratch/home/opened" ]; do kill -0 $! || { cat "$T/err"; exit 1; }; sleep 0.1; done
	printf '%s: from mounting to the first page in Chromium %s' "$words" "$(since "$begun" "$(cat "$T/v/scratch/home/opened")")"
	until grep -q 'files: ' "$T/err"; do sleep 0.2; done
	rss=$(awk '/VmHWM/ {print int($2 / 1024)}' "/proc/$!/status")
	printf ', all pages %s, peak of who reads the medium %s MiB; %s pages\n' \
		"$(since "$begun" "$(now)")" "$rss" "$(find "$T/v/scratch/pages" -type f | wc -l)"
	kill -INT $!
	wait $! || true
}
echo "$(find "$T/src" -type f | wc -l) files, $(du -sm "$T/src" | cut -f1) MiB on disk; load $(cut -d' ' -f1 /proc/loadavg)"
look mounted "$RESTORE"
look "brought back (the medium's own program)" "${BKP_RELEASE:-$BKP_BIN}/bkp-restore-static"
