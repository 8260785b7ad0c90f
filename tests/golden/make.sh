#!/bin/bash
# make.sh product|writer --replace: writes a golden medium anew, NAME.tar.zst, with the root key on it (NAME.root) and the trees that it
# holds (NAME.trees).  The committed files are the reference: README.md says when this may be run at all.  Needs root (a host and a
# /srv of its own), and $BKP_BIN for the product.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ "${2:-}" = --replace ] || [ ! -e "$here/${1:?which medium}.tar.zst" ] ||
	{ echo "$1.tar.zst is the reference; see README.md, then --replace" >&2; exit 64; }
[ -n "${GOLDEN_INSIDE:-}" ] || exec env GOLDEN_INSIDE=1 TZ=Asia/Tokyo LC_ALL=C.UTF-8 unshare --mount --uts "$0" "$@"
hostname golden
mount -t tmpfs golden /srv
cd /srv
root="$here/../.."
die() { echo "$*" >&2; exit 1; }

night() { # N: the source as of that night, and what a restore of it must be
	rm -rf golden
	python3 "$here/source.py" golden "$1"
	mkdir -p source
	cp -a golden "source/$1"
	python3 "$root/tests/lib/treedump.py" golden | sed "s|^|$1 |" >>trees
}

writer() {
	for n in 1 2 3; do night $n; done
	python3 "$here/writer.py" "$here" m source >root.pub
}

# nest DIR KEY: the file of kaicho, who has two keys, is encrypted to one within the other, by stock age, and KEY signs that
nest() {
	local from=$1/incho.age
	[ -e "$from" ] || from=$(echo m/*/keys/1/incho.age)
	age -d -i "$here/identity.txt" "$from" >plain.key
	grep ^AGE "$here/nested.txt" | { read -r _; read -r second; echo "$second" >inner.key; }
	age -r "$(age-keygen -y inner.key)" plain.key | age -r "$kaicho" >"$1/kaicho.age"
	jq -c --arg h "$(sha256sum <"$1/kaicho.age" | cut -c-64)" \
		'(.people[] | select(.name == "kaicho")).sha256 = $h' "$1/period.json" >period.json
	mv period.json "$1/period.json"
	sign "$2" "$1/period.json" '"bkp:1 kind=period repository=\(.repository) period=\(.period) revision=\(.revision)"'
}
sign() { # KEY FILE COMMENT
	minisign -S -s "$1" -m "$2" -t "$(jq -r "$3" "$2")" >/dev/null
}

product() {
	# shellcheck disable=SC2034 # for fakeclock.sh
	SRC_ROOT=$root T=/srv
	. "$root/tests/lib/fakeclock.sh"
	mkdir -p bin/tools m m2
	cp "${BKP_BIN:?}/bkp" "$BKP_BIN/bkp-restore" bin/
	cp "$root/restore/rescue.py" bin/tools/ # the static program is larger than all of this
	cp "$root/docs/format.md" bin/tools/FORMAT.md
	on() { # DAY COMMAND...
		env "${FAKE_ENV[@]}" "FAKECLOCK=$(until_then "2026-12-0$1 02:00")" "${@:2}"
	}
	export BKP_POLICY=/srv/policy.yaml BKP_SLIPS=/srv/slips PATH=/srv/bin:$PATH
	cat >policy.yaml <<-'Y'
	site: {name: 見本, language: en}
	state: /srv/state
	datasets:
	  - {name: docs, title: 文書, paths: [/srv/golden/docs], together: [emr], generations: 3, protect: 1d}
	  - {name: emr, title: 電子カルテ, command: cat /srv/golden/emr.dump; echo dumped >&2, store_as: emr.dump, stderr: ignore,
	     probe: grep -c . /srv/golden/emr.dump, compression: lz4, generations: 3, protect: 1d}
	media:
	  - {name: golden, type: hdd, path: /srv/m, place: tests}
	  - {name: other, type: ssd, path: /srv/m2, place: tests}
	Y
	incho=$(age-keygen -y "$here/identity.txt") kaicho=$(age-keygen -y "$here/nested.txt" | head -n 1)
	age-keygen -o gone.key 2>/dev/null
	minisign -G -W -p approver.pub -s approver.key >/dev/null
	on 1 bkp init --recipient "incho=$incho" --recipient "hosyu=$(age-keygen -y gone.key)" --root-key-out root.key >init.out
	sed -n 's/^root public key: //p' init.out >root.pub
	on 1 bkp medium add golden
	on 1 bkp medium add other
	night 1
	on 1 bkp --quiet run --all
	on 2 bkp-restore --quiet --medium m --identity "$here/identity.txt" key add "kaicho=$kaicho" --to add
	nest add root.key
	on 2 bkp key add kaicho --from add --operator incho
	night 2
	on 2 bkp --quiet run --all
	on 3 bkp-restore --quiet --medium m --identity "$here/identity.txt" key remove hosyu --to less
	bkp-restore --quiet --medium m key approver "jimucho=$(tail -n 1 approver.pub)" 2099-12-31 --to approver
	sign root.key approver/approver.json '"bkp:1 kind=key-approver repository=\(.repository)"'
	cp approver/approver.json* less/
	nest less approver.key
	on 3 bkp key remove hosyu --from less --operator incho
	night 3
	on 3 bkp --quiet run --all
	bkp-restore --quiet --medium m --identity "$here/identity.txt" key host --to secrets
	mv state lost # another host goes on
	on 4 bkp init --continue m --continue m2 --secrets secrets/secrets.json --root-key root.key --operator incho
	on 4 bkp key envelope add 1 --person incho --seal S-1 --place tests --holder incho --operator incho
	on 4 bkp-restore --quiet --medium m --identity "$here/identity.txt" key drill --envelope 1 --slip slip.json
	on 4 bkp key use --import slip.json
	on 4 bkp key use --reviewed --operator incho
	night 4
	on 4 bkp --quiet run --all || [ $? = 1 ] # the guard knows nothing of before
	on 5 bkp --quiet expire --operator incho
	sed -i '/^1 /d' trees
}

"$1"
tar --sort=name --owner=0 --group=0 --numeric-owner -C m -cf - . | zstd -q -19 >"$here/$1.tar.zst"
cp root.pub "$here/$1.root"
zstd -q -19 -f trees -o "$here/$1.trees.zst"
du -b "$here/$1".*
