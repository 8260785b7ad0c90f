# shellcheck shell=bash
# A small site for scenario tests.  Sourced.  Gives: $T (scratch folder, removed at the end), $BKP, $RESTORE, say, die, fail, said, and
#   site_make           source $T/src, media $T/m1 $T/m2, identity $T/id.txt (stock age-keygen), policy $T/policy.yaml, init
#                       ($ROOT_KEY: file that the root key is written to)
#   site_policy TEXT    writes the policy with these data sets (YAML), two media; in an existing site what it narrows is accepted
#   run/expect helpers
set -eu
: "${BKP_BIN:?folder of the built programs}"
BKP=$BKP_BIN/bkp
RESTORE=$BKP_BIN/bkp-restore
SRC_ROOT=${BKP_SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
T=$(mktemp -d "${TMPDIR:-/tmp}/bkp-test.XXXXXX")
chmod 0755 "$T"
export BKP_POLICY=$T/policy.yaml
export BKP_SLIPS=$T/slips # where no output has a folder to stand beside
export COLUMNS=10000 # sentences are not broken: a test looks for them as they are

# A command that fails where nothing was to fail ends the test by set -e: it says where, also if it printed nothing itself.
trap 'echo "FAILED: ${BASH_SOURCE[0]##*/}:$LINENO: exit $?: $BASH_COMMAND" >&2' ERR

say() { echo "proved: $*"; }
die() { echo "FAILED: $*" >&2; exit 1; }
# fail WORDS [FILE...]: shows the files, by default what the last command printed, and dies
fail() {
	local words=$1
	shift
	[ $# -gt 0 ] || set -- "$T/out" "$T/err"
	cat "$@" >&2 || true
	die "$words"
}
# said PATTERN: in what the last command printed
said() { grep -qE -e "$1" "$T/out" "$T/err" || fail "it is not said: $1"; }

site_cleanup() {
	local m
	for m in $(awk -v t="$T" '$2 ~ "^"t {print $2}' /proc/mounts | sort -r); do umount -l "$m" 2>/dev/null || true; done
	if [ -x "$SRC_ROOT/tests/lib/rmtree.sh" ]; then
		"$SRC_ROOT/tests/lib/rmtree.sh" "$T"
	else
		chattr -R -f -i -a "$T" 2>/dev/null || true
		rm -rf "$T"
	fi
}
trap site_cleanup EXIT

# loop_of [OPTION...] FILE: a loop device of it, by name; a read-only mark that the kernel kept from a former one is taken off
loop_of() {
	local l
	l=$(losetup -f --show "$@") || return
	case " $* " in *" --read-only "*) ;; *) blockdev --setrw "$l" || return ;; esac
	echo "$l"
}

# other_uuid IMAGE|DEVICE [UUID]: the ext4 on it gets another UUID (tune2fs asks for a check that is younger than the last mount)
other_uuid() {
	e2fsck -fy "$1" >"$T/e2fsck" 2>&1 || [ $? = 1 ] || fail "e2fsck $1" "$T/e2fsck"
	tune2fs -U "${2:-random}" "$1" >"$T/tune2fs" 2>&1 || fail "tune2fs $1" "$T/tune2fs"
}

# thaw DIR: takes the immutable flags off, as only root can, so that a test can damage a medium
thaw() { chattr -R -f -i "$@" 2>/dev/null || true; }

site_policy() {
	sed 's/^\t*//' >"$T/policy.yaml" <<-Y
	site: {name: テスト診療所, language: en}
	state: $T/state
	datasets:
	$1
	media:
	  - {name: m1, type: hdd, path: $T/m1, place: サーバ室}
	  - {name: m2, type: ssd, path: $T/m2, place: 別室}
	Y
	[ ! -e "$T/state/journal/000001.jsonl" ] || policy_accept || true
}

# policy_accept: what another policy captures or guards less from now on is meant to be so (W-POLICY-01)
# shellcheck disable=SC2120 # scenarios name another operator
policy_accept() {
	"$BKP" --quiet accept --policy-change --operator "${1:-Sato}" --reason "a test" >"$T/accepted" 2>&1 ||
		grep -q E-HOLD-07 "$T/accepted"
}

