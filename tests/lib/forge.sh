# shellcheck shell=bash
# Forged journal records, for scenario tests.  Sourced behind site.sh.  Gives:
#   forge EVENT JSON    appends a record to the journal of $T/state, properly chained and signed with the current signing key, as its
#                       thief can; FORGE_BOOT and FORGE_TIME are the boot id and the time it claims
forge() { # EVENT JSON: appends a record with the current signing key, as its thief can
	python3 - "$T/state" "$1" "$2" <<'P'
import base64, hashlib, json, os, subprocess, sys
state, event, members = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
journal = state + "/journal.jsonl"
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
sig = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", state + "/../forge.der", "-in", state + "/../forge.msg"],
    check=True, stdout=subprocess.PIPE).stdout
open(journal, "ab").write(body[:-1] + b',"sig":"' + base64.b64encode(sig) + b'"}\n')
P
}
