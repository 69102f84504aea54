"""The relay of transfers, by hand: what it pairs, passes on, bounds and forgets; and an end written
from docs/protocol-transfer.md alone, with its own arithmetic, that meets the real `tacit`."""
import contextlib
import hmac
import json
import os
import struct
import sys
import threading
import time
import urllib.request
import urllib.error

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import p256, tap  # noqa: E402
from support.cli import Machine  # noqa: E402
from support.kernel import kernel_keeps  # noqa: E402
from support.live import Ended, WebSocket  # noqa: E402
from support.server import Server  # noqa: E402
from support.transfer import Running  # noqa: E402

SECONDS = 60
DATA, NAMEPLATE, PAIRED, ENDED, WRONG, KNOWN_AS = range(6)
GONE, UNKNOWN, MISMATCH, LIMIT, EXPIRED, STOPPING, MISUSED, REPLACED, LEFT = range(1, 10)


class End:
    """A connection to the relay."""

    def __init__(self, server, query, **more):
        self.ws = WebSocket(server.port, f"/api/transfer?{query}", more.pop("headers", {}), **more)

    def say(self, kind, body=b""):
        self.ws.send(2, bytes([kind]) + body)

    def hear(self):
        """(type, body); None when it was closed."""
        got = self.ws.receive()
        return (got[1][0], got[1][1:]) if got else None

    def must(self, kind, body=None):
        got = self.hear()
        tap.check(got is not None and got[0] == kind and body in (None, got[1]),
                  f"got {got}, want {kind} {body}")
        return got[1] if got else b""

    def settle(self):
        """Until the relay has it: connections may be taken up in another order than they were made."""
        self.ws.ping()

    def nameplate(self):
        return struct.unpack(">I", self.must(NAMEPLATE))[0]

    def over(self, why):
        self.must(ENDED, bytes([why]))
        tap.equal(self.hear(), None, "then it is closed")
        self.ws.close()

    def close(self):
        self.ws.close()


class World:
    def __init__(self, server, machine):
        self.server, self.machine = server, machine

    def pair(self):
        first = End(self.server, "open=1")
        second = End(self.server, f"claim={first.nameplate()}")
        first.must(PAIRED)
        second.must(PAIRED)
        return first, second


@contextlib.contextmanager
def world():
    with Server() as server, Machine(server) as machine:
        yield World(server, machine)


@tap.case
def two_ends_are_paired_and_heard(world):
    first, second = world.pair()
    first.say(DATA, b"one")
    first.say(DATA, b"two")
    second.say(DATA, b"three")
    tap.equal([second.must(DATA), second.must(DATA), first.must(DATA)], [b"one", b"two", b"three"], "in order")
    first.close()
    second.over(GONE)


def frame(opcode, payload, final=True):
    """A client's, masked."""
    mask, n = os.urandom(4), len(payload)
    head = (bytes([0x80 | n]) if n < 126 else b"\xfe" + struct.pack(">H", n) if n < 65536
            else b"\xff" + struct.pack(">Q", n))
    return (bytes([(0x80 if final else 0) | opcode]) + head + mask +
            bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))


@tap.case
def messages_are_passed_on_as_they_are_however_they_come(world):
    """Their lengths at every width of a head, cut anywhere, in parts with a ping among them."""
    first, second = world.pair()
    sizes = [0, 1, 125, 126, 4095, 4096, 4097, 65534, 65535, 65536, 70000, 131091, 163839]
    messages = [b"\0" + os.urandom(n) for n in sizes]
    stream = b"".join(frame(2, m) for m in messages)
    parts = os.urandom(100_000)
    stream += (frame(2, b"\0" + parts[:70_000], False) + frame(0, parts[70_000:70_001], False) + frame(9, b"x") +
               frame(0, parts[70_001:]))
    messages.append(b"\0" + parts)

    def speak():
        at, step = 0, 1
        while at < len(stream):
            first.ws.socket.sendall(stream[at:at + step])
            at, step = at + step, step * 3 % 30_011 + 1

    speaker = threading.Thread(target=speak)
    speaker.start()
    for message in messages:
        tap.check(second.ws.receive() == (2, message), f"{len(message)} bytes")
    speaker.join()
    second.say(DATA, b"and back")
    tap.equal(first.ws._take(3)[:1], b"\x8a", "the ping was answered")  # its pong, x
    tap.equal(first.hear(), (DATA, b"and back"), "the other way")
    first.close()
    second.close()