site_make() {
	mkdir -p "$T/src" "$T/m1" "$T/m2"
	[ -s "$T/id.txt" ] || age-keygen -o "$T/id.txt" 2>/dev/null
	[ -s "$T/policy.yaml" ] || site_policy "  - {name: docs, title: 文書, paths: [$T/src]}"
	"$BKP" init --recipient "$(age-keygen -y "$T/id.txt")" --root-key-out "${ROOT_KEY:-$T/root.$RANDOM$RANDOM}" >"$T/init.out"
	"$BKP" medium add m1 >/dev/null
	"$BKP" medium add m2 >/dev/null
}

# status COMMAND...: runs it, prints nothing, gives its exit code in $STATUS, output in $T/out and $T/err
status() {
	STATUS=0
	"$@" >"$T/out" 2>"$T/err" || STATUS=$?
}

# expect CODE COMMAND...
expect() {
	local want=$1
	shift
	status "$@"
	[ "$STATUS" = "$want" ] || { cat "$T/out" "$T/err" >&2; die "exit $STATUS, expected $want: $*"; }
}

repo_of() { # MEDIUM: its repository folder
	echo "$1"/????????-????-????-????-????????????
}
set_of() { # MEDIUM [DATASET]: the folder of a data set in it, which holds archives/ and generations/
	echo "$(repo_of "$1")/datasets/${2:-docs}"
}

# carried FILE: that copy of the journal is the journal, but for the records of its having been carried and of how the command ended
carried() {
	local n
	n=$(stat -c %s "$1")
	head -c "$n" "$T/state/journal/000001.jsonl" | cmp -s - "$1" || return 1
	! tail -c "+$((n + 1))" "$T/state/journal/000001.jsonl" | grep -qvE '"event":"(heads|outcome|notified)"'
}

# period_key: a file with the identity that archives are encrypted to, by stock age from the person's
period_key() {
	[ -s "$T/period.key" ] || age -d -i "$T/id.txt" "$T/state/keys/1/holder-1.age" >"$T/period.key" ||
		die "age does not open holder-1.age"
	echo "$T/period.key"
}
# unseal [FILE]: what an age file of the repository holds, by stock age
unseal() { age -d -i "$(period_key)" "$@"; }

# record EVENT: the newest record of it
record() { grep "\"event\":\"$1\"" "$T/state/journal/000001.jsonl" | tail -n 1; }

restore_to() { # MEDIUM GENERATION DIR [DATASET]: the data set's tree appears as DIR/<absolute path>
	"$RESTORE" --medium "$1" --identity "$T/id.txt" extract "${4:-docs}@$2" --to "$3"
}

# whole MEDIUM GENERATION: docs@2, or 2 for all of a run: it verifies.  Where a run died its medium's copy of the journal may end before
# it: that is said, exit 1.
whole() {
	"$RESTORE" --quiet --medium "$1" verify "$2" >"$T/out" 2>&1 || {
		[ $? = 1 ] && ! grep '^bkp-restore: [EW]-' "$T/out" | grep -qvE 'W-VAULT-11.*(ends before it|did not end well|carries no)'
	}
}

# reported_verify WHERE: every generation that is reported verifies on every medium that is said to hold it; $T/copies lists
# them, "docs@2 medium" a line
reported_verify() {
	local g m
	"$BKP" generations --json >"$T/gens" || die "$1: generations"
	python3 - "$T/gens" <<-'P' >"$T/copies"
	import json, sys
	for g in json.load(open(sys.argv[1]))["generations"]:
	    if g["state"] == "committed":
	        for m in g["media"]:
	            if m["ok"]:
	                print("%s@%d" % (g["dataset"], g["generation"]), m["label"])
	P
	while read -r g m; do
		whole "$T/$m" "$g" || { cat "$T/out" >&2; die "$1: $g on $m is reported and does not verify"; }
	done <"$T/copies"
}
