"""People send each other files with the real `tacit`: whole, interrupted, and with evil names.

TACIT_BIG=1 moves 2 GiB where otherwise 256 MiB must do; the bound on memory is the same.
"""
import contextlib
import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.gate import Gate  # noqa: E402
from support.server import Server, build_folder, program  # noqa: E402

KIB, MIB = 1024, 1024 * 1024
BIG = 2048 * MIB if os.environ.get("TACIT_BIG") else 256 * MIB
MEMORY = 32 * MIB
SANITIZED = "san" in os.path.basename(build_folder())


class World:
    def __init__(self, server, machine):
        self.server, self.machine = server, machine
        self.alice, self.bob = machine.register("alice"), machine.register("bob")
        self.folder = os.path.join(machine.folder, "files")
        os.makedirs(self.folder)
        self.saved = os.path.join(machine.folder, "saved")
        os.makedirs(self.saved)

    def make(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(content)
        return path

    def send(self, path, *more):
        """Alice sends it to bob; the id of the file."""
        return self.alice.json("file", "send", "bob", path, *more).of("file_sent")[0]["file"]

    def get(self, file_id, name=None):
        """Bob fetches it; the path."""
        out = self.saved if name is None else os.path.join(self.saved, name)
        return self.bob.json("file", "get", file_id, "-o", out).of("file_saved")[0]["path"]


@contextlib.contextmanager
def world():
    with Server(RATE_ADDRESS=0, RATE_ACCOUNT=0, RATE_LOGIN=0, MAX_FILE_SIZE=4096 * MIB,
                QUOTA_BYTES=2**40) as server, Machine(server) as machine:
        yield World(server, machine)


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def read(path):
    with open(path, "rb") as f:
        return f.read()


# --- there and back ---

@tap.case
def files_of_many_sizes_arrive_whole(w):
    for size in (0, 1, 1000, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB, 3 * MIB + 7):
        path = w.make(f"size-{size}", os.urandom(size))
        saved = w.get(w.send(path))
        tap.equal(os.path.basename(saved), f"size-{size}", "its name")
        tap.equal(digest(saved), digest(path), f"{size} bytes")
        tap.equal(stat.S_IMODE(os.stat(saved).st_mode) & 0o133, 0, "no more rights than needed")
    files = [f for _, f in w.bob.inbox() if isinstance(f, dict)]
    tap.equal([f["size"] for f in files], [0, 1, 1000, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB,
                                          3 * MIB + 7], "announced sizes")


@tap.case
def the_message_says_how_to_fetch_it(w):
    path = w.make("picture.jpg", os.urandom(5000))
    got = w.alice.must("file", "send", "bob", path)
    tap.check("Sent picture.jpg" in got.out, got.out)
    shown = w.bob.must("inbox").out
    found = re.search(r"file picture\.jpg, .*\(tacit file get (\w+)\)", shown)
    if tap.check(found, shown):
        got = w.bob.must("file", "get", found[1], cwd=w.saved)
        tap.check("Saved picture.jpg" in got.out, got.out)
        tap.equal(read(os.path.join(w.saved, "picture.jpg")), read(path), "content")


@tap.case
def files_go_to_groups(w):
    carol = w.machine.register("carol")
    w.alice.must("group", "create", "pictures", "bob", "carol")
    path = w.make("for-all", os.urandom(10_000))
    file_id = w.alice.json("file", "send", "pictures", path).of("file_sent")[0]["file"]
    for person in (w.bob, carol):
        out = os.path.join(w.saved, f"for-{person.username}")
        person.must("file", "get", file_id, "-o", out)
        tap.equal(read(out), read(path), person.username)


@tap.case
def nothing_is_ever_overwritten(w):
    path = w.make("precious", b"from alice")
    file_id = w.send(path)
    mine = os.path.join(w.saved, "precious")
    with open(mine, "wb") as f:
        f.write(b"bob's own")
    got = w.bob.run("file", "get", file_id, "-o", w.saved)
    tap.equal(got.code, 1, "exit")
    tap.check("is there already" in got.err, got.err)
    tap.equal(read(mine), b"bob's own", "as before")
    os.unlink(mine)
    os.symlink(os.path.join(w.saved, "elsewhere"), mine)
    got = w.bob.run("file", "get", file_id, "-o", w.saved)
    tap.equal(got.code, 1, "a symbolic link is something that is there")
    tap.check(not os.path.exists(os.path.join(w.saved, "elsewhere")), "nothing through the link")
    os.unlink(mine)
    tap.equal(read(w.get(file_id)), b"from alice", "with room it comes")


@tap.case
def what_is_no_file_is_not_sent(w):
    fifo = os.path.join(w.folder, "fifo")
    os.mkfifo(fifo)
    for path in (w.folder, "/dev/zero", fifo, "/nowhere/at/all", ""):
        got = w.alice.run("file", "send", "bob", path, seconds=20)
        tap.equal(got.code, 1, f"{path}: {got!r}")
    for wrong in ("0" * 32, "zz", "../x"):
        got = w.bob.run("file", "get", wrong, "-o", w.saved)
        tap.equal((got.code, got.out), (1, ""), wrong)


# --- evil names ---

def by_sight(names):
    """{how a name is shown: the name}"""
    return {repr(name)[1:-1][:20]: name for name in names}


NAMES = by_sight(["\x1b[31mred", "new\nline", "tab\there", ".hidden", "...", "-rf", "a" * 255, "C:\\windows\\x",
         "..\\..\\x", "~", "ünï ✓", "con.txt ", "\x7f", "\u202etxt.exe", "%2e%2e%2f", "$(touch x)", "`x`",
         "a;b|c&d", " "])


def evil_name(w, shown):
    """A name that a file can have here: it arrives in the folder, under a harmless name."""
    name = NAMES[shown]
    content = os.urandom(100)
    file_id = w.send(w.make(name, content))
    inbox = w.bob.must("inbox").out
    tap.check(all(ord(c) >= 32 or c == "\n" for c in inbox) and "\x7f" not in inbox, f"inbox: {inbox!r}")
    folder = os.path.join(w.machine.folder, "evil")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "in"))
    got = w.bob.run("file", "get", file_id, "-o", os.path.join(folder, "in"))
    tap.equal(got.code, 0, f"{got!r}")
    tap.check(all(ord(c) >= 32 or c == "\n" for c in got.out), f"stdout: {got.out!r}")
    check_harmless(folder, content)


