"""SIGKILL at random moments under load; then everything that was acknowledged must be there.

TACIT_SEED repeats a run's moments, TACIT_CRASHES sets how many there are.
"""
import contextlib
import hashlib
import json
import os
import random
import sqlite3
import sys
import threading
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person, b64, multipart, signed_body  # noqa: E402
from support.link import LOST, Link  # noqa: E402
from support.seed import seed  # noqa: E402
from support.server import Server  # noqa: E402
from support.tus import file_id  # noqa: E402

CRASHES = int(os.environ.get("TACIT_CRASHES", "60"))
SEED = seed()
KIB = 1024
BUSY = (429, 503)


def content_of(name, number, size):
    """What a worker sends: made from its name and number, so that it need not be kept."""
    start = f"{name}:{number}:".encode()
    return start + random.Random(f"{SEED} {name} {number}").randbytes(size)


class Worker(threading.Thread):
    """Does one thing after another until told to end; takes up where it was when the server is back."""

    def __init__(self, world, person, name):
        super().__init__(name=name, daemon=True)
        self.world, self.person = world, person
        self.link = Link(world.server, person.token)
        self.dice = random.Random(f"{SEED} {name}")
        self.wrong = []  # what must never be answered
        self.acknowledged = 0

    def run(self):
        try:
            while not self.world.ended.is_set():
                self.step()
        except Exception as error:  # told by the main thread
            self.wrong.append(repr(error))

    def ask(self, wanted, method, target, body=None, headers=None):
        """The answer once there is a wanted one, or None when it was lost on the way."""
        while not self.world.ended.is_set():
            try:
                status, got, whole = self.link.call(method, target, body, headers)
            except LOST:
                time.sleep(0.01)
                return None
            if status in wanted:
                self.acknowledged += 1
                return status, got, whole
            if status not in BUSY:
                self.wrong.append(f"{method} {target}: {status} {whole[:200]!r}")
                return None
            time.sleep(0.02)
        return None


class Writer(Worker):
    """Messages, each repeated under the same client_id until it is acknowledged."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.sizes, self.ids = [], []
        self.body = None

    def content(self, number):
        return content_of(self.name, number, self.sizes[number])

    def form(self, data):
        return data

    def step(self):
        if self.body is None:
            self.sizes.append(self.dice.choice((0, 10, 200, 200, 200, 3000)))
            self.body = {"content": b64(self.content(len(self.ids))), "client_id": str(uuid.uuid4())}
        got = self.ask((200, 201), "POST", self.world.messages, self.form(self.body),
                       {"Content-Type": "application/json"})
        if got:
            self.ids.append(json.loads(got[2])["id"])
            self.body = None


class Signer(Writer):
    """The same with signed requests, whose acknowledged bodies must never be taken again."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.stamp = 0
        self.accepted = []

    def form(self, data):
        """A new second for each try: the same bytes again would be a replay."""
        self.stamp = max(int(time.time()) - 200, self.stamp + 1)
        self.last = signed_body(self.person.key, data, self.stamp)
        return self.last

    def step(self):
        before = len(self.ids)
        super().step()
        if len(self.ids) > before:
            self.accepted.append(self.last)
        time.sleep(0.25)  # so that the stamps stay within the window


class Uploader(Worker):
    """Whole files; some of them are deleted again."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.files = {}  # id -> (number, size)
        self.deleted, self.doubtful = [], []
        self.number = 0

    def step(self):
        self.number += 1
        size = self.dice.choice((0, 1, 1000, 64 * KIB, 64 * KIB + 1, 300 * KIB))
        content = content_of(self.name, self.number, size)
        kind, body = multipart(content, conversation_id=self.world.group)
        got = self.ask((201,), "POST", "/api/files/upload", body, {"Content-Type": kind})
        if not got:
            return
        made = json.loads(got[2])
        self.files[made["file_id"]] = (self.number, size)
        if made["sha256"] != hashlib.sha256(content).hexdigest():
            self.wrong.append(f"sha256 of file {self.number}")
        if self.dice.random() < 0.2:
            self.delete(made["file_id"])
        time.sleep(0.01)

    def delete(self, name):
        del self.files[name]
        self.doubtful.append(name)  # deleted or not, until it is acknowledged
        if self.ask((200,), "DELETE", f"/api/files/{name}"):
            self.deleted.append(self.doubtful.pop())


class Resumer(Worker):
    """One tus upload after another, in pieces, taken up again after each crash."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.files = {}
        self.number = 0
        self.place = None
        self.resumed = 0

    def step(self):
        if self.place is None:
            self.create()
        elif self.known:
            self.send()
        else:
            self.look()

    def create(self):
        self.number += 1
        self.size = self.dice.choice((5, 100 * KIB, 700 * KIB, 2000 * KIB))
        self.content = content_of(self.name, self.number, self.size)
        got = self.ask((201,), "POST", "/api/files/tus", b"", {
            "Tus-Resumable": "1.0.0", "Upload-Length": str(len(self.content)),
            "Upload-Metadata": f"conversation_id {b64(str(self.world.group).encode())}"})
        if got:
            self.place = "/" + got[1]["location"].split("/", 3)[3] \
                if got[1]["location"].startswith("http") else got[1]["location"]
            self.offset, self.sent, self.known = 0, 0, True

    def look(self):
        """After a crash: nothing that was acknowledged is gone, nothing is there that was not sent."""
        got = self.ask((200, 204), "HEAD", self.place, None, {"Tus-Resumable": "1.0.0"})
        if not got:
            return
        offset = int(got[1]["upload-offset"])
        if not self.offset <= offset <= self.sent:
            self.wrong.append(f"{self.place}: offset {offset}, acknowledged {self.offset}, "
                              f"sent {self.sent}")
        self.resumed += offset > 0
        self.offset, self.known = offset, True
        self.end_if_whole()

    def send(self):
        piece = self.content[self.offset:self.offset + self.dice.choice((1, 1000, 64 * KIB, 200 * KIB))]
        self.sent = self.offset + len(piece)
        self.known = False
        got = self.ask((204,), "PATCH", self.place, piece, {
            "Tus-Resumable": "1.0.0", "Upload-Offset": str(self.offset),
            "Content-Type": "application/offset+octet-stream"})
        if got:
            self.known = True
            self.offset = int(got[1]["upload-offset"])
            if self.offset != self.sent:
                self.wrong.append(f"{self.place}: {self.offset} after sending up to {self.sent}")
            self.end_if_whole()

    def end_if_whole(self):
        if self.offset == len(self.content):
            self.files[file_id(self.place)] = (self.number, self.size)
            self.place = None


