"""The other agent, written from docs/agent.md and docs/protocol-transfer.md alone with its own arithmetic: it meets
a real `tacit agent` through a real relay, exchanges files with it, guesses, and lies."""
import base64
import contextlib
import hashlib
import hmac
import os
import struct
import sys
import threading
import time

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import p256, tap  # noqa: E402
from support.agent import Agent, refused  # noqa: E402
from support.live import Ended, WebSocket  # noqa: E402
from support.server import Server  # noqa: E402

SECONDS = 60
PASSWORD = "p\N{LATIN SMALL LETTER A WITH DIAERESIS}ssword"
RELAY_DATA, RELAY_PAIRED, RELAY_ENDED = 0, 2, 3
FILE, DATA, END, AT, HAVE, REFUSE, BYE = range(1, 8)


@contextlib.contextmanager
def world():
    with Server() as server, Agent(server, "--no-token", MAX_FILE_SIZE="1MiB") as agent:
        yield server, agent


def wait_for(condition, what):
    until = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.02)


class Line:
    """A connection to the relay, once the other end is there."""

    def __init__(self, server, relay_id):
        self.ws = WebSocket(server.port, f"/api/transfer?resume={relay_id.hex()}&role=receiver", {})
        while self._next()[0] != RELAY_PAIRED:
            pass

    def _next(self):
        got = self.ws.receive()
        if got is None:
            raise Ended("closed")
        return got[1][0], got[1][1:]

    def say(self, body):
        self.ws.send(2, bytes([RELAY_DATA]) + body)

    def hear(self):
        kind, body = self._next()
        if kind == RELAY_ENDED:
            raise Ended(f"the relay: {body!r}")
        return body

    def close(self):
        self.ws.close()


def code_of(session, password, digits):
    """docs/agent.md 4, "Between two agents": secret and nameplate."""
    password = password.encode()
    prk = hmac.digest(session.encode(), struct.pack(">I", len(password)) + password + digits.encode(), "sha256")
    okm = hmac.digest(prk, b"tacit agent session code\x01", "sha256")[:26]
    secret = base64.urlsafe_b64encode(okm)[:34]
    number = struct.unpack(">I", hashlib.sha256(session.encode()).digest()[:4])[0] % 999999999 + 1
    return secret, str(number).encode()


def scalar(secret, plate):
    for attempt in range(256):
        w = int.from_bytes(p256.hkdf(secret, plate, b"tacit spake2 w\0" + bytes([attempt]), 32), "big")
        if 0 < w < p256.N:
            return w
    raise AssertionError("no scalar")


class Joiner:
    def __init__(self, server, session, digits, password=PASSWORD):
        self.server, self.session = server, session
        self.secret, self.plate = code_of(session, password, digits)
        self.relay_id = p256.hkdf(session.encode(), b"", b"tacit agent session relay id", 32)

    def begin(self):
        """Until the creator's confirmation is here: what one guess costs."""
        self.line = Line(self.server, self.relay_id)
        spake = p256.Spake2("B", scalar(self.secret, self.plate))
        self.line.say(bytes([1, 1, 1]) + spake.message)
        theirs = self.line.hear()
        tap.equal(theirs[:3], bytes([1, 1, 0]), "PAKE")
        spake.finish(theirs[3:], b"open " + self.plate, b"join " + self.plate, b"tacit parcel 1, opener sends")
        self.public_key = theirs[3:]
        confirm = self.line.hear()
        tap.equal((confirm[0], len(confirm)), (2, 65), "CONFIRM")
        self.spake = spake
        return hmac.compare_digest(confirm[1:33], spake.expected)

    def meet(self):
        tap.check(self.begin(), "the creator knows the password")
        self.line.say(b"\x02" + self.spake.confirmation + os.urandom(32))
        with contextlib.suppress(Ended):
            self.line.hear()  # it goes to the place where the link is made
        self.line.close()
        self.root = p256.hkdf(self.spake.key, b"", b"tacit parcel root", 32)
        return self

    def link(self):
        self.line = Line(self.server, p256.hkdf(self.root, b"", b"tacit parcel resume id", 32))
        nonce = os.urandom(32)
        self.line.say(b"\x03\x01\x01" + nonce)
        hello = self.line.hear()
        tap.equal(hello[:3], b"\x03\x01\x00", "HELLO")
        prk = hmac.digest(hello[3:] + nonce, self.root, "sha256")
        self.theirs = AESGCM(hmac.digest(prk, b"tacit parcel sender to receiver\x01", "sha256"))
        self.ours = AESGCM(hmac.digest(prk, b"tacit parcel receiver to sender\x01", "sha256"))
        self.sent = self.heard = 0
        return self

    def seal(self, kind, body=b""):
        record = b"\x04" + self.ours.encrypt(struct.pack(">IQ", 0, self.sent), bytes([kind]) + body, b"\x04")
        self.sent += 1
        return record

    def say(self, kind, body=b""):
        self.line.say(self.seal(kind, body))

    def hear(self):
        record = self.line.hear()
        tap.equal(record[0], 4, "a record")
        plain = self.theirs.decrypt(struct.pack(">IQ", 0, self.heard), record[1:], b"\x04")
        self.heard += 1
        return plain[0], plain[1:]

    def must(self, kind, body=None):
        got = self.hear()
        tap.check(got[0] == kind and body in (None, got[1]), f"got {got}, want {kind} {body}")
        return got[1]

    def announce(self, content, name=b"name.txt", size=None, digest=None):
        file_id = os.urandom(16)
        self.say(FILE, file_id + struct.pack(">Q", len(content) if size is None else size)
                 + (digest or hashlib.sha256(content).digest()) + bytes([len(name)]) + name + b"\x0atext/plain")
        return file_id

    def give(self, content, **more):
        """A whole file, as it should be given."""
        file_id = self.announce(content, **more)
        self.must(AT, struct.pack(">Q", 0))
        for at in range(0, len(content), 100000):
            piece = content[at:at + 100000]
            self.say(DATA, piece)
            self.must(AT, struct.pack(">Q", at + len(piece)))
        self.say(END)
        return file_id


