#!/bin/bash
# Goal: what a hostile neighbour of the target can do to a restore, and what a fault in bkp-restore itself could do: attributes are
# set on what was made, not on what bears its name by then.
. "$(dirname "$0")/../lib/site.sh"
[ "$(id -u)" = 0 ] || die "needs root (owners, ACLs)"
PROGRAMS=${BKP_RELEASE:-$BKP_BIN}

# ---- how the programs are linked ----
for p in bkp bkp-restore bkp-restore-static; do
	readelf -hW "$PROGRAMS/$p" | grep -q 'Type: *DYN' || die "$p stands at a fixed address: $(readelf -hW "$PROGRAMS/$p" | grep Type:)"
	readelf -lW "$PROGRAMS/$p" | grep -q GNU_RELRO || die "$p has no RELRO"
	readelf -dW "$PROGRAMS/$p" | grep -q BIND_NOW || die "$p binds late"
done
places=$(for _ in 1 2 3; do strace -e trace=brk "$PROGRAMS/bkp-restore-static" --version 2>&1 | awk '/^brk\(NULL\)/ {print $NF}'; done |
	sort -u | wc -l)
[ "$places" -gt 1 ] || [ "$(cat /proc/sys/kernel/randomize_va_space)" = 0 ] || die "the static program stands at the same place each time"
say "bkp, bkp-restore and the static bkp-restore are position-independent, bound and made read-only before main"

# ---- attributes by descriptor ----
truncate -s 64M "$T/disk.img"
mkfs.ext4 -q "$T/disk.img"
mkdir "$T/fs"
mount -o loop,acl,user_xattr "$T/disk.img" "$T/fs"
mkdir -p "$T/fs/src/shut" "$T/fs/victim"
mkfifo "$T/fs/src/pipe"
echo content >"$T/fs/src/shut/file"
setfacl -d -m u:123:rwx "$T/fs/src/shut"
setfacl -m u:123:rw "$T/fs/src/pipe"
chmod u-w "$T/fs/src/shut" # its metadata waits for the second pass
site_policy "  - {name: docs, paths: [$T/fs/src]}"
site_make
expect 0 "$BKP" run --all --quiet
cc -O1 -shared -fPIC -o "$T/swap.so" "$SRC_ROOT/tests/lib/swap.c" || die "swap.c does not compile"

swapped() { # ATTRIBUTE NAME: the target belongs to somebody who exchanges NAME for a link to the victim when ATTRIBUTE is set
	local to=$T/fs/to-$2
	mkdir -m 0777 "$to"
	setfacl -b -k "$T/fs/victim"
	chmod 0700 "$T/fs/victim"
	getfacl -p "$T/fs/victim" >"$T/before"
	status env LD_PRELOAD="$T/swap.so" SWAP_AT="$1" SWAP_NAME="$to$T/fs/src/$2" SWAP_TO="$T/fs/victim" \
		"$PROGRAMS/bkp-restore" --quiet --medium "$T/m1" --identity "$T/id.txt" extract docs@1 --to "$to" --same-owner
	[ -L "$to$T/fs/src/$2" ] || fail "$2: nothing was exchanged: the test is blind" "$T/err"
	getfacl -p "$T/fs/victim" | cmp -s "$T/before" - || { getfacl -p "$T/fs/victim" >&2; die "$2: an ACL landed outside the target"; }
	diff <(getfacl -cp "$T/fs/src/$2") <(getfacl -cp "$to$T/fs/src/$2.aside") || die "$2: what was made did not get its ACL"
}
swapped system.posix_acl_default shut
swapped system.posix_acl_access pipe
say "a folder and a pipe exchanged for links while they are restored: their ACLs land on what was made, the victim keeps its own"

# ---- sizes before contents ----
R="$PROGRAMS/bkp-restore --quiet --medium $T/m1 --identity $T/id.txt"
huge() { # FILE COMMAND...: with FILE of a medium blown up to a tebibyte of holes the command refuses within seconds
	local f=$1 begun=$SECONDS
	shift
	cp -a "$f" "$T/small"
	chattr -i "$f"
	truncate -s 1T "$f"
	status timeout 20 "$@"
	rm -f "$f"
	cp -a "$T/small" "$f"
	[ "$STATUS" != 124 ] && [ $((SECONDS - begun)) -lt 15 ] || die "${f##*/} of 1 TiB was read: $*"
	[ "$STATUS" = 2 ] || [ "$STATUS" = 1 ] || fail "${f##*/} of 1 TiB: exit $STATUS: $*" "$T/err"
	grep -qE 'larger than|too large|damaged|authenticate|SHA-256' "$T/out" "$T/err" || fail "${f##*/} of 1 TiB is not named: $*"
}
rescue="python3 $SRC_ROOT/restore/rescue.py extract --identity $T/id.txt $T/m1"
archive=$(find "$T/m1" -path '*/archives/*' -name '*.age' | head -n 1)
generation=$(echo "$T"/m1/*/datasets/docs/generations/000001)
# shellcheck disable=SC2086
for f in "$archive" "$generation/root.age" "$generation/manifest.json" "$generation/SHA256SUMS"; do
	huge "$f" $R verify 1
	huge "$f" $R extract docs@1 --to "$T/huge-${f##*/}"
	[ "${f##*/}" = SHA256SUMS ] || huge "$f" $rescue docs@1 "$T/rescued-${f##*/}"