class World:
    def __init__(self, server):
        self.server = server
        self.ended = threading.Event()
        self.alice, self.bob, self.carol = (Person(server).register() for _ in range(3))
        self.group = self.alice.conversation("group", self.bob, self.carol)
        self.messages = f"/api/conversations/{self.group}/messages"
        people = (self.alice, self.bob, self.carol)
        self.writers = [Writer(self, people[i % 3], f"writer{i}") for i in range(5)]
        self.signer = Signer(self, self.alice, "signer")
        self.writers.append(self.signer)
        self.uploaders = [Uploader(self, people[i], f"uploader{i}") for i in range(2)]
        self.resumers = [Resumer(self, people[i], f"resumer{i}") for i in range(2)]
        self.workers = self.writers + self.uploaders + self.resumers
        self.replays = 0

    def page_through(self):
        """All messages of the conversation, in the order in which the server gives them."""
        link, after, found = Link(self.server, self.bob.token), 0, []
        while True:
            status, _, body = link.call("GET", f"{self.messages}?after={after}&limit=200")
            tap.equal(status, 200, "a page")
            page = json.loads(body)
            found += page["messages"]
            if not page["has_more"]:
                return found
            after = found[-1]["id"]


@contextlib.contextmanager
def world():
    print(f"# TACIT_SEED={SEED}", flush=True)
    with Server(RATE_ADDRESS=0, RATE_ACCOUNT=0, QUOTA_BYTES=2**40) as server:
        yield World(server)


def replay_signed(w):
    """Right after a start: what was accepted before the crash is not accepted again."""
    link = Link(w.server, w.alice.token)
    for body in w.signer.accepted[-3:] + w.signer.accepted[:1]:
        try:
            status, _, whole = link.call("POST", w.messages, body, {"Content-Type": "application/json"})
        except LOST:
            break
        tap.equal(status, 401, f"a replay after a restart: {whole[:100]!r}")
        w.replays += 1
    link.close()