@tap.case
def what_is_longer_than_a_message_ends_it(world):
    for stream in (frame(2, bytes(163_841)), frame(2, bytes(100_000), False) + frame(0, bytes(63_841))):
        first, second = world.pair()
        try:
            first.ws.socket.sendall(stream)
            got = first.ws.receive()
        except (OSError, Ended):
            got = None
        tap.equal(got, None, "it is closed")
        second.over(GONE)
        first.close()


@tap.case
def a_nameplate_is_claimed_once(world):
    first = End(world.server, "open=1")
    number = first.nameplate()
    second = End(world.server, f"claim={number}")
    first.must(PAIRED)
    second.must(PAIRED)
    End(world.server, f"claim={number}").over(UNKNOWN)
    first.close()
    second.over(GONE)
    End(world.server, f"claim={number}").over(UNKNOWN)
    again = End(world.server, "open=1")
    tap.check(again.nameplate() != number, "it rests a while")
    again.close()


@tap.case
def a_wrong_code_ends_both(world):
    first, second = world.pair()
    second.say(WRONG)
    first.over(MISMATCH)
    second.over(MISMATCH)


@tap.case
def both_come_back_under_the_resume_id(world):
    ident = os.urandom(32)
    for names in (("sender", "receiver"), ("receiver", "sender")):
        one = End(world.server, f"resume={ident.hex()}&role={names[0]}")
        two = End(world.server, f"resume={ident.hex()}&role={names[1]}")
        one.must(PAIRED)
        two.must(PAIRED)
        two.say(DATA, b"here")
        one.must(DATA, b"here")
        two.close()
        one.over(GONE)


@tap.case
def two_of_one_role_are_one(world):
    ident = os.urandom(32)
    old = End(world.server, f"resume={ident.hex()}&role=sender")
    old.settle()
    new = End(world.server, f"resume={ident.hex()}&role=sender")
    old.over(REPLACED)
    other = End(world.server, f"resume={ident.hex()}&role=receiver")
    new.must(PAIRED)
    other.must(PAIRED)
    new.close()
    other.over(GONE)


@tap.case
def an_end_that_comes_back_before_its_old_connection_is_missed(world):
    ident = os.urandom(32)
    first, second = world.pair()
    first.say(KNOWN_AS, b"\0" + ident)
    second.say(KNOWN_AS, b"\1" + ident)
    first.say(DATA, b"so that both were heard")
    second.must(DATA)
    second.say(DATA, b"and again")
    first.must(DATA)
    new = End(world.server, f"resume={ident.hex()}&role=sender")
    first.over(REPLACED)
    second.over(GONE)
    second = End(world.server, f"resume={ident.hex()}&role=receiver")
    new.must(PAIRED)
    second.must(PAIRED)
    new.close()
    second.over(GONE)


def leave(world, ident, role, **headers):
    request = urllib.request.Request(f"{world.server.url}/api/transfer?resume={ident.hex()}&role={role}",
                                     method="DELETE", headers=headers)
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        tap.equal((answer.status, answer.read()), (204, b""), "it says nothing of who is there")


@tap.case
def who_leaves_for_good_is_not_waited_for(world):
    ident = os.urandom(32)
    first, second = world.pair()
    first.say(KNOWN_AS, b"\0" + ident)
    second.say(KNOWN_AS, b"\1" + ident)
    first.settle()
    second.settle()
    leave(world, ident, "sender")
    second.over(LEFT)
    tap.check(first.hear() is None, "and its own connection ends")
    # Told also to who comes back for it later, and to who waits already.
    End(world.server, f"resume={ident.hex()}&role=receiver").over(LEFT)
    ident = os.urandom(32)
    waits = End(world.server, f"resume={ident.hex()}&role=sender")
    waits.settle()
    leave(world, os.urandom(32), "receiver")
    leave(world, ident, "sender", Origin=world.server.url)
    tap.check(waits.hear() is None, "its own word ends its own waiting")
    waits = End(world.server, f"resume={ident.hex()}&role=sender")
    waits.settle()
    leave(world, ident, "receiver")
    waits.over(LEFT)


