#!/usr/bin/python3
"""menuconfig in a terminal: keys are pressed as a person would, and what was chosen
stands in the file that the build reads.

    menuconfig.py FILE COMMAND...     the file that COMMAND writes

Goes into the first menu, gives its first option (panel connections) the value 77, leaves
and saves.
"""
import os
import pty
import select
import sys
import time

SECONDS = 60
KEYS = [
    (b"Panel side", b"\r"),                           # the first menu below the title
    (b"Panel connections", b"\r"),                    # its first option
    (b"Range: 4-65535", b"\x7f" * 8 + b"77\r"),                # the field: emptied, written, taken
    (b"\x1b[?25l", b"q"),                             # the field is closed: no cursor
    (b"Save configuration", b"y"),
]


def wait_for(fd, words, seen):
    """Reads until the screen has shown @words; what came after them."""
    end = time.time() + SECONDS
    while words not in seen:
        ready, _, _ = select.select([fd], [], [], max(0, end - time.time()))
        if not ready:
            sys.exit("menuconfig: %r was not shown; the end of what was: %r" % (words, seen[-1500:]))
        try:
            seen += os.read(fd, 65536)
        except OSError:
            sys.exit("menuconfig: it ended before it showed %r: %r" % (words, seen[-1500:]))
    return seen[seen.index(words) + len(words):]


def main():
    path, command = sys.argv[1], sys.argv[2:]
    if os.path.exists(path):
        os.remove(path)  # of the run before: nothing would be left to choose
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", LINES="40", COLUMNS="100", LC_ALL="C.UTF-8")
        os.execvp(command[0], command)
    seen = b""
    for words, keys in KEYS:
        seen = wait_for(fd, words, seen)
        os.write(fd, keys)
    try:
        while os.read(fd, 65536):
            pass
    except OSError:
        pass
    _, status = os.waitpid(pid, 0)
    with open(path, encoding="utf-8") as f:
        chosen = "CONFIG_HF_CONNECTIONS_MAX=77\n" in f.readlines()
    if status or not chosen:
        sys.exit("menuconfig: status %d, %s in %s" % (status, "chosen" if chosen else "not chosen", path))
    print("menuconfig: what was chosen is saved")


main()