@tap.case
def it_is_killed_again_and_again_under_load(w):
    dice = random.Random(SEED)
    starts = []
    for worker in w.workers:
        worker.start()
    for crash in range(CRASHES):
        time.sleep(dice.uniform(0.02, 0.9))
        w.server.kill()
        if dice.random() < 0.15:  # once more, while it starts
            w.server.start(wait=False)
            time.sleep(dice.uniform(0, 0.06))
            w.server.kill()
        began = time.monotonic()
        w.server.start()
        starts.append(time.monotonic() - began)
        replay_signed(w)
    time.sleep(0.5)
    w.ended.set()
    for worker in w.workers:
        worker.join(60)
        tap.check(not worker.is_alive(), f"{worker.name} ends")
        tap.equal(worker.wrong[:2], [], f"{worker.name}: {len(worker.wrong)} wrong answers")
        tap.check(worker.acknowledged > CRASHES // 5, f"{worker.name}: {worker.acknowledged} answers")
    starts.sort()
    print(f"# {CRASHES} crashes; start {starts[len(starts) // 2] * 1000:.0f} ms in the middle, "
          f"{starts[-1] * 1000:.0f} ms at most; {w.replays} replays refused")
    tap.check(w.replays > CRASHES, f"{w.replays} replays were tried")


@tap.case
def every_acknowledged_message_is_there_once_and_in_order(w):
    found = w.page_through()
    ids = [m["id"] for m in found]
    tap.equal(ids, sorted(set(ids)), "ids ascend")
    by_content = {}
    for m in found:
        by_content.setdefault(m["content"], []).append(m)
    tap.equal([len(v) for v in by_content.values() if len(v) > 1], [], "messages that are there twice")
    expected = 0
    for worker in w.writers:
        got = [by_content.get(b64(worker.content(n)), [{}])[0] for n in range(len(worker.ids))]
        lost = [i for i, m in zip(worker.ids, got) if m.get("id") != i]
        tap.equal(lost[:5], [], f"{worker.name}: {len(lost)} of {len(got)} acknowledged are not there")
        tap.equal({m.get("username") for m in got}, {worker.person.username}, worker.name)
        tap.equal(worker.ids, sorted(worker.ids), f"{worker.name}: order")
        expected += len(worker.ids)
    # What was sent last by each may have been stored without its acknowledgement.
    tap.check(expected <= len(found) <= expected + len(w.writers),
              f"{len(found)} messages, {expected} acknowledged")
    print(f"# {expected} messages")


@tap.case
def every_acknowledged_file_is_there_byte_for_byte(w):
    link = Link(w.server, w.carol.token)
    total = 0
    for worker in w.uploaders + w.resumers:
        for name, (number, size) in worker.files.items():
            status, headers, body = link.call("GET", f"/api/files/{name}/download")
            content = content_of(worker.name, number, size)
            tap.check(status == 200 and body == content,
                      f"{worker.name} {number}: {status}, {len(body)} of {len(content)} bytes")
            tap.equal(headers.get("etag"), f'"{hashlib.sha256(content).hexdigest()}"', "ETag")
            total += 1
    print(f"# {total} files, {sum(r.resumed for r in w.resumers)} uploads gone on with after a crash")
    tap.check(sum(r.resumed for r in w.resumers) > 0, "some uploads were interrupted")


@tap.case
def what_was_deleted_stays_deleted(w):
    link = Link(w.server, w.carol.token)
    names = [name for worker in w.uploaders for name in worker.deleted]
    for name in names:
        tap.one_of(link.call("GET", f"/api/files/{name}/download")[0], (404, 410), name)
    tap.check(names, "some files were deleted")


@tap.case
def acknowledged_offsets_of_unfinished_uploads_are_there(w):
    for worker in w.resumers:
        if worker.place is None:
            continue
        status, headers, _ = worker.link.call("HEAD", worker.place, None, {"Tus-Resumable": "1.0.0"})
        tap.one_of(status, (200, 204), worker.name)
        offset = int(headers["upload-offset"])
        tap.check(worker.offset <= offset <= worker.sent, f"{worker.name}: {offset}")
        worker.offset, worker.known = offset, True
        w.ended.clear()
        while worker.place is not None and not worker.wrong:
            worker.send()
        w.ended.set()
        tap.equal(worker.wrong[-1:], [], worker.name)
        name, (number, size) = list(worker.files.items())[-1]
        got = worker.link.call("GET", f"/api/files/{name}/download")
        tap.check(got[2] == content_of(worker.name, number, size), f"{worker.name}: goes on to the end")


@tap.case
def the_store_is_whole(w):
    w.server.restart()
    w.server.stop()
    with contextlib.closing(sqlite3.connect(w.server.database())) as store:
        tap.equal(store.execute("PRAGMA integrity_check").fetchall(), [("ok",)], "integrity_check")
        tap.equal(store.execute("PRAGMA foreign_key_check").fetchall(), [], "foreign_key_check")
        counted = store.execute("SELECT count(*) FROM messages").fetchone()
        kept = store.execute("SELECT value FROM counters WHERE name = 'messages'").fetchone()
        tap.equal(kept, counted, "the counter of messages")
        newest = store.execute("SELECT max(id) FROM messages").fetchone()
        last = store.execute("SELECT value FROM counters WHERE name = 'last_message'").fetchone()
        tap.equal(last, newest, "the number of the last message")
        orphans = store.execute("SELECT count(*) FROM messages WHERE conversation_id NOT IN (SELECT id FROM conversations)"
                                " OR user_id NOT IN (SELECT id FROM users)").fetchone()
        tap.equal(orphans, (0,), "messages of nobody")
        burst = store.execute("SELECT coalesce(sum(length), 0) FROM message_bursts").fetchone()
        tap.equal(burst, counted, "messages that bursts speak of")
        found = store.execute("SELECT count(*) FROM message_bursts b JOIN messages m ON m.id >= b.first_id"
                              " AND m.id < b.first_id + b.length AND m.conversation_id = b.conversation_id"
                              " AND m.user_id = b.user_id AND m.expires_at = b.expires_at").fetchone()
        tap.equal(found, counted, "messages that are what their burst says")
    w.server.start()


tap.main(world)
