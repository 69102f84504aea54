"""Engine.IO and Socket.IO by hand: polling, WebSocket, the upgrade, rooms and limits, against
live-echo with several loops, so that requests of a session come to loops that are not its own."""
import http.client
import json
import os
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from support import tap  # noqa: E402
from support.echo import Echo  # noqa: E402
from support.live import Ended, WebSocket  # noqa: E402

WAIT = 30
CALM = ["--ping-interval", "60000", "--ping-timeout", "60000"]


class Polling:
    """A session by long-polling; each request on a connection of its own, so on any loop."""

    def __init__(self, port, path="/socket.io/", headers=None):
        self.port, self.path, self.headers = port, path, headers or {}
        self.sid = None
        status, body = self.request("GET")
        if status != 200 or not body.startswith("0"):
            raise RuntimeError(f"no session: {status} {body}")
        self.hello = json.loads(body[1:])
        self.sid = self.hello["sid"]
        self.waiting = []

    def request(self, method, body=None, transport="polling"):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        sid = f"&sid={self.sid}" if self.sid else ""
        try:
            link.request(method, f"{self.path}?EIO=4&transport={transport}{sid}", body,
                         self.headers)
            answer = link.getresponse()
            return answer.status, answer.read().decode()
        finally:
            link.close()

    def post(self, *packets):
        return self.request("POST", "\x1e".join(packets))

    def poll(self):
        return self.request("GET")

    def next(self, wanted):
        """Polls until a packet begins with `wanted`."""
        while True:
            for i, packet in enumerate(self.waiting):
                if packet.startswith(wanted):
                    return self.waiting.pop(i)
            status, body = self.poll()
            if status != 200:
                raise Ended(f"poll: {status} {body}")
            self.waiting += body.split("\x1e")

    def connect(self, auth=""):
        self.post("40" + auth)
        self.next("40{")
        self.next('42["auth"')
        return self

    def call(self, name, *arguments, ack=1):
        self.post(f"42{ack}" + json.dumps([name, *arguments]))
        return self.next(f"43{ack}[")


class Socket:
    """A session by WebSocket."""

    def __init__(self, port, auth="", connect=True, **more):
        self.ws = WebSocket(port, "/socket.io/?EIO=4&transport=websocket", {}, **more)
        self.seen = []
        self.acks = 0
        self.hello = json.loads(self.text()[1:])
        if connect:
            self.say("40" + auth)
            self.next("40{")
            self.next('42["auth"')

    def say(self, text):
        self.ws.send(1, text.encode())

    def message(self):
        got = self.ws.receive()
        if got is None:
            raise Ended("closed")
        return got

    def text(self):
        while True:
            kind, data = self.message()
            if kind == 1 and data == b"2":
                self.say("3")
            elif kind == 1:
                return data.decode()

    def next(self, wanted):
        while True:
            for i, packet in enumerate(self.seen):
                if packet.startswith(wanted):
                    return self.seen.pop(i)
            self.seen.append(self.text())

    def call(self, name, *arguments):
        self.acks += 1
        self.say(f"42{self.acks}" + json.dumps([name, *arguments]))
        return self.next(f"43{self.acks}[")

    def published(self):
        return json.loads(self.next('42["published"')[2:])[1]

    def ended(self):
        try:
            while True:
                self.text()
        except (Ended, OSError):
            return True

    def close(self):
        self.ws.close()


class World:
    def __enter__(self):
        self.echo = Echo(*CALM)
        self.echo.__enter__()
        self.port = self.echo.port
        return self

    def __exit__(self, *failure):
        return self.echo.__exit__(*failure)


# --- polling ---

@tap.case
def a_session_lives_on_every_loop(world):
    for _ in range(8):
        p = Polling(world.port).connect()
        tap.equal(p.hello["upgrades"], ["websocket"], "upgrades")
        for i in range(8):
            p.post(f'42["message",{i}]')
            tap.equal(p.next('42["message-back"'), f'42["message-back",{i}]', "echo")
        tap.equal(p.call("join", 5), "431[5]", "ack")


