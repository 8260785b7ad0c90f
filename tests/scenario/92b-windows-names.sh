#!/bin/bash
# Goal: extract --windows-names onto what Windows reads: every name that it cannot hold, and one of two that differ in case only, is
# written under another one from which it can be read again, and is listed; nothing is left out.  Seen by ntfs-3g with windows_names
# and by smbclient at a real smbd.  Without the option the fault says what to do.
# shellcheck source=tests/lib/site.sh
. "$(dirname "$0")/../lib/site.sh"
export TZ=UTC LC_ALL=C.UTF-8
R=("$RESTORE" --medium "$T/m1" --identity "$T/id.txt")

mkdir -p "$T/src/会計:2026/下" "$T/src/end." "$T/src/AUX"
python3 - "$T/src" <<'P'
import os, sys
root = os.fsencode(sys.argv[1])
for n in [b'a<b', b'a>b', b'a:b', b'a"b', b'a\\b', b'a|b', b'a?b', b'a*b', b'tab\there', b'line\nfeed', b'dot.', b'space ', b'CON',
          b'con.txt', b'NUL.tar.gz', b'com0', b'LPT\xc2\xb9', b'README', b'ReadMe', b'readme', b'\x8a\xb3\x8e\xd2.txt', b'100%', b'a%3Ab',
          b'%~x', b'=1+1?', '紹介状（患者）.txt'.encode(), b'b' * 255, ('検' * 82 + '?.docx').encode(), b':' * 250 + b'.docx',
          b':' * 249 + b';.docx', b'bkp-names.csv',
          'ファイル'.encode(), 'Ａ'.encode(), 'ａ'.encode()] + [b'c%02x' % i + bytes([i]) for i in range(1, 32)]:
    open(root + b'/' + n, 'wb').write(n)
for n in ['会計:2026/下/x?', '会計:2026/plain', 'end./in', 'AUX/in']: open(root + b'/' + n.encode(), 'w').write(n)
P
ln "$T/src/a:b" "$T/src/hard?"; ln -s 'a:b' "$T/src/soft:"; chmod 0555 "$T/src/end."
find "$T/src" -exec touch -h -d '2020-02-03 04:05:06' {} +
site_make
expect 0 "$BKP" run --all

# check TREE: every name can be held, says what it was, and is in the list; every content is there.  All of it without the program.
check() {
	python3 - "$1" "$T/src" <<'P' || die "$1"
import csv, hashlib, os, re, stat, sys
from urllib.parse import unquote_to_bytes
top, src = map(os.fsencode, sys.argv[1:])
def tree(d):
    for folder, folders, files in os.walk(d):
        for f in folders + files: yield os.path.relpath(os.path.join(folder, f), d)
def mark(p):
    s = os.lstat(p)
    if stat.S_ISREG(s.st_mode): return hashlib.sha256(open(p, 'rb').read()).hexdigest(), s.st_mtime
    return ('link', os.readlink(p)) if stat.S_ISLNK(s.st_mode) else 'folder'
raw = open(top + b'/bkp-names.csv', 'rb').read()
assert raw.startswith(b'\xef\xbb\xbf')
rows = list(csv.reader(raw.decode('utf-8-sig').splitlines()))[1:]
def shown(b): # as docs/man/bkp-restore.1 says it
    out, i = '', 0
    while i < len(b):
        for n in (1, 2, 3, 4):
            try: c = b[i:i + n].decode()
            except UnicodeDecodeError: continue
            break
        else: c, n = '', 1
        out += '\\\\' if c == '\\' else c if c and c.isprintable() else ''.join('\\%03o' % x for x in b[i:i + n])
        i += n
    return out
was = {to: name for _, name, to in rows}
def plain(s): return s[1:] if s.startswith("'") else s # the apostrophe that keeps a spreadsheet from calculating
was = {plain(to): plain(name) for to, name in was.items()}
assert len(was) == len(rows)
device = re.compile(r'(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)', re.I)
known, written, folded = {b'': b''}, {}, set()
base = src.lstrip(b'/')
for p in sorted(tree(top)):
    if p == b'bkp-names.csv': continue
    above, name = os.path.split(p)
    text = name.decode()                        # it is UTF-8
    assert not re.search(r'[<>:"\\|?*\x00-\x1f]|[. ]$', text) and not device.match(text), text
    assert len(text.encode('utf-16-le')) <= 510
    assert (above, text.upper()) not in folded, p
    folded.add((above, text.upper()))
    own = unquote_to_bytes(name) if not re.search(r'%~[0-9a-f]{32}', text) else None
    if own is None:                             # only the list says what it was
        own = next(n for n in os.listdir(src) if shown(base + b'/' + n) == was[p.decode()])
    known[p] = os.path.join(known[above], own)
    assert (own != name) == (p.decode() in was), p
    if own != name: assert was.pop(p.decode()) == shown(known[p]), p
    written[known[p]] = p
assert not was, was
for p in tree(src): assert mark(os.path.join(src, p)) == mark(os.path.join(top, written[os.path.join(base, p)])), p
assert len(list(tree(src))) + base.count(b'/') + 1 == len(written)
P
}

