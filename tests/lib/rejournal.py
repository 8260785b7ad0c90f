"""rejournal.py IN OUT LINES KEY EPOCH RECORD...: what a thief of a signing key can write.

The first LINES lines of the journal IN as they are; behind them the records, JSON objects with "event", signed with the minisign
secret key file KEY as of EPOCH.  A record {"event":"epoch","key":"@FILE"} names the key of that file, which then signs.
"repository" in a record stands in the place of the journal's own.  openssl signs: nothing of bkp is used.
"""
import base64, hashlib, json, subprocess, sys, tempfile

IN, OUT, LINES, KEY, EPOCH = sys.argv[1:6]

def secret(name):
    raw = base64.b64decode(open(name).read().splitlines()[1])
    return raw[62:94], "RW" + base64.b64encode(b"Ed" + raw[54:62] + raw[94:126]).decode()[2:]

def sign(seed, text):
    with tempfile.NamedTemporaryFile() as k, tempfile.NamedTemporaryFile() as m:
        k.write(bytes.fromhex("302e020100300506032b657004220420") + seed)
        k.flush()
        m.write(text)
        m.flush()
        return subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", k.name, "-keyform", "DER", "-rawin", "-in", m.name],
                              stdout=subprocess.PIPE, check=True).stdout

lines = open(IN, encoding="utf-8").read().splitlines()[:int(LINES)]
seed, epoch = secret(KEY)[0], int(EPOCH)
for text in sys.argv[6:]:
    members = json.loads(text)
    last = json.loads(lines[-1])
    after = None
    if members["event"] == "epoch" and members["key"].startswith("@"):
        after, members["key"] = secret(members["key"][1:])
        members = {"event": "epoch", "next": members.get("next", epoch + 1), "key": members["key"]}
    o = {"seq": last["seq"] + 1}
    for k in ("time", "boot", "mono_ns", "synced", "version", "by", "repository"):
        o[k] = members.pop(k, last[k])
    o.update(members)
    o["prev"] = hashlib.sha256(lines[-1].encode()).hexdigest()
    o["epoch"] = epoch
    body = json.dumps(o, separators=(",", ":"), ensure_ascii=False)
    lines.append(body[:-1] + ',"sig":"' + base64.b64encode(sign(seed, body.encode())).decode() + '"}')
    if after:
        seed, epoch = after, epoch + 1
open(OUT, "w", encoding="utf-8").write("\n".join(lines) + "\n")
