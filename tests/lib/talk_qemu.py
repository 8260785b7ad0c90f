#!/usr/bin/env python3
"""Boots a disk image in QEMU and talks to its serial console.

    talk_qemu.py --firmware bios|uefi|secure [--seconds N] [--image KIND=FILE ...] SCRIPT

SCRIPT: lines `PATTERN => ANSWER`: waits for the regular expression in what has come since the last answer, then types ANSWER and Enter
(`@enter`: Enter alone; `@end`: waits for the machine to switch off; `@steady FILE`: waits until letters stand still on the screen, and
writes it as PPM; `@key NAME ...`: presses keys of the machine's own keyboard).  %1 in ANSWER is what the last PATTERN with a group found.
Images are attached as USB disks in the order given; KIND is boot, ro or rw.
Everything that the console said goes to standard output.  Exit: 0 the script came to its end, 1 it did not.
"""
import argparse
import json
import os
import pty
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

OVMF = "/usr/share/OVMF/"
ESCAPES = re.compile(rb"\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][A-Z0-9]|\r")


def command(a, folder):
    c = ["qemu-system-x86_64", "-accel", "tcg", "-m", "1536", "-smp", "1", "-nodefaults", "-nographic", "-serial", "stdio", "-vga", "std",
         "-no-reboot", "-net", "none", "-qmp", "unix:%s/qmp,server=on,wait=off" % folder, "-device", "qemu-xhci"]
    if a.firmware != "bios":
        code = "OVMF_CODE_4M.ms.fd" if a.firmware == "secure" else "OVMF_CODE_4M.fd"
        variables = folder + "/vars.fd"
        shutil.copy(OVMF + ("OVMF_VARS_4M.ms.fd" if a.firmware == "secure" else "OVMF_VARS_4M.fd"), variables)
        c += ["-machine", "q35,smm=on", "-drive", "if=pflash,format=raw,readonly=on,file=" + OVMF + code,
              "-drive", "if=pflash,format=raw,file=" + variables]
        if a.firmware == "secure":
            c += ["-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1"]
    for n, image in enumerate(a.image):
        kind, name = image.split("=", 1)
        c += ["-drive", "if=none,id=d%d,format=raw,file=%s%s" % (n, name, "" if kind == "rw" else ",readonly=on,snapshot=off")]
        c += ["-device", "usb-storage,drive=d%d,removable=on%s" % (n, ",bootindex=1" if kind == "boot" else "")]
    return c


class Machine:
    def __init__(self, a):
        self.folder = tempfile.mkdtemp()
        self.end = time.monotonic() + a.seconds
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(command(a, self.folder), stdin=slave, stdout=slave, stderr=subprocess.STDOUT)
        os.close(slave)
        self.said = b""
        self.qmp = None
        self.group = ""

    def listen(self):
        """Some of what it says; False: it is gone."""
        if time.monotonic() > self.end:
            raise TimeoutError
        ready, _, _ = select.select([self.master], [], [], 0.5)
        if ready:
            try:
                new = os.read(self.master, 65536)
            except OSError:
                new = b""
            if not new:
                return False
            sys.stdout.buffer.write(new)
            sys.stdout.flush()
            self.said += new
        return self.process.poll() is None or bool(ready)

    def wait_for(self, pattern):
        while not (found := re.search(pattern, ESCAPES.sub(b"", self.said).decode("utf-8", "replace"))):
            if not self.listen():
                raise EOFError
        self.group = found.group(1) if found.groups() else self.group
        self.said = b""

    def ask(self, what, **arguments):
        if not self.qmp:
            s = socket.socket(socket.AF_UNIX)
            s.connect(self.folder + "/qmp")
            self.qmp = s.makefile("rwb")
            self.qmp.readline()
            self.ask("qmp_capabilities")
        self.qmp.write(json.dumps({"execute": what, "arguments": arguments}).encode() + b"\n")
        self.qmp.flush()
        while "return" not in (answer := json.loads(self.qmp.readline())):
            if "error" in answer:
                raise OSError(answer)

    def steady(self, file):
        """Until letters stand on the screen, and it has not changed for some seconds."""
        last, same = b"", 0
        while same < 3:
            until = time.monotonic() + 3
            while time.monotonic() < until:
                if not self.listen():
                    raise EOFError
            self.ask("screendump", filename=file)
            with open(file, "rb") as f:
                now = f.read()
            moved = sum(a != b for a, b in zip(now, last)) if len(now) == len(last) else len(now)  # but for a cursor
            same = same + 1 if moved < 2000 and len(now) - now.count(0) > 20000 else 0
            last = now

    def answer(self, words):
        words = words.replace("%1", self.group)
        if words == "@end":
            while self.listen():
                pass
            self.process.wait()
        elif words.startswith("@steady "):
            self.steady(words.split()[1])
        elif words.startswith("@key "):
            for key in words.split()[1:]:
                self.ask("send-key", keys=[{"type": "qcode", "data": k} for k in key.split("+")])
                time.sleep(0.2)
        else:
            os.write(self.master, words.replace("@enter", "").encode() + b"\r")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--firmware", choices=("bios", "uefi", "secure"), required=True)
    p.add_argument("--seconds", type=float, default=600)
    p.add_argument("--image", action="append", default=[])
    p.add_argument("script")
    a = p.parse_args()
    steps = [x.rstrip("\n").split(" => ", 1) for x in open(a.script, encoding="utf-8") if x.strip()]
    machine = Machine(a)
    at = None
    try:
        for at in steps:
            machine.wait_for(at[0])
            machine.answer(at[1])
    except (TimeoutError, EOFError, OSError) as e:
        print("\ntalk_qemu: %s while waiting for %r" % (type(e).__name__, at[0]), file=sys.stderr)
        return 1
    finally:
        if machine.process.poll() is None:
            machine.process.kill()
            machine.process.wait()
        shutil.rmtree(machine.folder, ignore_errors=True)
    return 0


sys.exit(main())