@tap.case
def a_page_whose_browser_says_good_bye_is_not_waited_for(world):
    """RFC 6455 7.4.1: 1001 is what a browser that has navigated away closes with."""
    for code, why in ((struct.pack(">H", 1000), GONE), (b"", GONE), (struct.pack(">H", 1001), LEFT)):
        ident = os.urandom(32)
        first, second = world.pair()
        first.say(KNOWN_AS, b"\0" + ident)
        second.say(KNOWN_AS, b"\1" + ident)
        first.settle()
        second.settle()
        first.ws.send(8, code)
        second.over(why)
        tap.check(first.hear() is None, "its own connection ends")
    End(world.server, f"resume={ident.hex()}&role=receiver").over(LEFT)
    first, second = world.pair()
    first.ws.send(8, code)
    second.over(GONE)  # it was nobody yet who could come back


@tap.case
def who_has_left_before_it_was_known_is_not_waited_for(world):
    ident = os.urandom(32)
    first, second = world.pair()
    leave(world, ident, "sender")
    second.say(KNOWN_AS, b"\1" + ident)
    second.over(LEFT)
    first.over(GONE)


@tap.case
def who_leaves_is_heard_past_what_is_not_read(world):
    ident = os.urandom(32)
    first, second = world.pair()
    second.say(KNOWN_AS, b"\1" + ident)
    first.say(KNOWN_AS, b"\0" + ident)
    second.settle()
    first.settle()
    total = [0]

    def push():
        with contextlib.suppress(OSError, Ended):
            while True:
                first.say(DATA, bytes(100_000))
                total[0] += 100_000

    pusher = threading.Thread(target=push, daemon=True)
    pusher.start()
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 1:  # until nothing has moved for a second
        if total[0] != last:
            last, since = total[0], time.monotonic()
        time.sleep(0.05)
    leave(world, ident, "sender")
    heard = second.hear()
    while heard and heard[0] == DATA:
        heard = second.hear()
    tap.equal(heard, (ENDED, bytes([LEFT])), "behind what was on its way")
    pusher.join(SECONDS)
    tap.check(not pusher.is_alive(), "who pushed is let go")


@tap.case
def leaving_is_for_pages_of_this_server(world):
    for query, headers, code in (("resume=abc&role=sender", {}, 400), (f"resume={'0' * 64}&role=spy", {}, 400), ("", {}, 400),
                                 (f"resume={'0' * 64}&role=sender", {"Origin": "https://elsewhere.example"}, 403)):
        request = urllib.request.Request(f"{world.server.url}/api/transfer?{query}", method="DELETE", headers=headers)
        try:
            urllib.request.urlopen(request, timeout=SECONDS)
            tap.fail(f"{query} {headers} was taken")
        except urllib.error.HTTPError as error:
            tap.equal(error.code, code, f"{query} {headers}")


@tap.case
def misuse_ends_it(world):
    for kind, body in ((NAMEPLATE, b"\0\0\0\1"), (PAIRED, b""), (9, b""), (KNOWN_AS, b"short"), (WRONG, b"x")):
        first, second = world.pair()
        first.say(kind, body)
        first.over(MISUSED)
        second.over(GONE)
    alone = End(world.server, "open=1")
    alone.nameplate()
    alone.say(KNOWN_AS, bytes(33))
    alone.over(MISUSED)
    first, second = world.pair()
    with contextlib.suppress(OSError, Ended):
        first.say(DATA, bytes(200_000))
        tap.check(first.hear() is None, "too long a message")
    first.close()
    second.over(GONE)


