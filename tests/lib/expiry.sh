# shellcheck shell=bash
# Expiries on a day of choice, and a site that is put back to where it was.  Sourced behind nights.sh.

on_day() { # DAY COMMAND...
	local d=$1
	shift
	env "${FAKE_ENV[@]}" "FAKECLOCK=$((d * 86400))" "$@"
}
expire() { # CODE DAY ARGUMENT...: what it says is in $T/json
	local want=$1 d=$2
	shift 2
	STATUS=0
	on_day "$d" "$BKP" expire --json "$@" >"$T/json" 2>"$T/err" || STATUS=$?
	[ "$STATUS" = "$want" ] || { cat "$T/json" "$T/err" >&2; die "expire $*: exit $STATUS, expected $want"; }
}
keep() {
	thaw "$T/m1" "$T/m2"
	rm -rf "$T/start"
	mkdir "$T/start"
	cp -a "$T/state" "$T/m1" "$T/m2" "$T/src" "$T/policy.yaml" "$T/start/"
}
start() { thaw "$T/m1" "$T/m2"; rm -rf "$T/state" "$T/m1" "$T/m2" "$T/src"; cp -a "$T/start/." "$T/"; }