def create(agent):
    made = agent.post("/api/session/create", {"password": PASSWORD}).json()
    wait_for(lambda: status(agent, made)["relay_connected"], "the relay")
    return made


def status(agent, made):
    return agent.get(f"/api/session/{made['session_id']}/status").json()


def files(agent, made):
    return agent.get(f"/api/session/{made['session_id']}/files").json()["files"]


def linked(world):
    server, agent = world
    made = create(agent)
    return made, Joiner(server, made["session_id"], made["verification_code"]).meet().link()


@tap.case
def an_independent_agent_meets_and_exchanges_files(world):
    _, agent = world
    made, peer = linked(world)
    tap.equal(peer.public_key.hex(), made["public_key"], "the public key that create told")
    content = os.urandom(300000)
    file_id = peer.give(content, name=b"../../from \xe2\x98\x83.txt")
    peer.must(HAVE, file_id)
    got = files(agent, made)
    tap.equal([(f["file_id"], f["filename"], f["size"]) for f in got],
              [(file_id.hex(), "from \N{SNOWMAN}.txt", 300000)], "the file")
    back = agent.get(f"/api/session/{made['session_id']}/download/{file_id.hex()}")
    tap.equal(back.content, content, "content")
    answers = []
    sending = threading.Thread(target=lambda: answers.append(agent.call(
        "POST", f"/api/session/{made['session_id']}/upload", files={"file": ("a.bin", content)})))
    sending.start()
    told = peer.must(FILE)
    tap.equal((told[16:24], told[24:56]), (struct.pack(">Q", 300000), hashlib.sha256(content).digest()), "FILE")
    peer.say(AT, struct.pack(">Q", 100000))  # as if the first part had come before
    came = b""
    while len(came) < 200000:
        came += peer.must(DATA)
        peer.say(AT, struct.pack(">Q", 100000 + len(came)))
    peer.must(END)
    peer.say(HAVE, told[:16])
    sending.join()
    tap.equal(came, content[100000:], "from where it was asked for")
    tap.equal(answers[0].json()["delivered"], True, "delivered")
    peer.say(BYE)
    wait_for(lambda: status(agent, made)["status"] == "closed", "the end")
    peer.line.close()


@tap.case
def a_guesser_who_says_nothing_has_used_a_try(world):
    server, agent = world
    made = create(agent)
    for left in (2, 1, 0):
        guesser = Joiner(server, made["session_id"], made["verification_code"], "wrong")
        tap.equal(guesser.begin(), False, "not the password")
        guesser.line.close()
        if left > 0:
            wait_for(lambda most=left: status(agent, made)["attempts_left"] <= most, "the count")
            wait_for(lambda: status(agent, made)["relay_connected"], "the next meeting")
            tap.equal(status(agent, made)["attempts_left"], left, "tries left")
    wait_for(lambda: status(agent, made)["status"] == "locked", "the lock")


