#!/usr/bin/env python3
"""blocks.py SITE GENERATION DATASET: one line per catalog block of that data set on SITE/m1, "<entries> <bytes of the files in it>", by
stock age, tar and lz4 (docs/format.md, sections 4 to 7).  The files are looked at where they were captured from."""
import base64, glob, json, os, subprocess, sys
from contextlib import redirect_stdout
import resolve


def key_of(site):
    text = json.load(open(site + "/state/secrets.json"))["chunk_id_key"]
    return bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text)


def main():
    site, number, name = sys.argv[1:4]
    folder = glob.glob("%s/m1/*-*-*-*-*/datasets/%s" % (site, name))[0]
    root = subprocess.run(["age", "-d", "-i", site + "/period.key", "%s/generations/%06d/root.age" % (folder, int(number))],
                          stdout=subprocess.PIPE, check=True).stdout.decode()
    with redirect_stdout(sys.stderr):
        archives = resolve.read_archives(site + "/period.key", key_of(site), folder)
    blocks = json.loads(root.splitlines()[0])["blocks"]
    for line in resolve.resolve(archives, blocks).decode().splitlines():
        run, entries, _ = line.split(" ", 2)
        names = subprocess.run(["tar", "tf", "-"], input=resolve.data_run(archives, run), stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL).stdout.decode().splitlines()
        assert len(names) == int(entries), line
        print(entries, sum(os.path.getsize("/" + n) for n in names if os.path.isfile("/" + n)))


main()
