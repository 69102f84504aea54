"""tacit send-file --store and tacit receive LINK: the sender goes offline, a server keeps what it
cannot read. With both ends real, an end written from docs/protocol-transfer.md 16 alone, lost connections,
kills, and servers that lie."""
import base64
import contextlib
import glob
import hashlib
import hmac
import http.client
import http.server
import json
import os
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from cryptography.exceptions import InvalidTag  # noqa: E402
from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: E402

from support import tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.client import Person  # noqa: E402
from support.gate import Gate  # noqa: E402
from support.server import Server  # noqa: E402

MIB = 1024 * 1024
SEGMENT = 8 * MIB


class World:
    def __init__(self, server, anna, ben):
        self.server, self.anna, self.ben = server, anna, ben

    def file(self, name, content):
        with open(os.path.join(self.anna.work, name), "wb") as f:
            f.write(content)
        return name

    def store(self, *words, server=None, **more):
        got = self.anna.run("--server", server or self.server.url, "--json", "send-file", "--store", *words,
                            **more)
        tap.equal(got.code, 0, f"stored: {got!r}")
        return got.of("stored")[0]

    def folder(self):
        self.ben.count = getattr(self.ben, "count", 0) + 1
        path = os.path.join(self.ben.folder, f"in{self.ben.count}")
        os.mkdir(path)
        return path

    def receive(self, link, folder, *words):
        return self.ben.run("--json", "receive", link, "--yes", "--out", folder, *words)

    def stored(self, ident):
        return next(o for o in self.anna.run("--json", "send-file", "--stored").of("stored_parcel")
                    if o["id"] == ident)

    def blob(self, ident):
        return glob.glob(os.path.join(self.server.data, "blobs", ident[:2], ident))[0]


@contextlib.contextmanager
def world():
    with Server(PARCEL_RATE=0) as server, Machine(server) as anna, Machine(server) as ben:
        yield World(server, anna, ben)


