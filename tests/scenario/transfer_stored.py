"""tacit send-file --store and tacit receive LINK: the sender goes offline, a server keeps what it
cannot read. With both ends real, and an end written from docs/protocol-transfer.md 16 alone."""
import base64
import contextlib
import glob
import hashlib
import hmac
import os
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from cryptography.exceptions import InvalidTag  # noqa: E402
from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: E402

from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.client import Person  # noqa: E402
from support.stored import SEGMENT, read, world  # noqa: E402


@tap.case
def files_and_folders_arrive(w):
    content = os.urandom(SEGMENT + 12345)
    w.file("one.bin", content)
    os.makedirs(os.path.join(w.anna.work, "tree", "deep"), exist_ok=True)
    w.file("tree/deep/two", b"two")
    w.file("tree/empty", b"")
    made = w.store("one.bin", "tree", "--downloads", "2", "--expires", "2h")
    tap.equal(made["size"], len(content) + 3, "size")
    folder = w.folder()
    got = w.receive(made["link"], folder)
    tap.equal((got.code, got.of("parcel_received")[0]["confirmed"]), (0, True), f"received {got!r}")
    tap.equal(read(folder, "one.bin"), content, "one.bin")
    tap.equal((read(folder, "tree/deep/two"), read(folder, "tree/empty")), (b"two", b""), "tree")
    tap.equal(sorted(os.listdir(folder)), ["one.bin", "tree"], "nothing else")
    seen = w.stored(made["id"])
    tap.equal((seen["state"], seen["receipts"], seen["false_receipts"]), ("ready", 1, 0), "one receipt")
    got = w.receive(made["link"], folder)
    tap.equal(sorted(os.listdir(folder)), ["one (2).bin", "one.bin", "tree", "tree (2)"], "nothing overwritten")
    seen = w.stored(made["id"])
    tap.equal((seen["state"], seen["receipts"]), ("taken", 2), "as often as it might be")
    tap.equal(glob.glob(os.path.join(w.server.data, "blobs", "*", made["id"])), [], "its bytes are gone")
    got = w.receive(made["link"], folder)
    tap.equal(got.code, 1, "a third time")
    tap.check("not there any more" in got.err, got.err)


@tap.case
def sizes_at_every_edge_arrive(w):
    for size in (0, 1, SEGMENT - 32, SEGMENT - 31, SEGMENT):
        content = os.urandom(size)
        made, folder = w.store(w.file("edge", content)), w.folder()
        got = w.receive(made["link"], folder)
        tap.equal((got.code, os.listdir(folder)), (0, ["edge"]), f"{size} bytes: {got!r}")
        tap.check(read(folder, "edge") == content, f"{size} bytes are the same")


@tap.case
def texts_and_pipes_arrive(w):
    link = w.store("--text", "good morning")["link"]
    got = w.ben.run("receive", "--link", "-", "--yes", text=link + "\n")
    tap.equal((got.code, got.out), (0, "good morning"), f"a text, by a link from standard input: {got!r}")
    content = os.urandom(200_000)
    made = w.store("-", "--name", "pipe.bin", text=content)
    path = os.path.join(w.ben.folder, "out.bin")
    with open(path, "wb") as out:
        got = w.ben.start("receive", made["link"], "-", "--yes", stdout=out).wait(60)
    tap.equal((got, read(path) == content), (0, True), "from standard input to standard output")
    with open(os.path.join(w.ben.folder, "link"), "w", encoding="ascii") as f:
        f.write(w.store(w.file("a", b"a"))["link"] + "\n")
    folder = w.folder()
    got = w.ben.run("receive", "--link", os.path.join(w.ben.folder, "link"), "--yes", "--out", folder)
    tap.equal((got.code, os.listdir(folder)), (0, ["a"]), "by a link from a file")


@tap.case
def the_person_is_asked_and_a_no_gives_the_place_back(w):
    made, folder = w.store(w.file("ask.bin", b"x" * 3000)), w.folder()
    terminal = w.ben.terminal("receive", made["link"], "--out", folder)
    terminal.expect(r"Receive ask.bin, 3.0 kB\?")
    tap.equal(w.receive(made["link"], folder).code, 1, "while somebody is asked, the only place is reserved")
    terminal.line("n")
    terminal.end(1)
    tap.equal(os.listdir(folder), [], "nothing was written")
    got = w.receive(made["link"], folder)
    tap.equal((got.code, os.listdir(folder)), (0, ["ask.bin"]), "and is there for the next")


@tap.case
def revoked_is_gone(w):
    made, folder = w.store(w.file("r.bin", b"r"), "--downloads", "9"), w.folder()
    got = w.anna.run("send-file", "--revoke", made["id"][:8])
    tap.equal(got.code, 0, f"revoked: {got!r}")
    tap.equal((w.receive(made["link"], folder).code, os.listdir(folder)), (1, []), "nobody gets it")
    tap.equal(w.stored(made["id"])["state"], "revoked", "listed so")
    ids = [one["id"] for one in w.anna.run("--json", "send-file", "--stored").of("stored_parcel")]
    unknown = next(f"{n:04x}" for n in range(65536) if not any(ident.startswith(f"{n:04x}") for ident in ids))
    tap.equal(w.anna.run("send-file", "--revoke", unknown).code, 1, "an unknown one")
    tap.equal(w.anna.run("send-file", "--revoke", "xyz!").code, 2, "none at all")
    tap.equal(w.ben.run("--json", "send-file", "--stored").of("stored_parcel"), [], "another's list is empty")


