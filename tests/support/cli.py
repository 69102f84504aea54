"""The real `tacit` in the hands of people: each with a machine, a profile and a password.

    machine = Machine(server)
    alice = machine.register("alice")
    alice.must("send", "bob", "hello")
"""
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

from support.client import fresh_step, totp
from support.pty import Terminal
from support.server import SANITIZER, program

SECONDS = 120
# libedit keeps the names of functions that are added to it for good (wcsdup, which is not ours).
LEAKS_OF_OTHERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "leaks-of-others.supp")
PASSWORD = "correct horse 7!"


class Result:
    def __init__(self, words, code, out, err):
        self.words, self.code, self.out, self.err = words, code, out, err
        if SANITIZER.search(err.encode()):
            raise AssertionError(f"a sanitizer spoke: {err[-8000:]}")

    @property
    def objects(self):
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines() if line.strip()]

    def of(self, kind):
        return [o for o in self.objects if o.get("type") == kind]

    def __repr__(self):
        return f"tacit {' '.join(self.words)} -> {self.code}\n{self.out[-1500:]}\n{self.err[-1500:]}"


class Machine:
    """A home folder. The server may be one that is not there."""

    def __init__(self, server, folder=None):
        self.server = server
        self.folder = folder or tempfile.mkdtemp(prefix="tacit-home-")
        self.data = os.path.join(self.folder, "data")
        self.work = os.path.join(self.folder, "work")
        os.makedirs(self.work, exist_ok=True)
        self.people = []

    def environment(self):
        kept = {k: v for k, v in os.environ.items()
                if k in ("PATH", "TMPDIR") or k.endswith("SAN_OPTIONS")}
        if "ASAN_OPTIONS" in kept:
            kept["LSAN_OPTIONS"] = f"suppressions={LEAKS_OF_OTHERS}:print_suppressions=0"
        return {**kept, "HOME": self.folder, "XDG_DATA_HOME": self.data, "LC_ALL": "C.UTF-8",
                "TERM": "xterm", "TZ": "UTC"}

    def run(self, *words, text=None, seconds=SECONDS, cwd=None):
        """To the end, without a terminal."""
        got = subprocess.run(
            [program("tacit"), *words], capture_output=True, env=self.environment(),
            cwd=cwd or self.work, timeout=seconds, start_new_session=True,
            input=(text or "").encode() if not isinstance(text, bytes) else text)
        return Result(words, got.returncode, got.stdout.decode(errors="replace"),
                      got.stderr.decode(errors="replace"))

    def start(self, *words, **streams):
        """Without waiting and without a terminal."""
        return subprocess.Popen([*streams.pop("wrapper", ()), program("tacit"), *words], env=self.environment(),
                                cwd=self.work, start_new_session=True, stdin=streams.pop("stdin", subprocess.DEVNULL),
                                stdout=streams.pop("stdout", subprocess.DEVNULL),
                                stderr=streams.pop("stderr", subprocess.DEVNULL), **streams)

    def terminal(self, *words, **streams):
        return Terminal([program("tacit"), *words], env=self.environment(), cwd=self.work, **streams)

    def person(self, username, profile=None, password=PASSWORD, email=None):
        return Owner(self, username, profile or username, password, email)

    def register(self, username, **more):
        return self.person(username, **more).register()

    def remove(self):
        for person in self.people:
            with contextlib.suppress(Exception):
                person.run("lock")  # no key of ours stays in the kernel
        if not os.environ.get("TACIT_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.remove()


class Owner:
    """One profile on one machine."""

    def __init__(self, machine, username, profile, password, email):
        self.machine, self.username, self.profile = machine, username, profile
        self.password = password
        self.email = email or f"{username}@example.org"
        self.password_file = os.path.join(machine.folder, f"password-{profile}")
        with open(os.open(self.password_file, os.O_WRONLY | os.O_CREAT, 0o600), "w",
                  encoding="utf-8") as f:
            f.write(password + "\n")
        self.secret, self.last_step, self.recovery_codes = None, 0, []
        machine.people.append(self)

    def options(self):
        return ["--profile", self.profile, "--password-file", self.password_file,
                *(["--server", self.machine.server.url] if self.machine.server else [])]

    @property
    def store(self):
        return os.path.join(self.machine.data, "tacit", "profiles", self.profile)

    def code(self):
        """A code that was not used before."""
        self.last_step = fresh_step(self.last_step)
        return totp(self.secret, self.last_step)

    def factor(self):
        """A code if one is at hand without waiting, else a recovery code."""
        if self.last_step < int(time.time()) // 30 + 1 or not self.recovery_codes:
            return self.code()
        return self.recovery_codes.pop()

    def register(self, *more):
        """By a script: the secret comes on standard output, the code goes to standard input."""
        process = self.machine.start(*self.options(), "--json", "register", self.username, "--email",
                                     self.email, *more, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE)
        try:
            first = process.stdout.readline()
            if first:
                self.secret = json.loads(first)["secret"]
                process.stdin.write(self.code().encode() + b"\n")
            out, err = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
        got = Result(["register", self.username], process.returncode, (first + out).decode(), err.decode())
        if got.code != 0:
            raise AssertionError(f"register: {got!r}")
        self.recovery_codes = list(got.of("recovery_codes")[0]["codes"])
        return self

    def login(self, *more):
        """On a machine that may not know the account yet."""
        return self.run("login", "--username", self.username, "--email", self.email, *more,
                        text=self.factor() + "\n")

    def elsewhere(self, machine, profile=None):
        """The same account on another machine, not logged in yet. Both share the codes."""
        other = Owner(machine, self.username, profile or self.profile, self.password, self.email)
        other.secret, other.last_step = self.secret, self.last_step
        other.recovery_codes = self.recovery_codes
        return other

    def run(self, *words, **more):
        return self.machine.run(*self.options(), *words, **more)

    def must(self, *words, **more):
        got = self.run(*words, **more)
        if got.code != 0:
            raise AssertionError(f"{got!r}")
        return got

    def json(self, *words, **more):
        return self.must("--json", *words, **more)

    def terminal(self, *words, **streams):
        return self.machine.terminal(*self.options(), *words, **streams)

    def start(self, *words, **streams):
        return self.machine.start(*self.options(), *words, **streams)

    def inbox(self):
        """The texts and files that are new: [(username, text or file object)]."""
        return [(m["username"], m.get("text", m.get("file")))
                for m in self.json("inbox").of("message") if not m["own"]]

    def history(self, name, *options):
        return [m.get("text", m.get("file")) for m in self.json("history", name, *options).of("message")]


def digits(text):
    return re.sub(r"\D", "", text)
