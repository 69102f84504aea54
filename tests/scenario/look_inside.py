"""What the server has of a session between two people: nothing of what they said, sent or typed.

Two people with the real `tacit` exchange marked texts and a marked file. Then everything that the
server has (database, journal, files, log, memory), everything that went over the wire, and what
lies on the clients' disks is searched for the marks, in every common writing.
"""
import base64
import contextlib
import ctypes
import hashlib
import hmac
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid

import nacl.signing

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.client import password_hash, pem  # noqa: E402
from support.door import Door  # noqa: E402
from support.marks import forms, found as marked  # noqa: E402
from support.server import Server, build_folder, program  # noqa: E402

SANITIZED = "san" in os.path.basename(build_folder())
USER_KEYRING = -4


# --- the search ---

def read(path):
    """A file without its empty pages, of which a core dump has very many."""
    size = 1024 * 1024
    with open(path, "rb") as f:
        return b"".join(piece for piece in iter(lambda: f.read(size), b"") if piece.count(0) < len(piece))


def search(path, marks):
    """The marks that a file holds: (mark's name, writing)."""
    return marked(read(path), marks)


def search_folder(folder, marks):
    found = []
    for place, folders, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            found += [(os.path.relpath(path, folder), *hit) for hit in search(path, marks)]
        for name in names + folders:  # and the names themselves
            found += [("a name", mark, form) for mark, what in marks.items()
                      for form, text in forms(what) if text in os.fsencode(name)]
    return found


# --- the keys ---

def kept_secret(folder):
    """The account secret of a profile, from the kernel, which keeps it for its owner."""
    try:
        keyutils = ctypes.CDLL("libkeyutils.so.1")
    except OSError:
        return None
    name = b"tacit:" + hashlib.sha256(os.path.realpath(folder).encode()).hexdigest()[:32].encode()
    key = keyutils.keyctl_search(USER_KEYRING, b"user", name, 0)
    room = ctypes.create_string_buffer(64)
    if key < 0 or keyutils.keyctl_read(key, room, 64) != 32:
        return None
    return room.raw[:32]


def derive(secret, label, length=32):
    """HKDF-SHA256 with an empty salt, one block (docs/protocol.md 1)."""
    prk = hmac.new(b"\0" * 32, secret, hashlib.sha256).digest()
    return hmac.new(prk, label + b"\1", hashlib.sha256).digest()[:length]


# --- the session ---

