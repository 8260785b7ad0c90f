# shellcheck shell=bash
# Real servers for scenario tests: PostgreSQL, MariaDB, Orthanc, each private: below $T, on a socket there, no service started.
# Sourced behind site.sh.  Whatever was started is stopped at the end, however the test ends.  A server that the machine runs by
# itself is never touched: other folders, other sockets, another port.
#
#   pg_new DIR PORT        initdb and start; socket in $T/run, program's folder $PG          pg_sql PORT DATABASE [ARGUMENT...]
#   my_new DIR             mariadb-install-db and start; socket DIR/sock                     my_sql DIR [ARGUMENT...]
#   free_port              a port of TCP on this computer that nobody listens at, below those that are given out for outgoing calls
#   orthanc_start DIR PORT   with DIR/orthanc.json, which is made when it is not there; waits until it answers   orthanc_stop DIR
#   recovery_set_up        answers to the three gates in $T/attest.yaml, a database of viruses in $T/virus, another disk at $T/o
#   nightly COMMAND...     runs it as cron does: the environment is PATH=/usr/bin:/bin, HOME, and what
#                          nightly_env NAME=VALUE... said
[ "$(id -u)" = 0 ] || die "needs root: the servers run as their own users"
PG=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
install -d -o postgres -g postgres -m 0755 "$T/run"

# ours: the processes whose command line, environment or folder names $T, which mktemp made for this test alone.  Not only our
# children: what a command of bkp or a drill has started is none.
servers_ours() {
	local p
	for p in /proc/[0-9]*; do
		[ "${p#/proc/}" != $$ ] && [ "${p#/proc/}" != "$BASHPID" ] || continue
		{ cat "$p/cmdline" "$p/environ" && readlink "$p/cwd"; } 2>/dev/null | grep -qaF "$T" && echo "${p#/proc/}"
	done
	return 0
}
servers_stop() {
	local d i p
	set +e
	trap '' INT TERM
	# PostgreSQL's own way first: it takes its shared memory away
	while read -r d; do
		as postgres "$PG/pg_ctl" -D "${d%/*}" -m immediate stop >/dev/null 2>&1
	done < <(find "$T" -path "$T/m?" -prune -o -name postmaster.pid -print)
	for ((i = 0; i < 50; i++)); do
		p=$(servers_ours)
		[ -n "$p" ] || break
		# shellcheck disable=SC2086
		kill -KILL $p 2>/dev/null
		sleep 0.1
	done
	wait
	site_cleanup
}
trap servers_stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

become() { # USER COMMAND...: in a subshell of its own, which becomes the command: its $! is the server's
	local user=$1
	shift
	cd /
	exec setpriv --reuid="$user" --regid="$user" --init-groups -- "$@"
}
as() { (become "$@"); }