@tap.case
def several_packets_share_a_body(world):
    p = Polling(world.port).connect()
    status, said = p.post('42["message","a"]', '451-["message",{"_placeholder":true,"num":0}]',
                          "bAQID", '42["message","b"]')
    tap.equal((status, said), (200, "ok"), "post")
    tap.equal(p.next("42"), '42["message-back","a"]', "first")
    tap.equal(p.next("45"), '451-["message-back",{"_placeholder":true,"num":0}]', "second")
    tap.equal(p.next("b"), "bAQID", "its attachment")
    tap.equal(p.next("42"), '42["message-back","b"]', "third")


@tap.case
def the_stock_errors(world):
    for target, code in (("EIO=4", 0), ("EIO=4&transport=abc", 0),
                         ("EIO=4&transport=polling&sid=unknown", 1),
                         ("EIO=4&transport=polling&sid=" + "A" * 28, 1),
                         ("EIO=4&transport=polling&sid=" + "A" * 2800, 1),
                         ("EIO=4&transport=websocket", 3), ("transport=polling", 5),
                         ("EIO=3&transport=polling", 5)):
        link = http.client.HTTPConnection("127.0.0.1", world.port, timeout=WAIT)
        link.request("GET", "/socket.io/?" + target)
        answer = link.getresponse()
        said = json.loads(answer.read())
        tap.equal((answer.status, said["code"]), (400, code), target[:40])
        link.close()
    for method in ("POST", "PUT", "DELETE"):
        link = http.client.HTTPConnection("127.0.0.1", world.port, timeout=WAIT)
        link.request(method, "/socket.io/?EIO=4&transport=polling")
        tap.equal(json.loads(link.getresponse().read())["code"], 2, method)
        link.close()


@tap.case
def a_second_poll_ends_the_session(world):
    p = Polling(world.port)
    first = []
    thread = threading.Thread(target=lambda: first.append(p.poll()))
    thread.start()
    statuses = set()
    while 400 not in statuses:  # whichever poll came second
        statuses.add(p.poll()[0])
    thread.join(WAIT)
    tap.equal(sorted(statuses | {first[0][0]}), [200, 400], "one of them was told")
    tap.equal(p.poll()[0], 400, "over")


@tap.case
def what_is_too_large_is_refused(world):
    p = Polling(world.port).connect()
    tap.equal(p.request("POST", "4" * 1000001)[0], 413, "a body beyond maxPayload")
    s = Socket(world.port)
    s.say('42["message","' + "x" * 1000000 + '"]')
    tap.check(s.ended(), "a message beyond maxPayload ends the session")
    s.close()


@tap.case
def bad_packets_end_the_session(world):
    for bad in ("abc", "4abc", "42{}", "42abc[]", "42[1]", '42["connect"]', "450-[]", "43[]",
                "2", "0", "5", "4" + "9" * 40, '42/nowhere,["a"]', "40", "bAQID", "7", ""):
        p = Polling(world.port).connect()
        tap.equal(p.post(bad)[0], 400, bad)
        tap.equal(p.poll()[0], 400, bad)


# --- WebSocket ---

@tap.case
def bad_frames_end_the_connection(world):
    for frame in (b"\x81\x01a", b"\xc1\x81\0\0\0\0a", b"\x83\x80\0\0\0\0", b"\x09\x80\0\0\0\0",
                  b"\x81\xfe\0\x01\0\0\0\0a", b"\x80\x80\0\0\0\0", b"\x81\x81\0\0\0\0\xff"):
        s = Socket(world.port)
        s.ws.socket.sendall(frame)
        tap.check(s.ended(), repr(frame))
        s.close()


@tap.case
def frames_in_pieces(world):
    s = Socket(world.port)
    whole = b"\x01\x84\0\0\0\0" + b'42["' + b"\x89\x81\0\0\0\0!" + b"\x80\x8c\0\0\0\0" + b'message",12]'
    for byte in whole:
        s.ws.socket.sendall(bytes([byte]))
    tap.equal(s.next('42["message-back"'), '42["message-back",12]', "echo")
    s.close()