def check_harmless(folder, content):
    tap.equal(os.listdir(folder), ["in"], "nothing beside the folder")
    saved = os.listdir(os.path.join(folder, "in"))
    if tap.equal(len(saved), 1, f"one file: {saved}"):
        tap.check(all(ord(c) >= 32 and ord(c) != 127 for c in saved[0]), f"its name {saved[0]!r}")
        tap.check(not saved[0].startswith((".", "-", "~")), f"its name {saved[0]!r}")
        tap.equal(read(os.path.join(folder, "in", saved[0])), content, "content")


tap.cases(NAMES, evil_name)

# What no file here can be named, but a changed program can say: the sender's tacit runs in a
# debugger that writes another name into the message before it is sealed.
FORGED = by_sight(["../../../tmp/x", "/etc/cron.d/xx", "..", ".", "a/../../../b", "", "/", "x\0/../y", "nl\n/x"])


def send_forged(w, name, content):
    path = w.make("f" * 20, content)
    script = [
        "set breakpoint pending on", "set confirm off", "set debuginfod enabled off",
        "break tacit_content_encode if c->kind == TACIT_CONTENT_FILE",
        "run",
        *[f"set var ((char *)c->file.name.p)[{i}] = {ord(letter)}"
          for i, letter in enumerate(name)],
        f"set var ((struct tacit_content *)c)->file.name.n = {len(name)}",
        "delete", "continue"]
    words = ["gdb", "-q", "-batch", "-nx"]
    for line in script:
        words += ["-ex", line]
    env = w.machine.environment()
    env["ASAN_OPTIONS"] = "detect_leaks=0"  # the leak checker cannot run in a debugger
    env.pop("DEBUGINFOD_URLS", None)
    got = subprocess.run([*words, "--args", program("tacit"), *w.alice.options(), "--json", "file", "send",
                          "bob", path], capture_output=True, text=True, errors="replace", env=env,
                         stdin=subprocess.DEVNULL, timeout=120)
    found = re.search(r'"file":"(\w+)"', got.stdout)
    return (found[1] if found else None), got


def forged_name(w, shown):
    name = FORGED[shown]
    if not shutil.which("gdb"):
        tap.skip("no gdb")
    content = os.urandom(100)
    file_id, got = send_forged(w, name, content)
    if "ptrace" in got.stderr and not file_id:
        tap.skip("no ptrace here")
    if not file_id:
        # The sender's own program may refuse to say such a thing.
        tap.check(re.search(r'"type":"error"', got.stderr + got.stdout), f"{got.stdout}{got.stderr}")
        return
    folder = os.path.join(w.machine.folder, "evil")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "in"))
    came = w.bob.run("--json", "inbox")
    refused = came.of("refused")
    tap.check(refused or came.of("message")[0]["file"].get("name", name) == name,
              f"the forged name came: {came.out}")
    tap.check("f" * 20 not in came.out, "not the true name")
    got = w.bob.run("file", "get", file_id, "-o", os.path.join(folder, "in"))
    if refused:
        tap.equal(os.listdir(os.path.join(folder, "in")), [], "nothing of a message that was refused")
    else:
        tap.equal(got.code, 0, f"{got!r}")
        check_harmless(folder, content)


