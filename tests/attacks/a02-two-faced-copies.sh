#!/bin/bash
# Attack 2, copies: a medium with two faces (a02-two-faced.sh) as the source of a rotation and of a night's refill, and as the target of a
# night and of a rotation.  What arrives on another medium is right or refused, and brought by the next true source; what was written
# and reads otherwise is not called verified.
#   MODES, PARTS in the environment: which of them; SHOW=1 says what came of each
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lib/rotation.sh
. "$(dirname "$0")/../lib/rotation.sh"
# shellcheck source=tests/lib/faces.sh
. "$(dirname "$0")/../lib/faces.sh"
[ -e /dev/fuse ] || die "no /dev/fuse"
MODES=${MODES:-always end:1 open:1 bytes:60 again}
PARTS=${PARTS:-archives/ generations/ /}
rotation_make 2>/dev/null
N=0 SAID=0

turn() { # MEDIUM PART MODE: from now on it has two faces
	mv "$T/$1" "$T/$1.true"
	two_faces "$T/$1.true" "flip:$2" "$3" "$T/$1"
}
turn_back() { one_face "$T/$1"; rmdir "$T/$1"; mv "$T/$1.true" "$T/$1"; }
verified() {
	grep -c '"event":"verified".*"medium":"'"$(sed 's/.*"medium":"\([^"]*\)".*/\1/' "$T/$1/bkp-medium.json")" \
		"$T/state/journal/000001.jsonl" || :
}
# right MEDIUM WHERE: each archive is what its name says, each generation that is signed verifies
right() {
	local f g r
	r=$(set_of "$T/$1")
	for f in "$r"/archives/*/*.age; do
		[ "$(sha256sum <"$f" | cut -c1-64).age" = "${f##*/}" ] || die "$2: $f is not what its name says"
	done
	for g in "$r"/generations/*; do
		[ -e "$g/SHA256SUMS.minisig" ] || continue
		"$RESTORE" --quiet --medium "$T/$1" verify "$((10#${g##*/}))" >"$T/v" 2>&1 ||
			fail "$2: generation ${g##*/} on $1 is not what was signed" "$T/v"
	done
}
look() { # WHERE
	[ -z "${SHOW:-}" ] || { echo "-- $1: exit $STATUS"; head -n 3 "$T/err"; }
	[ "$STATUS" -le 3 ] || fail "$1: exit $STATUS" "$T/err"
	N=$((N + 1)) SAID=$((SAID + (STATUS != 0)))
}

for part in $PARTS; do
	for mode in $MODES; do
		at="rotation from a source, $part turned from $mode on"
		rotation_start ordinary
		turn nas "$part" "$mode"
		status "$BKP" rotate --operator Sato --quiet
		look "$at"
		turn_back nas
		right RDX-01 "$at"
		[ $STATUS != 0 ] || rotation_complete "$at"
		rotation_finish "$at"

		at="rotation to a target, $part turned from $mode on"
		rotation_start ordinary
		before=$(verified RDX-01)
		turn RDX-01 "$part" "$mode"
		status "$BKP" rotate --operator Sato --quiet
		look "$at"
		turn_back RDX-01
		right RDX-01 "$at"
		[ "$mode" != always ] || [ "$STATUS" != 0 ] || die "$at: exit 0"
		[ "$mode" != always ] || [ "$(verified RDX-01)" = "$before" ] || die "$at: called verified"

		at="a night to a target, $part turned from $mode on"
		rotation_start ordinary
		before=$(verified nas)
		head -c 1500000 /dev/urandom >"$T/src/data4"
		turn nas "$part" "$mode"
		status "$BKP" run --all --quiet
		look "$at"
		turn_back nas
		right nas "$at"
		[ "$mode" != always ] || [ "$STATUS" != 0 ] || die "$at: exit 0"
		[ "$mode" != always ] || [ "$(verified nas)" = "$before" ] || die "$at: called verified"
		rm "$T/src/data4"
	done
done

# a night that brings an online medium what it lacks, from another
sed -i "s|^  - {name: RDX-01.*|  - {name: RDX-01, type: rdx, path: $T/RDX-01, place: 金庫}|" "$T/policy.yaml"
for part in $PARTS; do
	for mode in $MODES; do
		at="a night's refill from a source, $part turned from $mode on"
		rotation_start ordinary
		turn nas "$part" "$mode"
		status "$BKP" run --all --quiet
		look "$at"
		turn_back nas
		right RDX-01 "$at"
		right nas "$at"
	done
done
say "$N nights and rotations with a medium of two faces, $SAID refused or named; every copy is right"

rotation_start ordinary
sed -i "s|^  - {name: RDX-01.*|  - {name: RDX-01, type: rdx, offline: true, path: $T/RDX-01, place: 金庫}|" "$T/policy.yaml"
turn nas archives/ always
detected "a source of copies that turned" E-MIRROR-01 "$BKP" rotate --operator Sato --quiet
turn_back nas
rotation_start ordinary
turn RDX-01 archives/ always
detected "a target that reads otherwise than it was written" E-VERIFY-02 "$BKP" rotate --operator Sato --quiet
turn_back RDX-01