# ---- nothing is written, all of it said
expect 0 "${R[@]}" extract docs@1 --to "$T/none" --windows-names --dry-run
listed=$(grep -c "' is written as '" "$T/out")
said "^names that Windows cannot hold: $listed\$"; said "/AUX/?' is written as '.*/%41%55%58'"
expect 0 "${R[@]}" --json extract docs@1 --to "$T/none" --windows-names --dry-run; said "\"renamed\":$listed,"

# ---- on a disk of Linux, for smbd; a part has the names of the whole
expect 0 "${R[@]}" extract docs@1 --to "$T/share" --windows-names
said "^names that Windows cannot hold: $listed, each is listed in 'bkp-names.csv'"
check "$T/share"
expect 0 "${R[@]}" --quiet extract docs@1 --to "$T/share" --windows-names --overwrite --skip-same
cmp "$T/share/bkp-names.csv" "$T/share/bkp-names-2.csv" || die "the second list is another one"
rm "$T/share/bkp-names-2.csv"
expect 0 "${R[@]}" --quiet extract docs@1 "$T/src/readme" "$T/src/会計:2026/下" --to "$T/part" --windows-names
part=$(cut -d, -f3 "$T/part/bkp-names.csv" | tail -n +2 | tr -d '"\r' | sed "s|${T#/}/src/||" | tr '\n' ' ')
[ "$part" = "%72eadme 会計%3A2026 会計%3A2026/下/x%3F " ] || fail "a part" "$T/part/bkp-names.csv"
# at the very top stands a name of the list, there before: it stays
mkdir "$T/held"; echo mine >"$T/held/bkp-names.csv"
expect 0 "${R[@]}" extract docs@1 "$T/src/a:b" --to "$T/held" --windows-names; said "'bkp-names-2.csv'"
[ "$(cat "$T/held/bkp-names.csv")" = mine ] || die "the list replaced a file"

# ---- at smbd: under these very names, with the same content; without the option it shows names that nobody gave
expect 0 "${R[@]}" --quiet extract docs@1 --to "$T/plain"
mkdir "$T/smb"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$T/smb/conf" <<S
[global]
server role = standalone server
interfaces = lo
bind interfaces only = yes
map to guest = bad user
disable spoolss = yes
load printers = no
$(for d in {lock,state,cache,pid}\ directory {private,ncalrpc}\ dir; do echo "$d = $T/smb"; done)
$(for s in share plain; do printf '[%s]\npath = %s\nguest ok = yes\nforce user = root\n' $s "$T/$s$T/src"; done)
S
smbd -F -s "$T/smb/conf" -p "$port" -l "$T/smb" </dev/null >"$T/smb/log" 2>&1 & smbd=$!
trap 'kill "$smbd" 2>/dev/null || :; site_cleanup' EXIT
smb() { (cd "$1" && smbclient -N -s "$T/smb/conf" -p "$port" "//127.0.0.1/$2" -c "$3") >"$T/smb/out" 2>&1; }
for _ in $(seq 100); do ! smb / share ls || break; sleep 0.1; done
mkdir "$T/got" "$T/mangled"
smb "$T/got" share 'prompt off; recurse on; mget *' || fail "smbclient" "$T/smb/out" "$T/smb/log"
sums() { (cd "$1" && find . -type f -exec sha256sum {} + | sort -k2); }
sums "$T/share$T/src" | cmp - <(sums "$T/got") || die "over SMB they are other ones"
smb "$T/mangled" plain 'prompt off; recurse on; mget *' || fail "smbclient" "$T/smb/out" "$T/smb/log"
find "$T/mangled" -name '*~*' ! -name '%*' | grep -q . || die "smbd shows every name: this test shows nothing"
kill "$smbd"; wait "$smbd" || :

# ---- NTFS
if [ "$(id -u)" = 0 ] && [ -e /dev/fuse ]; then
	truncate -s 24M "$T/ntfs.img"; mkntfs -q -F -f "$T/ntfs.img" >/dev/null 2>&1; mkdir "$T/ntfs"
	ntfs-3g -o windows_names "$T/ntfs.img" "$T/ntfs"
	status "${R[@]}" extract docs@1 --to "$T/ntfs/plain"
	[ "$STATUS" = 2 ] || fail "exit $STATUS: names that NTFS does not hold"
	said "/a:b': cannot be made: Invalid argument"; said '→ .*--windows-names'
	status "${R[@]}" extract docs@1 --to "$T/ntfs/whole" --windows-names
	[ "$STATUS" = 0 ] || fail "exit $STATUS: onto NTFS"
	check "$T/ntfs/whole"
	umount "$T/ntfs"
else
	echo "[  SKIPPED ] ntfs: not root, or without /dev/fuse"
fi
expect 64 "${R[@]}" list docs@1 --windows-names
