"""Calls: what the kernel is asked for, by whichever thread, also by the C library within itself, which faults.c does not see: strace.

    calls:WORKLOAD:NAME:N:ERRNO|kill    the N-th system call NAME of a process or thread, whichever comes to it first
    cache:remembered:NAME:N:ERRNO|kill  of those on what is remembered of the last night's capture: it costs time, never a file

strace counts each thread by itself.  What the loader does before the program begins is left out, and so are failing calls of names of
which faults.c sees each one (it has them in the family errors); kills are tried at all names.
"""
import collections
import re

import families
import oracle

# what only waits, or asks for memory or the time: killed there is killed at the next one
NOT_KILLED = re.compile("futex|m(un)?map|mprotect|mremap|brk|madvise|rt_.*|clock_.*|get.*id|getrandom|sched_.*|set_.*|rseq|prlimit64|"
                        "arch_prctl|.*poll")
# not close: strace leaves a call out that it lets fail, and Linux closes whatever it answers; a pipe would never end (errors: has it)
ERRORS = {
    "openat": ("EIO", "EMFILE"), "read": ("EIO",), "pread64": ("EIO",), "write": ("EIO", "ENOSPC"), "pwrite64": ("EIO", "ENOSPC"),
    "fsync": ("EIO",), "fdatasync": ("EIO",), "syncfs": ("EIO",), "sync_file_range": ("EIO",), "renameat": ("EIO", "EROFS"),
    "renameat2": ("EIO", "EROFS"), "rename": ("EIO",), "unlink": ("EIO",), "unlinkat": ("EIO",), "mkdir": ("ENOSPC",),
    "mkdirat": ("ENOSPC", "EROFS"), "rmdir": ("EIO",), "ftruncate": ("EIO", "ENOSPC"), "fallocate": ("ENOSPC", "EROFS"),
    "fchmod": ("EIO", "EROFS"), "getdents64": ("EIO", "ENOSPC"), "ioctl": ("EIO", "ENOTTY"), "lseek": ("EIO",),
    "newfstatat": ("EIO", "ENOMEM"), "statx": ("EIO",), "fcntl": ("EMFILE",), "dup2": ("EMFILE",), "dup3": ("EMFILE",),
    "pipe2": ("EMFILE",), "clone": ("EAGAIN",), "clone3": ("EAGAIN",), "socket": ("EMFILE",), "memfd_create": ("ENOMEM",),
    "eventfd2": ("EMFILE",), "mmap": ("ENOMEM",), "mprotect": ("ENOMEM",), "readlink": ("EIO",), "access": ("EIO",),
    "faccessat2": ("EIO",), "llistxattr": ("EIO",), "lgetxattr": ("EIO",), "poll": ("EINTR",), "wait4": ("EINTR",),
    "statfs": ("EIO",), "fstatfs": ("EIO",), "prctl": ("EINVAL",), "flock": ("EINTR",), "execve": ("ENOMEM",),
}
SEEN_AS = {"pread64": "pread", "pwrite64": "pwrite", "newfstatat": ("stat", "fstat", "lstat", "fstatat"), "openat": ("open", "openat"),
           "wait4": "waitpid", "clone3": "pthread_create", "clone": "fork"}  # in faults.c; the others by their own names
CACHE = {"openat": ("EIO", "ENOSPC", "EROFS"), "write": ("EIO", "ENOSPC"), "renameat": ("EIO", "EROFS"), "ftruncate": ("EIO", "ENOSPC"),
         "fsync": ("EIO",), "mkdirat": ("ENOSPC",), "unlinkat": ("EIO",), "pread64": ("EIO",), "sync_file_range": (), "close": (),
         "newfstatat": (), "read": ()}


def strace(site, argv, *more):
    return ["strace", "-f", "-q", "-o", site.work + "/trace", *more] + argv


