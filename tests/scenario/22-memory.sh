#!/bin/bash
# Goal: memory is bounded whatever the tree: many small and empty files, one folder; a large sparse and dense file.
#   BKP_SCALE_FILES (20000): 1000000 for --long     BKP_SCALE_DENSE (64 MiB), BKP_SCALE_SPARSE (2 GiB)
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/nights.sh"
files=${BKP_SCALE_FILES:-20000} dense=${BKP_SCALE_DENSE:-64} sparse=${BKP_SCALE_SPARSE:-2}
[ "$files" -gt 100000 ] || in_memory
limit=204800 # KiB
mkdir -p "$T/src"
python3 - "$T/src" "$files" <<'P'
import os, sys
d, n = sys.argv[1], int(sys.argv[2])
for i in range(n):
    if i % 20000 == 0:
        os.mkdir("%s/%d" % (d, i))
        p = "%s/%d" % (d, i)
    with open("%s/%08d" % (p, i), "wb") as f:
        if i % 2:
            f.write(b"%d" % i * 20)
P
site_policy "  - {name: many, paths: [$T/src]}
	  - {name: large, paths: [$T/large]}
	  - {name: twice, paths: [$T/twice]}"
mkdir "$T/large" "$T/twice"
for i in 1 2; do head -c $((32 << 20)) /dev/urandom >"$T/twice/$i"; done
truncate -s "${sparse}G" "$T/large/file"
head -c "$((dense << 20))" /dev/urandom | dd of="$T/large/file" bs=1M seek=$((sparse * 300)) conv=notrunc iflag=fullblock status=none
site_make
rss() { # NAME COMMAND...
	local name=$1
	shift
	/usr/bin/time -f '%M %e' -o "$T/time" "$@" >/dev/null 2>"$T/err" || fail "$name" "$T/err"
	read -r kib s <"$T/time"
	[ "$kib" -le "$limit" ] || die "$name: $kib KiB resident, more than $limit"
	echo "$name $((kib / 1024)) MiB ${s} s"
}
{
	rss "capture of $files files" "$BKP" run --quiet many
	later=("${FAKE_ENV[@]}") # a minute's age makes files believed
	limit=153600
	rss "the next night" env "${later[@]}" FAKECLOCK=86400 "$BKP" run --quiet many
	rss "an unchanged night" env "${later[@]}" FAKECLOCK=172800 "$BKP" run --quiet many
	find "$T/src" -type f -name '*00' -exec sh -c 'for f; do echo changed >"$f"; done' sh {} +
	rss "a night with 1 % changed" env "${later[@]}" FAKECLOCK=259200 "$BKP" run --quiet many
	limit=204800
	rss "capture of a ${sparse} GiB file, $dense MiB of it data" "$BKP" run --quiet large
	rss "restore of $files files" "$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract many@4 --to "$T/o"
	rss "restore of the large file" "$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" extract large@5 --to "$T/o3"
	"$BKP" run --quiet twice
	rss "export of files that are tried first" "$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" export twice@6
} >"$T/figures"
# each of them is decoded once, though it is gone through twice
strace -f -qq -e trace=pread64 -o "$T/reads" "$RESTORE" --quiet --medium "$T/m1" --identity "$T/id.txt" export twice@6 >"$T/twice.tar"
mib=$(awk -F' = ' '{ n += $NF } END { printf "%d", n / 1048576 }' "$T/reads")
[ "$mib" -ge 64 ] && [ "$mib" -lt 72 ] || die "the export of 64 MiB read $mib MiB"
cmp "$T/large/file" "$T/o3$T/large/file" || die "the large file differs"
[ "$(du -m "$T/o3$T/large/file" | cut -f1)" -le $((dense + 2)) ] || die "the hole was filled"
[ "$(cd "$T/src" && find . -type f | wc -l)" = "$(cd "$T/o$T/src" && find . -type f | wc -l)" ] || die "files are missing"
say "peak resident memory: $(paste -sd';' "$T/figures" | sed 's/;/; /g')"
