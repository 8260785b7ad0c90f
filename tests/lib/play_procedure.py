"""Plays a procedure as its staff do: play_procedure.py PASSFILE HOST AWAY -- COMMAND...

COMMAND is a drill, on a terminal, in Japanese.  At each step that a person confirms, what the screen tells them to type is typed, as it
stands: lines that begin with '#' with the folder HOST first in PATH (the computer that captures), lines with '$' with AWAY (the one that
restores); passphrases are the first line of PASSFILE.  Then the step is answered: yes when every command ended with 0.  Exits as COMMAND;
the last line printed says how many commands were typed, and how long they took."""
import os
import pty
import re
import subprocess
import sys
import time

passfile, host, away = sys.argv[1:4]
pid, tty = pty.fork()
if pid == 0:
    os.execvp(sys.argv[5], sys.argv[5:])
seen, answered, typed, took = b"", 0, 0, 0.0


def type_in(prompt, command):
    env = {**os.environ, "BKP_LANG": "en", "PATH": (host if prompt == "#" else away) + ":/usr/bin:/bin"}
    if prompt == "$":
        env.pop("BKP_POLICY", None)
    print(prompt, command, flush=True)
    with_pass = os.path.dirname(os.path.abspath(__file__)) + "/with_pass.py"
    return subprocess.run([sys.executable, with_pass, passfile, "/bin/sh", "-c", command], env=env, stdin=subprocess.DEVNULL).returncode


while True:
    try:
        data = os.read(tty, 65536)
    except OSError:
        break
    if not data:
        break
    seen += data
    tail = seen[answered:].decode("utf-8", "replace").replace("\r", "")
    answer = None
    if tail.endswith("（はい y / いいえ n） "):
        begun = time.time()
        commands = re.findall(r"^ +([$#]) (.*)$", tail, re.M)
        typed += len(commands)
        answer = "はい" if all(type_in(*c) == 0 for c in commands) else "いいえ"
        took += time.time() - begun
    elif re.search(r"(確認者の名前|特記事項|指摘)[^\n]*（[^\n]*） $", tail):
        answer = ""
    if answer is not None:
        answered = len(seen)
        os.write(tty, answer.encode() + b"\n")
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(seen.decode("utf-8", "replace").replace("\r", ""))
print("typed: %d commands, %.1f s" % (typed, took))
sys.exit(status)
