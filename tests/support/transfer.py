"""Two ends of a transfer without accounts: commands that go on while the test does, what they send and where it
arrives.

    sender = Running(near, "--server", server.url, "send-file", path)
    receiver = Running(far, "--server", server.url, "receive", sender.code, "--yes", "--out", out).finish()
    sender.finish()
"""
import glob
import hashlib
import json
import os
import signal
import subprocess
import time

from support import tap
from support.server import SANITIZER

KIB, MIB = 1024, 1024 * 1024
SECONDS = 120


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def wait_for(condition, what, seconds=SECONDS):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.005)


def wrong(code):
    """Another code under the same nameplate, of words that there are."""
    plate, first, second = code.split("-")
    return f"{plate}-{first}-{'falcon' if second == 'amber' else 'amber'}"


def parts(out):
    """What is kept apart until all has come."""
    return glob.glob(os.path.join(out, ".tacit-*"))


def part_bytes(out):
    return sum(os.path.getsize(os.path.join(folder, name))
               for part in parts(out) for folder, _, names in os.walk(part) for name in names)


def journals(machine):
    return glob.glob(os.path.join(machine.data, "tacit", "parcels", "*"))


class Running:
    """A command of a machine, or of somebody on it, and the JSON lines that it has said."""

    def __init__(self, who, *words, text=None, stdin=subprocess.DEVNULL, wrapper=()):
        self.process = who.start("--json", *words, stdin=stdin if text is None else subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, wrapper=wrapper)
        self.lines = []
        if text is not None:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()

    def next(self, kind):
        """The next line of that type."""
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(f"it ended without {kind}: {self.process.stderr.read()!r}")
            self.lines.append(json.loads(line))
            if self.lines[-1]["type"] == kind:
                return self.lines[-1]

    @property
    def code(self):
        return self.next("code")["code"]

    @property
    def port(self):
        return self.next("listening")["port"]

    def end(self, seconds=SECONDS):
        """To its end, whatever that is."""
        out, err = self.process.communicate(timeout=seconds)
        self.lines += [json.loads(line) for line in out.splitlines()]
        self.err = err.decode(errors="replace")
        if SANITIZER.search(err):
            raise AssertionError(self.err[-8000:])
        return self

    def finish(self, status=0, seconds=SECONDS):
        self.end(seconds)
        tap.equal(self.process.returncode, status, f"exit: {self.lines} {self.err}")
        return self

    def of(self, kind):
        return [line for line in self.lines if line["type"] == kind]

    @property
    def states(self):
        return [line["state"] for line in self.of("state")]

    @property
    def resumed_from(self):
        return self.of("parcel_received")[0]["resumed_from"]

    def problem(self):
        """Why it failed, in the machine's words."""
        return json.loads(self.err.splitlines()[-1])

    def signal(self, what):
        self.process.send_signal(what)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.communicate()


class Ground:
    """Where one end's files lie, and folders that the other end receives into."""

    def __init__(self, near, far):
        self.near, self.far = near, far
        self.count = 0

    def make(self, name, content):
        path = os.path.join(self.near.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content)
        return path

    def out(self):
        """A fresh one."""
        self.count += 1
        path = os.path.join(self.far.folder, f"out{self.count}")
        os.mkdir(path)
        return path
