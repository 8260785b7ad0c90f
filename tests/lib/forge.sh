# shellcheck shell=bash
# Forged journal records, for scenario tests.  Sourced behind site.sh.  Gives:
#   forge EVENT JSON    appends a record to the journal of $T/state, properly chained and signed with the current signing key, as its
#                       thief can; FORGE_BOOT and FORGE_TIME are the boot id and the time it claims, FORGE_FILLER bytes make it long
#   forge_committed RUN UUID NEXT_ARCHIVE MEMBERS [LABEL...]  of a generation that stores nothing and is on these media;
#                       MEMBERS: a JSON object with its data set, its verdict and its figures, as $FORGED_DOCS; "": that one
#   uuid_of LABEL
forge() { # EVENT JSON: appends a record with the current signing key, as its thief can
	python3 - "$T/state" "$1" "$2" <<'P'
import base64, glob, hashlib, json, os, subprocess, sys
state, event, members = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
if "FORGE_FILLER" in os.environ:
    members["filler"] = "x" * int(os.environ["FORGE_FILLER"])
journal = sorted(glob.glob(state + "/journal/*.jsonl"))[-1]
last = open(journal, "rb").read().splitlines()[-1]
head = json.loads(last)
r = {k: head[k] for k in ("seq", "time", "boot", "mono_ns", "synced", "version", "by", "repository")}
r["seq"] += 1
r["boot"] = os.environ.get("FORGE_BOOT", r["boot"])
r["time"] = os.environ.get("FORGE_TIME", r["time"])
r["event"] = event
r.update(members)
r["prev"] = hashlib.sha256(last).hexdigest()
r["epoch"] = head["epoch"]
body = json.dumps(r, separators=(",", ":"), ensure_ascii=False).encode()
key = base64.b64decode(open("%s/signing-%d.key" % (state, head["epoch"])).read().splitlines()[1])
seed = key[2 + 2 + 2 + 32 + 16 + 8:][:32]
der = bytes.fromhex("302e020100300506032b657004220420") + seed
open(state + "/../forge.der", "wb").write(der)
open(state + "/../forge.msg", "wb").write(body)
sig = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", state + "/../forge.der",
    "-in", state + "/../forge.msg"], check=True, stdout=subprocess.PIPE).stdout
open(journal, "ab").write(body[:-1] + b',"sig":"' + base64.b64encode(sig) + b'"}\n')
P
}

uuid_of() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["medium"])' "$T/$1/bkp-medium.json"; }

# shellcheck disable=SC2034 # for those who source this
FORGED_DOCS='{"dataset":"docs","verdict":"good","entries":1,"files":1,"bytes":1,"unreadable":0,"changed":0,"skipped":0}'
forge_committed() {
	local label media=
	for label in "${@:5}"; do
		media="$media,{\"medium\":\"$(uuid_of "$label")\",\"label\":\"$label\",\"ok\":true,\"frozen\":true}"
	done
	local members=${4:-$FORGED_DOCS}
	forge committed "${members%\}},\"generation\":$1,\"uuid\":\"$2\",\"manifest_sha256\":\"$(printf '0%.0s' {1..64})\",
		\"archives\":0,\"archive_bytes\":0,\"new_bytes\":0,\"next_archive\":$3,\"media\":[${media#,}]}"
}
