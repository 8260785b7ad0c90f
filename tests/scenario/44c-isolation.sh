#!/bin/bash
# Goal: the commands of a drill reach nothing but the drill (issue 18, point 2): no network, no other program, no file outside the scratch
# folder, no key; what they start ends with it.  Looked at from inside by a procedure that tries, and from outside: servers that would have
# noticed, files that would be there, namespaces as the kernel shows them.  Where it cannot be had it is said aloud, on paper too.
set -eu
. "$(dirname "$0")/../lib/site.sh"
. "$(dirname "$0")/../lib/servers.sh"
exec </dev/null

mkdir -p "$T/src"
echo 患者 >"$T/src/a"
site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
site_make 2>/dev/null
"$BKP" run docs >/dev/null 2>&1
block() { # KIND ID, more keys on standard input
	printf '\n```%s\nwho: 事務長\nwhat: %s\nhow: 自動\npass: 成功\nminutes: 5\nid: %s\n' "$1" "$2" "$2"; cat -; printf '```\n'
}
procedure() { { printf '# 訓練\n'; cat -; } >"$T/$1.md"; }
drill() { # EXIT PROCEDURE DIR OPTIONS...
	local want=$1 p=$2 to=$3
	shift 3
	status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --quiet drill "$T/$p.md" --to "$T/$to" "$@"
	[ "$STATUS" = "$want" ] || fail "$p: exit $STATUS, expected $want" "$T/$to/drill.json"
}
of() { jq -r "$2" "$T/$1/drill.json"; }

# ---- what a hostile procedure would like to reach
pg_new "$T/production" 54391
pg_sql 54391 postgres -c 'create table patient as select 1 as id' >/dev/null
started=$(pg_sql 54391 postgres -c 'select pg_postmaster_start_time()')
OUTSIDE=$(mktemp -d /var/lib/bkp-test.XXXXXX)
SYSTEM=$(mktemp -d /run/bkp-test.XXXXXX)
trap 'rm -rf "$OUTSIDE" "$SYSTEM"; servers_stop' EXIT
chmod 777 "$OUTSIDE"
port=$(free_port)
# a server that writes down who came: TCP, a socket in a folder that stays visible, one in /run, one of no folder
python3 - "$port" "$OUTSIDE/sock" "$SYSTEM/sock" "bkp-$$" "$T/came" "$T/listening" <<'P' &
import select, socket, sys
port, *paths, name, came, listening = sys.argv[1:]
servers = [socket.create_server(("127.0.0.1", int(port)))]
for p in paths + ["\0" + name]:
    s = socket.socket(socket.AF_UNIX)
    s.bind(p)
    s.listen()
    servers.append(s)
open(listening, "w").close()
while True:
    for s in select.select(servers, [], [])[0]:
        c = s.accept()[0]
        with open(came, "a") as f:
            f.write("%s\n" % (s.getsockname(),))
        c.close()
P
server=$!
wait_for "the server" test -e "$T/listening"
cat >"$OUTSIDE/reach.py" <<'P'
import socket, sys
port, *paths, name = sys.argv[1:]
def reach(family, address):
    try:
        s = socket.socket(family, socket.SOCK_STREAM)
        s.settimeout(3)
        s.connect(address)
        print("REACHED", address)
    except OSError as e:
        print("no:", type(e).__name__)
reach(socket.AF_INET, ("127.0.0.1", int(port)))
for p in paths + ["\0" + name]:
    reach(socket.AF_UNIX, p)
P
# what has no namespace, or came along: the keyrings of root, vsock, a descriptor that whoever began the drill left open, memory on a crash
cat >"$OUTSIDE/break.py" <<'P'
import ctypes, os, resource, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
add_key, request_key, keyctl = {"x86_64": (248, 249, 250), "aarch64": (217, 218, 219)}[os.uname().machine]
USER, UNLINK, SEARCH, TIMEOUT = -4, 9, 10, 15
if sys.argv[1] == "put":
    key = libc.syscall(add_key, b"user", b"bkp-test", b"secret", 6, USER)
    assert key > 0 and libc.syscall(keyctl, TIMEOUT, key, 600) == 0
    sys.exit()
key = libc.syscall(keyctl, SEARCH, USER, b"user", b"bkp-test", 0)
if sys.argv[1] == "take":
    assert libc.syscall(keyctl, UNLINK, key, USER, 0, 0) == 0
    sys.exit()
if key > 0:
    print("BROKE: a key of root")
left = libc.syscall(add_key, b"user", b"bkp-left", b"patient", 7, USER)
if left > 0:
    print("BROKE: a key is left behind")
    libc.syscall(keyctl, UNLINK, left, USER, 0, 0)
