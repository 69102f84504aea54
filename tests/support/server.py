"""Starts a real tacitd on a free port with a data folder of its own, and ends it by its pid.

    with Server(MAX_FILE_SIZE="1MiB") as server:
        ... server.url ...

Leaving the block sends SIGTERM and fails unless the server exits with 0 and no sanitizer spoke.
"""
import contextlib
import http.client
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

SANITIZER = re.compile(rb"(ERROR: (Address|Leak|Thread|UndefinedBehavior)Sanitizer|"
                       rb"WARNING: ThreadSanitizer|runtime error:)")
START_SECONDS = 30
STOP_SECONDS = 40


def build_folder():
    """The build folder: the first argument, else TACIT_BUILD, else build/ of the project."""
    if len(sys.argv) > 1 and os.path.isdir(sys.argv[1]):
        return os.path.abspath(sys.argv[1])
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.path.abspath(os.environ.get("TACIT_BUILD", os.path.join(root, "build")))


def source_folder():
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def program(name):
    """The path of a built program."""
    folder = build_folder()
    for place in (name, os.path.join("server", name), os.path.join("cli", name)):
        path = os.path.join(folder, place)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(f"{name} is not built in {folder}")


_reserved = []  # held until this program ends


def _ports():
    """Those that the kernel gives to nobody by itself: neither to who asks for any port, nor to who calls out."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as limits:
        low, high = map(int, limits.read().split())
    return [*range(11000, low), *range(high + 1, 65536)] or range(11000, 61000)


def free_port():
    """A port for a server that comes and goes: nobody else takes it before the first start or between two. Programs
    of tests that run side by side keep out of each other's way by a name that ends with who has it."""
    ports = _ports()
    while True:
        port = random.choice(ports)
        name, probe = socket.socket(socket.AF_UNIX), socket.socket()
        with probe:
            try:
                name.bind(f"\0tacit test port {port}")
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
            except OSError:
                name.close()
                continue
        _reserved.append(name)
        return port


class ServerFailed(Exception):
    pass


class Server:
    """One tacitd. Keyword arguments become environment variables (the settings of contract 8)."""

    def __init__(self, *arguments, data=None, wrapper=(), **settings):
        self.arguments = list(arguments)
        self.wrapper = list(wrapper)
        limits = {"RATE_ADDRESS": 0, "RATE_ACCOUNT": 0, "RATE_LOGIN": 0}  # but where a test gives them
        self.settings = {k: str(v) for k, v in {**limits, **settings}.items()}
        self.port = free_port()
        self.own_folder = data is None
        self.folder = tempfile.mkdtemp(prefix="tacit-test-") if data is None else data
        self.data = os.path.join(self.folder, "data")
        self.log_path = os.path.join(self.folder, "log")
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def environment(self):
        """Nothing of the caller's own settings reaches the server."""
        kept = {k: v for k, v in os.environ.items()
                if k in ("PATH", "LANG", "TMPDIR") or k.endswith("SAN_OPTIONS")}
        return {**kept, "HOME": self.folder, **self.settings}

    def start(self, wait=True):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, program("tacitd"), "--listen", f"127.0.0.1:{self.port}",
                 "--data", self.data, *self.arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(),
                cwd=self.folder)
        if wait:
            self.wait_healthy()
        return self

    def wait_healthy(self):
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise ServerFailed(f"exit {self.process.returncode} at start:\n{self.log()}")
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.01)
            finally:
                connection.close()
        raise ServerFailed(f"not healthy after {START_SECONDS} s:\n{self.log()}")

    def kill(self):
        """SIGKILL: the crash. The data folder stays for start()."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self):
        """SIGTERM without waiting."""
        self.process.send_signal(signal.SIGTERM)

    def wait_stopped(self):
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"did not end within {STOP_SECONDS} s of SIGTERM:\n{self.log()[-4000:]}")
        if status != 0:
            raise ServerFailed(f"exit {status} after SIGTERM:\n{self.log()[-8000:]}")
        self.check_log()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.terminate()
        if self.process:
            self.wait_stopped()
        self.process = None

    def restart(self):
        self.stop()
        return self.start()

    def log(self):
        with open(self.log_path, "rb") as log:
            return log.read().decode(errors="replace")

    def invitation(self):
        """The first one. It is printed once the server listens, so it may come a moment after the first answer."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if found := re.search(r"\b[0-9a-f]{32}\b", self.log()):
                return found[0]
            time.sleep(0.02)
        return None

    def check_log(self):
        if SANITIZER.search(self.log().encode()):
            raise ServerFailed(f"a sanitizer spoke:\n{self.log()[-20000:]}")

    def database(self):
        return os.path.join(self.data, "tacit.db")

    def sanitized(self):
        """Is it built with a sanitizer? Memory then says nothing, and everything is slow."""
        with open(f"/proc/{self.pid}/maps", encoding="utf-8") as maps:
            return bool(re.search("lib[at]san", maps.read()))

    def count_blobs(self):
        """How many files lie in the folders of the data folder."""
        return sum(len(files) for folder, _, files in os.walk(self.data) if folder != self.data)

    def resting_blobs(self):
        """The same, once what was refused before has been cleared away: nothing moves any more."""
        count, since = self.count_blobs(), time.monotonic()
        while time.monotonic() - since < 1:
            time.sleep(0.02)
            if self.count_blobs() != count:
                count, since = self.count_blobs(), time.monotonic()
        return count

    def settle_blobs(self, wanted):
        """The same, once it is as wanted or time is up."""
        until = time.monotonic() + START_SECONDS
        while self.count_blobs() != wanted and time.monotonic() < until:
            time.sleep(0.02)
        return self.count_blobs()

    def sql(self, statement, *values):
        """Changes the store of a stopped server, to let time pass. Gives the rows touched."""
        assert self.process is None or self.process.poll() is not None, "stop the server first"
        with contextlib.closing(sqlite3.connect(self.database())) as store:
            count = store.execute(statement, values).rowcount
            store.commit()
        return count

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.remove()
            raise

    def __exit__(self, kind, *rest):
        try:
            self.stop()
        finally:
            self.remove()

    def remove(self):
        if self.process and self.process.poll() is None:
            self.kill()
        if self.own_folder and not os.environ.get("TACIT_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
