"""A program that is started once and answers as if it were started for each command (forkserver.c).

late: it is forked where it would begin to work by threads or processes, or to write; `seen` are the files that it has looked at by then;
`ended`: it came to no such place (with one processor there are no threads).
"""
import os
import select
import signal
import struct
import subprocess


class Forked:
    def __init__(self, site, program, *arguments, late=False):
        self.said = os.memfd_create("said")  # its standard output and error; the place in it is ours as well
        take, self.ask = os.pipe()
        self.answer, give = os.pipe()
        e = site.env()
        e.update(LD_PRELOAD=site.bin + "/forkserver.so:" + e["LD_PRELOAD"], LD_BIND_NOW="1", FORKSERVER="%d,%d" % (take, give))
        if late:
            e["FORKSERVER_LATE"] = ""
        self.server = subprocess.Popen([program, *arguments], env=e, executable=os.path.join(site.bin, program), stdin=subprocess.DEVNULL,
                                       stdout=self.said, stderr=self.said, pass_fds=(take, give))
        os.close(take)
        os.close(give)
        self.begun = 0
        if late:
            size = os.read(self.answer, 4)
            n = struct.unpack("=I", size)[0] if size else 0
            self.seen = {os.path.basename(os.fsdecode(name)) for name in os.read(self.answer, n).split(b"\0")} if n else set()
            self.ended = not size
            self.begun = os.fstat(self.said).st_size  # what it had said by then

    def run(self, argv=(), seconds=60):
        os.ftruncate(self.said, self.begun)
        os.lseek(self.said, self.begun, os.SEEK_SET)
        words = b"".join(os.fsencode(a) + b"\0" for a in argv)
        os.write(self.ask, struct.pack("=I", len(words)) + words)
        late = not select.select([self.answer], [], [], seconds)[0]
        if late:
            with open("/proc/%d/task/%d/children" % (self.server.pid, self.server.pid)) as f:
                for pid in f.read().split():
                    os.kill(int(pid), signal.SIGKILL)
        status = os.read(self.answer, 4)
        if len(status) != 4:
            raise RuntimeError("the server of %s is gone: %s" % (self.server.args, self.server.wait()))
        said = os.pread(self.said, 1 << 20, 0).decode(errors="replace")
        if late:
            return 124, "no end after %d s: %s" % (seconds, said)
        return os.waitstatus_to_exitcode(struct.unpack("=I", status)[0]), said

    def end(self):
        os.close(self.ask)
        os.close(self.answer)
        os.close(self.said)
        self.server.wait()