@tap.case
def what_is_no_websocket_is_refused(world):
    for query in ("", "?open=1", "?claim=7"):
        try:
            urllib.request.urlopen(f"{world.server.url}/api/transfer{query}", timeout=SECONDS)
            tap.fail("it was answered")
        except urllib.error.HTTPError as error:
            tap.equal((error.code, json.load(error)["code"]), (400, "BAD_REQUEST"), query)
    for query in ("", "claim=0", "claim=x", "claim=99999999999", "resume=abc&role=sender", "nothing=1",
                  f"resume={'0' * 64}&role=spy", f"resume={'0' * 64}"):
        try:
            End(world.server, query)
            tap.fail(f"{query} was taken")
        except Ended as ended:
            tap.check(" 400 " in str(ended), f"{query}: {ended}")
    try:
        End(world.server, "open=1", headers={"Origin": "https://elsewhere.example"})
        tap.fail("a page of another origin was let in")
    except Ended as ended:
        tap.check(" 403 " in str(ended), str(ended))
    End(world.server, "open=1", headers={"Origin": world.server.url}).close()


def memory(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


@tap.case
def who_sends_faster_than_the_other_reads_waits(world):
    first = End(world.server, "open=1")
    second = End(world.server, f"claim={first.nameplate()}", receive_buffer=64 * 1024)
    first.must(PAIRED)
    before = memory(world.server)
    held = kernel_keeps() + 4 * 1024 * 1024
    piece, total, sent = bytes(100_000), held + 32 * 1024 * 1024, [0]

    def push():
        with contextlib.suppress(OSError):
            while sent[0] < total:
                first.say(DATA, piece)
                sent[0] += len(piece)

    pusher = threading.Thread(target=push, daemon=True)
    pusher.start()
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 1:  # until nothing has moved for a second
        if sent[0] != last:
            last, since = sent[0], time.monotonic()
        time.sleep(0.05)
    tap.check(sent[0] < held, f"it was held back after {sent[0]} bytes")
    if not world.server.sanitized():
        tap.check(memory(world.server) - before < 16 * 1024 * 1024, "in little memory")
    second.must(PAIRED)
    got = 0
    while got < total:
        got += len(second.must(DATA))
    pusher.join(SECONDS)
    tap.equal(got, sent[0], "and then everything came")
    first.close()
    second.over(GONE)


@tap.case
def the_operator_sees_numbers(world):
    first, second = world.pair()
    with urllib.request.urlopen(f"{world.server.url}/metrics", timeout=SECONDS) as answer:
        lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[0] != "#")
    tap.check(int(lines["tacit_transfer_ends"]) >= 2, "ends")
    tap.check(int(lines["tacit_transfer_pairs_total"]) >= 1, "pairs")
    first.close()
    second.over(GONE)


@tap.case
def the_server_says_when_it_stops(world):
    with Server() as server:
        end = End(server, "open=1")
        end.nameplate()
        server.terminate()
        end.over(STOPPING)


# --- an end from the document --------------------------------------------------------------------


def scalar(code):
    plate, secret = code.split("-", 1)
    for attempt in range(256):
        w = int.from_bytes(p256.hkdf(secret.encode(), plate.encode(),
                                     b"tacit spake2 w\0" + bytes([attempt]), 32), "big")
        if 0 < w < p256.N:
            return w
    raise AssertionError("no scalar")


class Peer:
    """An end of docs/protocol-transfer.md 15.2."""

    def __init__(self, end, code, place, role):
        self.end, self.code, self.place, self.role = end, code, place, role
        self.spake = p256.Spake2("A" if place == "opener" else "B", scalar(code))

    def meet(self, spoil=False):
        role = 0 if self.role == "sender" else 1
        self.end.say(DATA, bytes([1, 1, role]) + self.spake.message)
        theirs = self.end.must(DATA)
        tap.equal(theirs[:3], bytes([1, 1, 1 - role]), "PAKE")
        plate = self.code.split("-")[0].encode()
        opener_sends = (self.place == "opener") == (self.role == "sender")
        aad = b"tacit parcel 1, opener sends" if opener_sends else b"tacit parcel 1, joiner sends"
        self.spake.finish(theirs[3:], b"open " + plate, b"join " + plate, aad)
        self.nonce = os.urandom(32)
        confirmation = bytes(32) if spoil else self.spake.confirmation
        self.end.say(DATA, b"\x02" + confirmation + self.nonce)
        theirs = self.end.must(DATA)
        tap.equal((theirs[0], len(theirs)), (2, 65), "CONFIRM")
        tap.check(hmac.compare_digest(theirs[1:33], self.spake.expected), "its confirmation is right")
        self.root = p256.hkdf(self.spake.key, b"", b"tacit parcel root", 32)
        self.resume_id = p256.hkdf(self.root, b"", b"tacit parcel resume id", 32)