@tap.case
def pages_of_strangers_get_no_socket(world):
    with Echo(*CALM, "--origins", "https://listed.example") as echo:
        target = "/socket.io/?EIO=4&transport=websocket"
        for origin in ("https://listed.example", f"http://127.0.0.1:{echo.port}"):
            WebSocket(echo.port, target, {"Origin": origin}).close()
        for origin in ("https://evil.example", "null", f"https://127.0.0.1:{echo.port}",
                       "https://listed.example.evil.example", ""):
            try:
                WebSocket(echo.port, target, {"Origin": origin}).close()
                tap.fail(f"taken: {origin!r}")
            except Ended as why:
                tap.check("403" in str(why), f"{origin!r}: {why}")


# --- the upgrade ---

def upgrade(p):
    ws = WebSocket(p.port, f"/socket.io/?EIO=4&transport=websocket&sid={p.sid}", {})
    ws.send(1, b"2probe")
    tap.equal(ws.receive(), (1, b"3probe"), "probe")
    return ws


@tap.case
def upgrades_cross_loops(world):
    for _ in range(12):
        p = Polling(world.port).connect()
        ws = upgrade(p)
        p.post('42["message","by polling"]')
        ws.send(1, b"5")
        got = [p.poll()]
        while got[-1] == (200, "6"):
            got.append(p.poll())
        seen = [body for status, body in got if status == 200 and body != "6"]
        ws.send(1, b'42["message","by socket"]')
        while not seen or seen[-1] != '42["message-back","by socket"]':
            kind, data = ws.receive()
            seen.append(data.decode())
        tap.equal([s for s in seen if s != "2"],
                  ['42["message-back","by polling"]', '42["message-back","by socket"]'],
                  "nothing is lost, nothing doubled")
        tap.equal(p.poll()[0], 400, "polling is over")
        ws.close()


@tap.case
def bad_probes_leave_the_session(world):
    for first in (b"2wrong", b"5", b"4hello", b"abc"):
        p = Polling(world.port).connect()
        ws = WebSocket(world.port, f"/socket.io/?EIO=4&transport=websocket&sid={p.sid}", {})
        ws.send(1, first)
        tap.equal(ws.receive(), None, repr(first))
        ws.close()
        p.post('42["message",1]')
        tap.equal(p.next("42"), '42["message-back",1]', "polling goes on")
        again = upgrade(p)
        again.close()


# --- rooms ---

@tap.case
def a_room_reaches_all_loops_in_order(world):
    room, members = 7, [Socket(world.port) for _ in range(9)]
    for s in members:
        s.call("join", room)
        s.call("open", room, 0)
    for i in range(1, 101):
        members[i % 3].say("42" + json.dumps(["publish", room, i, i]))
        if i % 3 == 0:
            members[0].call("nothing")
    lists = [[s.published() for _ in range(100)] for s in members]
    for got in lists:
        tap.equal(sorted(got), list(range(1, 101)), "everything, once")
        for sender in range(3):  # what one socket says stays in order
            mine = [i for i in got if i % 3 == sender]
            tap.equal(mine, sorted(mine), "order")
    for s in members:
        s.close()


@tap.case
def history_and_live_meet(world):
    room, s, other = 8, Socket(world.port), Socket(world.port)
    s.call("join", room)
    for order in (1, 2, 3, 4):
        other.call("publish", room, order, order)
    other.call("publish", room, 0, "no order")
    s.call("open", room, 2)
    other.call("publish", room, 5, 5)
    tap.equal([s.published() for _ in range(4)], [3, 4, "no order", 5], "from 3 on")
    s.call("leave", room)
    other.call("publish", room, 6, 6)
    s.call("nothing")
    tap.equal([p for p in s.seen if "published" in p], [], "nothing after leaving")
    s.close()
    other.close()


@tap.case
def members_are_put_out(world):
    room = 9
    a, b = (Socket(world.port, json.dumps({"user": user})) for user in (101, 102))
    for s in (a, b):
        s.call("join", room)
        s.call("open", room, 0)
    b.call("evict", room, 101)
    b.call("publish", room, 1, "after")
    tap.equal(b.published(), "after", "the other is still there")
    a.call("nothing")
    a.call("nothing")
    tap.equal([p for p in a.seen if "published" in p], [], "evicted")
    b.call("end", 101)
    tap.equal(a.next("41"), "41", "told to go")
    tap.check(a.ended(), "and gone")
    a.close()
    b.close()


