#!/bin/bash
# Goal: the medium kept offline is in an attacker's hands before it is rotated.  Links, FIFOs, devices, mounts, huge files, other
# numbers, another history in the place of what belongs there: nothing outside the medium changes, nothing hangs, nothing of it is
# called whole that is not, and what a person must know is said.
# shellcheck source=tests/lib/site.sh
. "$(dirname "$0")/../lib/site.sh"
# shellcheck source=tests/lib/rotation.sh
. "$(dirname "$0")/../lib/rotation.sh"
[ "$(id -u)" = 0 ] || die "needs root (mounts)"
# shellcheck disable=SC2034 # for rotation.sh
BKP=$BKP_BIN/bkp RESTORE=$BKP_BIN/bkp-restore
rotation_make
tried=0
victim() { mkdir -p "$T/victim/sub/deep"; echo keep >"$T/victim/file"; echo keep >"$T/victim/sub/deep/file"; }
fingerprint() { (cd "$T/victim" && find . -printf '%p %y %m %u %s %T@\n' | sort && find . -type f -exec cat {} + -exec lsattr {} +); }
victim
fingerprint >"$T/fingerprint"
# start: M the medium, R its repository, D its data set, A an archive that it lacks
start() {
	rotation_start "${1:-ordinary}"
	M=$T/RDX-01 R=$(repo_of "$T/RDX-01") D=$(set_of "$T/RDX-01")
	A=$(cd "$(set_of "$T/nas")" && for a in archives/*/*.age; do [ -e "$D/$a" ] || echo "$a"; done | head -n 1)
	mkdir -p "$D/$(dirname "$A")"
}
unchanged() { fingerprint | cmp -s - "$T/fingerprint" || die "$1: something outside the medium was changed"; }
# rotated WHAT EXIT CODE-OR-EMPTY; then whatever is called complete is complete
rotated() {
	local what=$1 want=$2 code=$3
	shift 3
	tried=$((tried + 1))
	status timeout -k 1 60 "$BKP" rotate --operator Sato "$@"
	[[ $STATUS =~ ^$want$ ]] || fail "$what: exit $STATUS, expected $want"
	[ -z "$code" ] || grep -q "$code" "$T/err" || fail "$what: $code is not said" "$T/err"
	! grep -q 'AddressSanitizer\|runtime error' "$T/err" || fail "$what" "$T/err"
	unchanged "$what"
	expect 0 timeout 60 "$BKP" --quiet run --all
	unchanged "$what, then the night"
	for m in $(awk -v t="$T/RDX-01" '$2 ~ "^"t {print $2}' /proc/mounts | sort -r); do umount "$m"; done
	chattr -R -f -i -a "$T/RDX-01" "$T/victim" 2>/dev/null || true
}

# ---- something else in the place of a folder
for name in datasets datasets/docs datasets/docs/archives datasets/docs/generations tmp journal procedures; do
	for kind in link fifo device file; do
		start; rm -rf "${R:?}/$name"
		case $kind in link) ln -s "$T/victim" "$R/$name" ;; fifo) mkfifo "$R/$name" ;; device) mknod \
			"$R/$name" c 1 5 ;; file) echo >"$R/$name" ;; esac
		if [ $name = procedures ]; then rotated "$name: $kind" 1 E-DOCS-01; else rotated "$name: $kind" 2 E-ROTATE-08; fi
	done
done
start; rm -rf "$M/tools"; ln -s "$T/victim" "$M/tools"; rotated "tools: link" 1 E-DOCS-01
start; mv "$R" "$M/real"; ln -s "$M/real" "$R"; rotated "the repository is a link" 2 E-MEDIA-05
# mounts: tmp/ is cleared by every run, so what is mounted there would be erased
for name in datasets datasets/docs datasets/docs/archives datasets/docs/generations tmp; do
	start; mkdir -p "$R/$name"; mount --bind "$T/victim" "$R/$name"; rotated "$name: a mount" 2 "mount of something else"
done
start; mkdir "$R/tmp/x"; mount --bind "$T/victim" "$R/tmp/x"; rotated "tmp/x: a mount" 2 "no leftover of a run"
start; mount --bind "$T/victim" "$R"; rotated "the repository: a mount" 2 E-PUBLISH-06
say "$tried times something else stood in the place of a folder: said, and nothing outside the medium was written or erased"

# ---- something else in the place of a file
for name in README.txt bkp-medium.json; do
	for kind in link fifo device huge; do
		start; rm -f "${M:?}/$name"
		case $kind in link) ln -s "$T/victim/file" "$M/$name" ;; fifo) mkfifo "$M/$name" ;; device) mknod \
			"$M/$name" c 1 5 ;; huge) truncate -s 1T "$M/$name" ;; esac
		if [ $name = README.txt ]; then rotated "$name: $kind" 1 W-DOCS-05; else rotated "$name: $kind" 2 "E-ROTATE-02\|E-IO-0"; fi
	done
done
start; rm -f "$M/README.txt"; ln "$T/victim/file" "$M/README.txt"; rotated "README.txt: a hard link" 1 W-DOCS-05
start; rm -f "$M/README.txt"; mkdir -p "$M/README.txt/x"; rotated "README.txt: a folder" 1 E-DOCS-01
start; rm -f "$M/README.txt"; mkdir -p "$M/.README.txt.tmp/x"; rotated "README.txt's temporary name: a folder" 1 E-DOCS-01
for kind in link fifo device; do
	start
	case $kind in link) ln -s "$T/victim/file" "$D/$A" ;; fifo) mkfifo "$D/$A" ;; device) mknod "$D/$A" b 7 200 ;; esac
	rotated "an archive: $kind" "[12]" E-PUBLISH-03
	start
	mkdir "$D/generations/000002"
	case $kind in link) ln -s "$T/victim/file" "$D/generations/000002/root.age" ;; fifo) mkfifo \
		"$D/generations/000002/root.age" ;; device) mknod "$D/generations/000002/root.age" c 1 5 ;; esac
	rotated "a document of a generation: $kind" 1 E-PUBLISH-04
	start
	for name in reserve stage-0 generation-0 journal.copy document-0; do
		case $kind in link) ln -s "$T/victim/file" "$R/tmp/$name" ;; fifo) mkfifo "$R/tmp/$name" ;; device) mknod \
			"$R/tmp/$name" c 1 5 ;; esac
	done
	rotated "names of ours in tmp/: $kind" 0 ''
done
start; truncate -s 3G "$D/$A"; rotated "a huge archive" "[12]" E-PUBLISH-03
start; ln -s "$T/victim" "$D/generations/000002"; rotated "a generation: link" 1 E-PUBLISH-04
start; mkdir "$D/generations/000002"; truncate -s 1T "$D/generations/000002/SHA256SUMS"; rotated "a huge list" 1 E-PUBLISH-04
start; rm -rf "${D:?}/archives"; mkdir "$D/archives"; for i in $(seq 0 255); do ln -s "$T/victim" "$D/archives/$(printf %02x "$i")"; done
rotated "every folder of archives: link" 2 E-ROTATE-08
start; python3 - "$R/tmp" <<'P'
import os, sys
os.chdir(sys.argv[1])
for _ in range(20000):
    os.mkdir("d")
    os.chdir("d")
P
rotated "20,000 folders in each other in tmp/" 2 "no leftover of a run"
find "$R/tmp" -depth -mindepth 1 -delete 2>/dev/null || rm -rf "${R:?}/tmp"
say "$tried cases in all: files, generations, numbers and flags of an attacker; nothing hung, nothing was followed, nothing was truncated"

# ---- generations that the journal never knew: they are not believed, and the night does not mistake them for its own
start; mkdir "$D/generations/000004" "$D/generations/000000" "$D/generations/99999999999999999999"
echo junk >"$D/generations/000004/manifest.json"
status "$BKP" rotate --operator Sato
[ "$STATUS" = 1 ] && grep -q 'W-ROTATE-20: 3 files' "$T/err" || die "generations ahead of ours: $STATUS $(cat "$T/err")"
expect 0 "$BKP" --quiet run --all
status "$BKP" rotate --operator Sato
[ "$STATUS" = 2 ] && grep -q E-PUBLISH-04 "$T/err" || die "junk in the place of generation 4 was not said: $STATUS $(cat "$T/err")"
[ "$(cat "$D/generations/000004/manifest.json")" = junk ] || die "what stood there was changed"
! "$BKP" generations --json | python3 -c 'import json,sys
for g in json.load(sys.stdin)["generations"]:
    if g["generation"] == 4: sys.exit(not any(m["label"] == "RDX-01" and m["ok"] for m in g["media"]))' || die "junk counts as a copy"
say "a junk generation ahead of ours is neither published over nor counted as a copy"

# ---- rolled back: an old copy of the disk
start mending; rotation_finish_once() { status "$BKP" rotate --operator Sato "$@"; }
rotation_finish_once
[ "$STATUS" = 1 ] && grep -q W-ROTATE-02 "$T/err" && grep -q 'VANISHED' "$T/out" ||
	fail "that verified copies vanished is not said ($STATUS)"
rotation_complete "rolled back"
rotation_finish_once --json
[ "$STATUS" = 0 ] && grep -q '"vanished": *0' "$T/out" || die "the next rotation: $STATUS $(cat "$T/out")"
say "what had been verified and is gone from the disk is brought again, and it is said that it was gone"

# ---- another history on the disk: it may be the proof that this host's was rewritten
history() { # WHAT LINE [CODE]: refused, and not a byte of the medium changes
	find "$M" -type f -size -100M -exec sha256sum {} + | sort >"$T/before"
	status "$BKP" rotate --operator Sato
	[ "$STATUS" = 2 ] && grep -q "${3:-E-PUBLISH-05}" "$T/err" || fail "$1: exit $STATUS"
	[ -n "${3:-}" ] || grep -q "from line $2 on" "$T/err" || fail "$1: the line is not said" "$T/err"
	find "$M" -type f -size -100M -exec sha256sum {} + | sort | cmp - "$T/before" || die "$1: the proof was changed"
	tried=$((tried + 1))
}
start; lines=$(wc -l <"$T/state/journal/000001.jsonl")
cp "$T/state/journal/000001.jsonl" "$R/journal/000001.jsonl"; tail -n 1 "$T/state/journal/000001.jsonl" >>"$R/journal/000001.jsonl"
history "longer than ours" $((lines + 1))
start; sed -i '3s/"by":"/"by":"x/' "$R/journal/000001.jsonl"; history "another line" 3
start; truncate -s 1T "$R/journal/000001.jsonl"; history "huge" 1 # by its size, before its zeros are read
# the state folder was brought back from before the rotation, and captures go on from there
start; cp -a "$T/state" "$T/state.old"
expect 0 "$BKP" --quiet rotate --operator Sato
rm -rf "$T/state"; mv "$T/state.old" "$T/state"
history "an old state folder" $((lines + 1)) E-HISTORY-01
[ "$(wc -l <"$T/state/journal/000001.jsonl")" = "$lines" ] || die "an old state folder was written to"
# the same on an online medium: the copy of the journal stays, and a person hears of it
start; N=$(repo_of "$T/nas")/journal/000001.jsonl
sed -i '3s/"by":"/"by":"x/' "$N"; sha256sum "$N" >"$T/before"
status "$BKP" --quiet run --all
[ "$STATUS" = 1 ] && grep -q E-PUBLISH-05 "$T/err" || fail "another history on the NAS: exit $STATUS"
sha256sum --quiet -c "$T/before" || die "the NAS's journal was replaced"
say "another history in a medium's copy of the journal is never overwritten: the rotation is refused, the night says so"

# ---- what is to be copied into a shell
start; umount "$T/x" 2>/dev/null || true
truncate -s 64M "$T/d.img"; mkfs.ext4 -q "$T/d.img"
evil="$T/x; touch pwned '"; mkdir "$evil"; mount -o loop "$T/d.img" "$evil"
sed "s|path: $T/RDX-01|path: \"$evil\"|; s|RDX-01|RDX-09|" "$T/policy.yaml" >"$T/policy2.yaml"
BKP_POLICY=$T/policy2.yaml "$BKP" --quiet medium add RDX-09 || die "medium add"
BKP_POLICY=$T/policy2.yaml "$BKP" rotate RDX-09 --operator "Sa'to; x" >"$T/out" 2>"$T/err" || true
hint=$(sed -n "s/.*(\(umount .*\)), take it.*/\1/p" "$T/out")
[ -n "$hint" ] || { cat "$T/out" "$T/err" >&2; umount "$evil"; die "no hint"; }
(cd "$T" && umount() { [ "$#" = 1 ] && [ "$1" = "$evil" ]; } && eval "$hint") || die "the hint is not one command with one word: $hint"
[ ! -e "$T/pwned" ] || die "the hint runs a name"
umount "$evil"
say "a mount point full of shell is one word in the command that the operator is told to run"
