"""Slow and hostile peers of live events, against the real server. After each case two people talk as before.

How long others wait meanwhile is measured by tools/bench live-slow, not here. TACIT_SEED repeats a run.
"""
import contextlib
import http.client
import json
import os
import random
import resource
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person  # noqa: E402
from support.kernel import kernel_keeps  # noqa: E402
from support.live import Ended, Live, WebSocket  # noqa: E402
from support.seed import seed  # noqa: E402
from support.server import Server  # noqa: E402

SEED = seed()
WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"
POLLING = "/socket.io/?EIO=4&transport=polling"
WAIT = 30
MIB = 1024 * 1024
MEMORY_GROWTH = 48 * MIB
PROTOCOL_ERROR, BAD_TEXT, TOO_BIG, TRY_LATER = 1002, 1007, 1009, 1013


class World:
    def __init__(self, server, dice):
        self.server, self.dice = server, dice
        self.alice, self.bob, self.eve = (Person(server).register() for _ in range(3))
        self.room = self.alice.conversation("room", self.bob, self.eve)
        self.talker, self.hearer = Live(self.alice), Live(self.bob)
        self.hearer.join(self.room)
        self.said = 0
        self.many = 1000 if resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 6000 else 200

    def resident(self):
        with open(f"/proc/{self.server.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

    def check_well(self, after):
        """Others are unharmed: what one says the other hears, and nothing else came."""
        self.said += 1
        text = f"{after} {self.said}"
        told = self.talker.send(self.room, text)
        heard = self.hearer.wait("new_message", lambda m: m["id"] == told["id"])
        tap.equal(heard["encrypted_content"], text, f"after {after}")
        tap.equal(self.server.process.poll(), None, f"the server lives, after {after}")
        tap.equal(self.hearer.all("error"), [], "the others are told of nothing")

    def live(self, person=None, **more):
        return Live(person or self.eve, **more)

    def pest(self):
        """Somebody new, whose allowance is whole and may be used up."""
        return Person(self.server).register()

    def bare(self, connect=True, person=None):
        """A WebSocket of eve's, by hand."""
        ws = WebSocket(self.server.port, WEBSOCKET,
                       {"Authorization": f"Bearer {(person or self.eve).token}"})
        ws.receive()
        if connect:
            ws.send(1, b"40")
            tap.check(ws.receive()[1].startswith(b"40{"), "connected")
        return ws

    def request(self, method, target, body=None, person=None):
        link = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=WAIT)
        try:
            link.request(method, target, body, {"Authorization": f"Bearer {person.token}"} if person else {})
            answer = link.getresponse()
            return answer.status, answer.read()
        finally:
            link.close()

    def poller(self, person=None):
        """The sid of a session by polling."""
        _, body = self.request("GET", POLLING, person=person or self.eve)
        sid = json.loads(body[1:])["sid"]
        tap.equal(self.request("POST", f"{POLLING}&sid={sid}", b"40")[0], 200, "40")
        while b"40{" not in self.request("GET", f"{POLLING}&sid={sid}")[1]:
            pass
        return sid


def code_of_end(ws):
    """The code of the server's Close frame; 0: it ended without one; None: it goes on."""
    try:
        while True:
            first, second = ws._take(2)
            length = second & 0x7f
            if length >= 126:
                length, = struct.unpack(">H" if length == 126 else ">Q", ws._take(2 if length == 126 else 8))
            payload = ws._take(length)
            if first & 0x0f == 8:
                return struct.unpack(">H", payload[:2])[0] if length >= 2 else 0
    except TimeoutError:
        return None
    except (OSError, Ended):
        return 0


def ends(ws, what, *codes):
    """It is over, and for the reason that is expected; a reset may have eaten the reason."""
    tap.one_of(code_of_end(ws), (0, *codes), what)
    ws.close()