def start(world, *words):
    return Running(world.machine, "--server", world.server.url, *words)


@tap.case
def an_independent_receiver_meets_tacit(world):
    sender = start(world, "send-file", "--text", "hello")
    code = sender.code
    end = End(world.server, f"claim={code.split('-')[0]}")
    end.must(PAIRED)
    peer = Peer(end, code, "joiner", "receiver")
    peer.meet()
    tap.equal(sender.next("state"), {"type": "state", "state": "met"}, "it agrees")
    record = end.must(DATA)
    tap.equal(record[0], 4, "the offer, sealed")
    end.close()
    # The resume id of our own arithmetic finds it again: both have the same root.
    tap.check(sender.next("state")["state"] in ("lost", "away"), "it noticed")
    end = End(world.server, f"resume={peer.resume_id.hex()}&role=receiver")
    end.must(PAIRED)
    tap.equal(end.must(DATA)[:3], b"\x03\x01\x00", "HELLO")
    end.close()
    sender.process.terminate()
    sender.end()


@tap.case
def an_independent_sender_meets_tacit(world):
    end = End(world.server, "open=1")
    code = f"{end.nameplate()}-amber-falcon"
    receiver = start(world, "receive", code, "--yes")
    end.must(PAIRED)
    peer = Peer(end, code, "opener", "sender")
    peer.meet()
    tap.equal(receiver.next("state"), {"type": "state", "state": "met"}, "it agrees")
    receiver.process.terminate()
    receiver.end()
    end.close()


@tap.case
def a_confirmation_that_is_none_is_refused_by_tacit(world):
    sender = start(world, "send-file", "--text", "hello")
    code = sender.code
    end = End(world.server, f"claim={code.split('-')[0]}")
    end.must(PAIRED)
    Peer(end, code, "joiner", "receiver").meet(spoil=True)
    end.over(MISMATCH)
    sender.finish(1)
    tap.equal(sender.problem()["code"], "BAD_PASSWORD", "it is told")


@tap.case
def a_guesser_who_says_nothing_has_used_the_code_up(world):
    sender = start(world, "send-file", "--text", "hello")
    code = sender.code
    end = End(world.server, f"claim={code.split('-')[0]}")
    end.must(PAIRED)
    end.must(DATA)
    end.close()
    sender.finish(1)
    tap.equal(sender.problem()["code"], "GONE", "it is told")
    tap.check("used up" in sender.problem()["error"], "why")


@tap.case
def who_comes_and_says_nothing_is_not_waited_for(world):
    sender = start(world, "send-file", "--wait", "1s", "--text", "hello")
    code = sender.code
    end = End(world.server, f"claim={code.split('-')[0]}")
    end.must(PAIRED)
    end.must(DATA)
    sender.finish(1)
    tap.equal(sender.problem()["code"], "GONE", "it is told")
    tap.check("did not show the code" in sender.problem()["error"], "why")
    end.close()


@tap.case
def what_is_no_point_is_refused_by_tacit(world):
    for message in (b"\x01\x01\x01\x04" + bytes(64), b"\x01\x01\x01" + bytes(65), b"\x01\x02\x01" + bytes(65), b"junk", b""):
        sender = start(world, "send-file", "--text", "hello")
        code = sender.code
        end = End(world.server, f"claim={code.split('-')[0]}")
        end.must(PAIRED)
        end.say(DATA, message)
        sender.end()
        tap.equal(sender.process.returncode, 1, f"{message[:4]!r} {sender.err!r}")
        end.close()


if __name__ == "__main__":
    tap.main(world)
