"""Types answers on a terminal: typed.py ANSWER... -- COMMAND...

Runs COMMAND on a pseudo terminal and types the next ANSWER each time it stops with a line that ends in ": " or ":".
"@proposed" types what was proposed last (aaaaa-bbbbb-ccccc-ddddd).
"^C" as an answer sends the interrupt character; when the answers run out the terminal is hung up.  Prints what the terminal showed; exits as the command did (128+n when a
signal ended it).  Fails with 99 when an answer was shown, or when the terminal was left without echo."""
import os
import pty
import re
import select
import signal
import sys
import termios
import time

split = sys.argv.index("--")
answers = [a.encode() for a in sys.argv[1:split]]
pid, fd = pty.fork()
if pid == 0:
    for s in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):  # a shell's background jobs start with them ignored
        signal.signal(s, signal.SIG_DFL)
    os.execvp(sys.argv[split + 1], sys.argv[split + 1:])
shown, line, end = b"", b"", time.time() + 120
todo = list(answers)
while time.time() < end:
    ready, _, _ = select.select([fd], [], [], 0.3)
    if ready:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data
        line = (line + data).split(b"\n")[-1]
    elif line.rstrip().endswith(b":") and todo:
        a = todo.pop(0)
        if a == b"@proposed":
            a = re.findall(rb"^ +((?:[a-z0-9]{5}-){3}[a-z0-9]{5})\r?$", shown, re.M)[-1]
        os.write(fd, b"\x03" if a == b"^C" else a + b"\n")
        line = b""
    elif line.rstrip().endswith(b":"):
        break
echo = bool(termios.tcgetattr(fd)[3] & termios.ECHO) or bool(line.rstrip().endswith(b":"))
os.close(fd)
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(shown.replace(b"\r\n", b"\n"))
sys.stdout.flush()
if not echo or any(a in shown for a in answers if a and a != b"^C"):
    sys.exit(99)
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
