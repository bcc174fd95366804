"""A program on a terminal of its own, and what is seen there. Debian's pyte plays the terminal, one that repeats no characters (REP)."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import lib

try:
    import pyte
except ImportError:
    lib.skip("python3-pyte is not installed")


ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """`rows` lists what the screen shows; `bytes` is all that was ever written to it."""

    def __init__(self, command, columns=80, rows=24, environment=None):
        self.bytes, self.unread = b"", b""
        self.first, self.other = pyte.Screen(columns, rows), pyte.Screen(columns, rows)
        self.screen = self.first
        self.streams = {id(screen): pyte.ByteStream(screen) for screen in (self.first, self.other)}
        self.master, slave = pty.openpty()
        self.set_size(columns, rows)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.status = None
        self.pid = os.fork()
        if self.pid == 0:
            self.become(command, environment)

    def become(self, command, environment):
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(self.slave, fd)
        os.closerange(3, 64)
        everything = {**os.environ, "TERM": "screen-256color", "LC_ALL": "C.UTF-8", **(environment or {})}
        os.execvpe(command[0], command, everything)

    def set_size(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.first.resize(rows, columns)
        self.other.resize(rows, columns)
        self.set_size(columns, rows)

    def feed(self, data):
        """To the one of two screens that is shown, which pyte has not."""
        self.bytes += data
        self.unread += data
        held_back = max(n for n in range(len(ENTER)) if n == 0 or self.unread.endswith((ENTER[:n], LEAVE[:n])))
        whole = self.unread[:len(self.unread) - held_back]
        self.unread = self.unread[len(whole):]
        for part in re.split(rb"(\x1b\[\?1049[hl])", whole):
            if part in (ENTER, LEAVE):
                self.screen = self.other if part == ENTER else self.first
            else:
                self.streams[id(self.screen)].feed(part)

    def read(self, wait_s=0.05):
        """Take what is there; False when the other side is gone and has left nothing."""
        if not select.select([self.master], [], [], wait_s)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.feed(data)
        return data != b""

    @property
    def rows(self):
        return [row.rstrip() for row in self.screen.display]

    @property
    def text(self):
        return "\n".join(self.rows)

    def see(self, what, found):
        """Wait until found(self) is true of what the terminal shows."""
        until = time.monotonic() + lib.WAIT_S
        while time.monotonic() < until:
            self.read()
            if found(self):
                return
        raise AssertionError(f"never seen: {what}\n{self.text}")

    def type(self, keys):
        os.write(self.master, keys)

    def signal(self, number):
        os.kill(self.pid, number)

    def end(self):
        """Wait for the program's end. @return its exit status, or minus the signal"""
        until = time.monotonic() + lib.WAIT_S
        while self.status is None and time.monotonic() < until:
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                self.status = os.waitstatus_to_exitcode(status)
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            raise AssertionError(f"did not end\n{self.text}")
        while select.select([self.master], [], [], 0)[0] and self.read(0):
            pass
        return self.status

    def is_as_found(self):
        """Modes as before, the first screen shown, the cursor to be seen, no colours left on."""
        modes = termios.tcgetattr(self.slave) == self.before
        return (modes, self.screen is self.first and self.bytes.count(ENTER) == self.bytes.count(LEAVE),
                self.bytes.rfind(b"\x1b[?25l") <= self.bytes.rfind(b"\x1b[?25h"))

    def close(self):
        os.close(self.master)
        os.close(self.slave)
