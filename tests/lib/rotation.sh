# shellcheck shell=bash
# A site with a NAS and one medium kept offline, in memory, for tests that interrupt rotations.  Sourced after site.sh.  Gives:
#   rotation_make       three generations; RDX-01 holds the first and lacks two.  Starts: "ordinary" and "mending" (files of the
#                       first vanished from the disk)
#   rotation_start NAME the state of things is that start again
#   rotation_check WHERE  nothing that was on the disk changed, every generation on it verifies, the journal continues
#   rotation_finish WHERE the next rotation, unaided, ends complete and equal to the NAS
[ -d /dev/shm ] && { d=$(mktemp -d /dev/shm/bkp-rotate.XXXXXX); rm -rf "$T"; T=$d; export BKP_POLICY=$T/policy.yaml; }
# shellcheck disable=SC2034 # for those who source this, and site.sh
BKP=${BKP_RELEASE:-$BKP_BIN}/bkp RESTORE=${BKP_RELEASE:-$BKP_BIN}/bkp-restore

rotation_keep() { # NAME
	thaw "$T/nas" "$T/RDX-01"
	mkdir "$T/start.$1"
	cp -a "$T/state" "$T/nas" "$T/RDX-01" "$T/start.$1/"
	(cd "$(repo_of "$T/RDX-01")" && find datasets -type f -exec sha256sum {} +) >"$T/start.$1/sums"
}

rotation_start() {
	thaw "$T/nas" "$T/RDX-01"
	rm -rf "$T/state" "$T/nas" "$T/RDX-01"
	cp -a "$T/start.$1/." "$T/"
	cp "$T/state/journal/000001.jsonl" "$T/journal.before"
	START=$1
}

rotation_make() {
	local g victim
	mkdir -p "$T/src" "$T/nas" "$T/RDX-01"
	age-keygen -o "$T/id.txt" 2>/dev/null
	sed 's/^\t*//' >"$T/policy.yaml" <<-Y
	site: {name: テスト診療所, language: en}
	state: $T/state
	archive_size: 1 MiB
	datasets:
	  - {name: docs, paths: [$T/src]}
	media:
	  - {name: nas, type: hdd, path: $T/nas, place: サーバ室}
	  - {name: RDX-01, type: rdx, offline: true, path: $T/RDX-01, place: 金庫}
	Y
	"$BKP" init --root-key-out "$T/root.$RANDOM$RANDOM" --recipient "$(age-keygen -y "$T/id.txt")" >/dev/null
	"$BKP" --quiet medium add nas
	"$BKP" --quiet medium add RDX-01
	for g in 1 2 3; do
		head -c 1500000 /dev/urandom >"$T/src/data$g"
		expect 0 "$BKP" --quiet run --all
		[ $g != 1 ] || expect 0 "$BKP" --quiet rotate --operator Sato
	done
	rotation_keep ordinary
	victim=$(set_of "$T/RDX-01")
	rm -f "$(ls "$victim"/archives/*/*.age | head -n 1)" "$victim/generations/000001/SHA256SUMS.minisig"
	rotation_keep mending
}

rotation_check() {
	local g
	(cd "$(repo_of "$T/RDX-01")" && sha256sum --quiet -c "$T/sums") || die "$1: a byte of what was on the disk changed"
	for g in "$(set_of "$T/RDX-01")"/generations/*; do
		# what had lost files before is incomplete until it has them again; it is never called whole
		[ "$START" = mending ] && [ "${g##*/}" = 000001 ] &&
			! (cd "$g/../.." && [ -e "$g/SHA256SUMS.minisig" ] && sha256sum --status -c "$g/SHA256SUMS") && continue
		whole "$T/RDX-01" "$((10#${g##*/}))" || { cat "$T/out" >&2; die "$1: generation ${g##*/} on the disk does not verify"; }
	done
	head -c "$(stat -c %s "$T/journal.before")" "$T/state/journal/000001.jsonl" | cmp -s - "$T/journal.before" ||
		die "$1: the journal lost acknowledged records"
	"$BKP" journal verify >/dev/null || [ $? = 1 ] || die "$1: journal verify"
}

rotation_complete() { # WHERE: the disk holds exactly what the NAS holds, README.txt and the journal
	local nas rdx
	nas=$(repo_of "$T/nas") rdx=$(repo_of "$T/RDX-01")
	diff -r "$nas/datasets" "$rdx/datasets" >&2 ||
		die "$1: the disk is not complete"
	carried "$rdx/journal/000001.jsonl" || die "$1: the journal on the disk is another"
	tail -n 1 "$rdx/journal/000001.jsonl" | grep -q '"event":"rotated".*"generations":3,"newest":3.*"complete":true' ||
		die "$1: not recorded as complete: $(tail -n 1 "$rdx/journal/000001.jsonl")"
	[ -s "$T/RDX-01/README.txt" ] || die "$1: no README.txt"
}

# Exit status of a rotation that came to its end: of a disk from which verified files had vanished it says so (1).
rotation_well() { [ "$STATUS" = 0 ] || [ "$START$STATUS" = mending1 ]; }

rotation_finish() {
	status "$BKP" rotate --operator Sato --quiet
	rotation_well || { cat "$T/out" "$T/err" >&2; die "$1: the next rotation, unaided: exit $STATUS"; }
	rotation_complete "$1"
	[ -z "$(ls -A "$T"/RDX-01/*/tmp)" ] || die "$1: rubbish on the disk"
	rotation_check "$1, then the next rotation"
}