tap.cases(FORGED, forged_name)


# --- interruptions ---

def wait_until(condition, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.002)
    return False


def blob_bytes(w):
    """How much lies in the server's files at this moment."""
    total = 0
    for folder, _, names in os.walk(w.server.data):
        for name in names if folder != w.server.data else ():
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(folder, name)).st_size
    return total


@contextlib.contextmanager
def held_after(w, count, back=False):
    """People's way to the server: so many bytes pass, and the rest stands still."""
    with contextlib.closing(Gate(w.server.port, back=back)) as gate:
        gate.hold_after(count)
        w.machine.server = gate
        try:
            yield
        finally:
            w.machine.server = w.server
            gate.cut()


@tap.case
def an_upload_killed_midway_goes_on(w):
    size = 48 * MIB
    path = w.make("interrupted", os.urandom(size))
    before = blob_bytes(w)
    stops = []
    for part, passing in ((0.2, 0.28), (0.6, 0.65)):
        with held_after(w, int(passing * size)):
            process = w.alice.start("file", "send", "bob", path)
            reached = wait_until(lambda: blob_bytes(w) - before > part * size or process.poll() is not None)
            tap.check(reached and process.poll() is None, f"it is under way at {part}")
            process.send_signal(signal.SIGKILL)
            process.wait()
        stops.append(blob_bytes(w) - before)
    tap.check("file" not in str(w.bob.inbox()), "nothing was announced")
    sent = received(w)
    file_id = w.send(path)
    sent = received(w) - sent
    tap.check(sent < size - stops[1] + 6 * MIB,
              f"it went on: {sent // MIB} MiB more after {[s // MIB for s in stops]} of {size // MIB}")
    tap.equal(digest(w.get(file_id)), digest(path), "content")


def received(w):
    """The server's own counter of bytes that came."""
    with urllib.request.urlopen(f"{w.server.url}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = re.search(r"^\S*(?:bytes_in|received_bytes|bytes_received)\S*(?:\{[^}]*\})? (\d+)", text, re.M)
    if not found:
        raise AssertionError(f"no counter of bytes among the metrics:\n{text}")
    return int(found[1])


