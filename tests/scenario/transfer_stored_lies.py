"""Servers that lie about what they keep for a link, and what they and the wire learn of it."""
import base64
import glob
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.gate import Gate  # noqa: E402
from support.stored import SEGMENT, between, read, world  # noqa: E402
from support.transfer import journals  # noqa: E402


@tap.case
def a_receipt_that_is_shown_twice_is_one(w):
    def change(request, ask):
        status, body, headers = ask()
        if request.command == "GET" and b'"claims"' in body:
            told = json.loads(body)
            told["claims"] += [{**c, "claim": c["claim"].upper()} for c in told["claims"]] + told["claims"]
            body = json.dumps(told).encode()
        return status, body, headers
    with between(w, change) as url:
        made = w.store(w.file("twice.bin", b"2"), "--downloads", "3", server=url)
        tap.equal(w.receive(made["link"].replace(url, w.server.url), w.folder()).code, 0, "received")
        seen = w.stored(made["id"])
    tap.equal((seen["receipts"], seen["false_receipts"]), (1, 2), "one is true")


def lie(w, change, name="lie.bin", size=100_000):
    made, folder = w.store(w.file(name, os.urandom(size))), w.folder()
    change(w.blob(made["id"]))
    got = w.receive(made["link"], folder)
    tap.equal(got.code, 1, f"refused: {got!r}")
    tap.check(all(n.startswith(".tacit-") for n in os.listdir(folder)), f"nothing has its name: {os.listdir(folder)}")
    seen = w.stored(made["id"])
    tap.equal((seen["state"], seen["receipts"]), ("ready", 0), "no receipt for it")


def flip(at):
    def change(path):
        with open(path, "r+b") as f:
            f.seek(at, os.SEEK_END if at < 0 else os.SEEK_SET)
            byte = f.read(1)
            f.seek(-1, os.SEEK_CUR)
            f.write(bytes([byte[0] ^ 1]))
    return change


def swap_segments(path):
    sealed = 32 + SEGMENT + SEGMENT // 65536 * 16
    with open(path, "r+b") as f:
        content = f.read()
        head = len(content) - 2 * sealed - (32 + 132 + 16)
        tap.equal(head, 32 + 4096 + 16, "a head of one page")
        one, two = content[head:head + sealed], content[head + sealed:head + 2 * sealed]
        f.seek(head)
        f.write(two + one)


@tap.case
def what_was_changed_is_refused(w):
    for at in (10, 100, 4144 + 10, 4144 + 40, -20, -1):
        lie(w, flip(at), size=1000)
    lie(w, swap_segments, size=2 * SEGMENT + 100)


@tap.case
def what_was_cut_is_refused(w):
    lie(w, lambda path: os.truncate(path, os.path.getsize(path) - 1))
    lie(w, lambda path: os.truncate(path, 5000))
    lie(w, lambda path: os.truncate(path, 0))


@tap.case
def another_of_the_same_size_is_refused(w):
    w.file("same.bin", os.urandom(5000))
    other = w.store("same.bin")

    def change(path):
        with open(path, "wb") as f:
            f.write(read(w.blob(other["id"])))
    lie(w, change, "same2.bin", 5000)


@tap.case
def receipts_cannot_be_made_up(w):
    made = w.store(w.file("rec.bin", b"r"), "--downloads", "3")
    w.receive(made["link"], w.folder())
    w.server.stop()
    w.server.sql("INSERT INTO parcel_claims (parcel_id, token, state, lapses_at, changed_at, receipt)"
                 " SELECT parcel_id, randomblob(32), 3, 0, changed_at, receipt FROM parcel_claims"
                 " WHERE parcel_id = ?", made["id"])
    w.server.start()
    seen = w.stored(made["id"])
    tap.equal((seen["receipts"], seen["false_receipts"]), (1, 1), "the copied one is found out")


@tap.case
def the_server_and_its_wire_learn_nothing(w):
    secret, name = b"the quick brown fox " * 500, "very-telling-name.txt"
    gate = Gate(w.server.port, record=True)
    made = w.store(w.file(name, secret), "--downloads", "2", server=gate.url)
    w.receive(made["link"], w.folder())
    gate.close()
    held = bytes(gate.kept)
    for folder, _, files in os.walk(w.server.data):
        for one in files:
            held += read(folder, one)
    held += w.server.log().encode()
    link = made["link"].split(".")[-1]
    raw = base64.urlsafe_b64decode(link + "=")
    for what, bytes_ in (("content", secret[:40]), ("name", name.encode()), ("secret", link.encode()),
                         ("secret", raw), ("secret", raw.hex().encode())):
        tap.check(bytes_ not in held, f"{what} was seen")
    kept = b"".join(read(p) for p in journals(w.anna))
    tap.check(raw not in kept, "nor does the sender keep the secret")
    modes = {oct(os.stat(p).st_mode & 0o777) for p in glob.glob(os.path.join(w.anna.data, "tacit", "parcels", "stored-*"))}
    tap.equal(modes, {"0o600"}, "its notes are its owner's")


tap.main(world)
