# shellcheck shell=bash
# A clock that can be moved, for scenario tests.  Sourced behind site.sh.  Gives $FAKE_ENV, arguments of env that move no clock yet:
#   env "${FAKE_ENV[@]}" FAKECLOCK=86400 COMMAND…     a day later (tests/lib/fakeclock.c says what else there is)
#   until_then WHEN                                   seconds from now to WHEN, as date -d takes it
FAKE=$T/fakeclock.so
cc -O1 -shared -fPIC -o "$FAKE" "$SRC_ROOT/tests/lib/fakeclock.c" || die "fakeclock.c does not compile"
FAKE_ENV=("LD_PRELOAD=$FAKE" "ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS:-}")
until_then() { echo $(($(date -d "$1" +%s) - $(date +%s))); }
