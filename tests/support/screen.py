"""What a person sees of a full-screen program: the cells of a terminal emulator (pyte).

    with Screen([program, "chat"], env=..., columns=80, rows=24) as s:
        s.wait("hello")
        s.type("hi\\r")
"""
import fcntl
import os
import re
import struct
import termios
import time

import pyte

from support.pty import SECONDS, NotSeen, Terminal

# Fields of tcgetattr that a program must give back: input, output, control and local modes.
MODES = slice(0, 4)


class Screen(Terminal):
    def __init__(self, words, columns=80, rows=24, **more):
        self.shown = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.shown)
        self.fed = 0
        super().__init__(words, rows=rows, columns=columns, **more)

    def look(self, seconds=0.0):
        """Takes in what has come; False at the program's end."""
        alive = self._read(seconds)
        self.stream.feed(self.raw[self.fed:])
        self.fed = len(self.raw)
        return alive

    @property
    def rows(self):
        """Without the cells that belong to the character left of them."""
        return [line.rstrip() for line in self.shown.display]

    @property
    def picture(self):
        return "\n".join(self.rows)

    def until(self, ready, what):
        end = time.monotonic() + SECONDS
        while not ready():
            if time.monotonic() > end:
                raise NotSeen(f"{what} was not seen; what was:\n{self.picture}")
            if not self.look(0.1) and not ready():
                raise NotSeen(f"{what} was not seen before the end:\n{self.picture}")

    def wait(self, pattern):
        """Until it is on the screen; the match. `.` does not cross rows."""
        self.until(lambda: re.search(pattern, self.picture), repr(pattern))
        return re.search(pattern, self.picture)

    def wait_gone(self, pattern):
        self.until(lambda: not re.search(pattern, self.picture), f"the end of {pattern!r}")

    def enter(self, text):
        self.type(text + "\r")

    def resize(self, columns, rows):
        self.shown.resize(rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def cursor(self):
        return self.shown.cursor.x, self.shown.cursor.y

    @property
    def modes(self):
        """Of the terminal line."""
        return termios.tcgetattr(self.master)[MODES]


def fresh_modes():
    """Those of a terminal that nobody has touched."""
    master, slave = os.openpty()
    try:
        return termios.tcgetattr(slave)[MODES]
    finally:
        os.close(master)
        os.close(slave)