wait_for() { # WHAT COMMAND...: until it succeeds, 20 s
	local what=$1 i
	shift
	for ((i = 0; i < 200; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	die "$what: not within 20 s"
}

NIGHTLY_ENV=()
nightly_env() { NIGHTLY_ENV=("$@"); }
nightly() {
	env -i PATH="${NIGHTLY_PATH:-/usr/bin:/bin}" HOME="$T/home" LOGNAME=root SHELL=/bin/sh \
		"${NIGHTLY_ENV[@]}" BKP_POLICY="$BKP_POLICY" "$@"
}

# policy_of NAME SED-EXPRESSION...: policies/NAME.yaml as it is, but for the places: state, media and what the expressions say.
# What may not be changed is what is tested: commands, probes, formats.
policy_of() {
	local name=$1 e=()
	shift
	for s in "$@"; do e+=(-e "$s"); done
	mkdir -p "$T/home" "$T/m1"
	sed -e "s|^state: .*|state: $T/state|" -e "s|path: /mnt/[a-z]*/bkp|path: $T/m1|" -e '/max_attached/d' \
		-e '/^pools:/d' -e '/^  - {name: [a-z]*, media: \[/d' "${e[@]+"${e[@]}"}" \
		"$SRC_ROOT/policies/$name.yaml" >"$BKP_POLICY"
	sed -i -e "/path: ${T//\//\\/}\\/m1/a\\  - {name: second, type: ssd, path: $T/m2, place: 別室}" \
		-e '/^places:/a\  - {name: 別室}' "$BKP_POLICY"
	mkdir -p "$T/m2"
	MEDIUM=$(sed -n "s|.*{name: \([^,]*\),.*path: $T/m1.*|\1|p" "$BKP_POLICY")
	[ -s "$T/id.txt" ] || age-keygen -o "$T/id.txt" 2>/dev/null
	"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null 2>&1
	"$BKP" medium add "$MEDIUM" >/dev/null 2>&1 # it warns that a folder of /tmp is no disk
	"$BKP" medium add second >/dev/null 2>&1
}

drill_field() { # DIR PYTHON-EXPRESSION of d, the drill's record
	python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1/drill.json" "$2"
}

# recorded_probe RUN DATASET: the value that the generation holds, as who has the recovery identity sees it
recorded_probe() {
	"$RESTORE" --lang en --medium "$T/m1" --identity "$T/id.txt" verify "$2@$1" --deep --json 2>/dev/null |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["generations"][0]["probe"])'
}

# recovery_set_up: what a drill and a recovery by one of policies/procedures need; answers of other steps are put behind
recovery_set_up() {
	mkdir -p "$T/virus" "$T/o"
	echo "$(echo evil | md5sum | cut -c-32):5:Evil" >"$T/virus/test.hdb" # no database can be had here
	mount -t tmpfs -o size=900m,mode=755 none "$T/o"
	cat >"$T/attest.yaml" <<-'Y'
	by: 事務長
	again: yes
	answers:
	  - {step: security, answer: yes, note: 画面の写し 1～3}
	  - {step: hole, answer: yes, by: 院長, note: 調査報告書 第2版}
	  - {step: hole, answer: yes, by: ベンダ 佐藤, note: 診断 R-12}
	  - {step: accounts, answer: yes, note: 名簿と照合 台帳 7 頁}
	Y
}

# ---- PostgreSQL
pg_new() {
	local dir=$1 port=$2
	install -d -o postgres -g postgres -m 0700 "$dir"
	as postgres "$PG/initdb" -D "$dir" -k -E UTF8 --locale=C.UTF-8 -A peer >/dev/null
	printf "listen_addresses = ''\nport = %s\nunix_socket_directories = '%s'\nfsync = off\nwal_keep_size = '1GB'\n" "$port" \
		"$T/run" >>"$dir/postgresql.conf"
	pg_start "$dir"
}
pg_start() {
	as postgres "$PG/pg_ctl" -D "$1" -l "$1/log" -w start >/dev/null || { tail "$1/log" >&2; die "PostgreSQL in $1 does not start"; }
}
pg_stop() { as postgres "$PG/pg_ctl" -D "$1" -m fast -w stop >/dev/null; }
pg_sql() {
	local port=$1 db=$2
	shift 2
	as postgres "$PG/psql" -h "$T/run" -p "$port" -X -A -t -q -v ON_ERROR_STOP=1 -d "$db" "$@"
}

# ---- MariaDB
my_new() {
	install -d -o mysql -g mysql -m 0755 "$1"
	install -d -o mysql -g mysql -m 0700 "$1/data"
	# not root's folder for temporary files, where mysql may not write
	TMPDIR=$1 mariadb-install-db --no-defaults --user=mysql --datadir="$1/data" --auth-root-authentication-method=socket \
		--skip-test-db >"$1/install.log" 2>&1 ||
		{ cat "$1/install.log" >&2; die "mariadb-install-db"; }
	my_start "$1"
}
my_start() {
	(become mysql /usr/sbin/mariadbd --no-defaults --datadir="$1/data" --socket="$1/sock" --pid-file="$1/server.pid" \
		--skip-networking --tmpdir="$1" \
		--innodb-buffer-pool-size=32M --innodb-flush-log-at-trx-commit=2) >"$1/log" 2>&1 </dev/null &
	wait_for "MariaDB in $1" my_sql "$1" -e 'select 1'
}
my_stop() {
	local p
	p=$(cat "$1/server.pid")
	mariadb-admin --no-defaults -S "$1/sock" shutdown
	wait_for "MariaDB in $1 stops" test ! -e "/proc/$p"
}
my_sql() {
	local dir=$1
	shift
	mariadb --no-defaults --default-character-set=utf8mb4 -S "$dir/sock" -N -B "$@"
}

# ---- Orthanc, which has no socket but one of TCP
free_port() {
	local p
	while :; do
		p=$((20000 + RANDOM % 8000))
		(: <>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || { echo "$p"; return; }
	done
}
orthanc_conf() { # DIR PORT
	cat >"$1/orthanc.json" <<-J
	{"Name": "$1", "StorageDirectory": "$1/db", "IndexDirectory": "$1/db", "Plugins": [], "HttpPort": $2, "DicomServerEnabled": false,
	 "RemoteAccessAllowed": false, "AuthenticationEnabled": false}
	J
}
orthanc_start() {
	[ -f "$1/orthanc.json" ] || orthanc_conf "$1" "$2"
	(become orthanc /usr/sbin/Orthanc "$1/orthanc.json") >>"$1/log" 2>&1 </dev/null &
	echo $! >"$1/orthanc.pid"
	wait_for "Orthanc in $1" orthanc_answers "$1" "$2"
}
# it, and not another one that took the port first
orthanc_answers() { kill -0 "$(cat "$1/orthanc.pid")" && curl -fsS "http://127.0.0.1:$2/system" | grep -qF "\"Name\" : \"$1\""; }
orthanc_stop() {
	local p
	p=$(cat "$1/orthanc.pid")
	kill -TERM "$p"
	wait_for "Orthanc in $1 stops" test ! -e "/proc/$p"
	rm -f "$1/orthanc.pid"
}
