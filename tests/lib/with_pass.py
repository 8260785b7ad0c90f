"""with_pass.py PASSFILE COMMAND [ARG...]: runs a command that asks for a passphrase on its terminal, and answers.

Standard input, output and error stay what they are; only the controlling terminal is a new one."""
import os
import re
import select
import signal
import sys
import time

with open(sys.argv[1], "rb") as f:
    answer = f.readline().rstrip(b"\n") + b"\n"
keep = [os.dup(fd) for fd in (0, 1, 2)]
pid, tty = os.forkpty()
if pid == 0:
    # without any descriptor of its own the new terminal would hang up before the command opens /dev/tty
    os.set_inheritable(os.dup(0), True)
    for fd, saved in enumerate(keep):
        os.dup2(saved, fd)
    os.execvp(sys.argv[2], sys.argv[2:])
for fd in keep:
    os.close(fd)
asked = b""
answered = 0
deadline = time.time() + 300
while time.time() < deadline:
    if not select.select([tty], [], [], 1)[0]:
        continue
    try:
        data = os.read(tty, 4096)
    except OSError:
        break
    if not data:
        break
    asked += data
    if len(re.findall(rb"(?:[Pp]assphrase|the same again)[^\n:]*: ", asked)) > answered:
        answered += 1
        time.sleep(0.02)  # echo is off only after the prompt
        os.write(tty, answer)
if time.time() >= deadline:
    os.kill(pid, signal.SIGKILL)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
