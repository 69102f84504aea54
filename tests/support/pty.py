"""A program on a terminal, and somebody who reads and types: a small expect.

    with Terminal([program, "login"], env=...) as t:
        t.expect("Password: ")
        t.type("secret\\n")
        t.end(0)
"""
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time

SECONDS = 60
# CSI, OSC and two-byte escapes: how things look, not what they say.
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[()][A-Z0-9]|\x1b.")
OPEN_END = re.compile(r"[+*]\)*$")


class NotSeen(AssertionError):
    pass


class Terminal:
    def __init__(self, words, env=None, cwd=None, rows=50, columns=120, **streams):
        """streams: stdin, stdout, stderr that shall not be the terminal."""
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.raw = b""   # all that came
        self.seen = 0    # how much of the plain text was matched
        self.process = subprocess.Popen(
            words, env=env, cwd=cwd, start_new_session=True,
            stdin=streams.get("stdin", slave), stdout=streams.get("stdout", slave),
            stderr=streams.get("stderr", slave),
            # The terminal becomes the controlling one, so that /dev/tty works.
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0))
        os.close(slave)

    @property
    def text(self):
        """What came, without escape sequences and carriage returns."""
        return ESCAPES.sub("", self.raw.decode(errors="replace")).replace("\r", "")

    def _read(self, seconds):
        """False at the end."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return True
        try:
            piece = os.read(self.master, 65536)
        except OSError:  # EIO: nobody holds the other side any more
            return False
        self.raw += piece
        return bool(piece)

    def expect(self, pattern, seconds=SECONDS):
        """Waits for a text that fits after all that was matched before; the match. One that may go on, as \\S+ at its
        end, has come whole when something else has come behind it."""
        if OPEN_END.search(pattern):
            pattern = rf"(?>{pattern})(?=[\s\S])"
        until = time.monotonic() + seconds
        alive = True
        while True:
            found = re.compile(pattern).search(self.text, self.seen)
            if found:
                self.seen = found.end()
                return found
            if not alive or time.monotonic() > until:
                raise NotSeen(f"{pattern!r} did not come; what did:\n{self.text[self.seen:][-3000:]}")
            alive = self._read(0.2)

    def type(self, text):
        os.write(self.master, text.encode() if isinstance(text, str) else text)

    def line(self, text=""):
        self.type(text + "\n")

    def control(self, letter):
        """Ctrl and a letter."""
        self.type(bytes([ord(letter) & 31]))

    def end(self, status=None, seconds=SECONDS):
        """Waits for the end; the exit status, which must be as given."""
        until = time.monotonic() + seconds
        while self._read(0.05) or self.process.poll() is None:
            if time.monotonic() > until:
                raise NotSeen(f"no end within {seconds} s; what came:\n{self.text[-3000:]}")
            if self.process.poll() is not None and not select.select([self.master], [], [], 0)[0]:
                break
        got = self.process.wait(5)
        if status is not None and got != status:
            raise AssertionError(f"exit {got}, want {status}:\n{self.text[-3000:]}")
        return got

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        if self.master >= 0:
            os.close(self.master)
        self.master = -1

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()