@tap.case
def a_slow_reader_is_told_to_catch_up(world):
    with Echo(*CALM, "--queue-frames", "8") as echo:
        room = 3
        slow, fast = Socket(echo.port, receive_buffer=4096), Socket(echo.port)
        slow.call("join", room)
        slow.call("open", room, 0)
        text = "x" * 100000
        for i in range(1, 101):
            fast.call("publish", room, i, text)
        tap.equal(slow.next('42["behind"'), '42["behind",3]', "told")
        got = len([p for p in slow.seen if "published" in p])
        tap.check(0 < got < 100, f"some were dropped: {got}")
        fast.call("publish", room, 200, "again")
        while slow.published() != "again":
            pass
        slow.close()
        fast.close()


@tap.case
def peers_vanish_while_they_are_sent_to(world):
    room, sender = 11, Socket(world.port)
    for _ in range(20):
        members = [Socket(world.port) for _ in range(6)]
        for s in members:
            s.call("join", room)
            s.call("open", room, 0)
        for s in members[1:]:  # a reset, which the next write finds
            s.ws.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for i, s in enumerate(members[1:]):
            sender.say("42" + json.dumps(["publish", room, 0, i]))
            s.ws.socket.close()
        sender.call("publish", room, 0, "last")
        while members[0].published() != "last":
            pass
        members[0].close()
    sender.close()


# --- limits ---

@tap.case
def floods_end(world):
    with Echo(*CALM, "--events", "5") as echo:
        s = Socket(echo.port)
        try:
            for i in range(2000):
                s.say(f'42["nothing",{i}]')
        except OSError:
            pass
        tap.check(s.ended(), "the flood was cut")
        s.close()
        s = Socket(echo.port)  # bytes count, too
        try:
            for i in range(40):
                s.say('42["nothing","' + "x" * 100000 + '"]')
        except OSError:
            pass
        tap.check(s.ended(), "the flood of bytes was cut")
        s.close()


@tap.case
def the_oldest_makes_room(world):
    with Echo(*CALM, "--per-user", "2") as echo:
        auth = json.dumps({"user": 5})
        a, b, c = (Socket(echo.port, auth) for _ in range(3))
        tap.check(a.ended(), "the oldest went")
        b.call("nothing")
        c.call("nothing")
        for s in (a, b, c):
            s.close()


@tap.case
def refusals_have_a_code(world):
    s = Socket(world.port, connect=False)
    s.say('40{"refuse":"no thanks"}')
    said = json.loads(s.next("44")[2:])
    tap.equal(said, {"message": "no thanks", "data": {"code": "REFUSED"}}, "connect_error")
    s.say("40")  # and may try again
    s.next("40{")
    s.call("nothing")
    s.close()


@tap.case
def who_never_connects_lapses(world):
    idle = Socket(world.port, connect=False)
    tap.check(idle.ended(), "a session without a CONNECT")
    idle.close()
    p = Polling(world.port)
    while p.poll()[0] == 200:
        pass
    tap.equal(p.poll()[0], 400, "by polling, too")


@tap.case
def silence_ends_a_session(world):
    with Echo("--ping-interval", "50", "--ping-timeout", "50") as echo:
        s = Socket(echo.port)
        while True:  # reads, but never answers a ping
            got = s.ws.receive()
            if got is None:
                break
        p = Polling(echo.port)
        while p.poll()[0] == 200:
            pass
        s.close()


@tap.case
def stopping_says_good_bye(world):
    with Echo(*CALM) as echo:
        s = Socket(echo.port)
        p = Polling(echo.port).connect()
        answer = []

        def poll():
            try:
                answer.append(p.poll())
            except OSError:  # it came too late
                answer.append(None)

        thread = threading.Thread(target=poll)
        thread.start()
    thread.join(WAIT)
    tap.one_of(answer[0], [None, (200, "1")], "the poll")
    tap.check(s.ended(), "the WebSocket was closed")
    s.close()


if __name__ == "__main__":
    tap.main(World)