done
huge "$generation/places.age" $R verify 1
huge "$archive" "$PROGRAMS/bkp" verify --medium m1
say "an archive, root.age, places.age, manifest.json, SHA256SUMS of 1 TiB are refused at once by verify, extract and rescue.py"

# ---- a state folder that keeps what is erased ----
sed "s|^state: .*|state: $T/fs/new/state|" "$T/policy.yaml" >"$T/ext4.yaml"
expect 0 "$PROGRAMS/bkp" --policy "$T/ext4.yaml" check --quiet
! grep -q W-STATE-12 "$T/err" || die "check warns of ext4"
truncate -s 128M "$T/btrfs.img"
mkdir "$T/btrfs"
mkfs.btrfs -q "$T/btrfs.img"
if mount -o loop "$T/btrfs.img" "$T/btrfs"; then
	sed "s|^state: .*|state: $T/btrfs/new/state|" "$T/policy.yaml" >"$T/btrfs.yaml"
	expect 0 "$PROGRAMS/bkp" --policy "$T/btrfs.yaml" check --quiet
	grep -q W-STATE-12 "$T/err" || die "check does not warn of btrfs"
	mkdir "$T/btrfs/new"
	expect 0 "$PROGRAMS/bkp" --policy "$T/btrfs.yaml" init --recipient "$(age-keygen -y "$T/id.txt")" --root-key-out "$T/btrfs.root"
	grep -q W-STATE-12 "$T/err" || die "init does not warn of btrfs"
	say "check and init warn of a state folder on a real btrfs, and not of one on ext4"
else
	echo "[  SKIPPED ] btrfs: this kernel cannot mount it: the warning of a state folder that keeps what is erased was not seen"
fi

# ---- what is left to a fault in bkp-restore itself ----
landlock=$(python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))')
if [ "$landlock" -lt 2 ]; then
	echo "[  SKIPPED ] landlock: this kernel has none that is of use (version $landlock): nothing holds a hijacked restore back here"
	exit 0
fi
cc -O1 -shared -fPIC -o "$T/breakout.so" "$SRC_ROOT/tests/lib/breakout.c" || die "breakout.c does not compile"
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); time.sleep(600)' >"$T/port" &
listener=$!
trap 'kill "$listener" 2>/dev/null; site_cleanup' EXIT
until [ -s "$T/port" ]; do sleep 0.1; done
OUT=$T/fs/outside

outside() { find "$OUT" -mindepth 1 -printf '%P %y %s %T@ %n %l\n' | sort; }

hijacked() { # AT NAME COMMAND...: $OUT is as it was, and the command did what it was asked to
	local at=$1 name=$2
	shift 2
	rm -rf "$OUT"
	mkdir "$OUT"
	for f in old keep gone; do echo "$f" >"$OUT/$f"; done
	outside >"$T/before"
	status env LD_PRELOAD="$T/breakout.so" BREAK_AT="$at" BREAK_OUT="$OUT" BREAK_PORT="$(cat "$T/port")" "$@"
	grep -q 'breakout: tried' "$T/err" || fail "$name: nothing was tried: the test is blind" "$T/err"
}

held() { # AT NAME COMMAND...
	hijacked "$@"
	[ "$STATUS" = 0 ] || fail "$2: exit $STATUS" "$T/err"
	outside | diff "$T/before" - || die "$2: a hijacked program wrote outside its target"
	[ "$landlock" -lt 4 ] || ! grep -q 'breakout: connected' "$T/err" || die "$2: a hijacked program reached the network"
}
mkdir "$T/to"
# the attack is one: a program that is not held back does all of it
hijacked pwrite control python3 -c 'import os; f = os.open("/dev/null", os.O_WRONLY); os.pwrite(f, b"x", 0)'
[ "$(outside | wc -l)" -ge 6 ] && grep -q connected "$T/err" ||
	die "the attack does not work where nothing holds it back: the test is blind"
# shellcheck disable=SC2086
{
	held pwrite extract $R extract docs@1 --to "$T/fs/held" --same-owner
	held pread 'extract, before its target is there' $R extract docs@1 --to "$T/to/held"
	held pread cat $R cat docs@1 "${T#/}/fs/src/shut/file"
	held pread list $R list 1
	held pread export $R export docs@1
	held pread verify $R verify 1 --deep
}
diff "$T/fs/src/shut/file" "$T/fs/held$T/fs/src/shut/file" || die "the hijacked extract did not restore"
# in a drill what brings data back is held; a command of the procedure, which may need sudo, is not
cat >"$T/p.md" <<'P'
# 訓練

```procedure
id: t
version: "1.0"
dataset: docs
rto: 1h
rpo: 24h
```

```restore
誰: 事務長
何を: 復旧
どのように: 自動
合否条件: 成功
予定分: 5
dataset: docs
```

```run
誰: 事務長
何を: 権限
どのように: 自動
合否条件: 成功
予定分: 5
command: |
  grep -q 'NoNewPrivs:.0' /proc/self/status
  cd /; echo made >"${scratch%/drill/scratch}/by-a-command"
```
P
# shellcheck disable=SC2086
held pwrite drill $R drill "$T/p.md" --to "$T/to/drill" --isolation off
[ -s "$T/to/by-a-command" ] || die "a command of the procedure was held back"
say "a hijacked extract, cat, list, export, verify, drill: outside the target nothing is made, changed, renamed or removed, no program" \
	"started, no connection made"
