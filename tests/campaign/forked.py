"""A program that is started once and answers as if it were started for each command (forkserver.c): (exit status, words) as Site.run has it."""
import os
import select
import signal
import struct
import subprocess


class Forked:
    def __init__(self, site, program):
        self.said = os.memfd_create("said")  # its standard output and error; the place in it is ours as well
        take, self.ask = os.pipe()
        self.answer, give = os.pipe()
        e = site.env()
        e.update(LD_PRELOAD=site.bin + "/forkserver.so:" + e["LD_PRELOAD"], LD_BIND_NOW="1", FORKSERVER="%d,%d" % (take, give))
        self.server = subprocess.Popen([program], env=e, executable=os.path.join(site.bin, program), stdin=subprocess.DEVNULL,
                                       stdout=self.said, stderr=self.said, pass_fds=(take, give))
        os.close(take)
        os.close(give)

    def run(self, argv, seconds=60):
        os.ftruncate(self.said, 0)
        os.lseek(self.said, 0, os.SEEK_SET)
        words = b"".join(os.fsencode(a) + b"\0" for a in argv)
        os.write(self.ask, struct.pack("=I", len(words)) + words)
        late = not select.select([self.answer], [], [], seconds)[0]
        if late:
            with open("/proc/%d/task/%d/children" % (self.server.pid, self.server.pid)) as f:
                for pid in f.read().split():
                    os.kill(int(pid), signal.SIGKILL)
        status = os.read(self.answer, 4)
        if len(status) != 4:
            raise RuntimeError("the server of %s is gone: %s" % (argv[0], self.server.wait()))
        said = os.pread(self.said, 1 << 20, 0).decode(errors="replace")
        if late:
            return 124, "no end after %d s: %s" % (seconds, said)
        return os.waitstatus_to_exitcode(struct.unpack("=I", status)[0]), said

    def end(self):
        os.close(self.ask)
        os.close(self.answer)
        os.close(self.said)
        self.server.wait()