@tap.case
def what_is_no_point_is_no_guess_and_no_harm(world):
    server, agent = world
    made = create(agent)
    for nonsense in (b"", b"\x01", bytes([1, 1, 1]) + bytes(65), bytes([1, 1, 0]) + bytes(65), b"\xff" * 100000):
        line = Line(server, Joiner(server, made["session_id"], "000000").relay_id)
        line.say(nonsense)
        with contextlib.suppress(Ended):
            while True:
                line.hear()
        line.close()
    wait_for(lambda: status(agent, made)["relay_connected"], "the next meeting")
    tap.equal(status(agent, made)["attempts_left"], 3, "nothing was guessed")
    Joiner(server, made["session_id"], made["verification_code"]).meet().link().line.close()


def cast_out(world, lie):
    """After the lie the link is over, nothing of it is in the session, and a new link works."""
    _, agent = world
    made, peer = linked(world)
    lie(peer)
    try:
        while True:
            peer.hear()
    except Ended:
        pass
    peer.line.close()
    tap.equal(files(agent, made), [], "nothing came of it")
    peer.link()
    peer.must(HAVE, peer.give(b"an honest file"))
    peer.line.close()
    agent.call("POST", f"/api/session/{made['session_id']}/close")


def more_than_was_announced(peer):
    peer.announce(b"x" * 10)
    peer.must(AT)
    peer.say(DATA, b"x" * 11)


def less_than_was_announced(peer):
    peer.announce(b"x" * 10)
    peer.must(AT)
    peer.say(DATA, b"x" * 9)
    peer.must(AT)
    peer.say(END)


def data_of_nothing(peer):
    peer.say(DATA, b"x")


def an_end_of_nothing(peer):
    peer.say(END)


def a_size_beyond_all(peer):
    peer.announce(b"", size=1 << 63)


def a_receipt_for_nothing(peer):
    peer.say(HAVE, bytes(16))


def a_type_that_is_none(peer):
    peer.say(99, b"x")


def a_frame_that_is_cut(peer):
    peer.say(FILE, bytes(20))


def a_record_that_was_changed(peer):
    record = bytearray(peer.seal(BYE))
    record[-1] ^= 1
    peer.line.say(bytes(record))


def a_record_twice(peer):
    record = peer.seal(FILE, os.urandom(16) + bytes(8) + hashlib.sha256(b"").digest() + b"\x01n\x00")
    peer.line.say(record)
    peer.line.say(record)


LIES = {lie.__name__.replace("_", " "): lie for lie in (
    more_than_was_announced, less_than_was_announced, data_of_nothing, an_end_of_nothing, a_size_beyond_all,
    a_receipt_for_nothing, a_type_that_is_none, a_frame_that_is_cut, a_record_that_was_changed, a_record_twice)}


def who_lies_is_cast_out(world, name):
    cast_out(world, LIES[name])


tap.cases(LIES, who_lies_is_cast_out)


@tap.case
def what_is_not_what_was_announced_is_refused(world):
    _, agent = world
    made, peer = linked(world)
    peer.must(REFUSE, peer.give(b"content", digest=bytes(32)))
    peer.must(REFUSE, peer.announce(b"", size=2 << 20))
    tap.equal(files(agent, made), [], "nothing came of it")
    file_id = peer.give(b"")
    peer.must(HAVE, file_id)
    peer.line.close()


@tap.case
def only_who_made_the_key_links(world):
    server, agent = world
    made, peer = linked(world)
    peer.line.close()
    refused(agent.post(f"/api/session/{made['session_id']}/join",
                       {"password": PASSWORD, "verification_code": made["verification_code"]}), 409, "ALREADY_JOINED")
    stranger = Joiner(server, made["session_id"], made["verification_code"])
    stranger.root = bytes(32)
    waiting = WebSocket(server.port, f"/api/transfer?resume={stranger.relay_id.hex()}&role=receiver", {})
    wait_for(lambda: not status(agent, made)["peer_connected"], "the loss")
    tap.equal(status(agent, made)["status"], "joined", "still the first one's")
    waiting.close()


tap.main(world)