def read(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


def wait(condition, what):
    until = time.monotonic() + 30
    while not condition():
        if time.monotonic() > until:
            return tap.check(False, what)
        time.sleep(0.02)
    return True


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
    tap.equal(w.anna.run("send-file", "--revoke", "0000").code, 1, "an unknown one")
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
def an_interrupted_upload_goes_on(w):
    content = os.urandom(3 * SEGMENT + 777)
    w.file("up.bin", content)
    gate = Gate(w.server.port)
    gate.hold_after(SEGMENT + SEGMENT // 2 + 20_000)
    sender = w.anna.start("--server", gate.url, "send-file", "--store", "up.bin")
    wait(lambda: gate.passed >= SEGMENT + SEGMENT // 2 + 20_000, "half of the second segment")
    sender.kill()
    sender.wait()
    gate.cut()
    gate.open()
    passed = gate.passed
    made = w.store("up.bin", server=gate.url)
    tap.check(made["resumed_from"] >= SEGMENT, f"after a kill: {made}")
    tap.check(gate.passed - passed < len(content) - SEGMENT + MIB, "what was there is not sent again")
    folder = w.folder()
    tap.equal(w.receive(made["link"], folder).code, 0, "received")
    tap.check(read(folder, "up.bin") == content, "and whole")
    # The connection breaks and comes back within one process.
    gate.hold_after(SEGMENT // 2)
    w.file("up2.bin", content)
    results = []
    sending = threading.Thread(target=lambda: results.append(w.store("up2.bin", server=gate.url)))
    start = gate.passed
    sending.start()
    wait(lambda: gate.passed - start >= SEGMENT // 2, "half of the first segment")
    gate.cut()
    gate.open()
    sending.join()
    folder = w.folder()
    w.receive(results[0]["link"], folder)
    tap.check(read(folder, "up2.bin") == content, "whole after a cut")
    gate.close()


@tap.case
def a_file_that_changes_meanwhile_is_another(w):
    w.file("c.bin", os.urandom(2 * SEGMENT))
    gate = Gate(w.server.port)
    gate.hold_after(SEGMENT + SEGMENT // 2)
    sender = w.anna.start("--server", gate.url, "send-file", "--store", "c.bin")
    wait(lambda: gate.passed >= SEGMENT + SEGMENT // 2, "half of it")
    sender.kill()
    sender.wait()
    gate.cut()
    gate.open()
    content = os.urandom(2 * SEGMENT + 5)
    w.file("c.bin", content)
    made, folder = w.store("c.bin", server=gate.url), w.folder()
    tap.equal(made["resumed_from"], 0, "from the beginning")
    w.receive(made["link"], folder)
    tap.check(read(folder, "c.bin") == content, "what is sent is what is there now")
    gate.close()


@tap.case
def other_terms_make_another_link(w):
    content = os.urandom(2 * SEGMENT)
    w.file("terms.bin", content)
    gate = Gate(w.server.port)
    gate.hold_after(SEGMENT + SEGMENT // 2)
    sender = w.anna.start("--server", gate.url, "send-file", "--store", "--downloads", "9", "terms.bin")
    wait(lambda: gate.passed >= SEGMENT + SEGMENT // 2, "half of it")
    sender.kill()
    sender.wait()
    gate.cut()
    gate.open()
    made = w.store("terms.bin", server=gate.url)
    tap.equal(made["resumed_from"], 0, "nothing of what was to be had nine times")
    tap.equal(w.receive(made["link"], w.folder()).code, 0, "received once")
    tap.check(w.receive(made["link"], w.folder()).code != 0, "and not again")
    gate.close()


class Between(http.server.BaseHTTPRequestHandler):
    """Stands between a client and the server; change(request, ask) gives the answer."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_one(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, body, headers = self.server.change(self, self.ask)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = handle_one

    def ask(self):
        skipped = ("connection", "expect", "content-length", "accept-encoding")
        headers = {k: v for k, v in self.headers.items() if k.lower() not in skipped}
        far = http.client.HTTPConnection("127.0.0.1", self.server.far, timeout=30)
        far.request(self.command, self.path, self.body, headers)
        got = far.getresponse()
        body = got.read()
        far.close()
        return got.status, body, {k: v for k, v in got.getheaders() if k.lower() in ("content-type", "upload-offset")}


@contextlib.contextmanager
def between(w, change):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Between) as server:
        server.daemon_threads, server.far, server.change = True, w.server.port, change
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@tap.case
def what_has_come_and_is_not_ready_is_made_so(w):
    """As when the server is killed after it has counted the last part."""
    seen = []

    def change(request, ask):
        status, body, headers = ask()
        if request.command == "PATCH":
            seen.append(len(request.body))
            if len(seen) == 2:  # the head, then the only segment
                return 503, b"{}", {}
        if request.command == "GET" and len(seen) == 2:
            body = body.replace(b'"ready"', b'"coming"')
        return status, body, headers
    with between(w, change) as url:
        made = w.store(w.file("ready.bin", b"r" * 1000), server=url)
        tap.equal((len(seen), seen[-1]), (3, 0), "it says that this was all, and looks again")
    link = made["link"].replace(url, w.server.url)
    tap.equal(w.receive(link, w.folder()).code, 0, "and it can be received")


@tap.case
def a_server_that_tells_and_takes_nothing_is_given_up(w):
    def change(request, ask):
        return (503, b"{}", {}) if request.command == "PATCH" else ask()
    with between(w, change) as url:
        got = w.anna.run("--server", url, "send-file", "--store", "--wait", "1s",
                         w.file("never.bin", b"n"))
        tap.equal(got.code, 1, f"patience ends: {got!r}")


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


@tap.case
def an_interrupted_download_goes_on(w):
    content = os.urandom(4 * SEGMENT)
    w.file("down.bin", content)
    gate = Gate(w.server.port, back=True)
    made, folder = w.store("down.bin", server=gate.url), w.folder()
    start = gate.passed
    gate.hold_after(2 * SEGMENT + SEGMENT // 2)
    receiver = w.ben.start("receive", made["link"], "--yes", "--out", folder)
    wait(lambda: gate.passed - start >= 2 * SEGMENT + SEGMENT // 2, "two segments and a half")
    receiver.kill()
    receiver.wait()
    gate.cut()
    gate.open()
    tap.check(all(n.startswith(".tacit-") for n in os.listdir(folder)), "nothing has its name yet")
    tap.equal(w.stored(made["id"])["begun"], 1, "begun")
    w.server.kill()
    w.server.start()
    other = w.folder()
    got = Machine(w.server)
    with got as eve:
        tap.equal(eve.run("receive", made["link"], "--yes", "--out", other).code, 1, "nobody else's meanwhile")
    passed = gate.passed
    got = w.receive(made["link"], folder)
    tap.equal(got.code, 0, f"gone on with: {got!r}")
    tap.check(got.of("parcel_received")[0]["resumed_from"] >= SEGMENT, "from where it was")
    tap.check(gate.passed - passed < 3 * SEGMENT + MIB, "what was there did not come again")
    tap.check(read(folder, "down.bin") == content and os.listdir(folder) == ["down.bin"], "whole")
    tap.equal(w.stored(made["id"])["state"], "taken", "counted once")
    gate.close()


@tap.case
def what_a_crash_has_torn_is_fetched_again(w):
    content = os.urandom(3 * SEGMENT)
    w.file("torn.bin", content)
    gate = Gate(w.server.port, back=True)
    made, folder = w.store("torn.bin", server=gate.url), w.folder()
    start = gate.passed
    gate.hold_after(SEGMENT + SEGMENT // 2)
    receiver = w.ben.start("receive", made["link"], "--yes", "--out", folder)
    wait(lambda: gate.passed - start >= SEGMENT + SEGMENT // 2, "one segment and a half")
    receiver.kill()
    receiver.wait()
    gate.cut()
    gate.open()
    part = glob.glob(os.path.join(folder, ".tacit-*.part", "torn.bin"))[0]
    with open(part, "r+b") as f:
        f.seek(1000)
        f.write(b"\0" * 50)
    got = w.receive(made["link"], folder)
    tap.equal((got.code, got.of("parcel_received")[0]["resumed_from"]), (0, 0), f"from the beginning {got!r}")
    tap.check(read(folder, "torn.bin") == content, "whole")
    gate.close()


@tap.case
def a_revoked_download_leaves_nothing(w):
    w.file("half.bin", os.urandom(3 * SEGMENT))
    gate = Gate(w.server.port, back=True)
    made, folder = w.store("half.bin", server=gate.url), w.folder()
    start = gate.passed
    gate.hold_after(SEGMENT + SEGMENT // 2)
    receiver = w.ben.start("receive", made["link"], "--yes", "--out", folder)
    wait(lambda: gate.passed - start >= SEGMENT + SEGMENT // 2, "one segment and a half")
    receiver.kill()
    receiver.wait()
    gate.cut()
    gate.open()
    w.anna.run("send-file", "--revoke", made["id"])
    got = w.receive(made["link"], folder)
    tap.equal((got.code, os.listdir(folder)), (1, []), f"nothing stays: {got!r}")
    gate.close()


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


# --- servers that lie -------------------------------------------------------------------------

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
    kept = b"".join(read(p) for p in glob.glob(os.path.join(w.anna.data, "tacit", "parcels", "*")))
    tap.check(raw not in kept, "nor does the sender keep the secret")
    modes = {oct(os.stat(p).st_mode & 0o777) for p in glob.glob(os.path.join(w.anna.data, "tacit", "parcels", "stored-*"))}
    tap.equal(modes, {"0o600"}, "its notes are its owner's")


# --- an end of its own, from docs/protocol.md ---------------------------------------------------

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