@tap.case
def wrong_links_are_told_apart(w):
    made, folder = w.store(w.file("k.bin", b"k")), w.folder()
    head, ident, secret = made["link"].rsplit(".", 2)
    wrong = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
    for link, what in ((f"{head}.{ident}.{wrong}", "another secret"),
                       (f"{head}.{'0' * 32}.{secret}", "another id")):
        got = w.receive(link, folder)
        tap.equal(got.code, 1, what)
        tap.check("nothing under that link" in got.err, f"{what}: {got.err}")
    got = w.receive(made["link"][:-1], folder)
    tap.check(got.code == 1 and "not a whole link" in got.err, f"cut: {got!r}")
    tap.equal(os.listdir(folder), [], "nothing was written")
    fragment = made["link"].split("#")[1]
    got = w.ben.run("--server", w.server.url, "receive", fragment, "--yes", "--out", folder)
    tap.equal((got.code, os.listdir(folder)), (0, ["k.bin"]), "the part behind # with --server")
    for words in (("--downloads", "0"), ("--downloads", "x"), ("--expires", "never"), ("--expires", "1s")):
        got = w.anna.run("--server", w.server.url, "send-file", "--store", "k.bin", *words)
        tap.equal(got.code, 2, f"{words}")
    got = w.anna.run("--server", w.server.url, "send-file", "--store", "k.bin", "--expires", "30d")
    tap.equal(got.code, 1, "longer than the server keeps anything")


@tap.case
def a_text_that_could_not_be_shown_is_there_still(w):
    made = w.store("--text", "only once")
    with open("/dev/full", "wb") as full:
        got = w.ben.start("receive", made["link"], "--yes", "--out", w.folder(), stdout=full)
        tap.check(got.wait(60) != 0, "it was not shown")
    tap.equal(w.stored(made["id"])["receipts"], 0, "so the sender is not told that it was")
    got = w.ben.run("receive", made["link"], "--yes")
    tap.check("only once" in got.out, f"and it can be had again: {got!r}")


@tap.case
def a_crowd_gets_what_was_allowed(w):
    content = os.urandom(300_000)
    made = w.store(w.file("crowd.bin", content), "--downloads", "3")
    results = []

    def one():
        with Machine(w.server) as machine:
            got = machine.run("--json", "receive", made["link"], "--yes")
            results.append((got.code, os.listdir(machine.work)))
    crowd = [threading.Thread(target=one) for _ in range(8)]
    for t in crowd:
        t.start()
    for t in crowd:
        t.join()
    tap.equal(sorted(results), [(0, ["crowd.bin"])] * 3 + [(1, [])] * 5, "three of eight")
    tap.equal((w.stored(made["id"])["state"], w.stored(made["id"])["receipts"]), ("taken", 3), "counted")


# --- an end of its own, from docs/protocol-transfer.md 16 ---

def derive(secret, info, salt=b"\0" * 32):
    prk = hmac.digest(salt, secret, "sha256")
    return hmac.digest(prk, info + b"\x01", "sha256")


def open_run(key, sealed):
    header, body, plain = sealed[:32], sealed[32:], b""
    stream = AESGCM(hmac.digest(hmac.digest(header[8:24], key, "sha256"),
                                b"tacit file v1" + header + b"\x01", "sha256"))
    chunks = [body[i:i + 65552] for i in range(0, len(body), 65552)]
    for i, chunk in enumerate(chunks):
        nonce = bytes(7) + struct.pack(">IB", i, i == len(chunks) - 1)
        plain += stream.decrypt(nonce, chunk, header)
    return plain


@tap.case
def an_end_from_the_document_alone_receives(w):
    content = os.urandom(SEGMENT + 5)
    made = w.store(w.file("doc.bin", content))
    ident, secret = made["link"].split("#s.")[1].split(".")
    secret = base64.urlsafe_b64decode(secret + "=")
    person, token = Person(w.server), os.urandom(32)

    def call(method, rest, key, body=None, **headers):
        return person.call(method, f"/api/parcels/{ident}{rest}", body, auth=None,
                           headers={"Authorization": f"Parcel {key.hex()}", **headers})
    claim = hashlib.sha256(token)
    got = call("POST", "/claims", derive(secret, b"tacit stored access"), {"claim": claim.hexdigest()})
    tap.equal(got.status, 201, "claimed")
    head_size, size = got.json["head_size"], got.json["size"]
    head = open_run(derive(secret, b"tacit stored head"),
                    call("GET", "/content", token, Range=f"bytes=0-{head_size - 1}").body)
    tap.equal(len(head) % 4096, 0, "padded")
    offer = head[4:4 + struct.unpack(">I", head[:4])[0]]
    tap.check(b"doc.bin" in offer, "the offer names it")
    sealed = call("GET", "/content", token, Range=f"bytes={head_size}-{size - 1}").body
    whole = 32 + SEGMENT + SEGMENT // 65536 * 16
    prk, plain = derive(secret, b"tacit stored content"), b""
    for i, part in enumerate((sealed[:whole], sealed[whole:])):
        key = hmac.digest(prk, b"tacit stored segment" + struct.pack(">QQ", i, 2) + b"\x01", "sha256")
        plain += open_run(key, part)
    tap.check(plain[:-32] == content, "the content")
    tap.equal(plain[-32:], hashlib.sha256(content).digest(), "and its hash")
    with contextlib.suppress(InvalidTag):
        open_run(prk, sealed[:whole])
        tap.check(False, "another key opens it")
    now = struct.pack(">Q", 1700000000)
    receipt = now + hmac.digest(derive(secret, b"tacit stored receipt"),
                                b"tacit stored receipt" + ident.encode() + claim.digest() + now, "sha256")
    tap.equal(call("POST", "/commit", token, {"receipt": receipt.hex()}).status, 200, "committed")
    seen = w.stored(made["id"])
    tap.equal((seen["state"], seen["receipts"], seen["false_receipts"]), ("taken", 1, 0), "a true receipt")


tap.main(world)