@tap.case
def a_changed_file_is_not_gone_on_with(w):
    """Other bytes under the same key would be a disaster: the upload begins anew."""
    size = 32 * MIB
    path = w.make("changed", os.urandom(size))
    before = blob_bytes(w)
    process = w.alice.start("file", "send", "bob", path)
    wait_until(lambda: blob_bytes(w) - before > size // 4 or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with open(path, "r+b") as f:
        f.write(b"other beginning")
    tap.equal(digest(w.get(w.send(path))), digest(path), "the file as it is now")


@tap.case
def a_download_killed_midway_goes_on(w):
    size = 48 * MIB
    path = w.make("down", os.urandom(size))
    file_id = w.send(path)
    folder = os.path.join(w.machine.folder, "down")
    os.makedirs(folder)
    target = os.path.join(folder, "down")

    def partial():
        return sum(os.stat(os.path.join(folder, n)).st_size for n in os.listdir(folder))

    stops = []
    for number, part, passing in ((signal.SIGKILL, 0.2, 0.28), (signal.SIGINT, 0.5, 0.55)):
        with held_after(w, int(passing * size), back=True):
            process = w.bob.start("file", "get", file_id, "-o", folder)
            reached = wait_until(lambda: partial() > part * size or process.poll() is not None)
            tap.check(reached and process.poll() is None, f"it is under way at {part}")
            process.send_signal(number)
            process.wait(30)
        tap.check(process.returncode != 0, f"exit {process.returncode}")
        tap.check(not os.path.exists(target), "nothing under the final name")
        stops.append(partial())
    tap.check(stops[1] > stops[0] * 0.9, f"the second went on: {stops}")
    w.bob.must("file", "get", file_id, "-o", folder)
    tap.equal(digest(target), digest(path), "content")
    tap.equal(os.listdir(folder), ["down"], "no part is left")


@tap.case
def a_server_restart_in_an_upload_is_survived(w):
    size = 48 * MIB
    path = w.make("restart", os.urandom(size))
    before = blob_bytes(w)
    process = w.alice.start("--json", "file", "send", "bob", path, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)
    wait_until(lambda: blob_bytes(w) - before > size // 4 or process.poll() is not None)
    w.server.kill()
    w.server.start()
    out, err = process.communicate(timeout=60)
    if process.returncode != 0:
        out = w.alice.json("file", "send", "bob", path).out.encode()
    tap.check(b"file_sent" in out, f"{out} {err}")
    file_id = re.search(rb'"file":"(\w+)"', out)[1].decode()
    tap.equal(digest(w.get(file_id)), digest(path), "content")


@tap.case
def a_file_changed_on_the_server_is_refused(w):
    path = w.make("tampered", os.urandom(200 * KIB))
    file_id = w.send(path)
    for folder, _, names in os.walk(w.server.data):
        for name in names:
            if file_id in name:
                blob = os.path.join(folder, name)
    os.chmod(blob, 0o600)
    with open(blob, "r+b") as f:
        f.seek(150 * KIB)
        byte = f.read(1)
        f.seek(150 * KIB)
        f.write(bytes([byte[0] ^ 1]))
    got = w.bob.run("file", "get", file_id, "-o", w.saved)
    tap.equal(got.code, 1, f"{got!r}")
    tap.check("not the file that was sent" in got.err, got.err)
    tap.check(not os.path.exists(os.path.join(w.saved, "tampered")), "nothing under the final name")
    tap.check(not [n for n in os.listdir(w.saved) if file_id in n], "and no part")


@tap.case
def progress_is_shown_on_a_terminal_only(w):
    path = w.make("progress", os.urandom(20 * MIB))
    w.alice.run("unlock")
    with w.alice.terminal("file", "send", "bob", path) as t:
        t.expect(r"progress.*\d+ ?%")
        t.expect("Sent progress")
        t.end(0)
    got = w.alice.must("file", "send", "bob", path)
    tap.check("%" not in got.out + got.err and "\r" not in got.out + got.err, f"{got!r}")


# --- memory ---

def run_measured(person, *words):
    """Runs a command; the most memory that it ever held. (Not rusage: its peak includes the time
    between fork and exec, which is Python's.)"""
    process = person.start(*words, stderr=subprocess.PIPE)
    peak = 0
    while process.poll() is None:
        peak = max(peak, high_water(process.pid))
        time.sleep(0.01)
    return process.returncode, peak, process.stderr.read().decode()


def high_water(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            text = f.read()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    return int(found[1]) * KIB if found and "Name:\ttacit" in text else 0


def forget_high_water(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as f:
        f.write("5")


@tap.case
def a_big_file_moves_in_little_memory(w):
    if SANITIZED:
        tap.skip("memory under sanitizers says nothing")
    path = os.path.join(w.folder, "big")
    with open(path, "wb") as f:
        f.truncate(BIG)
        for at in (0, BIG // 2 + 12345, BIG - 100):  # sparse, but not all the same
            f.seek(at)
            f.write(os.urandom(100))
    with Server(MAX_FILE_SIZE=4096 * MIB, QUOTA_BYTES=2**40, RATE_ADDRESS=0, RATE_ACCOUNT=0) as server, \
            Machine(server) as machine:
        alice, bob = machine.register("alice"), machine.register("bob")
        forget_high_water(server.pid)  # the password hashes of the registrations took their share
        began = time.monotonic()
        code, up, err = run_measured(alice, "file", "send", "bob", path)
        tap.equal(code, 0, f"send: {err}")
        middle = time.monotonic()
        file_id = bob.inbox()[0][1]["id"]
        saved = os.path.join(machine.folder, "saved-big")
        middle = time.monotonic()
        code, down, err = run_measured(bob, "file", "get", file_id, "-o", saved)
        ended = time.monotonic()
        tap.equal(code, 0, f"get: {err}")
        tap.equal(digest(saved), digest(path), "content")
        server_peak = high_water(server.pid)
        print(f"# {BIG // MIB} MiB: client {up / MIB:.1f} MiB up, {down / MIB:.1f} MiB down, server "
              f"{server_peak / MIB:.1f} MiB; {BIG / MIB / (middle - began):.0f} MiB/s up, "
              f"{BIG / MIB / (ended - middle):.0f} MiB/s down")
        for who, peak in (("sender", up), ("receiver", down), ("server", server_peak)):
            tap.check(0 < peak < MEMORY, f"{who}: {peak / MIB:.1f} MiB")


tap.main(world)