if libc.syscall(request_key, b"user", b"bkp-test", None, 0) > 0:
    print("BROKE: request_key")
try:
    print("BROKE: descriptor 77,", len(os.listdir(77)), "names")
except OSError:
    pass
try:
    socket.socket(40, socket.SOCK_STREAM)
    print("BROKE: vsock")
except OSError:
    pass
# only in there: seizing stops nobody, and nobody outside is ever tried
if os.readlink("/proc/self/ns/pid") != sys.argv[2] and libc.ptrace(0x4206, 1, 0, 0) == 0:
    print("BROKE: traces the first process")
if resource.getrlimit(resource.RLIMIT_CORE)[1] != 1:
    print("BROKE: a core would be kept", resource.getrlimit(resource.RLIMIT_CORE))
P
reach="python3 $OUTSIDE/reach.py $port $OUTSIDE/sock $SYSTEM/sock bkp-$$"
[ "$($reach | grep -c REACHED)" = 4 ] || die "the comparison: from outside all four are reached: $($reach)"
wait_for "four that came" sh -c "[ \$(wc -l <$T/came) = 4 ]"

# below a /tmp that is another there is what the drill needs, and nothing else
OWN=written-${T##*.} # others may have theirs there
BELOW="d1 hostile.md m1 "
[ "${T#/tmp/}" != "$T" ] || die "TMPDIR is elsewhere"
{
	block restore docs <<<'dataset: docs'
	block check network <<Y
command: |
  ip -o link | cut -d: -f2; ip route; ip -6 route show table main
value: " lo"
Y
	block check servers <<Y
command: $reach | grep -c REACHED || true
value: "0"
Y
	block check postgresql <<Y
command: |
  for h in $T/run /run/postgresql /tmp 127.0.0.1; do
    $PG/psql -h \$h -p 54391 -U postgres -c 'drop table patient' && echo "\$h"
  done 2>/dev/null || true
  echo none
value: none
Y
	block check outside <<Y
command: |
  set +e
  for f in $OUTSIDE/x /bkp-x /etc/bkp-x /var/lib/bkp-x /usr/bin/bkp-x /proc/sys/kernel/bkp-x /sys/bkp-x /dev/bkp-x; do
    (echo x >\$f) 2>/dev/null && echo "\$f"
  done
  for f in $OUTSIDE/reach.py /proc/sys/kernel/core_pattern /proc/sysrq-trigger /etc/passwd; do
    (: >>\$f) 2>/dev/null && echo "\$f"
  done
  chmod 700 $OUTSIDE 2>/dev/null && echo chmod; rm -f $OUTSIDE/reach.py 2>/dev/null && echo rm
  ln $OUTSIDE/reach.py x 2>/dev/null && echo ln
  echo none
value: none
Y
	block check way_out <<Y
command: |
  set +e
  mount -o remount,rw / 2>/dev/null && echo remount; mount -t tmpfs none /mnt 2>/dev/null && echo mount
  umount /tmp 2>/dev/null && echo umount
  mknod disk b 7 0 2>/dev/null && echo mknod; ls /dev/sd* /dev/vd* /dev/loop* /dev/mem /dev/fuse 2>/dev/null
  nsenter -t 1 -m true 2>/dev/null && echo nsenter
  ls /proc/1/root/ 2>/dev/null; ls /proc/1/fd 2>/dev/null
  [ -r /proc/1/mem ] && head -c 1 /proc/1/mem 2>/dev/null
  unshare -Urm sh -c 'mount -o remount,rw,bind / || umount /tmp || umount /proc' 2>/dev/null && echo userns
  modprobe -n dummy 2>/dev/null && modprobe dummy 2>/dev/null && echo module
  date -s 2001-01-01 >/dev/null 2>&1
  kill -0 $(head -n 1 "$T/production/postmaster.pid") 2>/dev/null && echo kill
  kill -0 $server 2>/dev/null && echo kill
  ps ax -o comm= | grep -cE '^(postgres|python3)\$'
  true
value: "0"
Y
	block check nameless <<Y
command: python3 $OUTSIDE/break.py try $(readlink /proc/self/ns/pid) | grep . || echo none
value: none
Y
	block check keys <<Y
command: |
  cat $T/id.txt 2>/dev/null | wc -c | tr '\\n' ' '; ls $T | tr '\\n' ' '
value: "0 $BELOW"
Y
	block check medium <<'Y'
command: |
  [ -f "$medium/bkp-medium.json" ] && [ -f "$procedure" ] && [ "$PWD" = "$scratch" ] &&
    ! touch "$medium/x" 2>/dev/null && echo seen
value: seen
Y
	block check inside <<Y
command: |
  install -d -o postgres pg run
  runuser -u postgres -- $PG/initdb -D \$scratch/pg -A trust -U postgres >/dev/null
  runuser -u postgres -- $PG/pg_ctl -D \$scratch/pg -o "-p 54391 -k /run/postgresql" -l \$scratch/pg/log -w start >/dev/null
  for h in 127.0.0.1 /run/postgresql; do $PG/psql -h \$h -p 54391 -U postgres -XAtqc 'select count(*) from pg_database'; done | tr '\\n' ' '
value: "3 3 "
Y
	block run leftovers <<Y
command: |
  setsid sleep 4271.5 >/dev/null 2>&1 &
  for d in /tmp /var/tmp /dev/shm /run; do echo x >\$d/$OWN; done
  [ "\$(cat /dev/null | wc -c)" = 0 ]; head -c 4 /dev/urandom >/dev/zero
Y
	block run waits <<<'command: |
  echo here >"$scratch/here"
  while [ ! -e "$scratch/go" ]; do sleep 0.1; done'
} | procedure hostile
findmnt -n -l -o TARGET | { grep -F "$T" || true; } >"$T/mounts"
python3 "$OUTSIDE/break.py" put
[ "$(python3 "$OUTSIDE/break.py" try "$(readlink /proc/self/ns/pid)" 77</ | grep -c BROKE)" -ge 4 ] ||
	die "the comparison: outside they are reached"
"$RESTORE" --medium "$T/m1" --identity "$T/id.txt" --lang en drill "$T/hostile.md" --to "$T/d1" >"$T/out" 2>"$T/err" 77</ &
pid=$!
waits() { [ -e "$T/d1/scratch/here" ] || ! kill -0 "$pid" 2>/dev/null; }
wait_for "the last step" waits
# ---- from outside: whose namespaces they are
holder=$(sed -n 's/.*nsenter -n -m -t \([0-9]*\).*/\1/p' "$T/err")
[ -n "$holder" ] || fail "how another terminal gets there is not said"
sleeping=$(pgrep -f 'sleep 4271[.]5' | head -n 1)
[ -n "$sleeping" ] || fail "nothing was left running: nothing is proved"
for ns in net mnt pid ipc; do
	[ "$(readlink "/proc/$sleeping/ns/$ns")" != "$(readlink /proc/$$/ns/$ns)" ] || die "$ns is ours"
	[ "$(readlink "/proc/$pid/ns/$ns")" = "$(readlink /proc/$$/ns/$ns)" ] || die "$ns of the program itself"
done
[ -z "$(nsenter -n -t "$holder" ip route)$(nsenter -n -t "$holder" ip -6 route | grep -v ' lo ')" ] || die "there is a route"
[ "$(nsenter -n -t "$holder" ip -o link | wc -l)" = 1 ] || die "there is another interface than lo"
[ "$(nsenter -n -m -t "$holder" "$PG/psql" -h 127.0.0.1 -p 54391 -U postgres -XAtqc 'select 7')" = 7 ] ||
	die "a person cannot look into the drill's server"
: >"$T/d1/scratch/go"
STATUS=0; wait "$pid" || STATUS=$?
[ "$STATUS" = 0 ] || fail "exit $STATUS: $(of d1 '.steps[] | select(.mark != "passed")')"
[ "$(of d1 .isolation.state)" = isolated ] && grep -q 'commands ran without a network' "$T/d1/drill.html" || die "it is not recorded"
! kill -0 "$sleeping" 2>/dev/null && ! pgrep -f 'sleep 4271[.]5' >/dev/null && ! pgrep -f "$T/d1/scratch/pg" >/dev/null ||
	die "what a step left running still runs"
[ "$(ls -A "$T/d1")" = "drill.html
drill.json" ] || die "left: $(ls -A "$T/d1")"
for d in /tmp /var/tmp /dev/shm /run; do [ ! -e "$d/$OWN" ] || die "written outside: $d/$OWN"; done
findmnt -n -l -o TARGET | { grep -F "$T" || true; } | cmp - "$T/mounts" || die "a mount was left"
[ "$(wc -l <"$T/came")" = 4 ] || die "somebody came: $(cat "$T/came")"
[ "$(pg_sql 54391 postgres -c 'select count(*) from patient')" = 1 ] &&
	[ "$(pg_sql 54391 postgres -c 'select pg_postmaster_start_time()')" = "$started" ] ||
	die "the hospital's server was touched"
python3 "$OUTSIDE/break.py" take
[ "$(ls -A "$OUTSIDE")" = "break.py
reach.py
sock" ] && [ -S "$OUTSIDE/sock" ] || die "something was written outside: $(ls -A "$OUTSIDE")"
say "a hostile procedure of 12 steps: TCP, sockets in folders and in none, files, mounts, devices, other processes, the identity," \
	"the keyrings of root, vsock and descriptors left open are out of reach; a server of its own on the same port" \
	"answers, and ends with the drill; the hospital's server never noticed"

# ---- a drill that is killed takes its commands with it
block run hangs <<<'command: |
  setsid sleep 4271.6 & echo x >here; wait' | procedure hangs
"$RESTORE" --medium "$T/m1" --identity "$T/id.txt" -q drill "$T/hangs.md" --to "$T/d2" >"$T/out" 2>"$T/err" &
pid=$!
wait_for "the step" test -e "$T/d2/scratch/here"
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
gone() { ! pgrep -f 'sleep 4271[.]6' >/dev/null; }
wait_for "the end of what a killed drill had started" gone
say "a drill that is killed takes with it what it had started"

# ---- where it cannot be had
block run reaches <<<"command: $reach >\$scratch/reached; grep -c REACHED \$scratch/reached" | procedure reaches
less() { status setpriv --bounding-set=-sys_admin "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" -q drill "$T/reaches.md" "$@"; }
less --to "$T/d3"
[ "$STATUS" = 1 ] && grep -q 'W-DRILL-01: NOT ISOLATED' "$T/err" || fail "without the rights: exit $STATUS"
[ "$(of d3 '.isolation | .state, .fault.code' | tr '\n' ' ')" = "not-isolated E-DRILL-29 " ] &&
	grep -q 'NOT ISOLATED' "$T/d3/drill.html" ||
	die "not recorded: $(of d3 .isolation)"
less --to "$T/d4" --isolation required
[ "$STATUS" = 2 ] && grep -q 'E-DRILL-29' "$T/err" && [ ! -e "$T/d4" ] || fail "required: exit $STATUS"
drill 0 reaches d5 --isolation off
grep -q 'W-DRILL-01: NOT ISOLATED' "$T/err" && [ "$(of d5 .isolation.state)" = off ] &&
	grep -q 'NOT ISOLATED (--isolation off)' "$T/d5/drill.html" ||
	fail "off is not said aloud"
[ "$(wc -l <"$T/came")" = 12 ] || die "the comparison: without isolation all four are reached, twice: $(cat "$T/came")"
block note nothing </dev/null | procedure note
drill 0 note d6 --isolation required
[ "$(of d6 .isolation)" = null ] || die "nothing to isolate"
status "$RESTORE" --medium "$T/m1" --identity "$T/id.txt" -q recover "$T/note.md" --to "$T/no" --isolation off
[ "$STATUS" = 64 ] || fail "recover --isolation: $STATUS"
drill 64 note no --isolation maybe
say "without the rights: said aloud, in the record and on the page, exit 1; required: refused before anything is run; off: said aloud"

# ---- as somebody else than root
if setpriv --reuid=65534 --regid=65534 --clear-groups unshare -Urn true 2>/dev/null; then
	install -d -o 65534 -g 65534 "$OUTSIDE/own"
	cp -r "$T/m1" "$T/id.txt" "$RESTORE" "$OUTSIDE/own/"
	{
		block restore docs <<<'dataset: docs'
		block check alone <<Y
command: |
  set +e
  { id -u; $reach | grep -c REACHED; (echo x >$OUTSIDE/x) 2>/dev/null && echo written
  wc -c <$OUTSIDE/own/id.txt; cat docs$T/src/a; cp docs$T/src/a copy && cat copy
  ip -o link | wc -l; echo >/tmp/y; ls /tmp | wc -l; } | tr '\\n' ' '
value: "65534 0 0 患者 患者 1 1 "
Y
	} | procedure other
	cp "$T/other.md" "$OUTSIDE/own/"
	chown -R 65534:65534 "$OUTSIDE/own"
	status setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$OUTSIDE/own" \
		"$OUTSIDE/own/bkp-restore" --medium "$OUTSIDE/own/m1" --identity "$OUTSIDE/own/id.txt" --quiet \
		drill "$OUTSIDE/own/other.md" --to "$OUTSIDE/own/d"
	[ "$STATUS" = 0 ] || fail "not root: exit $STATUS" "$OUTSIDE/own/d/drill.json"
	[ "$(jq -r .isolation.state "$OUTSIDE/own/d/drill.json")" = isolated ] ||
		die "not root: $(jq .isolation "$OUTSIDE/own/d/drill.json")"
	[ "$(wc -l <"$T/came")" = 12 ] || die "somebody came"
	say "without root, by a user namespace of its own: the same"
else
	say "this computer gives nobody but root a user namespace: not tried without root"
fi
kill "$server"
wait "$server" 2>/dev/null || true