@contextlib.contextmanager
def world():
    print(f"# TACIT_SEED={SEED}", flush=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Server(RATE_ACCOUNT=200, CONNECTIONS_PER_ACCOUNT=0, ACCESS_LOG="no") as server:
        w = World(server, random.Random(SEED))
        try:
            yield w
        finally:
            w.talker.close()
            w.hearer.close()


# --- who does not read ---

@tap.case
def readers_who_do_not_read_delay_nobody(w):
    stalled = [w.live(receive_buffer=8192) for _ in range(8)]
    for live in stalled:
        live.join(w.room)
    with contextlib.ExitStack() as stop:
        for live in stalled:
            stop.enter_context(live.changed)  # its reader waits here with the next event
        before, ids, most = w.resident(), [], 200 + kernel_keeps() // 60000
        other = Person(w.server).register()
        w.alice.must(w.alice.post(f"/api/rooms/{w.room}/participants", {"usernames": [other.username]}))
        with Live(other) as talker:
            while len(ids) < 40 or (dropped(w) == 0 and len(ids) < most):
                ack = talker.call("send_message", room_id=w.room, encrypted_content="x" * 60000)
                if ack.get("code") == "RATE_LIMITED":
                    time.sleep(ack["retry_after"])
                else:
                    ids.append(ack["id"])
        got = [m["id"] for m in w.hearer.wait_count("new_message", len(ids), lambda m: m["id"] in ids)]
        tap.equal(got, ids, "who reads has everything, in order")
        tap.check(dropped(w) > 0, "who does not read has lost some")
        grown = w.resident() - before
        if not w.server.sanitized():
            tap.check(grown < MEMORY_GROWTH, f"{grown // MIB} MiB for readers who do not read")
    for live in stalled:
        tap.equal(live.wait("error")["code"], "FELL_BEHIND", "it is told")
        before = [m["id"] for m in live.all("new_message")]
        tap.equal(before, [i for i in ids if i in before], "what came is in order")
        live.close()
    w.check_well("readers who do not read")


def dropped(w):
    text = w.bob.get("/metrics").body.decode()
    return int(next(line for line in text.splitlines()
                    if line.startswith("tacit_live_frames_dropped_total ")).split()[1])


@tap.case
def pollers_who_do_not_fetch_are_bounded(w):
    sids = [w.poller() for _ in range(20)]
    for sid in sids:
        w.request("POST", f"{POLLING}&sid={sid}", f'42["join_room",{{"room_id":{w.room}}}]'.encode())
    w.check_well("pollers who do not fetch")
    for sid in sids:
        status, body = w.request("GET", f"{POLLING}&sid={sid}")
        tap.check(status == 200 and b"room_history" in body, "and then one does")


# --- floods ---

FLOODS = {
    "events": b'42["typing",{"room_id":1}]',
    "events nobody knows": b'42["x"]',
    "acknowledgements": b"430[]",
    "pongs": b"3",
    "noops": b"6",
}


def flood(ws, payload, opcode=1):
    """So many packets that they cannot all be paid; the code of the end."""
    pusher = threading.Thread(target=push, args=(ws, frame(payload, opcode) * 500))
    pusher.start()
    code = code_of_end(ws)
    ws.close()
    pusher.join(WAIT)
    return code


def push(ws, piece):
    with contextlib.suppress(OSError):
        for _ in range(120):
            ws.socket.sendall(piece)


def frame(payload, opcode=1, fin=0x80, mask=b"\0\0\0\0"):
    length = len(payload)
    head = bytes([0x80 | length]) if length < 126 else b"\xfe" + struct.pack(">H", length) \
        if length < 65536 else b"\xff" + struct.pack(">Q", length)
    return bytes([fin | opcode]) + head + mask + payload


def floods_are_cut_by_cost(w, name):
    code = flood(w.bare(person=w.pest()), FLOODS[name])
    tap.one_of(code, (TRY_LATER, 0), "cut for its cost, not for what it said")
    w.check_well(f"a flood of {name}")


tap.cases(list(FLOODS), floods_are_cut_by_cost)


@tap.case
def floods_of_control_frames_are_cut(w):
    for opcode, name in ((9, "pings"), (10, "pongs")):
        tap.one_of(flood(w.bare(person=w.pest()), b"!", opcode), (TRY_LATER, 0), f"WebSocket {name}")
    w.check_well("control frames")


@tap.case
def a_flood_in_one_body_is_cut(w):
    sid = w.poller(w.pest())
    body = b"\x1e".join([b'42["typing",{"room_id":1}]'] * 20000)
    tap.one_of(w.request("POST", f"{POLLING}&sid={sid}", body)[0], (400, 413), "the post")
    tap.equal(w.request("GET", f"{POLLING}&sid={sid}")[0], 400, "the session is over")
    w.check_well("a flood in one body")


# --- who is slow ---

@tap.case
def who_never_finishes_a_handshake_harms_nobody(w):
    held = []
    for number in range(w.many):
        s = socket.create_connection(("127.0.0.1", w.server.port), timeout=WAIT)
        s.sendall(f"GET {WEBSOCKET} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nX-{number}: ".encode())
        held.append(s)
    for _ in range(w.many):
        s = socket.create_connection(("127.0.0.1", w.server.port), timeout=WAIT)
        s.sendall(f"GET {POLLING} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        held.append(s)  # a session that nobody connects in
    held += [w.bare(connect=False).socket for _ in range(50)]
    w.check_well("half-open handshakes")
    with w.live() as live:
        live.join(w.room)  # there is room for who comes now
    for s in held:
        s.close()
    w.check_well("half-open handshakes that end")


@tap.case
def who_sends_a_byte_at_a_time_harms_nobody(w):
    sid = w.poller()
    body = b'42["typing",{"room_id":1}]'
    posts = []
    for _ in range(w.many // 2):
        s = socket.create_connection(("127.0.0.1", w.server.port), timeout=WAIT)
        s.sendall(f"POST {POLLING}&sid={sid} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        posts.append(s)
    frames = [w.bare() for _ in range(20)]
    whole = frame(body)
    for at in range(10):
        for s in posts:
            with contextlib.suppress(OSError):  # a slow machine may have cut it off by then
                s.sendall(body[at:at + 1])
        for ws in frames:
            ws.socket.sendall(whole[at:at + 1])
        if at % 5 == 0:
            w.check_well("a byte at a time")
    for s in posts:
        s.close()
    for ws in frames:
        ws.close()
    w.check_well("a byte at a time that ends")


# --- too much ---

@tap.case
def oversized_frames_are_refused_by_their_head(w):
    for length, name in ((2**62, "2^62"), (2**40, "2^40"), (2_000_000, "two million")):
        ws = w.bare()
        ws.socket.sendall(b"\x81\xff" + struct.pack(">Q", length) + b"\0\0\0\0")
        ends(ws, f"a frame of {name} bytes", TOO_BIG)
    ws = w.bare()
    with contextlib.suppress(OSError):
        ws.socket.sendall(frame(b"4" + b"x" * 99999, fin=0))
        for _ in range(20):
            ws.socket.sendall(frame(b"x" * 100000, 0, fin=0))
    ends(ws, "a message in pieces that never ends", TOO_BIG)
    for fin in (0x8f, 0x80 | 3):
        ws = w.bare()
        ws.socket.sendall(bytes([fin]) + b"\x80\0\0\0\0")
        ends(ws, "a reserved opcode", PROTOCOL_ERROR)
    w.check_well("oversized frames")


@tap.case
def oversized_payloads_are_refused(w):
    sid = w.poller()
    tap.one_of(w.request("POST", f"{POLLING}&sid={sid}", b"4" * 1_500_000)[0], (400, 413), "a body")
    with w.live() as live:
        ack = live.call("send_message", room_id=w.room, encrypted_content="-" * (512 * 1024 + 4))
        tap.one_of(ack.get("code"), ("TOO_LARGE", "INVALID_VALUE"), "a content")
        ack = live.call("send_message", room_id=w.room, encrypted_content="x", iv="y" * 5000)
        tap.one_of(ack.get("code"), ("TOO_LARGE", "INVALID_VALUE"), "an iv")
        live.send(w.room, "and it goes on")
    w.check_well("oversized payloads")


@tap.case
def deep_or_odd_json_is_refused(w):
    deep = [b'42["send_message",' + b"[" * 200000, b'42["send_message",' + b"[" * 50000 + b"]" * 50000 + b"]",
            b'42["send_message",' + b'{"a":' * 50000 + b"1" + b"}" * 50000 + b"]",
            b'42["send_message",{"room_id":1e999}]', b'42["send_message",{"a":1,"a":2}]', b'42{"a":1}', b"42",
            b"42[]", b"42[1]", b'42["connect"]', b'42["disconnect"]', b'42["x"', b'42["x"] ', b'42["x"]]',
            b'4299999999999999999999["x"]', b'42-1["x"]', b"42/" + b"n" * 5000 + b',["x"]', b"48", b"4", b"9", b"",
            b'42["\\ud800"]', b'42["a\\u0000b"]']
    for text in deep:
        ws = w.bare()
        ws.send(1, text)
        ws.send(1, b'421["leave_room",{"room_id":9007199254740991}]')
        ws.send(8, struct.pack(">H", 1000))
        tap.one_of(code_of_end(ws), (0, 1000, PROTOCOL_ERROR, TOO_BIG, TRY_LATER), repr(text[:40]))
        ws.close()
    w.check_well("deep JSON")


@tap.case
def text_that_is_no_utf8_is_refused(w):
    for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"):
        ws = w.bare()
        ws.send(1, b'42["x","' + bad + b'"]')
        ends(ws, repr(bad), BAD_TEXT)
    sid = w.poller()
    tap.equal(w.request("POST", f"{POLLING}&sid={sid}", b'42["x","\xff"]')[0], 400, "by polling")
    w.check_well("no UTF-8")


@tap.case
def attachments_that_never_come_are_waited_for_in_vain(w):
    held = []
    for _ in range(50):
        ws = w.bare()
        ws.send(1, b'4510-["x"' + b"".join(b',{"_placeholder":true,"num":%d}' % n for n in range(10)) + b"]")
        ws.send(2, b"one of ten")
        held.append(ws)
    w.check_well("attachments that never come")
    for ws in held[:10]:
        ws.send(1, b'42["x"]')
        ends(ws, "a text in between", PROTOCOL_ERROR)
    for ws in held[10:]:
        ws.close()
    for text in (b'4511-["x"]', b'45999999999999-["x"]', b'450-["x"]', b'451-["x",{"_placeholder":true,"num":7}]'):
        ws = w.bare()
        ws.send(1, text)
        ws.send(2, b"x")
        ws.send(8, struct.pack(">H", 1000))
        tap.one_of(code_of_end(ws), (0, 1000, PROTOCOL_ERROR), repr(text))
        ws.close()
    ws = w.bare()
    ws.send(1, b'453-["x"]')
    with contextlib.suppress(OSError):
        for _ in range(3):
            ws.send(2, b"y" * 600_000)
    ends(ws, "attachments that are too large together", PROTOCOL_ERROR, TOO_BIG, TRY_LATER)
    ws = w.bare()
    ws.send(2, b"nobody waits for it")
    ends(ws, "an attachment out of nowhere", PROTOCOL_ERROR)
    w.check_well("attachments")


@tap.case
def nothing_is_ever_compressed(w):
    """So no small frame can become a large one."""
    with socket.create_connection(("127.0.0.1", w.server.port), timeout=WAIT) as s:
        s.sendall((f"GET {WEBSOCKET} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n").encode())
        got = b""
        while b"\r\n\r\n" not in got:
            got += s.recv(4096)
    tap.check(got.startswith(b"HTTP/1.1 101"), "upgraded")
    tap.check(b"sec-websocket-extensions" not in got.split(b"\r\n\r\n")[0].lower(), "without an extension")
    ws = w.bare()
    ws.socket.sendall(b"\xc1\x81\0\0\0\0a")
    ends(ws, "a frame that says it is compressed", PROTOCOL_ERROR)
    w.check_well("compression")


# --- sessions of others, and two ways at once ---

@tap.case
def a_sid_cannot_be_guessed(w):
    sid = w.poller()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    guesses = [sid[:at] + next(c for c in alphabet if c != sid[at]) + sid[at + 1:] for at in range(len(sid))]
    guesses += ["".join(w.dice.choice(alphabet) for _ in sid) for _ in range(100)]
    guesses += ["", "A", sid[:-1], sid + "A", sid * 100, "%00", "../" + sid, sid + "%00", "A" * 28]
    guesses = [g for g in guesses if g != ""]
    for guess in guesses:
        for method, body in (("GET", None), ("POST", b"1")):
            status, said = w.request(method, f"{POLLING}&sid={guess}", body)
            tap.check(status in (400, 414), f"{method} {guess[:40]}: {status} {said[:60]!r}")
    for guess in guesses[:5] + guesses[-3:]:
        try:
            WebSocket(w.server.port, f"{WEBSOCKET}&sid={guess}", {}).close()
            tap.fail(f"an upgrade of {guess[:40]}")
        except Ended:
            pass
    tap.equal(w.request("POST", f"{POLLING}&sid={sid}", b'421["leave_room",{"room_id":1}]')[0], 200,
              "the session is unharmed")
    w.check_well("guesses")


def probing(w, sid):
    ws = WebSocket(w.server.port, f"{WEBSOCKET}&sid={sid}", {})
    ws.send(1, b"2probe")
    return ws


@tap.case
def upgrades_race(w):
    """Whatever comes at once: a session has one way at a time, and nothing breaks."""
    for _ in range(15):
        sid = w.poller()
        moves = [lambda s=sid: probing(w, s).send(1, b"5"), lambda s=sid: probing(w, s).send(1, b"5"),
                 lambda s=sid: w.request("POST", f"{POLLING}&sid={s}", b'421["leave_room",{"room_id":1}]'),
                 lambda s=sid: w.request("POST", f"{POLLING}&sid={s}", b"1"),
                 lambda s=sid: probing(w, s).close(),
                 lambda s=sid: WebSocket(w.server.port, f"{WEBSOCKET}&sid={s}", {}).send(1, b"5")]
        w.dice.shuffle(moves)
        poll = threading.Thread(target=quietly,
                                args=(lambda s=sid: w.request("GET", f"{POLLING}&sid={s}"),))
        threads = [threading.Thread(target=quietly, args=(move,)) for move in moves[:w.dice.randrange(2, 6)]]
        threads.insert(w.dice.randrange(len(threads)), poll)
        for t in threads:
            t.start()
        for t in threads:
            if t is not poll:
                t.join(WAIT)
        quietly(lambda s=sid: w.request("POST", f"{POLLING}&sid={s}", b"1"))  # nothing else may end the poll
        poll.join(WAIT)
        tap.check(not any(t.is_alive() for t in threads), "all moves end")
    w.check_well("races")


def quietly(move):
    with contextlib.suppress(OSError, Ended, http.client.HTTPException, ValueError):
        move()


@tap.case
def one_upgrade_wins(w):
    sid = w.poller()
    first = probing(w, sid)
    tap.equal(first.receive()[1], b"3probe", "the probe's answer")
    second = None
    try:
        second = probing(w, sid)
        tap.check(second.receive() is None, "a second probe gets nothing")
    except (OSError, Ended):
        pass  # refused at the door
    first.send(1, b"5")
    first.send(1, b'421["leave_room",{"room_id":9007199254740991}]')
    while not first.receive()[1].startswith(b"431["):
        pass
    tap.equal(w.request("GET", f"{POLLING}&sid={sid}")[0], 400, "polling is over")
    first.close()
    if second is not None:
        second.close()
    w.check_well("two upgrades")


# --- anything ---

@tap.case
def conversations_mutated_at_random(w):
    good = [b'40{"token":"x"}', b"40", b'420["join_room",{"room_id":%d}]' % w.room, b"3", b"2probe", b"5", b"6",
            b'421["send_message",{"room_id":%d,"encrypted_content":"x"}]' % w.room, b"41", b"1",
            b'451-["x",{"_placeholder":true,"num":0}]', b'42["typing",{"room_id":%d}]' % w.room]
    for _ in range(120):
        ws = w.bare(connect=w.dice.random() < 0.7)
        with contextlib.suppress(OSError):
            for _ in range(w.dice.randrange(1, 8)):
                data = bytearray(frame(w.dice.choice(good), w.dice.choice((1, 1, 1, 1, 2, 0, 9)),
                                       mask=w.dice.randbytes(4) if w.dice.random() < 0.1 else b"\0\0\0\0"))
                for _ in range(w.dice.choice((0, 0, 1, 1, 3))):
                    at = w.dice.randrange(len(data))
                    data[at:at + w.dice.choice((0, 1, 4))] = w.dice.randbytes(w.dice.choice((0, 1, 1, 9)))
                    if not data:
                        break
                ws.socket.sendall(bytes(data))
        ws.close()
    w.check_well("mutations")


tap.main(world)
