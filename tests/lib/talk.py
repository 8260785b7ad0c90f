"""A person at a terminal of 80 columns: talk.py PATTERN=>ANSWER... -- COMMAND...

Runs COMMAND on a pseudo terminal; when what it showed since the last answer matches PATTERN (a regular expression), ANSWER is typed, or, when it begins
with "!", run by a shell, or with "^C" the interrupt character is sent.  Prints what the terminal showed; exits as the command did; 98: the next
PATTERN did not come within $TALK_SECONDS (60) or before the end; 97: a line is wider than 80 columns."""
import os
import pty
import re
import select
import subprocess
import sys
import time
import unicodedata

split = sys.argv.index("--")
todo = [a.split("=>", 1) for a in sys.argv[1:split]]
pid, fd = pty.fork()
if pid == 0:
    os.environ.pop("COLUMNS", None)
    os.execvp(sys.argv[split + 1], sys.argv[split + 1:])
limit = float(os.environ.get("TALK_SECONDS", "60"))
shown, since, end = b"", 0, time.time() + limit
while time.time() < end:
    if select.select([fd], [], [], 0.2)[0]:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data
        continue
    if todo and re.search(todo[0][0], shown[since:].decode("utf-8", "replace")):
        answer = todo.pop(0)[1]
        end = time.time() + limit
        if answer.startswith("!"):
            subprocess.run(answer[1:], shell=True, check=True)
        else:
            since = len(shown)
            os.write(fd, b"\x03" if answer == "^C" else answer.encode() + b"\n")
os.close(fd)
_, status = os.waitpid(pid, 0)
text = shown.decode("utf-8").replace("\r\n", "\n")
print(text)
if todo:
    sys.exit(98)
for line in text.split("\n"):
    line = re.sub(r"\x1b\[K", "", line).split("\r")[-1]
    if line.startswith(("bkp: ", "bkp-restore: ", "  → ", "      --")):  # an error, or an option of a command, is one line, for who copies it
        continue
    if sum(2 if unicodedata.east_asian_width(c) in "WFA" and ord(c) > 0x2000 and c != "…" else 1 for c in line) > 80:
        print("TOO WIDE:", line)
        sys.exit(97)
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
