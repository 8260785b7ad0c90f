#!/bin/bash
# A source's command that, in a locale without UTF-8, gives files with Japanese names as zero bytes and exits 0, as smbclient -Tc does.
# Commands run in a UTF-8 locale whatever cron has; one that warns is said; and zeros where content was are the guard's business.
. "$(dirname "$0")/lib.sh"
mkdir -p "$T/share" "$T/m1" "$T/m2"
for i in $(seq 301); do echo "検査結果 $i" >"$T/share/患者$i.txt"; done
for i in $(seq 77); do echo "result $i" >"$T/share/patient$i.txt"; done
cat >"$T/fakesmb.py" <<'PY'
import io, locale, os, sys, tarfile
locale.setlocale(locale.LC_ALL, "")
utf8 = "FORCE_C" not in os.environ and locale.nl_langinfo(locale.CODESET) == "UTF-8"
out = tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT)
for name in sorted(os.listdir(os.fsencode(sys.argv[1]))):
    data = open(os.path.join(os.fsencode(sys.argv[1]), name), "rb").read()
    if not utf8 and not name.isascii():
        data = bytes(len(data))
        if "SILENT" not in os.environ:
            sys.stderr.buffer.write(b"NT_STATUS_OBJECT_NAME_NOT_FOUND opening remote file " + name + b"\n")
    info = tarfile.TarInfo("share/" + name.decode())
    info.size = len(data)
    out.addfile(info, io.BytesIO(data))
out.close()
PY
export PYTHONCOERCECLOCALE=0 PYTHONUTF8=0
share() { site_policy "  - {name: ${2:-share}, command: \"$1 python3 $T/fakesmb.py $T/share\", format: tar}"; }
zeros() { # RUN: how many files of its share hold nothing but zeros
	rm -rf "$T/o"
	"$RESTORE" --medium "$T/m1" --identity "$T/id.txt" extract "share@$1" --to "$T/o" >/dev/null || die "extract $1"
	python3 - "$T/o" <<-'PY'
	import os, sys
	files = [os.path.join(d, f) for d, _, fs in os.walk(os.fsencode(sys.argv[1])) for f in fs]
	assert len(files) == 378, len(files)
	print(sum(not open(f, "rb").read().strip(b"\0") for f in files))
	PY
}
# as cron starts it: no locale at all
share ""
site_make
expect 0 env -u LANG LC_ALL=C "$BKP" run --all
[ "$(zeros 1)" = 0 ] || die "files were filled with zeros under LC_ALL=C"
# a command that does so all the same, and says it on standard error while it exits 0; the guard sees the zeros, too
share FORCE_C=1
detected "zeros for Japanese names, said on standard error, exit 0" "W-CMD-04: data set 'share': its commands said 301 lines" \
	"$BKP" run --all
grep -q 'E-GUARD-01.*nothing but zero bytes now' "$T/err" || die "the guard did not see them: $(cat "$T/err")"
[ "$(zeros 2)" = 301 ] || die "the test's command does no harm"
grep -rlF --exclude-dir=tools 患者 "$T/m1" "$T/m2" "$T/state/journal/000001.jsonl" && die "a file's name stands in the clear"
# without a word
share ""
expect 1 "$BKP" run --all # still suspect: nobody has accepted
expect 0 "$BKP" accept share@3 --operator 事務長 --reason "別の条件で取り直した"
share "SILENT=1 FORCE_C=1"
detected "zeros for Japanese names, without a word, exit 0" "E-GUARD-01" "$BKP" run --all
grep -q 'nothing but zero bytes' "$T/err" || die "why is not said: $(cat "$T/err")"
# for the first time: there is nothing to compare with, but it is said
share "SILENT=1 FORCE_C=1" other
detected "zeros from the first capture on" "W-GUARD-01" "$BKP" run --all
grep -q '301 of its 378 files hold nothing but zero bytes' "$T/err" || die "how many is not said: $(cat "$T/err")"