def counted(site):
    """name -> (how many calls of it are the loader's, how many any one thread makes), from the last trace; commands of data sets not."""
    seen, loader, others = collections.defaultdict(collections.Counter), collections.Counter(), set()
    main = None
    with open(site.work + "/trace", errors="replace") as f:
        for line in f:
            m = re.match(r"(\d+) +(\w+)\(", line)
            if not m:
                continue
            pid, name = m.groups()
            if name == "execve":
                others.add(pid)
            seen[pid][name] += 1
            if not main and '"%s/faults"' % site.work in line:
                main, loader = pid, seen[pid].copy()
    for pid in others - {main}:
        del seen[pid]
    return {n: (loader[n], max(c[n] for c in seen.values())) for n in sorted({n for c in seen.values() for n in c})}


def unseen(name, calls, functions):
    """Whether faults.c sees fewer of them than there are."""
    as_what = SEEN_AS.get(name, name)
    return calls > sum(functions.get(f, 0) for f in ((as_what,) if isinstance(as_what, str) else as_what))


class Raw:
    name = "calls"

    def cases(self, site):
        out = []
        for w in families.WORKLOADS:
            functions, kernel = site.once("kernel-" + w, lambda w=w: self.count(site, w))
            for name, (loader, n) in kernel.items():
                what = ERRORS.get(name, ()) if unseen(name, n - loader, functions) else ()
                what += () if NOT_KILLED.fullmatch(name) else ("kill",)
                out += ["calls:%s:%s:%d:%s" % (w, name, i, e) for i in range(loader + 1, n + 1) for e in what]
        return out

    def count(self, site, workload):
        code, said = site.run(strace(site, families.start(site, workload)), faults="")
        if code not in (0, 1):
            raise RuntimeError("%s under strace: exit %d: %s" % (workload, code, said))
        return site.counts()[0], counted(site)

    def run(self, site, case, full_every):
        _, workload, name, n, what = case.split(":")
        argv = families.start(site, workload)
        before = oracle.Before(site)
        how = "signal=KILL" if what == "kill" else "error=" + what
        # (strace 6.1 delivers no signal together with --seccomp-bpf)
        fast = ["--seccomp-bpf"] if not self.of(site) and what != "kill" else []
        more = self.of(site) + fast + ["-e", "trace=" + name, "-e", "inject=%s:%s:when=%s" % (name, how, n)]
        code, said = site.run(strace(site, argv, *more), faults="")
        with open(site.work + "/trace", errors="replace") as f:
            came = re.search(r"\(INJECTED\)|killed by SIGKILL", f.read())  # also of a child, whose parent goes on
        if not came:
            return "not-reached", [] if code in (0, 1) else ["exit %d: %s" % (code, said[-300:])]
        return families.aftermath(site, case, workload, argv, before, (code, said), self.judge(site, code, said, what), full_every)

    def of(self, site):
        """Which of the calls."""
        return []

    def judge(self, site, code, said, what):
        faults = [] if code in (0, 1, 2, 3, 64) or (what == "kill" and code == -9) else ["exit %d" % code]
        if code > 0 and not said.strip():
            faults.append("exit %d without a word" % code)
        return faults


class Cache(Raw):
    name = "cache"

    def of(self, site):
        d = site.path("state", "cache", "stat")
        return [w for name in ("", "/docs.cache", "/docs.cache.part") for w in ("-P", d + name)]

    def cases(self, site):
        if "remembered" not in families.WORKLOADS:  # --workload
            return []
        argv = families.start(site, "remembered")
        site.run(strace(site, argv, *self.of(site)), faults="")
        return ["cache:remembered:%s:%d:%s" % (name, i, e) for name, (_, n) in counted(site).items() if name in CACHE
                for i in range(1, n + 1) for e in CACHE[name] + ("kill",)]

    def judge(self, site, code, said, what):
        faults = super().judge(site, code, said, what)
        if what == "kill":
            return faults
        if code > 1 or code == 1 and not re.search("W-(CAPTURE|GUARD)-01", said):
            faults.append("exit %d of what is only remembered" % code)
        return faults + oracle.night_kept(site)
