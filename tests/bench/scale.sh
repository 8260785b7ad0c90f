#!/bin/bash
# How time and memory grow: many files (default 1,000,000), and the chunk index with as many generated ids as asked for.
#   tests/bench/scale.sh [FILES [CHUNKS]]      BKP_SCALE_DIR: where (default /var/tmp; 6 KiB and an inode for each file)
# Not a test.  Prints wall s, user s, sys s and peak RSS of each run; every file has 100 to 2,000 bytes, a thousand in a folder.
set -eu
cd "$(dirname "$0")/../.."
files=${1:-1000000} chunks=${2:-1000000}
. tests/lib/packages.sh
# shellcheck disable=SC2086
bkp_install $BKP_BUILD_PACKAGES libcmocka-dev time
unset BKP_POLICY BKP_LANG
tests/build.sh release -DBKP_TESTS=ON >/dev/null
BIN=$PWD/build/release
W=$(mktemp -d "${BKP_SCALE_DIR:-/var/tmp}/bkp-scale.XXXXXX")
trap 'chattr -R -f -i "$W/nas" 2>/dev/null || true; rm -rf "$W"' EXIT
export BKP_POLICY=$W/policy.yaml LANG=C.UTF-8
python3 - "$W/tree" "$files" <<'P'
import os, random, sys
top, n = sys.argv[1], int(sys.argv[2])
rnd = random.Random(1)
text = rnd.randbytes(1 << 20).hex().encode()
for i in range(n):
    if i % 1000 == 0:
        folder = "%s/%04d/%04d" % (top, i // 1000 % 97, i // 1000)
        os.makedirs(folder)
    at = rnd.randrange(len(text) - 2000)
    fd = os.open("%s/%07d.hl7" % (folder, i), os.O_WRONLY | os.O_CREAT, 0o640)
    os.write(fd, b"%d|" % i + text[at:at + rnd.randrange(100, 2000)])
    os.close(fd)
P
age-keygen -o "$W/id.txt" 2>/dev/null
mkdir "$W/nas"
cat >"$BKP_POLICY" <<Y
site: {name: scale, language: en}
state: $W/state
datasets: [{name: all, paths: [$W/tree]}]
media: [{name: nas, type: hdd, path: $W/nas}]
Y
"$BIN/bkp" init --root-key-out "$W/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$W/id.txt")" >/dev/null
"$BIN/bkp" --quiet medium add nas >/dev/null 2>&1
timed() { # WORK COMMAND...
	local work=$1
	shift
	/usr/bin/time -q -o "$W/time" -f '%e %U %S %M' "$@" >"$W/log" 2>&1 || { r=$?; [ $r = 1 ] || { cat "$W/log" >&2; exit 1; }; }
	awk -v work="$work" '{printf "%-28s %9.2f s wall %9.2f s user %8.2f s sys %7.0f MiB\n", work, $1, $2, $3, $4 / 1024}' "$W/time"
}
echo "$files files, $(du -sb --apparent-size "$W/tree" | cut -f1) bytes, $(nproc) cores"
sleep 62
timed first "$BIN/bkp" --quiet run --all
timed "find -printf" find "$W/tree" -printf '%p %s %T@ %C@ %i\n'
timed unchanged "$BIN/bkp" --quiet run --all
last=$(find "$W/tree" -name '*.hl7' | head -n 1)
echo changed >>"$last"
timed "one file changed" "$BIN/bkp" --quiet run --all
timed "restore of one file" "$BIN/bkp-restore" --quiet --medium "$W/nas" --identity "$W/id.txt" extract all@3 "${last#/}" --to "$W/one"
cmp "$last" "$W/one$last"
timed "restore of all" "$BIN/bkp-restore" --quiet --medium "$W/nas" --identity "$W/id.txt" extract all@3 --to "$W/all"
timed "verify, identity" "$BIN/bkp-restore" --quiet --medium "$W/nas" --identity "$W/id.txt" verify 3 --deep
[ -z "$(rsync -rlptn --delete --itemize-changes "$W/tree/" "$W/all$W/tree/" | head -n 3)" ] || { echo "restored another tree" >&2; exit 1; }
echo "on the medium: $(du -sb --apparent-size "$W/nas" | cut -f1) bytes; index and cache:" \
	"$(du -sb --apparent-size "$W/state/cache" | cut -f1) bytes"
echo "$chunks generated ids in the chunk index:"
"$BIN/bench_index_scale" "$W/index" 0 "$chunks"