class World:
    def __init__(self, server, machine, traffic):
        self.server, self.machine, self.traffic = server, machine, traffic
        self.door = Door(server, traffic)
        self.machine.server = self.door
        self.seen_of_processes = b""
        self.watching = True
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()
        tag = uuid.uuid4().hex[:12]
        self.names = (f"ann-{tag[:8]}", f"ben-{tag[:8]}")
        text = {name: f"{name}-{uuid.uuid4().hex}" for name in
                ("direct", "answer", "group", "offline", "title", "content", "filename", "chat")}
        self.password = f"Pass-{uuid.uuid4().hex[:14]}!7"
        self.marks = {name: value.encode() for name, value in text.items()}
        del self.marks["title"]  # a group's name is known to the server (docs/threat-model.md)
        self.marks["password"] = self.password.encode()
        self.talk(text)
        self.take_keys()
        self.watching = False
        self.watcher.join()

    def watch(self):
        """What other users of the machine could read of every tacit that runs."""
        while self.watching:
            for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
                with contextlib.suppress(OSError):
                    if os.path.basename(os.readlink(f"/proc/{pid}/exe")) != "tacit":
                        continue
                    for name in ("cmdline", "environ", "comm"):
                        with open(f"/proc/{pid}/{name}", "rb") as f:
                            seen = f.read()
                        if seen not in self.seen_of_processes:
                            self.seen_of_processes += seen + b"\n"
            time.sleep(0.01)

    def talk(self, text):
        self.ann, self.ben = (self.machine.register(n, password=self.password) for n in self.names)
        ann, ben = self.ann, self.ben
        ann.must("send", ben.username, text=text["direct"])
        tap.check((ann.username, text["direct"]) in ben.inbox(), "the message arrived")
        ben.must("send", ann.username, text=text["answer"])
        ann.must("group", "create", text["title"], ben.username)
        ann.must("group", "send", text["title"], text=text["group"] * 20)
        ann.must("chat", ben.username, text=text["chat"] + "\n")
        path = os.path.join(self.machine.folder, text["filename"])
        with open(path, "wb") as f:
            f.write((text["content"] + "\n").encode() * 5000 + os.urandom(100_000))
        self.file = path
        file_id = ann.json("file", "send", ben.username, path).of("file_sent")[0]["file"]
        ben.must("inbox")
        saved = os.path.join(self.machine.folder, "saved")
        ben.must("file", "get", file_id, "-o", saved)
        with open(path, "rb") as a, open(saved, "rb") as b:
            tap.check(a.read() == b.read(), "the file arrived")
        self.server.stop()
        ann.run("send", ben.username, text=text["offline"])
        self.server.start()
        ann.must("inbox")
        tap.check((ann.username, text["offline"]) in ben.inbox(), "what waited arrived")
        os.unlink(saved)

    def take_keys(self):
        self.keys = {}
        for person in (self.ann, self.ben):
            secret = kept_secret(person.store)
            if secret:
                seed = derive(secret, b"tacit account signing key v1")
                self.keys[person.username] = nacl.signing.SigningKey(seed)
                self.marks[f"account secret of {person.username}"] = secret
                self.marks[f"private key of {person.username}"] = seed
                self.marks[f"store key of {person.username}"] = derive(
                    secret, b"tacit account derived key v1: store")


@contextlib.contextmanager
def world():
    with Server(RATE_LOGIN=0) as server, Machine(server) as machine:
        w = World(server, machine, os.path.join(server.folder, "traffic"))
        yield w
        w.door.close()


def check_nothing(what, found):
    tap.equal(found, [], f"marks in {what}")


@tap.case
def the_search_finds_every_writing(w):
    """Without this, finding nothing would say nothing."""
    folder = os.path.join(w.machine.folder, "control")
    os.makedirs(folder)
    for name, mark in w.marks.items():
        for form, what in forms(mark):
            for before in (b"", b"x", b"yz"):
                with open(os.path.join(folder, "f"), "wb") as f:
                    f.write(os.urandom(1000) + before + what + os.urandom(1000))
                if (name, form) not in search(os.path.join(folder, "f"), {name: mark}):
                    tap.fail(f"{name} as {form} was not found")
        for before in (b"", b"x", b"yz"):
            with open(os.path.join(folder, "f"), "wb") as f:
                f.write(base64.b64encode(before + mark + b"after"))
            tap.check(search(os.path.join(folder, "f"), {name: mark}), f"{name} within base64")
    os.unlink(os.path.join(folder, "f"))


@tap.case
def what_the_server_does_know_is_found(w):
    known = {"username": w.names[0].encode(), "address": w.ann.email.encode()}
    found = {mark for _, mark, _ in search_folder(w.server.data, known)}
    tap.equal(found, set(known), "in its data folder")
    tap.check(search(w.traffic, known), "on the wire")


@tap.case
def its_data_folder_holds_no_mark(w):
    check_nothing("the data folder of the running server", search_folder(w.server.data, w.marks))


@tap.case
def its_log_holds_no_mark(w):
    tap.check(os.path.getsize(w.server.log_path) > 0, "there is a log")
    check_nothing("the log", search(w.server.log_path, w.marks))
    names = {n: n.encode() for n in w.names} | {"address": w.ann.email.encode()}
    check_nothing("the log", search(w.server.log_path, names))


@tap.case
def nothing_of_it_went_over_the_wire(w):
    w.door.record.flush()
    tap.check(os.path.getsize(w.traffic) > 100_000, "the traffic was kept")
    check_nothing("the traffic", search(w.traffic, w.marks))


@tap.case
def the_memory_of_the_server_holds_no_mark(w):
    """A core dump of the running server, taken right after the session."""
    if SANITIZED:
        tap.skip("a core dump of a sanitized program is as large as its shadow")
    if not shutil.which("gcore"):
        tap.skip("no gdb")
    base = os.path.join(w.machine.folder, "core")
    got = subprocess.run(["gcore", "-o", base, str(w.server.pid)], capture_output=True, text=True,
                         timeout=120, check=False)
    path = f"{base}.{w.server.pid}"
    if not os.path.exists(path):
        if "ptrace" in got.stderr or "Operation not permitted" in got.stderr:
            tap.skip("nobody may trace another process here")
        tap.fail(got.stdout + got.stderr)
        return
    tap.check(search(path, {"pid": b"SQLite format 3"}), "the dump is one of the server")
    tap.check(search(path, {"username": w.names[0].encode()}), "and of this session")
    check_nothing("the memory of the server", search(path, w.marks))
    os.unlink(path)


@tap.case
def nor_after_a_restart(w):
    w.server.restart()
    check_nothing("the data folder", search_folder(w.server.data, w.marks))
    w.server.stop()
    check_nothing("the data folder of the stopped server", search_folder(w.server.data, w.marks))
    w.server.start()


@tap.case
def the_keys_are_the_real_ones(w):
    """The private keys that were searched for belong to the public keys that the server knows."""
    if not w.keys:
        tap.skip("the kernel keeps no keys here, so the test has none to search for")
    for username, key in w.keys.items():
        public = bytes(key.verify_key)
        tap.check(search_folder(w.server.data, {"public key": public}), f"{username}'s in the database")
        tap.check(base64.b64decode(pem(public).splitlines()[1])[-32:] == public, "PEM")


@tap.case
def a_stolen_database_gives_no_login(w):
    """What is sent at a login, and the seed of the second factor, are in the files only sealed."""
    marks = {}
    for person in (w.ann, w.ben):
        sent = password_hash(person.password, person.email)
        marks[f"password_hash of {person.username}"] = sent.encode()
        marks[f"its bytes of {person.username}"] = bytes.fromhex(sent)
        marks[f"TOTP secret of {person.username}"] = person.secret.encode()
        marks[f"its bytes of {person.username} "] = base64.b32decode(
            person.secret + "=" * (-len(person.secret) % 8))
        for number, code in enumerate(person.recovery_codes):
            marks[f"recovery code {number} of {person.username}"] = code.encode()
    tap.check(search(w.traffic, {k: v for k, v in marks.items() if k.startswith("password_hash")}),
              "the hash is what went over the wire")
    check_nothing("the data folder", search_folder(w.server.data, marks))
    check_nothing("the log", search(w.server.log_path, marks))


@tap.case
def the_clients_disks_hold_no_mark(w):
    for person in (w.ann, w.ben):
        person.must("history")
        tap.check(os.listdir(person.store), "there is a store")
        check_nothing(f"the profile of {person.username}", search_folder(person.store, w.marks))
    kept = {os.path.basename(w.file), *(f"password-{n}" for n in w.names)}
    others = [n for n in os.listdir(w.machine.folder) if n not in kept | {"data", "control", "work"}]
    tap.equal(others, [], "nothing else was left in the home folder")


@tap.case
def nothing_secret_in_arguments_and_environments(w):
    tap.check(b"--password-file" in w.seen_of_processes, "processes were watched")
    secret = {k: v for k, v in w.marks.items() if k not in ("filename", "title")}
    path = os.path.join(w.machine.folder, "control", "processes")
    with open(path, "wb") as f:
        f.write(w.seen_of_processes)
    check_nothing("/proc", search(path, secret))


@tap.case
def no_program_holds_the_marks(w):
    """They were made for this run: a mark that the program itself holds would prove nothing."""
    check_nothing("the programs", search(program("tacitd"), w.marks) + search(program("tacit"), w.marks))


tap.main(world)
